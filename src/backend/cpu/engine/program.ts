// A program as the engine sees it: calls of a module's exported functions, in phases.
import { check } from "../../../base/index.ts";

export interface Step {
  /** Index of the exported function ("0", "1", …) in the program's module. */
  readonly kernel: number;
  /**
   * Leading arguments: byte addresses and numbers, all i32 (an address above 2 GiB may be given unsigned).
   * The call is f(...args, scratch, begin, end); `scratch` is the address of the calling thread's own scratch.
   */
  readonly args: readonly number[];
  /** Units of parallel work; a call does those from `begin` up to, not including, `end`. */
  readonly units: number;
  /** Most units a call: threads claim this many at a time, so that a busy neighbour does not hold the others up. */
  readonly grain: number;
}

/** Steps of one phase do not depend on each other: threads go from one to the next without waiting. Between phases all meet. */
export type Phase = readonly Step[];

/** A checked copy, without what does nothing: steps without units, then phases without steps. @throws CriaError on a number out of range. */
export function checkPhases(phases: readonly Phase[], module: WebAssembly.Module): Phase[] {
  const exports = WebAssembly.Module.exports(module).filter(({ kind }) => kind === "function");
  const kernels = new Set(exports.map(({ name }) => name));
  return phases
    .map((steps, phase) => steps.map((step, i) => checkStep(step, kernels, `step ${i} of phase ${phase}`)).filter(({ units }) => units > 0))
    .filter((steps) => steps.length > 0);
}

function checkStep({ kernel, args, units, grain }: Step, kernels: ReadonlySet<string>, name: string): Step {
  check(
    kernels.has(`${kernel}`),
    "cpu",
    () => `${name} calls kernel ${kernel}, but the module exports ${[...kernels].join(", ") || "none"}`,
  );
  check(isCount(units), "cpu", () => `${name} has ${units} units, but they are a whole number from 0 to ${maximumCount}`);
  check(isCount(grain) && grain > 0, "cpu", () => `${name} has a grain of ${grain}, but it is a whole number from 1 to ${maximumCount}`);
  const bad = args.findIndex((arg) => !(Number.isInteger(arg) && arg >= -(2 ** 31) && arg < 2 ** 32));
  check(bad < 0, "cpu", () => `argument ${bad} of ${name} is ${args[bad]}, but it must be a 32-bit integer`);
  return { kernel, args: [...args], units, grain };
}

const maximumCount = 2 ** 31 - 1;
const isCount = (count: number): boolean => Number.isInteger(count) && count >= 0 && count <= maximumCount;
