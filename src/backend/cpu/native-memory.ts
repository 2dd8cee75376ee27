// One map of memory from the system, as large as the machine's memory: untouched pages cost nothing, so it never has to move or grow.
import { totalmem } from "node:os";
import type { Memory } from "./engine/index.ts";
import type { Native, Pages } from "./native.ts";

export class NativeMemory implements Memory {
  readonly advice = "free other buffers, or use a smaller model or batch";
  readonly argumentRule = "must be an address in the engine's memory";
  readonly #native: Native;
  readonly #pages: Pages;

  /** @throws CriaError when the process gets no address space. */
  constructor(native: Native, bytes = machineBytes()) {
    this.#native = native;
    this.#pages = mapUpTo(native, bytes);
  }

  get start(): number {
    return this.#pages.address;
  }

  get end(): number {
    return this.#pages.address + this.#pages.bytes;
  }

  get limit(): number {
    return this.end;
  }

  grow(): void {}

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

/** What this process may fill: less than the machine has in a container. */
function machineBytes(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}

const leastBytes = 2 ** 28;

/** Where a limit on address space forbids as much, half of it may do, or half of that. */
function mapUpTo(native: Native, bytes: number): Pages {
  try {
    return native.map(bytes);
  } catch (error) {
    if (bytes <= leastBytes) throw error;
    return mapUpTo(native, bytes / 2);
  }
}
