// A program as the engine sees it: calls of kernels, in phases.
import { check, type Sliced } from "../base/index.ts";
import type { Memory } from "./memory.ts";
import { endOfTickets } from "./tickets.ts";

/** A call of a kernel, whose units threads share. */
export interface KernelCall {
  /** Index of the kernel in the program. */
  readonly kernel: number;
  /**
   * Leading arguments: byte addresses and numbers. For WebAssembly all are i32; an address above 2 GiB may be given unsigned.
   * A chunk is computed by f(...args, scratch, begin, end); `scratch` is the address of the calling thread's own scratch.
   */
  readonly args: readonly number[];
  /** Units of parallel work; a chunk is those from `begin` up to, not including, `end`. */
  readonly units: number;
  /** Units per chunk, and where there are `sharers` the fewest: threads claim so many at a time, so that a busy neighbour does not hold the others up. */
  readonly grain: number;
  /**
   * How many threads share the call, where its first chunks are larger than the grain: every so many chunks take half of what is left, down to the
   * grain. A chunk costs about half a microsecond, whatever is in it; the last ones are what evens threads out.
   */
  readonly sharers?: number;
  /** Where the units with work depend on a number that is written before a run. */
  readonly live?: LiveUnits;
}

/** The first `units` · ⌈n / `rows`⌉ units of a call have work, where n is the int32 at the address `count`, and a chunk takes a smaller share of them. */
export interface LiveUnits {
  readonly count: number;
  readonly rows: number;
  readonly units: number;
}

/** Calls of one phase do not depend on each other: threads go from one to the next without waiting. A phase begins when all before it is done. */
export type Phase = readonly KernelCall[];

/** The addresses of the counts on which a program's units depend, each once. */
export const countsOf = (phases: readonly Phase[]): number[] => [...new Set(phases.flat().flatMap(({ live }) => live?.count ?? []))];

/** How many chunks these calls have at most: where fewer units have work, a smaller grain is rounded down, and chunks are up to twice as many. */
export const countChunks = (calls: readonly KernelCall[]): number =>
  calls.reduce((sum, { units, grain, live }) => sum + (live ? 2 : 1) * Math.ceil(units / grain), 0);

/** Where the chunks of a call begin that `sharers` threads share, and where the last one ends: see {@link KernelCall.sharers}. */
export function fallingChunks(units: number, grain: number, sharers: number): number[] {
  const starts = [0];
  for (let left = units; left > 0; ) {
    const size = Math.max(grain, Math.ceil(left / (2 * sharers)));
    for (let i = 0; i < sharers && left > 0; i++) {
      left = Math.max(0, left - size);
      starts.push(units - left);
    }
  }
  return starts;
}

/** A checked copy, without what does nothing: calls without units, then phases without calls. @throws CriaError on a number out of range. */
export function* checkPhases(phases: readonly Phase[], kernels: number, memory: Memory): Sliced<Phase[]> {
  const checked: Phase[] = [];
  for (const [phase, calls] of phases.entries()) {
    const working = calls
      .map((call, i) => checkCall(call, kernels, memory, `call ${i} of phase ${phase}`))
      .filter(({ units }) => units > 0);
    if (working.length > 0) checked.push(working);
    yield;
  }
  const chunks = countChunks(checked.flat());
  check(chunks < endOfTickets, "cpu", () => `a program of ${chunks} chunks is longer than ${endOfTickets - 1}: take larger grains`);
  return checked;
}

function checkCall({ kernel, args, units, grain, sharers, live }: KernelCall, kernels: number, memory: Memory, name: string): KernelCall {
  const known = Number.isInteger(kernel) && kernel >= 0 && kernel < kernels;
  check(known, "cpu", () => `${name} names kernel ${kernel} of a program that has ${kernels}`);
  check(isCount(units), "cpu", () => `${name} has ${units} units, but they are a whole number from 0 to ${maximumCount}`);
  check(isCount(grain) && grain > 0, "cpu", () => `${name} has a grain of ${grain}, but it is a whole number from 1 to ${maximumCount}`);
  const isShared = sharers === undefined || (isCount(sharers) && sharers > 0);
  check(isShared, "cpu", () => `${name} has ${sharers} sharers, but they are a whole number from 1 to ${maximumCount}`);
  const bad = args.findIndex((arg) => !memory.isArgument(arg));
  check(bad < 0, "cpu", () => `argument ${bad} of ${name} is ${args[bad]}, but it ${memory.argumentRule}`);
  if (live !== undefined) checkLive(live, memory, name);
  return { kernel, args: [...args], units, grain, ...(sharers !== undefined && { sharers }), ...(live && { live: { ...live } }) };
}

function checkLive({ count, rows, units }: LiveUnits, memory: Memory, name: string): void {
  check(memory.isArgument(count), "cpu", () => `the count of ${name} is at ${count}, but it ${memory.argumentRule}`);
  const areCounts = isCount(rows) && rows > 0 && isCount(units);
  check(areCounts, "cpu", () => `${name} has ${units} units per ${rows} live rows, but both are whole numbers, and rows are at least 1`);
}

const maximumCount = 2 ** 31 - 1;
const isCount = (count: number): boolean => Number.isInteger(count) && count >= 0 && count <= maximumCount;
