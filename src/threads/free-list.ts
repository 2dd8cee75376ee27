// Who owns which part of an address range: best fit over a list of free blocks, which grow together again when freed (Knuth, TAOCP 1, 2.5).
// Arithmetic on addresses only; the memory itself is heap.ts's business.

/** Addresses and sizes are multiples of this many bytes: a cache line, so that no two buffers share one. */
export const alignment = 64;

interface Block {
  start: number;
  end: number;
}

/** Free and taken blocks of an address range. */
export class FreeList {
  /** Free blocks sorted by address; no two of them touch. */
  readonly #free: Block[] = [];
  readonly #taken = new Map<number, number>();
  #end: number;

  /** @param start the first address that may be given out. */
  constructor(start: number) {
    this.#end = start;
  }

  /** Where the managed range ends. */
  get end(): number {
    return this.#end;
  }

  /** Bytes in use. */
  get used(): number {
    return [...this.#taken.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** The smallest free block that is large enough, the lowest of equals; undefined where there is none. */
  take(bytes: number): number | undefined {
    let best: Block | undefined;
    for (const block of this.#free) if (sizeOf(block) >= bytes && (best === undefined || sizeOf(block) < sizeOf(best))) best = block;
    if (best === undefined) return undefined;
    const { start } = best;
    best.start += bytes;
    if (sizeOf(best) === 0) this.#free.splice(this.#free.indexOf(best), 1);
    this.#taken.set(start, bytes);
    return start;
  }

  /** Gives the block back; false when `start` is not the start of a taken block. */
  release(start: number): boolean {
    const bytes = this.#taken.get(start);
    if (bytes === undefined) return false;
    this.#taken.delete(start);
    this.#insert({ start, end: start + bytes });
    return true;
  }

  /** How far the range must reach so that `bytes` can be taken: a free block at its end counts. */
  endFor(bytes: number): number {
    const last = this.#free.at(-1);
    return (last?.end === this.#end ? last.start : this.#end) + bytes;
  }

  /** Moves the end of the managed range up to `end`. */
  extend(end: number): void {
    this.#insert({ start: this.#end, end });
    this.#end = end;
  }

  #insert(block: Block): void {
    const after = this.#free.findIndex((other) => other.start > block.start);
    const at = after < 0 ? this.#free.length : after;
    const previous = this.#free[at - 1];
    const next = this.#free[at];
    if (next?.start === block.end) {
      block.end = next.end;
      this.#free.splice(at, 1);
    }
    if (previous?.end === block.start) previous.end = block.end;
    else this.#free.splice(at, 0, block);
  }
}

const sizeOf = (block: Block): number => block.end - block.start;
