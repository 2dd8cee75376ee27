// Ids of pieces by stretches of strings, without making a string of a stretch: lists of merges name 100,000 pieces several times each.

/** The ids of pieces, found by stretches of a text. */
export class PieceNames {
  readonly #pieces: readonly string[];
  /** Pairs of a hash and an id + 1; 0 is free. */
  readonly #slots: Int32Array;

  /** @param pieces no two alike; those left out of a list are in no slot */
  constructor(pieces: readonly string[]) {
    this.#pieces = pieces;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * pieces.length + 2)) * 2);
    pieces.forEach((piece, id) => {
      const hash = hashOf(piece, 0, piece.length, seed);
      let slot = this.#slotOf(hash);
      while (this.#slots[slot + 1] !== 0) slot = (slot + 2) & (this.#slots.length - 1);
      this.#slots[slot] = hash;
      this.#slots[slot + 1] = id + 1;
    });
  }

  /** The piece that `text[from … to)` is, or -1. */
  find(text: string, from: number, to: number): number {
    return this.join("", 0, text, from, to);
  }

  /** The piece that `left[0 … leftEnd)` and `right[from … to)` are together, or -1. */
  join(left: string, leftEnd: number, right: string, from: number, to: number): number {
    const slots = this.#slots;
    const hash = hashOf(right, from, to, hashOf(left, 0, leftEnd, seed));
    for (let slot = this.#slotOf(hash); ; slot = (slot + 2) & (slots.length - 1)) {
      const id = slots[slot + 1]! - 1;
      if (id < 0) return -1;
      const piece = this.#pieces[id]!;
      if (slots[slot] !== hash || piece.length !== leftEnd + to - from) continue;
      if (isAt(piece, 0, left, 0, leftEnd) && isAt(piece, leftEnd, right, from, to)) return id;
    }
  }

  #slotOf(hash: number): number {
    const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return ((mixed ^ (mixed >>> 13)) << 1) & (this.#slots.length - 1);
  }
}

/** Another one in every process, so that no file can hold pieces that all fall on one slot. */
const seed = Math.floor(Math.random() * 2 ** 32) | 0;

function hashOf(text: string, from: number, to: number, start: number): number {
  let hash = start;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) ^ (hash >>> 19);
  return hash;
}

function isAt(piece: string, start: number, text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (piece.charCodeAt(start + i - from) !== text.charCodeAt(i)) return false;
  return true;
}
