// What a machine allows: bytes that written tokens must read, against the bandwidth of its memory, and multiply-adds of a prompt's products, against
// the rate of the instruction that computes them.
import type { MachineRates } from "../../backend/cpu/index.ts";
import { bytesOf, type DType, isQuantised, type StateDType, sizeOf } from "../../base/index.ts";
import { type LlamaConfig, parameterRows, type WeightSource } from "../../model/index.ts";
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
  const rows = parameterRows(config).map((row) => ({
    ...{ name: row.name, weights: sizeOf(row.shape), isMatrix: row.shape.length === 2 },
    ...layoutOf(weights.stored?.(row)?.dtype ?? weights.inFile?.(row)?.dtype ?? "f32", row.shape),
  }));
  const output = config.tiedOutput ? "embedding" : "output";
  const layers = rows.filter(({ name, isMatrix }) => isMatrix && name !== "embedding" && name !== "output");
  const read = [...layers, ...rows.filter(({ name }) => name === output)];
  const sum = (some: typeof rows, of: "weights" | "bytes") => some.reduce((total, row) => total + row[of], 0);
  const ofType = (dtype: DType) =>
    sum(
      read.filter((row) => row.dtype === dtype),
      "weights",
    );
  return {
    type: [...new Set(read.map(({ dtype }) => dtype))].sort((a, b) => ofType(b) - ofType(a))[0] ?? "f32",
    layerWeights: sum(layers, "weights"),
    outputWeights: sum(read, "weights") - sum(layers, "weights"),
    weightBytes: sum(read, "bytes"),
    cacheBytes: 2 * config.nLayers * bytesOf(cacheType, [config.nKvHeads * config.headDim]),
  };
}

function layoutOf(dtype: DType, shape: readonly number[]): { readonly dtype: DType; readonly bytes: number } {
  return { dtype, bytes: bytesOf(dtype, shape) };
}

/** How near a test comes to what the machine allows. */
export interface Share {
  /** What bounds it: reading memory, or multiplying. */
  readonly bound: "read" | "float32" | "int8";
  /** Bytes or operations per second that the test reached, and those of the machine. */
  readonly rate: number;
  readonly most: number;
  /** `rate` / `most`; NaN where the target has no instruction to be held against. */
  readonly share: number;
}

/** A prompt is held against its products alone, written tokens against the weights and the keys and values that they read. */
export function shareOf(test: SpeedTest, { median }: Rates, work: ModelWork, machine: MachineRates): Share {
  const runsPerSecond = median / testTokens(test);
  if (test.prompt > 0) {
    const bound = isQuantised(work.type) && machine.peak.int8 !== undefined ? "int8" : "float32";
    const rate = runsPerSecond * 2 * (test.prompt * work.layerWeights + work.outputWeights);
    return shareIn(bound, rate, machine.peak[bound] ?? Number.NaN);
  }
  // Token i reads the keys of those before it and its own.
  const keys = test.sequences * test.generate * (test.depth + (test.generate + 1) / 2);
  return shareIn("read", runsPerSecond * (test.generate * work.weightBytes + keys * work.cacheBytes), machine.read);
}

function shareIn(bound: Share["bound"], rate: number, most: number): Share {
  return { bound, rate, most, share: rate / most };
}
