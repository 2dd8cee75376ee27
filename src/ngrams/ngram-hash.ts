// The hash of an n-gram's words from the last to the first, as KenLM has it (kpu/kenlm, lm/search_hashed.hh), so that its tables are read as they lie:
//
//   h(last) = id        h(word before, …) = h(…) · 8978948897894561157  xor  (id + 1) · 17894857484156487943        modulo 2^64
//
// A hash is two signed 32-bit halves, which V8 keeps in registers.

const [contextLow, contextHigh] = [0x3b63f585, 0x7c9ba273];
const [wordLow, wordHigh] = [0x21634907, 0xf8574e12];

/** The halves of a hash, signed. */
export interface HashHalves {
  readonly low: number;
  readonly high: number;
}

/** A hash that grows by one word at a time, to the left. */
export class NgramHash implements HashHalves {
  low = 0;
  high = 0;

  /** Begins with the n-gram's last word. */
  start(id: number): void {
    this.low = id | 0;
    this.high = 0;
  }

  /** Takes the word before those that it has. */
  extend(id: number): void {
    const { low, high } = this;
    const next = (id + 1) | 0;
    this.low = Math.imul(low, contextLow) ^ Math.imul(next, wordLow);
    this.high =
      (upperHalf(low, contextLow) + Math.imul(low, contextHigh) + Math.imul(high, contextLow)) ^
      (upperHalf(next, wordLow) + Math.imul(next, wordHigh));
  }
}

/** The upper 32 bits of the product of two unsigned 32-bit numbers. */
function upperHalf(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
  const carry = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}
