// One WebAssembly.Memory that grows on demand: shared where threads compute on it.
import { CriaError, check } from "../base/index.ts";
import { alignment } from "./free-list.ts";
import { type Memory, megabytes } from "./memory.ts";

const pageBytes = 65536;
/** What 32-bit addresses reach: 4 GiB. */
const addressableBytes = 65536 * pageBytes;
/** 1 MiB: a small model grows its memory a few times, not once a buffer. */
const growthBytes = 16 * pageBytes;

/** A WebAssembly memory as a heap's. */
export class WasmMemory implements Memory {
  readonly memory: WebAssembly.Memory;
  readonly start = alignment;
  readonly limit: number;
  readonly argumentRule = "must be a 32-bit integer";

  /**
   * @param maximumBytes how far the memory may grow; less where this machine has not that much address space.
   * @param isShared a page that is not cross-origin isolated has no shared memory. @throws CriaError when no memory can be had at all.
   */
  constructor(maximumBytes = addressableBytes, isShared = true) {
    checkMaximum(maximumBytes);
    [this.memory, this.limit] = reserve(Math.floor(maximumBytes / pageBytes), isShared);
  }

  /** Another object after it grew. */
  get buffer(): ArrayBufferLike {
    return this.memory.buffer;
  }

  get end(): number {
    return this.buffer.byteLength;
  }

  get bound(): string {
    return this.limit < addressableBytes ? "all the address space that this process gets" : "all that WebAssembly can address";
  }

  get advice(): string {
    const smaller = "free other buffers, or use a smaller model or batch";
    return this.limit < addressableBytes ? `${smaller}, or open the engine with a larger maximumBytes where the machine has it` : smaller;
  }

  grow(end: number): void {
    const wish = Math.ceil(end / growthBytes) * growthBytes;
    try {
      this.memory.grow((Math.min(wish, this.limit) - this.end) / pageBytes);
    } catch (cause) {
      const message = `the system refused to grow the engine's memory from ${megabytes(this.end)} to ${megabytes(end)}`;
      throw new CriaError("cpu", `${message}: free memory on this machine, or use a smaller model or batch`, { cause });
    }
  }

  clear(address: number, bytes: number): void {
    new Uint8Array(this.buffer, address, bytes).fill(0);
  }

  read(address: number, into: ArrayBufferView): void {
    bytesOf(into).set(new Uint8Array(this.buffer, address, into.byteLength));
  }

  write(address: number, from: ArrayBufferView): void {
    new Uint8Array(this.buffer, address, from.byteLength).set(bytesOf(from));
  }

  isArgument(value: number): boolean {
    return Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32;
  }
}

/** @throws CriaError unless WebAssembly's memory may be given this maximum. */
export function checkMaximum(bytes = addressableBytes): void {
  const inRange = bytes >= pageBytes && bytes <= addressableBytes;
  check(
    inRange,
    "cpu",
    () => `maximumBytes is ${bytes}, but it goes from 65536 (64 KiB) to 4294967296 (4 GiB): give a number in that range`,
  );
}

/** V8 reserves the address space of the maximum at once; where a limit forbids that, half of it may do, or half of that. */
function reserve(pages: number, isShared: boolean): [memory: WebAssembly.Memory, maximumBytes: number] {
  try {
    const initial = Math.min(pages, growthBytes / pageBytes);
    return [new WebAssembly.Memory({ initial, maximum: pages, shared: isShared }), pages * pageBytes];
  } catch (cause) {
    if (pages > 1) return reserve(Math.ceil(pages / 2), isShared);
    // V8's trap handler takes 10 GiB of address space for a memory, whatever its maximum; without it, bounds are checked in code.
    const message = "this process gets no address space for WebAssembly memory, not even for 64 KiB";
    throw new CriaError("cpu", `${message}: raise its limit (ulimit -v), or start Node with --disable-wasm-trap-handler`, { cause });
  }
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}
