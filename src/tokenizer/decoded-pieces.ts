// What the pieces decode to: one by one as they are asked for, and all in one array of bytes when a long list of ids is decoded.

/** The bytes of every piece, decoded once. */
export class DecodedPieces {
  readonly #size: number;
  readonly #decode: (id: number) => Uint8Array;
  readonly #found: (Uint8Array | undefined)[] = [];
  #all: { readonly bytes: Uint8Array; readonly starts: Int32Array } | undefined;

  /** @param decode the bytes of one id below `size` */
  constructor(size: number, decode: (id: number) => Uint8Array) {
    this.#size = size;
    this.#decode = decode;
  }

  /** The bytes of one id; undefined outside the vocabulary. */
  of(id: number): Uint8Array | undefined {
    if (!(id in this.#found) && Number.isInteger(id) && id >= 0 && id < this.#size) this.#found[id] = this.#decode(id);
    return this.#found[id];
  }

  /** The bytes of `ids[from …]`, one behind the other. @param outside hears of an id outside the vocabulary, and throws */
  join(ids: ArrayLike<number>, from: number, outside: (id: number) => never): Uint8Array {
    const { bytes, starts } = this.#table();
    let size = 0;
    for (let i = from; i < ids.length; i++) {
      const id = ids[i]!;
      if (!(id >= 0 && id < this.#size && (id | 0) === id)) outside(id);
      size += starts[id + 1]! - starts[id]!;
    }
    const joined = new Uint8Array(size);
    let at = 0;
    for (let i = from; i < ids.length; i++) {
      const id = ids[i]!;
      for (let k = starts[id]!, end = starts[id + 1]!; k < end; k++) joined[at++] = bytes[k]!;
    }
    return joined;
  }

  #table(): { readonly bytes: Uint8Array; readonly starts: Int32Array } {
    if (this.#all !== undefined) return this.#all;
    const starts = new Int32Array(this.#size + 1);
    let bytes = new Uint8Array(this.#size * 8 + 64);
    for (let id = 0; id < this.#size; id++) {
      const piece = this.#decode(id);
      const start = starts[id]!;
      if (start + piece.length > bytes.length) {
        const larger = new Uint8Array(2 * (start + piece.length));
        larger.set(bytes);
        bytes = larger;
      }
      bytes.set(piece, start);
      starts[id + 1] = start + piece.length;
    }
    this.#all = { bytes, starts };
    return this.#all;
  }
}
