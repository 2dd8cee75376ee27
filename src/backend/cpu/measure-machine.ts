// What this machine can do at most, on an executor's own threads: the rates that kernels, products and training steps are held against.
import {
  type KernelDefinition,
  multiplyAddPeak,
  multiplyAddPeakFlops,
  type PeakProduct,
  peakProducts,
  type QuantisedType,
  quantisedPeak,
  quantisedPeakBytes,
  quantisedPeakOperations,
  specialise,
  stream,
  streamBytes,
  sumOfSquares,
  sumOfSquaresUnits,
} from "../../kernel/index.ts";
import type { Executor } from "./executor.ts";

/** Operations per second, and bytes per second. */
export interface MachineRates {
  /** Multiply-adds of what the target has an instruction for, each counted as two. */
  readonly peak: Readonly<Partial<Record<PeakProduct, number>>>;
  readonly read: number;
  /** One array read, another written. */
  readonly copy: number;
  /** One array read and written in place. */
  readonly update: number;
}

/**
 * The fastest of several runs each, so that a busy moment does not count; about half a second.
 * @param bytes touched by a pass over memory: many times what the caches hold. @throws CriaError when there is not as much memory.
 */
export async function measureMachine(executor: Executor, bytes = 2 ** 28, signal?: AbortSignal): Promise<MachineRates> {
  const peak: Partial<Record<PeakProduct, number>> = {};
  for (const product of peakProducts(executor.target)) peak[product] = await fastest(await openPeak(executor, product), signal);
  const memory = allocateWritten(executor, bytes);
  const sums = executor.allocate(sumOfSquaresUnits(bytes / 4) * 4);
  try {
    return { peak, ...(await measureMemory(executor, bytes, memory, sums, signal)) };
  } finally {
    executor.free(memory);
    executor.free(sums);
  }
}

/**
 * Operations per second of products with quantised weights of a type at most: those of its register tile over one block that stays in the cache, block
 * scales included. The fastest of several runs.
 */
export async function measureQuantised(executor: Executor, type: QuantisedType, signal?: AbortSignal): Promise<number> {
  const sizes = { type, units: 64 * executor.threads, repeats: 10_000 };
  const { weights, lines } = quantisedPeakBytes(executor.target, type);
  const memory = [weights, lines, sizes.units * 4].map((bytes) => executor.allocate(bytes));
  try {
    return await fastest(await openKernel(executor, quantisedPeak, sizes, memory, quantisedPeakOperations(executor.target, sizes)), signal);
  } finally {
    for (const address of memory) executor.free(address);
  }
}

/** Something to run again and again, and what one run does: floating-point operations, or bytes moved. */
export interface Measurable {
  run(): Promise<void>;
  readonly work: number;
  dispose(): void;
}

/** One in every operand, as the bits of a word. */
const ones: Readonly<Record<PeakProduct, number>> = { float32: 0x3f800000, bf16: 0x3f803f80, int8: 0x01010101 };

/** Multiply-adds in registers; `work` is in operations, two a multiply-add. A run takes about ten milliseconds. */
export async function openPeak(executor: Executor, product: PeakProduct): Promise<Measurable> {
  const sizes = { product, units: 64 * executor.threads, repeats: 10_000 };
  const [factors, y] = [executor.allocate(8), executor.allocate(sizes.units * 4)];
  executor.write(factors, Int32Array.of(ones[product], ones[product]));
  const opened = await openKernel(executor, multiplyAddPeak, sizes, [factors, y], multiplyAddPeakFlops(executor.target, sizes));
  return {
    ...opened,
    dispose() {
      opened.dispose();
      executor.free(factors);
      executor.free(y);
    },
  };
}

/** All units of one kernel of the library, on addresses of the executor's memory, which stay the caller's. */
export async function openKernel<C>(
  executor: Executor,
  definition: KernelDefinition<C>,
  constants: C,
  args: readonly number[],
  work: number,
): Promise<Measurable> {
  const program = await executor.load([specialise(definition, constants, executor.target)], [[{ kernel: 0, args }]]);
  return { work, run: () => executor.run(program), dispose: () => executor.unload(program) };
}

const pieceBytes = 2 ** 22;

/** Zeros that were written: memory that never was has one page of zeros behind it, which a cache holds. */
export function allocateWritten(executor: Executor, bytes: number): number {
  const address = executor.allocate(bytes);
  const zeros = new Uint8Array(pieceBytes);
  for (let at = 0; at < bytes; at += pieceBytes) executor.write(address + at, zeros.subarray(0, bytes - at));
  return address;
}

async function measureMemory(
  executor: Executor,
  bytes: number,
  memory: number,
  sums: number,
  signal?: AbortSignal,
): Promise<Omit<MachineRates, "peak">> {
  const [all, half] = [bytes / 4, bytes / 8];
  const [copying, updating] = [
    { count: half, reads: 1, writes: 1, updates: 0 },
    { count: all, reads: 0, writes: 0, updates: 1 },
  ];
  const read = await fastest(await openKernel(executor, sumOfSquares, { count: all }, [memory, sums], bytes), signal);
  const copy = await fastest(await openKernel(executor, stream, copying, [memory, memory + bytes / 2], streamBytes(copying)), signal);
  const update = await fastest(await openKernel(executor, stream, updating, [memory], streamBytes(updating)), signal);
  return { read, copy, update };
}

const rounds = 7;

/** Work per second; the first run, in which code is compiled, does not count. */
async function fastest({ run, work, dispose }: Measurable, signal?: AbortSignal): Promise<number> {
  try {
    await run();
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) {
      signal?.throwIfAborted();
      const start = performance.now();
      await run();
      best = Math.min(best, performance.now() - start);
    }
    return (1000 * work) / best;
  } finally {
    dispose();
  }
}
