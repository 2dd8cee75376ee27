// A model on a backend with its KV cache: ids in, logits out, and only what the cache does not hold is computed.
import type { Backend, DeviceBuffer } from "../backend/index.ts";
import { check, elementLayouts, type OnProgress, sizeOf } from "../base/index.ts";
import { f32 } from "../graph/index.ts";
import {
  constantRows,
  inferenceGraph,
  initialise,
  type LlamaConfig,
  type ParameterRow,
  parameterRows,
  ropeLength,
  type WeightSource,
} from "../model/index.ts";
import { chooseLength, programLengths } from "./choose-length.ts";
import type { LanguageModel } from "./generate-tokens.ts";
import { Runner } from "./runner.ts";

export interface EngineOptions {
  /** S: rows of the cache, at most the model's context, which is the default. */
  readonly contextLength?: number;
  /** Lengths of runs, rising from 1; a program is compiled when its length is first needed. */
  readonly lengths?: readonly number[];
  /** Loading checks it before each parameter. */
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** What programs of all lengths share, by name. */
type Held = Map<string, DeviceBuffer>;

export class Engine implements LanguageModel {
  readonly config: LlamaConfig;
  /** S: so many tokens can be run; one more can be generated, the last one, which is not run. */
  readonly contextLength: number;
  readonly #backend: Backend;
  readonly #lengths: readonly number[];
  readonly #runners = new Map<number, Runner>();
  readonly #held: Held;
  /** The ids whose keys and values fill the cache's first rows. */
  readonly #cached: number[] = [];
  /** The `ropeLength` of the run that wrote each of these rows: keys keep the turn that they were written with. */
  readonly #ropeLengths: number[] = [];
  #queue: Promise<unknown> = Promise.resolve();
  #disposed = false;

  private constructor(backend: Backend, config: LlamaConfig, contextLength: number, lengths: readonly number[], held: Held) {
    this.#backend = backend;
    this.config = config;
    this.contextLength = contextLength;
    this.#lengths = lengths.filter((length) => length <= contextLength);
    this.#held = held;
  }

  /**
   * Loads a model. The backend stays the caller's; dispose of the engine first.
   * @throws CriaError when a parameter is missing or of another size, or memory does not suffice; what was allocated is freed again.
   */
  static async open(backend: Backend, config: LlamaConfig, weights: WeightSource, options: EngineOptions = {}): Promise<Engine> {
    const { contextLength = config.contextLength, lengths = programLengths } = options;
    const held: Held = new Map();
    try {
      await loadHeld(backend, config, contextLength, weights, options, held);
    } catch (error) {
      for (const buffer of held.values()) buffer.dispose();
      throw error;
    }
    return new Engine(backend, config, contextLength, lengths, held);
  }

  get vocabSize(): number {
    return this.config.vocabSize;
  }

  /**
   * Logits [V] for the token after `ids`. Ids that the cache holds from an earlier call, from the first on, are not run again.
   * Calls queue, so several generations may take turns; each then pays for what the other wrote over.
   * @throws CriaError when `ids` is empty, longer than the context or outside the vocabulary; the signal's reason when it is aborted.
   */
  async logits(ids: readonly number[], signal?: AbortSignal): Promise<Float32Array> {
    check(!this.#disposed, "infer", () => "the engine was disposed: open another one");
    const done = this.#queue.then(() => this.#logits(ids, signal));
    this.#queue = done.then(ignore, ignore);
    return done;
  }

  /** Frees buffers and programs, behind what is queued. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#queue;
    for (const runner of this.#runners.values()) runner.dispose();
    for (const buffer of this.#held.values()) buffer.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  async #logits(ids: readonly number[], signal: AbortSignal | undefined): Promise<Float32Array> {
    this.#check(ids);
    this.#keep(reusable(this.#cached, ids), ids.length);
    for (;;) {
      signal?.throwIfAborted();
      const logits = await this.#runSome(ids);
      if (this.#cached.length === ids.length) return logits;
    }
  }

  /** Goes on from the first rows of the cache, or from none where later ones are dropped and these were turned for a run of another length. */
  #keep(rows: number, length: number): void {
    const wanted = ropeLength(this.config, length - 1);
    const isAlike = this.#ropeLengths.slice(0, rows).every((written) => written === wanted);
    this.#cached.length = this.#ropeLengths.length = rows === this.#cached.length || isAlike ? rows : 0;
  }

  #check(ids: readonly number[]): void {
    check(ids.length > 0, "infer", () => "there is no token to go on from: give at least one, such as the begin-of-text token");
    check(
      ids.length <= this.contextLength,
      "infer",
      () => `the text has ${ids.length} tokens but the context holds ${this.contextLength}: shorten it`,
    );
  }

  /** One run of ids that the cache lacks; logits of the last of them. When it fails, the cache counts as it was before. */
  async #runSome(ids: readonly number[]): Promise<Float32Array> {
    const start = this.#cached.length;
    const length = chooseLength(this.#lengths, ids.length - start, this.contextLength - start);
    const next = ids.slice(start, start + length);
    for (const id of next) checkId(id, this.config);
    const logits = await (await this.#runner(length)).run(next, start, ids.length - 1);
    this.#cached.push(...next);
    for (const _ of next) this.#ropeLengths.push(ropeLength(this.config, ids.length - 1));
    return logits;
  }

  async #runner(length: number): Promise<Runner> {
    const known = this.#runners.get(length);
    if (known !== undefined) return known;
    const runner = await Runner.compile(this.#backend, this.config, { length, cacheRows: this.contextLength }, this.#held);
    this.#runners.set(length, runner);
    return runner;
  }
}

/** Makes and fills what programs of all lengths share: parameters in the layout of their file or as float32, constants and the cache. */
async function loadHeld(
  backend: Backend,
  config: LlamaConfig,
  cacheRows: number,
  weights: WeightSource,
  { signal, onProgress }: EngineOptions,
  held: Held,
): Promise<void> {
  const unread: ParameterRow[] = [];
  for (const row of parameterRows(config)) {
    signal?.throwIfAborted();
    const mapped = await mapParameter(backend, row, weights);
    held.set(row.name, mapped ?? (await backend.allocate(f32(...row.shape), row.name)));
    if (!mapped) unread.push(row);
  }
  for (const row of constantRows(config)) held.set(row.name, await backend.allocate(f32(...row.shape), row.name));
  const { cache } = inferenceGraph(config, { length: 1, cacheRows, logits: "one" });
  for (const { key, value } of cache) for (const tensor of [key, value]) held.set(tensor.name, await backend.allocate(tensor, tensor.name));
  for (const [done, row] of unread.entries()) {
    onProgress?.({ task: "loading model", done, total: unread.length, unit: "parameters" });
    signal?.throwIfAborted();
    const values = await weights.read(row);
    checkSize(row, values.length);
    await held.get(row.name)!.write(values);
  }
  for (const [name, values] of initialise(constantRows(config), 0)) await held.get(name)!.write(values);
}

/** The parameter where it lies; undefined where it must be read. Only matrices may have other layouts than float32. */
async function mapParameter(backend: Backend, row: ParameterRow, weights: WeightSource): Promise<DeviceBuffer | undefined> {
  const found = backend.map && weights.inFile?.(row);
  if (found === undefined || (row.shape.length !== 2 && found.dtype !== "f32")) return undefined;
  const { block, bytes } = elementLayouts[found.dtype];
  checkSize(row, (found.region.bytes / bytes) * block);
  return backend.map!({ dtype: found.dtype, shape: row.shape }, row.name, found.region);
}

function checkSize({ name, shape }: ParameterRow, numbers: number): void {
  check(
    numbers === sizeOf(shape),
    "infer",
    () => `parameter "${name}" has ${numbers} numbers but the model's config says ${sizeOf(shape)}: they belong to different models`,
  );
}

function checkId(id: number, { vocabSize }: LlamaConfig): void {
  check(
    Number.isInteger(id) && id >= 0 && id < vocabSize,
    "infer",
    () => `token ${id} is outside the model's vocabulary of ${vocabSize}: is it this model's tokenizer?`,
  );
}

/** How many of the cached rows serve for `ids`. The last id is run in any case: its logits are wanted. */
function reusable(cached: readonly number[], ids: readonly number[]): number {
  const most = Math.min(cached.length, ids.length - 1);
  let count = 0;
  while (count < most && cached[count] === ids[count]) count++;
  return count;
}

function ignore(): void {}
