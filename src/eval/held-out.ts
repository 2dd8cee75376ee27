// Loss on text that training never saw, by a program that shares the parameters' buffers and only goes forward.
import { type Backend, BoundProgram, type DeviceBuffer } from "../backend/index.ts";
import { check, type OnProgress } from "../base/index.ts";
import { type Batch, checkBatch, type Tokens } from "../batches/index.ts";
import { type BatchSize, type LlamaConfig, type LossGraph, lossGraph, writeBatch, writePositions } from "../model/index.ts";
import { bitsPerByte, perplexity } from "./bits-per-byte.ts";
import { spreadBatches } from "./spread-batches.ts";

/** Held-out text as tokens, and how many bytes it had as text. */
export interface HeldOutText {
  readonly tokens: Tokens;
  readonly bytes: number;
}

/** What a model reaches on held-out text. */
export interface Evaluation {
  /** Mean over the tokens that were predicted, in nats. */
  readonly loss: number;
  readonly perplexity: number;
  /** Bits per byte of the whole text; when only some of it was read, the loss of that is taken for all. */
  readonly bitsPerByte: number;
  /** How many were predicted. */
  readonly tokens: number;
}

/** How much of the held-out text is read, and who is told. */
export interface EvaluateOptions {
  /** Roughly how many tokens to read, spread over the text; all by default. */
  readonly tokens?: number;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: OnProgress | undefined;
}

/** Measures the loss on held-out text, on parameters that a trainer or others hold. */
export class HeldOutEvaluator implements Disposable {
  readonly #vocabSize: number;
  readonly #size: BatchSize;
  readonly #built: LossGraph;
  readonly #program: BoundProgram;

  /**
   * @param size batch and length of a run; a token sees at most `length` tokens before it
   * @param states by name, with every parameter's values
   * @param built the graph of such a run, where it is there already
   */
  static async open(
    backend: Backend,
    config: LlamaConfig,
    size: BatchSize,
    states: Map<string, DeviceBuffer>,
    built: LossGraph = lossGraph(config, size),
  ): Promise<HeldOutEvaluator> {
    const program = await BoundProgram.compile(backend, built.graph, states);
    await writePositions(program, config, size);
    return new HeldOutEvaluator(config.vocabSize, size, built, program);
  }

  private constructor(vocabSize: number, size: BatchSize, built: LossGraph, program: BoundProgram) {
    this.#vocabSize = vocabSize;
    this.#size = size;
    this.#built = built;
    this.#program = program;
  }

  /** @throws CriaError when the text has no two tokens, or one that the model has not; the signal's reason when it aborts. */
  async evaluate(text: HeldOutText, { tokens: wanted, signal, progress }: EvaluateOptions = {}): Promise<Evaluation> {
    const all = text.tokens.length - 1;
    check(all >= 1, "eval", () => `the held-out text has ${text.tokens.length} tokens: it needs at least 2, hold out more`);
    const total = Math.min(all, wanted ?? all);
    let sum = 0;
    let count = 0;
    for await (const batch of spreadBatches(text.tokens, this.#size, total)) {
      signal?.throwIfAborted();
      sum += (await this.#lossOf(batch)) * batch.count;
      count += batch.count;
      progress?.({ task: "evaluating", done: Math.min(count, total), total, unit: "tokens" });
    }
    const loss = sum / count;
    return { loss, perplexity: perplexity(loss), bitsPerByte: bitsPerByte(loss, { tokens: all, bytes: text.bytes }), tokens: count };
  }

  /** Frees the memory of the program. */
  dispose(): void {
    this.#program.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #lossOf(batch: Batch): Promise<number> {
    checkBatch(batch, this.#size, this.#vocabSize);
    await writeBatch(this.#program, batch);
    await this.#program.run();
    return (await this.#program.read(this.#built.loss))[0]!;
  }
}
