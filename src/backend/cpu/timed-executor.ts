// An executor whose runs are timed kernel by kernel, to see where a pass's time goes. It wraps another one; without it nothing is timed.
import { fail } from "../../base/index.ts";
import type { Executor } from "./executor.ts";

/** The parts of a pass that people ask for. */
export const passParts = ["products", "attention", "rounding", "other", "waiting"] as const;
/** The name of a part of a pass. */
export type PassPart = (typeof passParts)[number];

/** Where the time of some runs went. Milliseconds; those of threads are summed over the threads. */
export interface RunTimes {
  readonly runs: number;
  /** Time from the beginning of each run to its end. */
  readonly wall: number;
  /** The time of each kernel by its name, the longest first. */
  readonly kernels: readonly (readonly [name: string, time: number])[];
  /** The shares of the threads' time, 1 in sum. Threads that had no work count as waiting, those that were not woken yet among them. */
  readonly shares: Readonly<Record<PassPart, number>>;
}

/** An executor that times, and what it found. */
export interface TimedExecutor {
  readonly executor: Executor;
  /** The times since the last call. */
  take(): RunTimes;
}

/**
 * Kernels by their names: products with the packing of their factors, and with the gate where one kernel does both; attention with the pages that it reads
 * and writes; activations that become bytes, with the norm where one kernel does both.
 */
const parts: readonly (readonly [PassPart, RegExp])[] = [
  ["attention", /attention|mergeParts|^page/i],
  ["products", /matmul|^gated|^(?:un)?pack/i],
  ["rounding", /^quantise|^normLines/i],
];

/** Which part of a pass a kernel belongs to. */
export function partOf(kernel: string): PassPart {
  return parts.find(([, names]) => names.test(kernel))?.[0] ?? "other";
}

/** Times every run of an executor. @throws CriaError when it has no engine, which alone can time */
export function timedExecutor(executor: Executor): TimedExecutor {
  const programs = new Map<number, readonly string[]>();
  let times = new Map<string, number>();
  let [runs, wall] = [0, 0];
  const timed: Executor = {
    ...executor,
    load: async (kernels, phases) => {
      const program = await executor.load(kernels, phases);
      programs.set(
        program,
        kernels.map(({ name }) => name),
      );
      return program;
    },
    run: async (program) => {
      const names = programs.get(program) ?? fail("cpu", `program ${program} was not loaded here: load it with the timed executor`);
      const start = performance.now();
      let heard = 0;
      await executor.run(program, (thread) => {
        heard++;
        for (const [kernel, time] of thread.entries()) if (time > 0) times.set(names[kernel]!, (times.get(names[kernel]!) ?? 0) + time);
      });
      if (heard !== executor.threads)
        fail("cpu", `${executor.name} timed ${heard} of ${executor.threads} threads: only an engine's are timed`);
      runs++;
      wall += performance.now() - start;
    },
    unload: (program) => {
      programs.delete(program);
      executor.unload(program);
    },
  };
  const take = () => {
    const found = { runs, wall, kernels: [...times].sort(([, a], [, b]) => b - a) };
    [times, runs, wall] = [new Map(), 0, 0];
    return { ...found, shares: sharesOf(found, executor.threads) };
  };
  return { executor: timed, take };
}

function sharesOf({ wall, kernels }: Omit<RunTimes, "shares">, threads: number): RunTimes["shares"] {
  const shares = { products: 0, attention: 0, rounding: 0, other: 0, waiting: 0 };
  const all = Math.max(threads * wall, Number.MIN_VALUE);
  for (const [name, time] of kernels) shares[partOf(name)] += time / all;
  shares.waiting = 1 - shares.products - shares.attention - shares.rounding - shares.other;
  return shares;
}
