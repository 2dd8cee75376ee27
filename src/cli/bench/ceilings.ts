// What a machine allows: bytes that written tokens must read, against the bandwidth of its memory, and multiply-adds of a prompt's products, against
// what products with weights of the type reach in the cache.
import { type Executor, type MachineRates, measureMachine, measureQuantised } from "../../backend/cpu/index.ts";
import { bytesOf, type DType, fail, isQuantised, type StateDType, sizeOf } from "../../base/index.ts";
import { type LlamaConfig, parameterRows, type WeightSource } from "../../model/index.ts";
import { passBytes } from "../measure-speed.ts";
import { type Rates, type SpeedTest, testTokens } from "./speed-tests.ts";

/** What a model's passes must read and compute. */
export interface ModelWork {
  /** The layout of most weights. */
  readonly type: DType;
  /** Weights of the matrices of all layers, which each row is multiplied by. */
  readonly layerWeights: number;
  /** Weights of the output matrix, which rows whose logits are wanted are multiplied by. */
  readonly outputWeights: number;
  /** Bytes of these matrices, which every pass reads. */
  readonly weightBytes: number;
  /** Bytes of keys and values per token that was read before. */
  readonly cacheBytes: number;
}

/** @param cacheType how keys and values are stored */
export function modelWork(config: LlamaConfig, weights: WeightSource, cacheType: StateDType): ModelWork {
  const rows = parameterRows(config).map((row) => {
    const { name, shape } = row;
    const dtype = weights.stored?.(row)?.dtype ?? weights.inFile?.(row)?.dtype ?? "f32";
    return { name, dtype, isMatrix: shape.length === 2, weights: sizeOf(shape), bytes: bytesOf(dtype, shape) };
  });
  const output = config.tiedOutput ? "embedding" : "output";
  const layers = rows.filter(({ name, isMatrix }) => isMatrix && name !== "embedding" && name !== "output");
  const read = [...layers, ...rows.filter(({ name }) => name === output)];
  const sum = (some: typeof rows, of: "weights" | "bytes") => some.reduce((total, row) => total + row[of], 0);
  const byType = new Map<DType, number>();
  for (const row of read) byType.set(row.dtype, (byType.get(row.dtype) ?? 0) + row.weights);
  const [type] = [...byType].reduce((most, one) => (one[1] > most[1] ? one : most), ["f32", 0] as const);
  return {
    type,
    layerWeights: sum(layers, "weights"),
    outputWeights: sum(read, "weights") - sum(layers, "weights"),
    weightBytes: sum(read, "bytes"),
    cacheBytes: 2 * config.nLayers * bytesOf(cacheType, [config.nKvHeads * config.headDim]),
  };
}

/** What a machine can do at most. */
export interface Ceilings extends MachineRates {
  /** Operations per second of products with weights of the model's type, two per multiply-add, block scales included. */
  readonly products: number;
}

/** Measures the machine; takes about a second. */
export async function measureCeilings(executor: Executor, { type }: ModelWork, signal?: AbortSignal): Promise<Ceilings> {
  const rates = await measureMachine(executor, passBytes(), signal);
  const products = isQuantised(type) ? await measureQuantised(executor, type, signal) : rates.peak.float32;
  return { ...rates, products: products ?? fail("bench", `${executor.name} multiplies no float32`) };
}

/** How near a test comes to what the machine allows. */
export interface Share {
  /** What bounds it: reading memory, or multiplying. */
  readonly bound: "read" | DType;
  /** Bytes or operations per second that the test reached, and those of the machine. */
  readonly rate: number;
  readonly most: number;
  /** `rate` / `most`. */
  readonly share: number;
}

/** A prompt is held against its products alone, written tokens against the weights and the keys and values that they read. */
export function shareOf(test: SpeedTest, { median }: Rates, work: ModelWork, machine: Ceilings): Share {
  const runsPerSecond = median / testTokens(test);
  if (test.prompt > 0) {
    const rate = runsPerSecond * 2 * (test.prompt * work.layerWeights + work.outputWeights);
    return shareIn(isQuantised(work.type) ? work.type : "f32", rate, machine.products);
  }
  // Token i reads the keys of those before it and its own.
  const keys = test.sequences * test.generate * (test.depth + (test.generate + 1) / 2);
  return shareIn("read", runsPerSecond * (test.generate * work.weightBytes + keys * work.cacheBytes), machine.read);
}

function shareIn(bound: Share["bound"], rate: number, most: number): Share {
  return { bound, rate, most, share: rate / most };
}
