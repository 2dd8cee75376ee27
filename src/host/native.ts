// The only file that loads machine code: pages from the system, code put into them, and functions that call it, all through koffi.
// Pages are writable or executable, never both: code is copied into fresh writable pages, which then change sides.
import { CriaError, type FileRegion } from "../base/index.ts";
import { darwin, linux, PosixSystem } from "./native-posix.ts";
import type { Koffi, NativeSystem, Pages } from "./native-system.ts";
import { WindowsSystem } from "./native-windows.ts";

export type { Pages } from "./native-system.ts";

/** What loads machine code on this system. */
export interface Native extends Omit<NativeSystem, "map" | "makeExecutable"> {
  /** Pages that can be run and no longer be written, with a copy of the code at their start. @throws CriaError when the system refuses. */
  mapCode(code: Uint8Array): Pages;
  /** The code at `address` as a function of `params` 64-bit integers, which the caller gives as whole numbers below 2^53. */
  callable(address: number, params: number): (...args: number[]) => void;
  /** The same for code that returns a 64-bit integer. */
  callableForNumber(address: number, params: number): (...args: number[]) => number | bigint;
}

/** Machine code can be loaded, or why not. */
export type Opened = { readonly native: Native } | { readonly native?: undefined; readonly why: string };

/** What opens each system, by Node's name of the platform. */
export const systems: Readonly<Record<string, (koffi: Koffi) => NativeSystem>> = {
  linux: (koffi) => new PosixSystem(koffi, linux),
  darwin: (koffi) => new PosixSystem(koffi, darwin),
  win32: (koffi) => new WindowsSystem(koffi),
};

/** Never throws. Every thread opens its own; pages and addresses are the process's. */
export async function openNative(importKoffi = importInstalled, { platform, arch }: Platform = process): Promise<Opened> {
  if (arch !== "x64") return { why: `there are machine code targets for x64 only, this is ${arch}` };
  const openSystem = systems[platform];
  if (openSystem === undefined) return { why: `machine code is loaded on ${Object.keys(systems).join(", ")} only, this is ${platform}` };
  try {
    const koffi = await importKoffi();
    const native = makeNative(koffi, openSystem(koffi));
    tryOut(native);
    return { native };
  } catch (error) {
    if (error instanceof CriaError) return { why: error.message.replace(/^\[.*?\] /, "") };
    return { why: `the package koffi, which calls machine code, ${problemOf(error)}` };
  }
}

type Platform = { readonly platform: string; readonly arch: string };

async function importInstalled(): Promise<Koffi> {
  const name: string = "koffi"; // optional: neither the compiler nor a bundler may ask for it
  return ((await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as { default: Koffi }).default;
}

/** Runs one page that holds `ret`, so that a policy against new code fails here and not in a kernel. */
function tryOut(native: Native): void {
  const pages = native.mapCode(Uint8Array.of(0xc3));
  native.callable(pages.address, 0)();
  native.unmap(pages);
}

function makeNative(koffi: Koffi, system: NativeSystem): Native {
  /** Function types, by their result and number of parameters. */
  const prototypes = new Map<string, object>();
  const prototype = (result: string, params: number) => {
    const key = `${result} ${params}`;
    const known = prototypes.get(key) ?? koffi.proto(result, Array<string>(params).fill("int64_t"));
    prototypes.set(key, known);
    return known;
  };
  return {
    convention: system.convention,
    reserve: (bytes) => system.reserve(bytes),
    commit: (pages) => system.commit(pages),
    mapCode: (code) => mapCode(system, code),
    ...(system.mapFile && { mapFile: (region: FileRegion) => system.mapFile!(region) }),
    ...(system.dropPages && { dropPages: (pages: Pages) => system.dropPages!(pages) }),
    unmap: (pages) => system.unmap(pages),
    read: (address, into) => system.read(address, into),
    write: (address, from) => system.write(address, from),
    clear: (address, bytes) => system.clear(address, bytes),
    callable: (address, params) => koffi.decode(address, prototype("void", params)) as (...args: number[]) => void,
    callableForNumber: (address, params) => koffi.decode(address, prototype("uint64_t", params)) as (...args: number[]) => number | bigint,
  };
}

function mapCode(system: NativeSystem, code: Uint8Array): Pages {
  const pages = system.map(code.length);
  try {
    system.write(pages.address, code);
    system.makeExecutable(pages);
    return pages;
  } catch (error) {
    system.unmap(pages);
    throw error;
  }
}

function problemOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ERR_MODULE_NOT_FOUND" ? "is not installed (npm install koffi)" : `does not work here (${message.split("\n")[0]})`;
}
