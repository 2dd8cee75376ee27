// Addresses for as much memory as the machine has, of which only as much is made memory as the heap asks for; it never moves.
import { totalmem } from "node:os";
import { type FileRegion, fail } from "../base/index.ts";
import type { Memory } from "../threads/index.ts";
import type { Native, Pages } from "./native.ts";
import { pageBytes } from "./native-system.ts";

/** 64 MiB: a small model grows its memory a few times, not once a buffer. A multiple of a huge page. */
const growthBytes = 2 ** 26;

/** Memory of the process as a heap's: pages are committed as they are needed. */
export class NativeMemory implements Memory {
  readonly bound = "all the memory that this process may use";
  readonly advice = "free other buffers, or use a smaller model or batch";
  readonly argumentRule = "must be an address in the engine's memory or in a file that it maps";
  readonly #native: Native;
  readonly #pages: Pages;
  /** Mapped files, by the address of the first byte that was asked for. */
  readonly #files = new Map<number, Pages>();
  #end: number;

  /** @param maximumBytes as much as this process may fill by default. @throws CriaError when the process gets no address space. */
  constructor(native: Native, maximumBytes = fillableBytes()) {
    this.#native = native;
    this.#pages = reserveUpTo(native, maximumBytes);
    this.#end = this.start;
  }

  get start(): number {
    return this.#pages.address;
  }

  get end(): number {
    return this.#end;
  }

  get limit(): number {
    return this.#pages.address + this.#pages.bytes;
  }

  grow(end: number): void {
    const wish = Math.min(this.limit, this.start + Math.ceil((end - this.start) / growthBytes) * growthBytes);
    this.#native.commit({ address: this.#end, bytes: wish - this.#end });
    this.#end = wish;
  }

  clear(address: number, bytes: number): void {
    this.#native.clear(address, bytes);
  }

  read(address: number, into: ArrayBufferView): void {
    this.#native.read(address, into);
  }

  write(address: number, from: ArrayBufferView): void {
    this.#native.write(address, from);
  }

  /**
   * Maps bytes of a file, copied when they are written to, outside of the range that grows.
   * @returns their address; undefined where the system maps no files. @throws CriaError when the file ends before the region.
   */
  map({ start, bytes, ...file }: FileRegion): number | undefined {
    const before = start % pageBytes;
    const pages = this.#native.mapFile?.({ ...file, start: start - before, bytes: before + bytes });
    if (pages === undefined) return undefined;
    this.#files.set(pages.address + before, pages);
    return pages.address + before;
  }

  /** @throws CriaError when no file is mapped there. */
  unmap(address: number): void {
    const pages = this.#mapped(address);
    this.#files.delete(address);
    this.#native.unmap(pages);
  }

  /** Lets the system have the pages of a mapping that was never written: they are read from the file again when they are touched. @throws CriaError as `unmap`. */
  drop(address: number): void {
    this.#native.dropPages?.(this.#mapped(address));
  }

  #mapped(address: number): Pages {
    return this.#files.get(address) ?? fail("cpu", `no file is mapped at address ${address}`);
  }

  isArgument(value: number): boolean {
    if (!Number.isSafeInteger(value)) return false;
    if (value >= this.start && value < this.end) return true;
    for (const { address, bytes } of this.#files.values()) if (value >= address && value < address + bytes) return true;
    return false;
  }

  dispose(): void {
    for (const address of [...this.#files.keys()]) this.unmap(address);
    this.#native.unmap(this.#pages);
  }
}

/** Less than the machine has in a container. */
function fillableBytes(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}

const leastBytes = 2 ** 28;

/** Reserves as much, or where a limit on address space forbids that, half of it, or half of that. */
function reserveUpTo(native: Native, bytes: number): Pages {
  try {
    return native.reserve(bytes);
  } catch (error) {
    if (bytes <= leastBytes) throw error;
    return reserveUpTo(native, bytes / 2);
  }
}
