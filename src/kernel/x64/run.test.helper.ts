// Puts machine code into memory and calls it, for tests only. Every buffer touches a page that faults, so no access outside goes unseen.
import { readFileSync } from "node:fs";
import type { Kernel, Target } from "../ir.ts";
import type { RegisterFiles } from "./allocate.ts";
import { assembleX64 } from "./assemble.ts";
import { avx2, type Convention, systemV } from "./target.ts";
import { windowsThunk } from "./windows-thunk.test.helper.ts";

const pageBytes = 4096;
const thunkBytes = 1024;
const arenaBytes = 64 << 20;
const none = 0;
const readWrite = 3;
const readExecute = 5;
const privateAnonymous = 0x22;

/** Flags of /proc/cpuinfo that a target's code needs. */
function features({ name, bf16Dot, int8Dot }: Target): readonly string[] {
  if (name === avx2.name) return ["avx2", "fma", "f16c"];
  const dots = [...(bf16Dot ? ["avx512_bf16"] : []), ...(int8Dot ? ["avx512_vnni"] : [])];
  return ["avx512f", "avx512bw", "avx512dq", "avx512vl", ...dots];
}

const koffi = await loadKoffi();

/** Why this machine cannot run code for a target; undefined where it can. */
export function whyNot(target: Target): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64")
    return `needs Linux on x86-64, this is ${process.platform} on ${process.arch}`;
  if (!koffi) return "needs the package koffi, which is not installed";
  const flags = new Set(
    readFileSync("/proc/cpuinfo", "utf8")
      .match(/^flags.*$/m)?.[0]
      .split(/\s+/),
  );
  const missing = features(target).filter((flag) => !flags.has(flag));
  return missing.length > 0 ? `this CPU lacks ${missing.join(", ")}` : undefined;
}

/** What we use of koffi, said here because the package may be absent when this is compiled. */
interface Koffi {
  load(library: null): { func(declaration: string): (...args: unknown[]) => number };
  view(address: bigint, bytes: number): ArrayBuffer;
  proto(declaration: string): object;
  call(address: bigint, prototype: object, ...args: readonly number[]): void;
}

async function loadKoffi(): Promise<Koffi | undefined> {
  const name: string = "koffi";
  try {
    return ((await import(/* @vite-ignore */ name)) as { default: Koffi }).default;
  } catch {
    return undefined;
  }
}

function openMachine() {
  const { load, view, call, proto } = koffi!;
  const libc = load(null);
  const mmap = libc.func("intptr_t mmap(intptr_t, size_t, int, int, int, intptr_t)");
  const protect = libc.func("int mprotect(intptr_t, size_t, int)");
  const unmap = libc.func("int munmap(intptr_t, size_t)");
  const copy = libc.func("void* memcpy(intptr_t, void*, size_t)");
  const map = (bytes: number) => mmap(0, bytes, readWrite, privateAnonymous, -1, 0);
  const base = map(arenaBytes);
  const bytes = view(BigInt(base), arenaBytes);
  const prototypes = new Map<number, object>();
  const prototype = (count: number) => {
    const known = prototypes.get(count) ?? proto(`void kernel_${count}(${Array(count).fill("int64_t").join(", ")})`);
    prototypes.set(count, known);
    return known;
  };
  return { base, bytes, map, protect, unmap, copy, call, prototype };
}

let opened: ReturnType<typeof openMachine> | undefined;
const machine = () => {
  opened ??= openMachine();
  return opened;
};

/** Calls the code once for each list of arguments, which have one length; code for Windows through a thunk. */
export function callCode(code: Uint8Array, calls: readonly (readonly number[])[], convention = systemV): void {
  const { map, protect, unmap, copy, call, prototype } = machine();
  const bytes = code.length + thunkBytes;
  const at = map(bytes);
  copy(at, code, code.length);
  const thunkAt = at + bytes - thunkBytes;
  const thunk = windowsThunk(calls[0]!.length, at);
  copy(thunkAt, thunk, thunk.length);
  protect(at, bytes, readExecute);
  for (const args of calls) call(BigInt(convention === systemV ? at : thunkAt), prototype(args.length), ...args);
  unmap(at, bytes);
}

export function execute(kernel: Kernel, calls: readonly (readonly number[])[], files?: RegisterFiles, convention = systemV): void {
  callCode(codeOf(kernel, convention, files), calls, convention);
}

/** Code of kernels by convention: they are run from buffers at either edge. A kernel is run with one set of registers. */
const codes = new WeakMap<Kernel, Map<Convention, Uint8Array>>();

function codeOf(kernel: Kernel, convention: Convention, files?: RegisterFiles): Uint8Array {
  const known = codes.get(kernel) ?? new Map<Convention, Uint8Array>();
  codes.set(kernel, known);
  const code = known.get(convention) ?? assembleX64(kernel, convention, files).code;
  known.set(convention, code);
  return code;
}

/** Which end of a buffer touches the page that faults. */
export type Edge = "start" | "end";

export interface Placed {
  readonly address: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What lies between the buffer and the farther page that faults. */
  readonly around: Uint8Array<ArrayBuffer>;
}

/** Runs `use` with buffers of these sizes, each on pages of its own between pages that fault. */
export function withGuards<T>(sizes: readonly number[], edge: Edge, use: (placed: readonly Placed[]) => T): T {
  const { base, bytes, protect } = machine();
  let end = pageBytes;
  const guards = [0];
  const placed = sizes.map((size) => {
    const room = Math.max(pageBytes, Math.ceil(size / pageBytes) * pageBytes);
    const start = end;
    const at = edge === "start" ? start : start + room - size;
    const [before, after] = edge === "start" ? [start + size, start + room] : [start, at];
    end = start + room + pageBytes;
    guards.push(start + room);
    return { address: base + at, bytes: new Uint8Array(bytes, at, size), around: new Uint8Array(bytes, before, after - before) };
  });
  if (end > arenaBytes) throw new Error(`${end} bytes do not fit the test's memory`);
  for (const guard of guards) protect(base + guard, pageBytes, none);
  try {
    return use(placed);
  } finally {
    protect(base, end, readWrite);
  }
}
