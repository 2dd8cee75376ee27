// One shared WebAssembly.Memory that grows on demand, and its allocator.
import { CriaError, check, fail } from "../../../base/index.ts";
import { alignment, FreeList } from "./free-list.ts";

const pageBytes = 65536;
/** What 32-bit addresses reach: 4 GiB. */
const addressableBytes = 65536 * pageBytes;
/** 1 MiB: a small model grows its memory a few times, not once a buffer. */
const growthBytes = 16 * pageBytes;

export class SharedHeap {
  readonly memory: WebAssembly.Memory;
  readonly #maximum: number;
  // Address 0 is given to nobody, so that it stays a sign of a mistake.
  readonly #list = new FreeList(alignment);
  /** From here on nothing was ever handed out, so pages are still zero: filling them would make the system provide them. */
  #fresh = alignment;

  /**
   * @param maximumBytes how far the memory may grow; less where this machine has not that much address space.
   * @throws CriaError when no memory can be had at all.
   */
  constructor(maximumBytes = addressableBytes) {
    checkMaximum(maximumBytes);
    [this.memory, this.#maximum] = reserve(Math.floor(maximumBytes / pageBytes));
    this.#list.extend(this.memory.buffer.byteLength);
  }

  /** Zeroed, aligned to 64, never address 0. @throws CriaError when the memory's maximum does not suffice. */
  allocate(bytes: number): number {
    check(Number.isSafeInteger(bytes) && bytes >= 0, "cpu", () => `cannot allocate ${bytes} bytes: give a whole number from 0`);
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    const address = this.#list.take(size) ?? this.#grow(size);
    const dirty = Math.min(this.#fresh, address + size) - address;
    if (dirty > 0) new Uint8Array(this.memory.buffer, address, dirty).fill(0);
    this.#fresh = Math.max(this.#fresh, address + size);
    return address;
  }

  free(address: number): void {
    if (!this.#list.release(address)) fail("cpu", `cannot free address ${address}: nothing that is still allocated starts there`);
  }

  #grow(size: number): number {
    const need = this.#list.endFor(size);
    if (need > this.#maximum) this.#tooMuch(size, need);
    const wish = Math.ceil(need / growthBytes) * growthBytes;
    try {
      this.memory.grow((Math.min(wish, this.#maximum) - this.#list.end) / pageBytes);
    } catch (cause) {
      const message = `the system refused to grow the engine's memory from ${megabytes(this.#list.end)} to ${megabytes(need)}`;
      throw new CriaError("cpu", `${message}: free memory on this machine, or use a smaller model or batch`, { cause });
    }
    this.#list.extend(this.memory.buffer.byteLength);
    return this.#list.take(size) ?? fail("cpu", `memory grew to ${this.#list.end} bytes, but ${size} bytes do not fit`);
  }

  #tooMuch(size: number, need: number): never {
    const room = `a buffer of ${megabytes(size)} beside ${megabytes(this.#list.used)} in use needs ${megabytes(need)}`;
    fail("cpu", `${room}, but the engine's memory may grow to ${megabytes(this.#maximum)}: ${this.#wayOut()}`);
  }

  #wayOut(): string {
    const smaller = "free other buffers, or use a smaller model or batch";
    return this.#maximum < addressableBytes
      ? `${smaller}, or open the engine with a larger maximumBytes where the machine has it`
      : smaller;
  }
}

/** @throws CriaError unless the engine's memory may be given this maximum. */
export function checkMaximum(bytes = addressableBytes): void {
  const inRange = bytes >= pageBytes && bytes <= addressableBytes;
  check(
    inRange,
    "cpu",
    () => `maximumBytes is ${bytes}, but it goes from 65536 (64 KiB) to 4294967296 (4 GiB): give a number in that range`,
  );
}

/** V8 reserves the address space of the maximum at once; where a limit forbids that, half of it may do, or half of that. */
function reserve(pages: number): [memory: WebAssembly.Memory, maximumBytes: number] {
  try {
    const initial = Math.min(pages, growthBytes / pageBytes);
    return [new WebAssembly.Memory({ initial, maximum: pages, shared: true }), pages * pageBytes];
  } catch (cause) {
    if (pages > 1) return reserve(Math.ceil(pages / 2));
    // V8's trap handler takes 10 GiB of address space for a memory, whatever its maximum; without it, bounds are checked in code.
    const message = "this process gets no address space for shared WebAssembly memory, not even for 64 KiB";
    throw new CriaError("cpu", `${message}: raise its limit (ulimit -v), or start Node with --disable-wasm-trap-handler`, { cause });
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
