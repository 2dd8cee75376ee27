// A model's weights on a backend, in the layouts of their files, for programs that go forward over a text.
import type { Backend, DeviceBuffer } from "../backend/index.ts";
import { BoundProgram } from "../backend/index.ts";
import { check, type DType, fail, type OnProgress } from "../base/index.ts";
import { type Evaluation, HeldOutEvaluator, type HeldOutText, spreadBatches } from "../eval/index.ts";
import type { Tensor } from "../graph/index.ts";
import { loadWeights } from "../infer/index.ts";
import {
  type BatchSize,
  declareRecorded,
  declareWeights,
  type LlamaConfig,
  lossGraph,
  type ParameterRow,
  type WeightSource,
  writeBatch,
  writePositions,
} from "../model/index.ts";

/** How much of a text is read, who hears of it and who ends it. */
export interface ReadOptions {
  /** Roughly how many tokens are read, spread over the text. @default all */
  readonly tokens?: number;
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** Tokens that one token sees before it, at most: a run has one such window. */
const longestWindow = 512;

/** Dispose of it before the backend. */
export class HeldModel implements Disposable {
  readonly #backend: Backend;
  readonly #config: LlamaConfig;
  readonly #buffers: Map<string, DeviceBuffer>;
  readonly #size: BatchSize;

  /** @throws CriaError where memory does not suffice; what was allocated is freed again */
  static async load(
    backend: Backend,
    { config, weights }: { readonly config: LlamaConfig; readonly weights: WeightSource },
    { progress, signal }: ReadOptions = {},
  ): Promise<HeldModel> {
    const held = new Map<string, DeviceBuffer>();
    const model = new HeldModel(backend, config, held);
    try {
      await loadWeights(backend, { config, lora: undefined, held }, weights, {
        ...(signal && { signal }),
        ...(progress && { onProgress: progress }),
      });
    } catch (error) {
      model.dispose();
      throw error;
    }
    return model;
  }

  private constructor(backend: Backend, config: LlamaConfig, buffers: Map<string, DeviceBuffer>) {
    this.#backend = backend;
    this.#config = config;
    this.#buffers = buffers;
    this.#size = { batch: 1, length: Math.min(longestWindow, config.contextLength) };
  }

  /** The loss on a text. @throws CriaError when it has no two tokens; the signal's reason when it aborts */
  async evaluate(text: HeldOutText, options: ReadOptions = {}): Promise<Evaluation> {
    const built = lossGraph(this.#config, {
      ...this.#size,
      declare: (graph, config) => declareWeights(graph, config, (row) => this.#layoutOf(row)),
    });
    using evaluator = await HeldOutEvaluator.open(this.#backend, this.#config, this.#size, this.#buffers, built);
    return await evaluator.evaluate(text, options);
  }

  /**
   * The mean square of every column of what each linear layer is applied to, over the tokens that are read, by the name of the layer's matrix. The
   * output matrix has none.
   */
  async meanSquares(
    { tokens: all }: HeldOutText,
    { tokens = all.length, progress, signal }: ReadOptions = {},
  ): Promise<Map<string, Float32Array>> {
    check(all.length >= 2, "convert", () => `the text has ${all.length} tokens: it needs at least 2`);
    const inputs = new Map<string, Tensor>();
    const { graph } = lossGraph(this.#config, {
      ...this.#size,
      declare: (graph, config) => declareRecorded(graph, config, (row) => this.#layoutOf(row), inputs),
    });
    using program = await BoundProgram.compile(this.#backend, graph, this.#buffers);
    await writePositions(program, this.#config, this.#size);
    const sums = new Map([...new Set(inputs.values())].map((tensor) => [tensor, new Float64Array(tensor.shape[1]!)]));
    const total = Math.min(tokens, all.length - 1);
    let count = 0;
    for await (const batch of spreadBatches(all, this.#size, total)) {
      signal?.throwIfAborted();
      await writeBatch(program, batch);
      await program.run();
      for (const [tensor, sum] of sums) addSquares(await program.read(tensor), batch.count, sum);
      count += batch.count;
      progress?.({ task: "calibrating", done: Math.min(count, total), total, unit: "tokens" });
    }
    return new Map([...inputs].map(([name, tensor]) => [name, Float32Array.from(sums.get(tensor)!, (sum) => sum / count)]));
  }

  dispose(): void {
    for (const buffer of this.#buffers.values()) buffer.dispose();
    this.#buffers.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #layoutOf({ name }: ParameterRow): DType {
    return this.#buffers.get(name)?.type.dtype ?? fail("convert", `parameter ${name} is not loaded`);
  }
}

/** Adds the squares of the first rows. */
function addSquares(values: ArrayLike<number>, rows: number, sum: Float64Array): void {
  const columns = sum.length;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) sum[column]! += values[row * columns + column]! ** 2;
}
