// Allocates parts of a memory that grows on demand.
import { check, fail } from "../base/index.ts";
import { alignment, FreeList } from "./free-list.ts";
import { type Memory, megabytes } from "./memory.ts";

/** Allocates blocks of a memory, which grows by as much as they need. */
export class Heap<M extends Memory> {
  readonly memory: M;
  readonly #list: FreeList;
  /** Nothing from this address on was ever handed out, so bytes there are still zero: clearing them would make the system provide them. */
  #fresh: number;

  constructor(memory: M) {
    this.memory = memory;
    this.#list = new FreeList(memory.start);
    this.#fresh = memory.start;
    this.#list.extend(memory.end);
  }

  /** Zeroed, aligned to 64, never address 0. @throws CriaError when the memory's limit does not suffice. */
  allocate(bytes: number): number {
    check(Number.isSafeInteger(bytes) && bytes >= 0, "cpu", () => `cannot allocate ${bytes} bytes: give a whole number from 0`);
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    const address = this.#list.take(size) ?? this.#grow(size);
    const dirty = Math.min(this.#fresh, address + size) - address;
    if (dirty > 0) this.memory.clear(address, dirty);
    this.#fresh = Math.max(this.#fresh, address + size);
    return address;
  }

  free(address: number): void {
    if (!this.#list.release(address)) fail("cpu", `cannot free address ${address}: nothing that is still allocated starts there`);
  }

  /** Bytes up to the memory's limit beside those in use; `filled` of them were handed out before. */
  room(): { readonly left: number; readonly filled: number } {
    const { start, limit } = this.memory;
    const { used } = this.#list;
    return { left: limit - start - used, filled: this.#fresh - start - used };
  }

  #grow(size: number): number {
    const end = this.#list.endFor(size);
    if (end > this.memory.limit) this.#tooMuch(size, end);
    this.memory.grow(end);
    this.#list.extend(this.memory.end);
    return this.#list.take(size) ?? fail("cpu", `memory grew to ${this.memory.end}, but ${size} bytes do not fit`);
  }

  #tooMuch(size: number, end: number): never {
    const { start, limit, advice } = this.memory;
    const room = `a buffer of ${megabytes(size)} beside ${megabytes(this.#list.used)} in use needs ${megabytes(end - start)}`;
    fail("cpu", `${room}, but the engine's memory may grow to ${megabytes(limit - start)}: ${advice}`);
  }
}
