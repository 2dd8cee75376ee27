// What machine code needs of an operating system: pages, and who may do what with them. One interface, and one file per family of systems beside it.
import type { FileRegion } from "../base/index.ts";

/** A range of pages: its first address, and its size. */
export interface Pages {
  readonly address: number;
  readonly bytes: number;
}

/** What a family of operating systems does for machine code. Addresses are numbers below 2^53. */
export interface NativeSystem {
  /** How code is called here: System V AMD64 or Microsoft x64. */
  readonly convention: "systemV" | "windows";
  /**
   * Addresses for pages: neither memory nor promise of any, and whoever touches one faults. They begin on a huge page where the system gives these unasked.
   * @throws CriaError when the system refuses.
   */
  reserve(bytes: number): Pages;
  /** Makes reserved pages zeroed memory, which the system provides as they are touched. @throws CriaError when the system refuses. */
  commit(pages: Pages): void;
  /** Zeroed memory on pages of its own. @throws CriaError when the system refuses. */
  map(bytes: number): Pages;
  /** Makes pages that were written ones that can be run and no longer be written. @throws CriaError when the system refuses. */
  makeExecutable(pages: Pages): void;
  /**
   * Maps pages of a file: shared with whoever reads the file, copied when written to. The region starts on a page.
   * @returns undefined where the system refuses. @throws CriaError when the file ends before the region.
   */
  mapFile?(region: FileRegion): Pages | undefined;
  /** Lets the system have the memory of pages of a file that were never written; touching them reads the file again. */
  dropPages?(pages: Pages): void;
  /** Gives back what `reserve`, `map` or `mapFile` gave. */
  unmap(pages: Pages): void;
  read(address: number, into: ArrayBufferView): void;
  write(address: number, from: ArrayBufferView): void;
  clear(address: number, bytes: number): void;
}

/** What is used of koffi, which is an optional dependency: the build must not need its types. */
export interface Koffi {
  /** Loads a library; `null` stands for what the process has loaded already. */
  load(library: string | null): { func(name: string, result: string, params: readonly string[]): (...args: unknown[]) => unknown };
  proto(result: string, params: readonly string[]): object;
  decode(address: number, type: object): (...args: number[]) => unknown;
  errno(): number;
}

/** A function of the system whose arguments and result are integers. */
export type Numbers = (...args: number[]) => number;
/** Copies bytes of a view to an address. */
export type CopyIn = (to: number, from: ArrayBufferView, bytes: number) => void;
/** Copies bytes at an address to a view. */
export type CopyOut = (to: ArrayBufferView, from: number, bytes: number) => void;

/** The least multiple of `unit` that is not below `value`. */
export const roundUp = (value: number, unit: number): number => Math.ceil(value / unit) * unit;
/** The size of a page on every system on x86-64. */
export const pageBytes = 4096;
