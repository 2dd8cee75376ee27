// Pieces as bytes in typed arrays: which piece a stretch of bytes is, and which piece two symbols make together. The hash is a polynomial, so that
// the hash of two symbols side by side follows from theirs (Karp and Rabin 1987) and no bytes are touched before the hashes agree.

/** Odd, and another one in every process, so that no file can hold pieces that all fall on one slot. */
const multiplier = Math.floor(Math.random() * 2 ** 32) | 1;

/** Pieces by their bytes. */
export class PieceTable {
  readonly #bytes: Uint8Array;
  /** symbol → four words: where its bytes begin, how many there are, their hash, and one that is free. A symbol without bytes is in no slot. */
  readonly #facts: Int32Array;
  /** Pairs of a hash and a symbol + 1; 0 is free. */
  readonly #slots: Int32Array;
  /** length → the multiplier to that power. */
  #powers: Int32Array = Int32Array.of(1);
  /** How many bytes the longest piece has. */
  #longest = 0;

  /**
   * @param symbols one more than the largest symbol
   * @param bytes those of all pieces; they stay as they are from here on
   */
  constructor(symbols: number, bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#facts = new Int32Array(4 * symbols);
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(symbols * 2 + 2)) * 2);
  }

  /** One more than the largest symbol. */
  get symbols(): number {
    return this.#facts.length >> 2;
  }

  has(symbol: number): boolean {
    return this.#facts[(symbol << 2) + 1]! > 0;
  }

  /**
   * Adds a piece, which is `bytes[from … to)` of the table's; one without bytes is left out.
   * @returns false where another piece has the same bytes, which is found then
   */
  add(symbol: number, from: number, to: number): boolean {
    if (from === to) return true;
    const fact = symbol << 2;
    this.#facts[fact] = from;
    this.#facts[fact + 1] = to - from;
    this.#facts[fact + 2] = hashOf(this.#bytes, from, to);
    if (to - from > this.#longest) this.#lengthen(to - from);
    return this.#place(symbol);
  }

  /** The piece that the bytes are, or -1. */
  find(bytes: Uint8Array, from: number, to: number): number {
    const length = to - from;
    if (length > this.#longest) return -1;
    const slots = this.#slots;
    const hash = hashOf(bytes, from, to);
    for (let slot = this.#slotOf(hash); ; slot = (slot + 2) & (slots.length - 1)) {
      const symbol = slots[slot + 1]! - 1;
      if (symbol < 0) return -1;
      if (slots[slot] === hash && this.#facts[(symbol << 2) + 1] === length && this.#isAt(this.#facts[symbol << 2]!, bytes, from, length))
        return symbol;
    }
  }

  /** The piece that the bytes of two symbols are together, or -1. */
  join(left: number, right: number): number {
    const rightLength = this.#facts[(right << 2) + 1]!;
    const length = this.#facts[(left << 2) + 1]! + rightLength;
    if (length > this.#longest) return -1;
    const slots = this.#slots;
    const hash = (Math.imul(this.#facts[(left << 2) + 2]!, this.#powers[rightLength]!) + this.#facts[(right << 2) + 2]!) | 0;
    for (let slot = this.#slotOf(hash); ; slot = (slot + 2) & (slots.length - 1)) {
      const symbol = slots[slot + 1]! - 1;
      if (symbol < 0) return -1;
      if (slots[slot] === hash && this.isJoin(symbol, left, right)) return symbol;
    }
  }

  /** Whether the bytes of a piece are those of two symbols together. */
  isJoin(symbol: number, left: number, right: number): boolean {
    const start = this.#facts[symbol << 2]!;
    const leftLength = this.#facts[(left << 2) + 1]!;
    return (
      this.#facts[(symbol << 2) + 1] === leftLength + this.#facts[(right << 2) + 1]! &&
      this.#isAt(start, this.#bytes, this.#facts[left << 2]!, leftLength) &&
      this.#isAt(start + leftLength, this.#bytes, this.#facts[right << 2]!, this.#facts[(right << 2) + 1]!)
    );
  }

  #isAt(start: number, bytes: Uint8Array, from: number, length: number): boolean {
    const own = this.#bytes;
    for (let i = 0; i < length; i++) if (own[start + i] !== bytes[from + i]) return false;
    return true;
  }

  #place(symbol: number): boolean {
    const slots = this.#slots;
    const start = this.#facts[symbol << 2]!;
    const length = this.#facts[(symbol << 2) + 1]!;
    const hash = this.#facts[(symbol << 2) + 2]!;
    let slot = this.#slotOf(hash);
    for (; slots[slot + 1] !== 0; slot = (slot + 2) & (slots.length - 1)) {
      if (slots[slot] !== hash) continue;
      const other = (slots[slot + 1]! - 1) << 2;
      if (this.#facts[other + 1] === length && this.#isAt(this.#facts[other]!, this.#bytes, start, length)) return false;
    }
    slots[slot] = hash;
    slots[slot + 1] = symbol + 1;
    return true;
  }

  #slotOf(hash: number): number {
    const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return ((mixed ^ (mixed >>> 13)) << 1) & (this.#slots.length - 1);
  }

  #lengthen(length: number): void {
    const powers = new Int32Array(length + 1).fill(1);
    for (let i = 1; i <= length; i++) powers[i] = Math.imul(powers[i - 1]!, multiplier);
    this.#powers = powers;
    this.#longest = length;
  }
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0;
  for (let i = from; i < to; i++) hash = (Math.imul(hash, multiplier) + bytes[i]! + 1) | 0;
  return hash;
}
