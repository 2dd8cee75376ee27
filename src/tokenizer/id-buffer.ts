// Token ids as they come: a Uint32Array that grows.

/** A list of ids that grows. */
export class IdBuffer {
  #ids: Uint32Array;
  #size = 0;

  constructor(expected = 64) {
    this.#ids = new Uint32Array(Math.max(16, expected));
  }

  get size(): number {
    return this.#size;
  }

  /** Says how many ids there are, after some were written to what `reserve` gave. */
  set size(size: number) {
    this.#size = size;
  }

  /** How many ids there is room for. */
  get capacity(): number {
    return this.#ids.length;
  }

  /** The array that ids are written to, with room for `more` behind the last one. It is another one after the next id. */
  reserve(more: number): Uint32Array {
    if (this.#size + more > this.#ids.length) this.#reserve(more);
    return this.#ids;
  }

  push(id: number): void {
    if (this.#size === this.#ids.length) this.#reserve(1);
    this.#ids[this.#size++] = id;
  }

  /** Appends `source[start … start + count)`. */
  append(source: Uint32Array, start: number, count: number): void {
    if (this.#size + count > this.#ids.length) this.#reserve(count);
    for (let i = 0; i < count; i++) this.#ids[this.#size + i] = source[start + i]!;
    this.#size += count;
  }

  /** The id at `at`, counted from the start. */
  at(at: number): number {
    return this.#ids[at]!;
  }

  /** A copy of what was appended from `start` on. */
  slice(start = 0): Uint32Array {
    return this.#ids.slice(start, this.#size);
  }

  #reserve(more: number): void {
    const larger = new Uint32Array(Math.max(this.#ids.length * 2, this.#size + more));
    larger.set(this.#ids);
    this.#ids = larger;
  }
}
