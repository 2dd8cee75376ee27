// Addresses for as much memory as the machine has, of which only as much is made memory as the heap asks for; it never moves.
import { totalmem } from "node:os";
import type { Memory } from "./engine/index.ts";
import type { Native, Pages } from "./native.ts";

/** 64 MiB: a small model grows its memory a few times, not once a buffer. A multiple of a huge page. */
const growthBytes = 2 ** 26;

export class NativeMemory implements Memory {
  readonly advice = "free other buffers, or use a smaller model or batch";
  readonly argumentRule = "must be an address in the engine's memory";
  readonly #native: Native;
  readonly #pages: Pages;
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

  isArgument(value: number): boolean {
    return Number.isSafeInteger(value) && value >= this.start && value < this.end;
  }

  dispose(): void {
    this.#native.unmap(this.#pages);
  }
}

/** Less than the machine has in a container. */
function fillableBytes(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}

const leastBytes = 2 ** 28;

/** Where a limit on address space forbids as much, half of it may do, or half of that. */
function reserveUpTo(native: Native, bytes: number): Pages {
  try {
    return native.reserve(bytes);
  } catch (error) {
    if (bytes <= leastBytes) throw error;
    return reserveUpTo(native, bytes / 2);
  }
}
