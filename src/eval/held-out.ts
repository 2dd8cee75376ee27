// Loss on text that training never saw, by a program that shares the parameters' buffers and only goes forward.
import { type Backend, bindByName, type DeviceBuffer, type Program } from "../backend/index.ts";
import { check, type OnProgress } from "../base/index.ts";
import type { Tokens } from "../data/index.ts";
import { type BatchSize, batchPositions, type LlamaConfig, type LossGraph, lossGraph } from "../model/index.ts";
import { bitsPerByte, perplexity } from "./bits-per-byte.ts";
import { spreadBatches } from "./spread-batches.ts";

/** Held-out text as tokens, and how many bytes it had as text. */
export interface HeldOutText {
  readonly tokens: Tokens;
  readonly bytes: number;
}

export interface Evaluation {
  /** Mean over the tokens that were predicted, in nats. */
  readonly loss: number;
  readonly perplexity: number;
  /** Of the whole text; when only some of it was read, that loss is taken for all. */
  readonly bitsPerByte: number;
  /** How many were predicted. */
  readonly tokens: number;
}

export interface EvaluateOptions {
  /** About how many tokens to read, spread over the text; all by default. */
  readonly tokens?: number;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: OnProgress | undefined;
}

export class HeldOutEvaluator implements Disposable {
  readonly #size: BatchSize;
  readonly #built: LossGraph;
  readonly #buffers: ReadonlyMap<string, DeviceBuffer>;
  readonly #program: Program;

  /**
   * @param size batch and length of a run; a token sees at most `length` tokens before it
   * @param buffers by name, with every parameter's values; what is lacking (tokens, targets, positions) is allocated and added
   */
  static async open(backend: Backend, config: LlamaConfig, size: BatchSize, buffers: Map<string, DeviceBuffer>): Promise<HeldOutEvaluator> {
    const built = lossGraph(config, size, false);
    const program = await backend.compile(built.graph, await bindByName(backend, built.graph, buffers));
    return new HeldOutEvaluator(size, built, buffers, program);
  }

  private constructor(size: BatchSize, built: LossGraph, buffers: ReadonlyMap<string, DeviceBuffer>, program: Program) {
    this.#size = size;
    this.#built = built;
    this.#buffers = buffers;
    this.#program = program;
  }

  /** @throws CriaError when the text has no two tokens; the signal's reason when it aborts. */
  async evaluate(text: HeldOutText, { tokens: wanted, signal, progress }: EvaluateOptions = {}): Promise<Evaluation> {
    const all = text.tokens.length - 1;
    check(all >= 1, "eval", () => `the held-out text has ${text.tokens.length} tokens: it needs at least 2, hold out more`);
    const total = Math.min(all, wanted ?? all);
    let sum = 0;
    let count = 0;
    await this.#buffers.get(this.#built.positions.name)!.write(batchPositions(this.#size));
    for await (const batch of spreadBatches(text.tokens, this.#size, total)) {
      signal?.throwIfAborted();
      sum += (await this.#lossOf(batch)) * batch.count;
      count += batch.count;
      progress?.({ task: "evaluating", done: Math.min(count, total), total, unit: "tokens" });
    }
    const loss = sum / count;
    return { loss, perplexity: perplexity(loss), bitsPerByte: bitsPerByte(loss, { tokens: all, bytes: text.bytes }), tokens: count };
  }

  [Symbol.dispose](): void {
    this.#program.dispose();
  }

  async #lossOf({ tokens, targets }: { readonly tokens: Int32Array; readonly targets: Int32Array }): Promise<number> {
    await this.#buffers.get(this.#built.tokens.name)!.write(tokens);
    await this.#buffers.get(this.#built.targets.name)!.write(targets);
    await this.#program.run();
    return (await this.#program.read(this.#built.loss))[0]!;
  }
}
