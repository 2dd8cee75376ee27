// The first bytes of a stream, looked at before it is read.

/** A stream whose first bytes are known. It is closed after use, also where nothing of it was read. */
export class Peeked implements AsyncIterableIterator<Uint8Array> {
  /** The first bytes, as many as were asked for where there are as many. */
  readonly head: Uint8Array;
  readonly #rest: AsyncIterator<Uint8Array>;
  #first: Uint8Array;

  private constructor(rest: AsyncIterator<Uint8Array>, first: Uint8Array, count: number) {
    [this.#rest, this.#first, this.head] = [rest, first, first.subarray(0, count)];
  }

  static async open(chunks: AsyncIterable<Uint8Array>, count: number): Promise<Peeked> {
    const iterator = chunks[Symbol.asyncIterator]();
    const parts: Uint8Array[] = [];
    for (let bytes = 0; bytes < count; ) {
      const next = await iterator.next();
      if (next.done) break;
      parts.push(next.value);
      bytes += next.value.length;
    }
    const [first] = parts;
    return new Peeked(iterator, parts.length === 1 && first !== undefined ? first : Buffer.concat(parts), count);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const first = this.#first;
    if (first.length === 0) return this.#rest.next();
    this.#first = new Uint8Array();
    return { value: first };
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#first = new Uint8Array();
    await this.#rest.return?.();
    return { done: true, value: undefined };
  }
}
