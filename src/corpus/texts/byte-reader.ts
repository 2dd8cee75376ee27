// Bytes of a stream by number or by line, however its chunks fall.

const lineFeed = 0x0a;

/** Reads a stream of bytes from its begin to its end. What it gives are views, which last: the stream's chunks are not written again. */
export class ByteReader {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #open: Uint8Array = new Uint8Array();
  #at = 0;
  /** Bytes that were taken. */
  offset = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#iterator = chunks[Symbol.asyncIterator]();
  }

  /** Bytes that were read of the stream so far. */
  get end(): number {
    return this.offset + this.#open.length - this.#at;
  }

  /** Whether the stream has so many more bytes; they are held in memory then. */
  async has(count: number): Promise<boolean> {
    while (this.#open.length - this.#at < count) {
      const next = await this.#iterator.next();
      if (next.done) return false;
      const rest = this.#open.subarray(this.#at);
      this.#open = rest.length === 0 ? next.value : Buffer.concat([rest, next.value]);
      this.#at = 0;
    }
    return true;
  }

  /** The bytes that are held and not taken. */
  peek(): Uint8Array {
    return this.#open.subarray(this.#at);
  }

  /** The next bytes, which must be held: see {@link has}. */
  take(count: number): Uint8Array {
    this.offset += count;
    this.#at += count;
    return this.#open.subarray(this.#at - count, this.#at);
  }

  /** The next bytes, where they are held and lie together; undefined where they must be read: see {@link pieces}. */
  takeHeld(count: number): Uint8Array | undefined {
    return this.#open.length - this.#at < count ? undefined : this.take(count);
  }

  /** Gives bytes that were taken last to be read again. */
  putBack(bytes: Uint8Array): void {
    this.#open = Buffer.concat([bytes, this.peek()]);
    this.#at = 0;
    this.offset -= bytes.length;
  }

  /** The next bytes in pieces as the stream has them; fewer where it ends. Memory: a chunk. */
  async *pieces(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0 && (await this.has(1)); ) {
      const piece = this.take(Math.min(left, this.#open.length - this.#at));
      left -= piece.length;
      yield piece;
    }
  }

  /** Passes over bytes. @returns how many there were */
  async skip(count: number): Promise<number> {
    const start = this.offset;
    for await (const _ of this.pieces(count));
    return this.offset - start;
  }

  /** The bytes up to a line feed, without it, or to the end of the stream, or the first `most` of a longer line; undefined at the end. */
  async line(most: number): Promise<Uint8Array | undefined> {
    for (let seen = 0; ; ) {
      const hasMore = await this.has(seen + 1);
      const open = this.peek();
      const found = open.subarray(seen, most).indexOf(lineFeed);
      if (found >= 0) return this.take(seen + found + 1).subarray(0, -1);
      if (open.length >= most) return this.take(most);
      if (!hasMore) return open.length === 0 ? undefined : this.take(open.length);
      seen = open.length;
    }
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
