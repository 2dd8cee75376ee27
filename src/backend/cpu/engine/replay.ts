// What a thread does with a program: call by call, with nothing allocated and nothing looked up on the way.
import { abort, arrive, isAborted, open, wait } from "./barrier.ts";
import type { LinkedKernel } from "./machine.ts";
import type { Phase } from "./program.ts";
import type { Trap } from "./protocol.ts";

/** Words from one step's claim counter to the next: a cache line. */
const counterWords = 16;

/** One claim counter for every step of the longest phase; phases take turns with them. */
export function createCounters(phases: readonly Phase[]): Int32Array<SharedArrayBuffer> {
  const longest = Math.max(1, ...phases.map((phase) => phase.length));
  return new Int32Array(new SharedArrayBuffer(4 * counterWords * longest));
}

export interface BoundProgram {
  readonly phases: readonly (readonly BoundStep[])[];
  readonly counters: Int32Array;
}

interface BoundStep {
  readonly call: Call;
  readonly kernel: number;
  readonly units: number;
  readonly grain: number;
  /** Claims that find work: ceil(units / grain). */
  readonly chunks: number;
}

type Call = (scratch: number, begin: number, end: number) => void;

/** @throws Error when a step gives a kernel more or fewer arguments than it takes. */
export function bind(phases: readonly Phase[], kernels: readonly LinkedKernel[], counters: Int32Array): BoundProgram {
  const bound = phases.map((phase) =>
    phase.map(({ kernel, args, units, grain }): BoundStep => {
      const { call, params } = kernels[kernel]!;
      const given = `${args.length} arguments and the engine's 3`;
      if (params !== args.length + 3) throw new Error(`kernel ${kernel} takes ${params} arguments, but a step gives it ${given}`);
      return { call: bindCall(call, args), kernel, units, grain, chunks: Math.ceil(units / grain) };
    }),
  );
  return { phases: bound, counters };
}

/**
 * This thread's share of one run. The last phase has no barrier to wait at: its end is that every thread has reported.
 * @returns the trap when a kernel trapped on this thread; the other threads then leave at their next barrier.
 */
export function replay({ phases, counters }: BoundProgram, control: Int32Array, threads: number, scratch: number): Trap | undefined {
  for (let p = 0; p < phases.length; p++) {
    const phase = phases[p]!;
    const trap = work(phase, counters, scratch);
    if (trap !== undefined) {
      abort(control);
      return { ...trap, phase: p };
    }
    const current = arrive(control, threads);
    if (current === undefined) {
      clearCounters(counters, phase.length);
      open(control);
    } else if (p < phases.length - 1) wait(control, current);
    if (isAborted(control)) return undefined;
  }
  return undefined;
}

/** Claims and does chunks of each step until none is left. */
function work(phase: readonly BoundStep[], counters: Int32Array, scratch: number): Omit<Trap, "phase"> | undefined {
  for (let s = 0; s < phase.length; s++) {
    const { call, kernel, units, grain, chunks } = phase[s]!;
    const counter = s * counterWords;
    // A plain look first: where nothing is left, the counter's cache line need not be taken from its neighbours.
    while (Atomics.load(counters, counter) < chunks) {
      const begin = Atomics.add(counters, counter, 1) * grain;
      if (begin >= units) break;
      const end = Math.min(begin + grain, units);
      try {
        call(scratch, begin, end);
      } catch (error) {
        return { kernel, begin, end, message: String(error) };
      }
    }
  }
  return undefined;
}

/** Plain stores: the barrier's generation, which moves after them, makes them seen. */
function clearCounters(counters: Int32Array, steps: number): void {
  for (let s = 0; s < steps; s++) counters[s * counterWords] = 0;
}

// A closure an arity: with a spread, a call that does nothing takes several times as long.
// biome-ignore format: a row an arity.
function bindCall(f: LinkedKernel["call"], args: readonly number[]): Call {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, g = 0, h = 0, i = 0, j = 0, k = 0, l = 0, m = 0] = args;
  switch (args.length) {
    case 0: return (scratch, begin, end) => f(scratch, begin, end);
    case 1: return (scratch, begin, end) => f(a, scratch, begin, end);
    case 2: return (scratch, begin, end) => f(a, b, scratch, begin, end);
    case 3: return (scratch, begin, end) => f(a, b, c, scratch, begin, end);
    case 4: return (scratch, begin, end) => f(a, b, c, d, scratch, begin, end);
    case 5: return (scratch, begin, end) => f(a, b, c, d, e, scratch, begin, end);
    case 6: return (scratch, begin, end) => f(a, b, c, d, e, g, scratch, begin, end);
    case 7: return (scratch, begin, end) => f(a, b, c, d, e, g, h, scratch, begin, end);
    case 8: return (scratch, begin, end) => f(a, b, c, d, e, g, h, i, scratch, begin, end);
    case 9: return (scratch, begin, end) => f(a, b, c, d, e, g, h, i, j, scratch, begin, end);
    case 10: return (scratch, begin, end) => f(a, b, c, d, e, g, h, i, j, k, scratch, begin, end);
    case 11: return (scratch, begin, end) => f(a, b, c, d, e, g, h, i, j, k, l, scratch, begin, end);
    case 12: return (scratch, begin, end) => f(a, b, c, d, e, g, h, i, j, k, l, m, scratch, begin, end);
    default: return (scratch, begin, end) => f(...args, scratch, begin, end);
  }
}
