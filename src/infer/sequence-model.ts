// A model on a backend: its weights, its pages, and the sequences that grow on it.
import type { Backend, DeviceBuffer } from "../backend/index.ts";
import { bytesOf, check, elementLayouts, type OnProgress, type StateDType, sizeOf } from "../base/index.ts";
import { f32, Graph, pageKeys } from "../graph/index.ts";
import {
  cachePools,
  constantRows,
  initialise,
  type LlamaConfig,
  type ParameterRow,
  parameterRows,
  ropeLength,
  type WeightSource,
} from "../model/index.ts";
import { Programs, passLimits } from "./programs.ts";
import type { PassLimits } from "./scheduler.ts";
import { SequenceQueue } from "./sequence-queue.ts";

export interface SequenceModelOptions {
  /** S: tokens that one sequence may have, at most the model's context, which is the default. */
  readonly contextLength?: number;
  /**
   * Pages of 64 tokens that all sequences share. By default as many as four sequences of full length take, but no more than fit into half of the
   * memory that is available, if that holds one sequence. Memory that no page has used is not taken from the system.
   */
  readonly pages?: number;
  /** How keys and values are stored: in 4, 2 or about 1 bytes per number. f32 by default. */
  readonly cacheType?: StateDType;
  /** Rows of all sequences that one pass computes, at most. From 1 to 512, which is the default: fewer make waits shorter. */
  readonly passRows?: number;
  /** Rows of a pass in which a text is decoding while another's prompt is read, at most. From 1 to `passRows`, 64 by default. */
  readonly mixedRows?: number;
  /** Loading checks it before each parameter. */
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** Full contexts that the pool has pages for, where memory suffices. */
const usualContexts = 4;

export class SequenceModel extends SequenceQueue {
  readonly config: LlamaConfig;

  /**
   * Loads a model. The backend stays the caller's; dispose of the model first.
   * @throws CriaError when a parameter is missing or of another size, an option is out of its range, or memory does not suffice; what was
   * allocated is freed again.
   */
  static async open(
    backend: Backend,
    config: LlamaConfig,
    weights: WeightSource,
    options: SequenceModelOptions = {},
  ): Promise<SequenceModel> {
    const { contextLength = config.contextLength, cacheType = "f32" } = options;
    const held = new Map<string, DeviceBuffer>();
    try {
      checkContext(config, contextLength);
      const limits = limitsOf(options);
      await loadWeights(backend, config, weights, options, held);
      const pages = options.pages ?? usualPages(backend, config, options);
      checkCount("pages", pages);
      const size = { contextLength, cache: { pages, type: cacheType } };
      for (const { keys, values } of cachePools(new Graph(), config, size.cache))
        for (const pool of [keys, values]) held.set(pool.name, await backend.allocate(pool, pool.name));
      return new SequenceModel(config, new Programs(backend, config, size, held), { contextLength, pages }, limits);
    } catch (error) {
      for (const buffer of held.values()) buffer.dispose();
      throw error;
    }
  }

  private constructor(
    config: LlamaConfig,
    programs: Programs,
    size: { readonly contextLength: number; readonly pages: number },
    limits: PassLimits,
  ) {
    super(
      programs,
      { vocabSize: config.vocabSize, nLayers: config.nLayers, turnOf: (position) => ropeLength(config, position), ...size },
      limits,
    );
    this.config = config;
  }
}

function checkContext(config: LlamaConfig, contextLength: number): void {
  const most = config.contextLength;
  checkCount("contextLength", contextLength);
  check(
    contextLength <= most,
    "infer",
    () => `${contextLength} positions exceed the model's context of ${most}: shorten them or raise contextLength`,
  );
}

function limitsOf({ passRows = passLimits.rows, mixedRows = Math.min(passRows, passLimits.mixedRows) }: SequenceModelOptions): PassLimits {
  for (const [name, value, most] of [
    ["passRows", passRows, passLimits.rows],
    ["mixedRows", mixedRows, passRows],
  ] as const)
    check(
      Number.isSafeInteger(value) && value >= 1 && value <= most,
      "infer",
      () => `${name} is ${value} but must be an integer from 1 to ${most}`,
    );
  return {
    rows: passRows,
    mixedRows,
    sequences: Math.min(mixedRows, passLimits.sequences),
    results: Math.min(passRows, passLimits.results),
  };
}

function checkCount(name: string, value: number): void {
  check(Number.isSafeInteger(value) && value >= 1, "infer", () => `${name} is ${value} but must be an integer, at least 1`);
}

function usualPages(backend: Backend, config: LlamaConfig, { contextLength, cacheType = "f32" }: SequenceModelOptions): number {
  const perContext = Math.ceil((contextLength ?? config.contextLength) / pageKeys);
  const onePage = cachePools(new Graph(), config, { pages: 1, type: cacheType });
  const bytes = onePage.reduce((sum, { keys, values }) => sum + bytesOf(keys.dtype, keys.shape) + bytesOf(values.dtype, values.shape), 0);
  const pages = Math.min(usualContexts * perContext, Math.floor(backend.memory().bytes / 2 / bytes));
  return Math.max(pages, contextLength === undefined ? 1 : perContext); // what was asked for is tried
}

/** Makes and fills parameters and constants: in the layout of their file or as float32. */
async function loadWeights(
  backend: Backend,
  config: LlamaConfig,
  weights: WeightSource,
  { signal, onProgress }: SequenceModelOptions,
  held: Map<string, DeviceBuffer>,
): Promise<void> {
  const allocate = async (row: ParameterRow) => {
    const buffer = await backend.allocate(f32(...row.shape), row.name);
    held.set(row.name, buffer);
    return { row, buffer };
  };
  const unread: { readonly row: ParameterRow; readonly buffer: DeviceBuffer }[] = [];
  for (const row of parameterRows(config)) {
    signal?.throwIfAborted();
    const mapped = await mapParameter(backend, row, weights);
    if (mapped === undefined) unread.push(await allocate(row));
    else held.set(row.name, mapped);
  }
  const constants = initialise(constantRows(config), 0);
  for (const row of constantRows(config)) await (await allocate(row)).buffer.write(constants.get(row.name) ?? []);
  for (const [done, { row, buffer }] of unread.entries()) {
    onProgress?.({ task: "loading model", done, total: unread.length, unit: "parameters" });
    signal?.throwIfAborted();
    const values = await weights.read(row);
    checkSize(row, values.length);
    await buffer.write(values);
  }
}

/** The parameter where it lies; undefined where it must be read. Only matrices may have other layouts than float32. */
async function mapParameter(backend: Backend, row: ParameterRow, weights: WeightSource): Promise<DeviceBuffer | undefined> {
  const found = weights.inFile?.(row);
  if (found === undefined || (row.shape.length !== 2 && found.dtype !== "f32")) return undefined;
  const { block, bytes } = elementLayouts[found.dtype];
  checkSize(row, (found.region.bytes / bytes) * block);
  return backend.map?.({ dtype: found.dtype, shape: row.shape }, row.name, found.region);
}

function checkSize({ name, shape }: ParameterRow, numbers: number): void {
  check(
    numbers === sizeOf(shape),
    "infer",
    () => `parameter "${name}" has ${numbers} numbers but the model's config says ${sizeOf(shape)}: they belong to different models`,
  );
}
