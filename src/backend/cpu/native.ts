// The only file that loads machine code: pages from the system, code put into them, and functions that call it, all through koffi.
// Pages are writable or executable, never both: code is copied into fresh writable pages, which then change sides.
import { CriaError, fail } from "../../base/index.ts";

export interface Native {
  /** Addresses for pages, from a multiple of 2 MiB: neither memory nor promise of any, and whoever touches one faults. @throws CriaError when the system refuses. */
  reserve(bytes: number): Pages;
  /** Makes reserved pages zeroed memory, which the system provides as they are touched. @throws CriaError when the system refuses. */
  commit(pages: Pages): void;
  /** Pages that can be run and no longer be written, with a copy of the code at their start. @throws CriaError when the system refuses. */
  mapCode(code: Uint8Array): Pages;
  unmap(pages: Pages): void;
  read(address: number, into: ArrayBufferView): void;
  write(address: number, from: ArrayBufferView): void;
  clear(address: number, bytes: number): void;
  /** The code at `address` as a function of `params` 64-bit integers, which the caller gives as whole numbers below 2^53. */
  callable(address: number, params: number): (...args: number[]) => void;
  /** The same for code that returns a 64-bit integer. */
  callableForNumber(address: number, params: number): (...args: number[]) => number | bigint;
}

export interface Pages {
  readonly address: number;
  readonly bytes: number;
}

/** Machine code can be loaded, or why not. */
export type Opened = { readonly native: Native } | { readonly native?: undefined; readonly why: string };

/** What is used of koffi, which is an optional dependency: the build must not need its types. */
interface Koffi {
  load(library: null): { func(name: string, result: string, params: readonly string[]): (...args: unknown[]) => unknown };
  proto(result: string, params: readonly string[]): object;
  decode(address: number, type: object): (...args: number[]) => unknown;
  errno(): number;
}

/** Never throws. Every thread opens its own; pages and addresses are the process's. */
export async function openNative(importKoffi = importInstalled, system: System = process): Promise<Opened> {
  if (system.arch !== "x64") return { why: `there are machine code targets for x64 only, this is ${system.arch}` };
  const constants = systems[system.platform];
  if (constants === undefined) return { why: `machine code is loaded on Linux and macOS only, this is ${system.platform}` };
  try {
    const native = new KoffiNative(await importKoffi(), constants);
    tryOut(native);
    return { native };
  } catch (error) {
    if (error instanceof CriaError) return { why: error.message.replace(/^\[.*?\] /, "") };
    return { why: `the package koffi, which calls machine code, cannot be used (${firstLine(error)}): npm install koffi` };
  }
}

type System = { readonly platform: string; readonly arch: string };

async function importInstalled(): Promise<Koffi> {
  const name: string = "koffi";
  return ((await import(name)) as { default: Koffi }).default;
}

/** A page of `ret`: policies that forbid new code speak here. */
function tryOut(native: Native): void {
  const pages = native.mapCode(Uint8Array.of(0xc3));
  native.callable(pages.address, 0)();
  native.unmap(pages);
}

/** Constants of <sys/mman.h>. */
interface SystemConstants {
  readonly mapAnonymous: number;
  readonly mapNoReserve: number;
  readonly adviseHugePages?: number;
}

const systems: Readonly<Record<string, SystemConstants>> = {
  linux: { mapAnonymous: 0x20, mapNoReserve: 0x4000, adviseHugePages: 14 },
  darwin: { mapAnonymous: 0x1000, mapNoReserve: 0x40 },
};

const [protNone, protRead, protWrite, protExecute] = [0, 1, 2, 4] as const;
const mapPrivate = 2;
const pageBytes = 4096;
const hugePageBytes = 2 ** 21;

type Numbers = (...args: number[]) => number;
type CopyIn = (to: number, from: ArrayBufferView, bytes: number) => void;
type CopyOut = (to: ArrayBufferView, from: number, bytes: number) => void;

class KoffiNative implements Native {
  readonly #koffi: Koffi;
  readonly #system: SystemConstants;
  readonly #mmap: Numbers;
  readonly #mprotect: Numbers;
  readonly #munmap: Numbers;
  readonly #madvise: Numbers;
  readonly #memset: Numbers;
  readonly #copyIn: CopyIn;
  readonly #copyOut: CopyOut;
  /** Function types by result and arity. */
  readonly #prototypes = new Map<string, object>();

  constructor(koffi: Koffi, system: SystemConstants) {
    this.#koffi = koffi;
    this.#system = system;
    // The C library is already in the process, whatever its file is called.
    const process = koffi.load(null);
    this.#mmap = process.func("mmap", "intptr_t", ["intptr_t", "size_t", "int", "int", "int", "int64_t"]) as Numbers;
    this.#mprotect = process.func("mprotect", "int", ["intptr_t", "size_t", "int"]) as Numbers;
    this.#munmap = process.func("munmap", "int", ["intptr_t", "size_t"]) as Numbers;
    this.#madvise = process.func("madvise", "int", ["intptr_t", "size_t", "int"]) as Numbers;
    this.#memset = process.func("memset", "void", ["intptr_t", "int", "size_t"]) as Numbers;
    this.#copyIn = process.func("memcpy", "void", ["intptr_t", "void *", "size_t"]) as CopyIn;
    this.#copyOut = process.func("memcpy", "void", ["void *", "intptr_t", "size_t"]) as CopyOut;
  }

  reserve(bytes: number): Pages {
    const size = roundUp(bytes, hugePageBytes);
    const wide = this.#mapPages(size + hugePageBytes, protNone, this.#system.mapNoReserve);
    const address = roundUp(wide.address, hugePageBytes);
    const [before, after] = [address - wide.address, wide.address + hugePageBytes - address];
    if (before > 0) this.unmap({ address: wide.address, bytes: before });
    if (after > 0) this.unmap({ address: address + size, bytes: after });
    // Advice: a system without huge pages says no, and nothing is lost.
    if (this.#system.adviseHugePages !== undefined) this.#madvise(address, size, this.#system.adviseHugePages);
    return { address, bytes: size };
  }

  commit({ address, bytes }: Pages): void {
    if (this.#mprotect(address, bytes, protRead | protWrite) === 0) return;
    const error = this.#koffi.errno();
    fail(
      "cpu",
      `the system refuses ${bytes} more bytes of memory (errno ${error}): free memory on this machine, or use a smaller model or batch`,
    );
  }

  mapCode(code: Uint8Array): Pages {
    const pages = this.#mapPages(roundUp(code.length, pageBytes), protRead | protWrite, 0);
    this.write(pages.address, code);
    if (this.#mprotect(pages.address, pages.bytes, protRead | protExecute) === 0) return pages;
    const error = this.#koffi.errno();
    this.unmap(pages);
    return fail("cpu", `the system refuses to make pages executable (errno ${error}): a security policy forbids it`);
  }

  unmap({ address, bytes }: Pages): void {
    this.#munmap(address, bytes);
  }

  read(address: number, into: ArrayBufferView): void {
    this.#copyOut(into, address, into.byteLength);
  }

  write(address: number, from: ArrayBufferView): void {
    this.#copyIn(address, from, from.byteLength);
  }

  clear(address: number, bytes: number): void {
    this.#memset(address, 0, bytes);
  }

  callable(address: number, params: number): (...args: number[]) => void {
    return this.#koffi.decode(address, this.#prototype("void", params)) as (...args: number[]) => void;
  }

  callableForNumber(address: number, params: number): (...args: number[]) => number | bigint {
    return this.#koffi.decode(address, this.#prototype("uint64_t", params)) as (...args: number[]) => number | bigint;
  }

  #mapPages(bytes: number, protection: number, flags: number): Pages {
    const address = this.#mmap(0, bytes, protection, mapPrivate | this.#system.mapAnonymous | flags, -1, 0);
    if (address !== -1) return { address, bytes };
    return fail(
      "cpu",
      `the system refuses to map ${bytes} bytes (errno ${this.#koffi.errno()}): raise the limit on address space (ulimit -v)`,
    );
  }

  #prototype(result: string, params: number): object {
    const key = `${result} ${params}`;
    const prototype = this.#prototypes.get(key) ?? this.#koffi.proto(result, Array<string>(params).fill("int64_t"));
    this.#prototypes.set(key, prototype);
    return prototype;
  }
}

const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;
const firstLine = (error: unknown): string => String(error instanceof Error ? error.message : error).split("\n")[0]!;
