// A model on a backend: its weights, its pages, and the sequences that grow on it.
import type { Backend, DeviceBuffer } from "../backend/index.ts";
import { bytesOf, check, type OnProgress, type StateDType } from "../base/index.ts";
import { Graph, pageKeys } from "../graph/index.ts";
import { cachePools, type LlamaConfig, type LoraSettings, ropeLength, type WeightSource } from "../model/index.ts";
import { loadWeights } from "./load-weights.ts";
import { BufferPages } from "./page-store.ts";
import { poolPages } from "./pool-size.ts";
import { largestProgram, layoutsHeld, type ProgramParts, Programs, passLimits } from "./programs.ts";
import type { PassLimits } from "./scheduler.ts";
import { SequenceQueue } from "./sequence-queue.ts";

/** The memory that a model's sequences may take. */
export interface SequenceModelOptions {
  /** S: tokens that one sequence may have, at most the model's context. By default as many, or as the pool holds where that is smaller. */
  readonly contextLength?: number;
  /**
   * Pages of 64 tokens that all sequences share. By default as many as four sequences of full length take, or as many as the memory that is available
   * has room for beside programs and packed weights. Memory that no page has used is not taken from the system. Texts that need more pages together
   * pause in favour of each other and are computed again, which costs time: at worst each token the whole text, where two of them are written in alternation.
   */
  readonly pages?: number;
  /** How keys and values are stored: in 4, 2 or about 1 bytes per number. f32 by default. */
  readonly cacheType?: StateDType;
  /** Rows of all sequences that one pass computes, at most. From 1 to 512, which is the default: fewer make waits shorter. */
  readonly passRows?: number;
  /** Rows of a pass in which a text is decoding while another's prompt is read, at most. From 1 to `passRows`, 64 by default. */
  readonly mixedRows?: number;
  /** An adapter (`loraRows` of the model room), whose rows the source of weights has, too. None by default. */
  readonly lora?: LoraSettings;
  /** Loading checks it before each parameter. */
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

/** A model on a backend on which any number of sequences grow. */
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
      const parts = { config, lora: options.lora, held };
      const { ownBytes, hashes } = await loadWeights(backend, parts, weights, options);
      const pages = options.pages ?? usualPages(backend, parts, options, limits.rows, ownBytes);
      checkCount("pages", pages);
      const size = { contextLength: Math.min(contextLength, pages * pageKeys), cache: { pages, type: cacheType } };
      const pools: DeviceBuffer[] = [];
      for (const { keys, values } of cachePools(new Graph(), config, size.cache))
        for (const pool of [keys, values]) {
          const buffer = await backend.allocate(pool, pool.name);
          held.set(pool.name, buffer);
          pools.push(buffer);
        }
      const store = new BufferPages(backend, config, cacheType, pools, hashes);
      return new SequenceModel({ config, programs: new Programs(backend, parts, size), store }, { contextLength, pages }, limits);
    } catch (error) {
      for (const buffer of held.values()) buffer.dispose();
      throw error;
    }
  }

  private constructor(
    { config, programs, store }: { readonly config: LlamaConfig; readonly programs: Programs; readonly store: BufferPages },
    size: { readonly contextLength: number; readonly pages: number },
    limits: PassLimits,
  ) {
    super(
      programs,
      { vocabSize: config.vocabSize, nLayers: config.nLayers, ropeLengthOf: (position) => ropeLength(config, position), ...size },
      limits,
      store,
    );
    this.config = config;
  }
}

function checkContext(config: LlamaConfig, contextLength: number): void {
  const most = config.contextLength;
  checkCount("contextLength", contextLength);
  check(contextLength <= most, "infer", () => `${contextLength} positions exceed the model's context of ${most}: take ${most} or fewer`);
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

/** @param rows of a pass at most @param ownBytes what packing gives back of the memory that weights have already */
function usualPages(
  backend: Backend,
  parts: ProgramParts,
  { contextLength, cacheType = "f32" }: SequenceModelOptions,
  rows: number,
  ownBytes: number,
): number {
  const { config, held } = parts;
  const size = { contextLength: contextLength ?? config.contextLength, cache: { pages: 1, type: cacheType } };
  const programs = () => {
    const { packed, working } = largestProgram(backend, { ...parts, layoutOf: layoutsHeld(held) }, size, rows);
    return Math.max(0, packed + working - ownBytes);
  };
  return poolPages(config, { contextLength, cacheType, memory: backend.memory(), weights: bytesOfAll(held), programs });
}

function bytesOfAll(held: ReadonlyMap<string, DeviceBuffer>): number {
  let bytes = 0;
  for (const { type } of held.values()) bytes += bytesOf(type.dtype, type.shape);
  return bytes;
}
