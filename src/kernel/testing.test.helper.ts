// Runs one kernel through every way of running it, on buffers between canaries, so that library tests are a few lines each.
import v8 from "node:v8";
import { Rng } from "../base/index.ts";
import { interpret } from "./interpret.ts";
import type { Kernel, Target } from "./ir.ts";
import { type KernelDefinition, kernel, specialise } from "./language.ts";
import { verify } from "./spec.ts";
import { assembleModule } from "./wasm/module.ts";
import { wasm128, wasmRelaxed } from "./wasm/target.ts";
import type { RegisterFiles } from "./x64/allocate.ts";
import { assembleX64 } from "./x64/assemble.ts";
import { execute, type Placed, whyNot, withGuards } from "./x64/run.test.helper.ts";
import { avx2, avx512, avx512Dots, systemV, windows } from "./x64/target.ts";

/** Targets that nothing compiles for, so that kernels prove they know no lane count. */
export const wide8: Target = { ...avx2, name: "lanes8" };
export const wide16: Target = { ...avx512, name: "lanes16" };

export interface Run {
  readonly name: string;
  readonly target: Target;
  /**
   * Runs the kernel over all its units, in two pieces; returns the buffers after. A buffer given twice lies at one address.
   * @throws when a canary beside a buffer changed.
   */
  run<C>(definition: KernelDefinition<C>, constants: C, buffers: readonly Float32Array[]): Float32Array[];
}

/** A run that makes code: held against the interpreter op by op. */
export interface CompiledRun extends Run {
  bytes(kernel: Kernel): Uint8Array;
  /** Runs all units over a memory that starts with `words`, pointers given from its start; returns what they are afterwards. */
  runWords(kernel: Kernel, words: Int32Array, pointers: readonly number[]): Int32Array;
}

const pages = 64;
// Node 20 has relaxed SIMD behind this flag; later versions have it on.
v8.setFlagsFromString("--experimental-wasm-relaxed-simd");

/** Makes the function that runs a kernel over this memory. */
type Compile = (kernel: Kernel, memory: WebAssembly.Memory) => (args: readonly number[]) => void;

const interpreted: Compile = (kernel, memory) => (args) => interpret(kernel, memory.buffer, args);

const compiled: Compile = (kernel, memory) => {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(assembleModule([kernel], { maximumPages: pages })), {
    e: { m: memory },
  });
  const run = instance.exports["0"] as (...args: number[]) => void;
  return (args) => run(...args);
};

/** A line for every target that cannot run here: shown as a skipped test. */
export const skipped: readonly string[] = [avx2, avx512, avx512Dots].flatMap((target) => {
  const reason = whyNot(target);
  return reason ? [`${nameOf(target)}: ${reason}`] : [];
});

const natives = [avx2, avx512, avx512Dots].filter((target) => whyNot(target) === undefined);

function nameOf(target: Target): string {
  return target.bf16Dot ? `${target.name} with dot products` : target.name;
}

export const compiledRuns: readonly CompiledRun[] = [
  wasmRunner("wasm", wasm128),
  ...(fusesMultiplyAdd() ? [wasmRunner("wasm+fma", wasmRelaxed)] : []),
  ...natives.map((target) => nativeRunner(nameOf(target), target)),
];

/** So few registers that most values are spilled; nothing an instruction needs is missing. */
const few: RegisterFiles = { int: [0, 3, 11, 12], vec: [0, 7, 8, 15], mask: [1, 7] };
export const crampedRuns = natives.map((target) => nativeRunner(`${nameOf(target)}, few registers`, target, few));

export const runs: readonly Run[] = [
  ...[wasm128, wide8, wide16].map((target) => runner(`interpreter ${target.name}`, target, interpreted)),
  ...compiledRuns,
];

export function sharedMemory(): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

export function random(count: number, seed = 1, scale = 1): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length: count }, () => rng.normal() * scale);
}

/** Integers as a buffer: the bits of int32 in a Float32Array. */
export function ints(values: Iterable<number>): Float32Array {
  return new Float32Array(Int32Array.from(values).buffer);
}

/** A buffer for a kernel to write: what it leaves out shows as NaN. */
export function unwritten(count: number): Float32Array {
  return new Float32Array(count).fill(Number.NaN);
}

/** Whether two buffers hold the same bits: a quick `toEqual` for long ones, and one that tells −0 from 0. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
  const [x, y] = [a, b].map((buffer) => new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length));
  return x!.length === y!.length && x!.every((bits, i) => bits === y![i]);
}

/** Largest difference from what float64 gives, relative to its largest magnitude (at least 1); NaN where either is. */
export function worstError(have: Float32Array, want: ArrayLike<number>): number {
  if (have.length !== want.length) return Number.NaN;
  let [worst, magnitude] = [0, 1];
  for (let i = 0; i < have.length; i++) {
    worst = Math.max(worst, Math.abs(have[i]! - want[i]!)); // NaN stays
    magnitude = Math.max(magnitude, Math.abs(want[i]!));
  }
  return worst / magnitude;
}

const canary = 0xa5;
/** Bytes between buffers, all canary. */
const gap = 64;

/** A kernel whose IR keeps its specification. @throws CriaError where it does not. */
export function specialised<C>(definition: KernelDefinition<C>, constants: C, target: Target): Kernel {
  const made = specialise(definition, constants, target);
  verify(made);
  return made;
}

/** {@link specialised} that makes a kernel once: tests run it with several inputs, and compiling takes longer than most runs. */
function specialisedOnce(target: Target) {
  const made = new WeakMap<object, Map<string, Kernel>>();
  const functions = new Map<unknown, number>();
  /** A function is known by the order in which it was first seen: it cannot be written down. */
  const written = (value: unknown) => {
    if (typeof value !== "function") return value;
    if (!functions.has(value)) functions.set(value, functions.size);
    return { function: functions.get(value) };
  };
  return <C>(definition: KernelDefinition<C>, constants: C): Kernel => {
    const kernels = made.get(definition) ?? new Map<string, Kernel>();
    made.set(definition, kernels);
    const key = v8.serialize(Object.entries(constants as object).map(([name, value]) => [name, written(value)])).toString("latin1");
    const kernel = kernels.get(key) ?? specialised(definition, constants, target);
    kernels.set(key, kernel);
    return kernel;
  };
}

function runner(name: string, target: Target, compile: Compile): Run {
  const memory = sharedMemory();
  const kernelOf = specialisedOnce(target);
  const executes = new WeakMap<Kernel, ReturnType<Compile>>();
  return {
    name,
    target,
    run(definition, constants, buffers) {
      const kernel = kernelOf(definition, constants);
      const { addresses, scratch, end } = layOut(kernel, buffers);
      if (end > memory.buffer.byteLength) throw new Error(`${definition.name}: ${end} bytes do not fit the test's memory`);
      new Uint8Array(memory.buffer, 0, end).fill(canary);
      const at = (i: number) => new Float32Array(memory.buffer, addresses[i]!, buffers[i]!.length);
      buffers.forEach((buffer, i) => void at(i).set(buffer));
      const execute = executes.get(kernel) ?? compile(kernel, memory);
      executes.set(kernel, execute);
      const half = Math.floor(kernel.units / 2);
      // The second half first: units may not depend on each other.
      execute([...addresses, scratch, half, kernel.units]);
      execute([...addresses, scratch, 0, half]);
      const check = (end: number, what: string) => checkCanary(memory, end, `${definition.name}: ${what}`);
      check(0, "the gap before buffer 0");
      buffers.forEach((buffer, i) => void check(addresses[i]! + buffer.length * 4, `buffer ${i}`));
      check(scratch + kernel.scratchBytes, "scratch");
      return buffers.map((_, i) => Float32Array.from(at(i)));
    },
  };
}

function wasmRunner(name: string, target: Target): CompiledRun {
  const memory = sharedMemory();
  return {
    ...runner(name, target, compiled),
    bytes: (kernel) => assembleModule([kernel]),
    runWords(kernel, words, pointers) {
      const view = new Int32Array(memory.buffer, 0, words.length);
      view.set(words);
      compiled(kernel, memory)([...pointers, 0, 0, kernel.units]);
      return view.slice();
    },
  };
}

/** Runs everything four times: with each buffer's end and with its start at a page that faults, by both calling conventions. */
function nativeRunner(name: string, target: Target, files?: RegisterFiles): CompiledRun {
  const kernelOf = specialisedOnce(target);
  return {
    name,
    target,
    bytes: (kernel) => assembleX64(kernel, systemV, files).code,
    run(definition, constants, buffers) {
      const kernel = kernelOf(definition, constants);
      const result = runBetweenGuards(kernel, buffers, "end", files);
      const isSame = (other: readonly Float32Array[]) => result.every((buffer, i) => sameBits(buffer, other[i]!));
      if (!isSame(runBetweenGuards(kernel, buffers, "start", files)))
        throw new Error(`${definition.name}: depends on where its buffers lie`);
      if (!(["end", "start"] as const).every((edge) => isSame(runBetweenGuards(kernel, buffers, edge, files, windows))))
        throw new Error(`${definition.name}: depends on the calling convention`);
      return result;
    },
    runWords: (kernel, words, pointers) =>
      withGuards([words.byteLength], "end", ([memory]) => {
        const view = new Int32Array(memory!.bytes.buffer, memory!.bytes.byteOffset, words.length);
        view.set(words);
        execute(kernel, [[...pointers.map((pointer) => memory!.address + pointer), 0, 0, kernel.units]], files);
        return view.slice();
      }),
  };
}

function runBetweenGuards(
  kernel: Kernel,
  buffers: readonly Float32Array[],
  edge: "start" | "end",
  files?: RegisterFiles,
  convention = systemV,
): Float32Array[] {
  const different = [...new Set(buffers)];
  return withGuards([...different.map(({ byteLength }) => byteLength), kernel.scratchBytes], edge, (placed) => {
    for (const { bytes, around } of placed) [bytes, around].forEach((part) => part.fill(canary));
    const at = (buffer: Float32Array) => placed[different.indexOf(buffer)]!;
    for (const buffer of different) floatsAt(at(buffer)).set(buffer);
    const addresses = [...buffers.map((buffer) => at(buffer).address), placed.at(-1)!.address];
    const half = Math.floor(kernel.units / 2);
    const calls = [
      [...addresses, half, kernel.units],
      [...addresses, 0, half],
    ];
    execute(kernel, calls, files, convention);
    placed.forEach(({ around }, i) => {
      if (around.some((byte) => byte !== canary))
        throw new Error(`${kernel.name}: buffer ${i} was written beyond its ${edge === "end" ? "start" : "end"}`);
    });
    return buffers.map((buffer) => floatsAt(at(buffer)).slice());
  });
}

function floatsAt({ bytes }: Placed): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/** Where buffers and scratch go, gaps between them; equal buffers share a place. */
function layOut(kernel: Kernel, buffers: readonly Float32Array[]) {
  let end = gap;
  const place = (bytes: number) => {
    const address = end;
    end += Math.ceil(bytes / 64) * 64 + gap;
    return address;
  };
  const placed = new Map<Float32Array, number>();
  for (const buffer of buffers) if (!placed.has(buffer)) placed.set(buffer, place(buffer.byteLength));
  const scratch = place(kernel.scratchBytes);
  return { addresses: buffers.map((buffer) => placed.get(buffer)!), scratch, end };
}

function checkCanary(memory: WebAssembly.Memory, address: number, what: string): void {
  const bytes = new Uint8Array(memory.buffer, address, Math.ceil((address + 1) / 64) * 64 - address);
  if (bytes.some((byte) => byte !== canary)) throw new Error(`${what} was written beyond its end`);
}

/** Whether relaxed multiply-adds exist here and round once; the specification lets a machine without the instruction round twice. */
function fusesMultiplyAdd(): boolean {
  const square = kernel<object>("square", (k) => {
    const { x } = k.pointers("x");
    k.range();
    k.store(k.load(x).fma(k.load(x), k.constant(-1)), x);
    return { units: 1 };
  });
  const probe = specialised(square, {}, wasmRelaxed);
  if (!WebAssembly.validate(assembleModule([probe]))) return false;
  const memory = sharedMemory();
  const value = new Float32Array(memory.buffer, 0, 4).fill(1 + 2 ** -12);
  compiled(probe, memory)([0, 0, 0, 1]);
  return value[0] === 2 ** -11 + 2 ** -24;
}
