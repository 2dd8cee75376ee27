// Ordinary text repeats its words: the ids of a short run of bytes are merged once and then found again, without strings and without allocation.
// Two tables in typed arrays hold them: one for units of up to 16 bytes, which are four words of 32 bits, and one for units of up to 64.
import type { IdBuffer } from "./id-buffer.ts";

/** Finds the end of the unit that begins at `at`, `at` < `end`; bytes beyond `end` do not exist for it. The bytes are UTF-8. */
export type NextUnit = (bytes: Uint8Array, at: number, end: number) => number;

/** Appends the ids of one unit. */
export type EncodeUnit = (bytes: Uint8Array, from: number, to: number, out: IdBuffer) => void;

/**
 * A slot of the short table is eight words: four of bytes, zeros behind them; `length | count << 8`; and three ids. The ids of a unit
 * that has more go on in a second array, eight words per slot, so that most units touch half a cache line.
 */
const slotWords = 8;
const inlineIds = 3;
const mostShortIds = inlineIds + slotWords;
const shortBytes = 16;
/** Buckets of two slots: of the units that fall on one the last one found stays, and the other gives way. The table grows with what it holds. */
const leastBits = 9;
const mostBits = 17;

/** A slot of the long table is 48 words: 16 of bytes, `length | count << 8`, and 31 ids. */
const longWords = 48;
const longBytes = 64;
const longKey = longBytes / 4;
const mostLongIds = longWords - longKey - 1;
const longBits = 14;

/** Room for ids is made for so many bytes at once. */
const block = 1 << 14;

/** A cache holds on to a text of at most so many bytes: the scratch that short texts are written to may be as large. */
const mostKept = 1 << 19;

/** Room for the ids of the unit that ends behind a block, and for what is written beyond the last id. */
const slack = mostShortIds + shortBytes + 8;

/** A unit's length → what is kept of each of the four words. */
const masks = Int32Array.from({ length: 4 * (shortBytes + 1) }, (_, i) => {
  const kept = Math.min(4, Math.max(0, (i >> 2) - 4 * (i & 3)));
  return kept === 4 ? -1 : (1 << (8 * kept)) - 1;
});

/** Keeps the ids of short runs of bytes. */
export class UnitCache {
  readonly #nextUnit: NextUnit;
  readonly #encodeUnit: EncodeUnit;
  /** The most bytes of a unit that is kept. */
  readonly #longest: number;
  #bits = leastBits;
  #slots = new Int32Array(slotWords << (leastBits + 1));
  #more = new Int32Array(slotWords << (leastBits + 1));
  /** Units learned since the table grew last. */
  #learned = 0;
  #long = new Int32Array(0);
  /** The last bytes that were given, and a view of them: most calls come with the same scratch. */
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  readonly #key = new Int32Array(longKey);

  /** @param keepsLong units of more than 16 bytes are kept too, which costs more than it saves where `encodeUnit` cuts them and keeps the parts */
  constructor(nextUnit: NextUnit, encodeUnit: EncodeUnit, keepsLong = true) {
    this.#nextUnit = nextUnit;
    this.#encodeUnit = encodeUnit;
    this.#longest = keepsLong ? longBytes : shortBytes;
  }

  /** Appends the ids of all units of `bytes[from … to)`, which are UTF-8. */
  encode(bytes: Uint8Array, from: number, to: number, out: IdBuffer): void {
    if (bytes !== this.#bytes) this.#take(bytes);
    for (let at = from; at < to; ) at = this.#encodeBlock(at, to, out);
    if (bytes.length > mostKept) this.#take(new Uint8Array(0)); // a large text is not kept alive
  }

  #take(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where the unit that begins at `at` ends. */
  next(bytes: Uint8Array, at: number, end: number): number {
    return this.#nextUnit(bytes, at, end);
  }

  /** Encodes units until a block is full. @returns where the next unit begins */
  #encodeBlock(from: number, to: number, out: IdBuffer): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const key = this.#key;
    let slots = this.#slots;
    let more = this.#more;
    let shift = 32 - this.#bits;
    const nextUnit = this.#nextUnit;
    const blockEnd = Math.min(from + block, to);
    const room = blockEnd - from + slack;
    const lastPacked = view.byteLength - shortBytes;
    let ids = out.reserve(room);
    let size = out.size;
    let at = from;
    while (at < blockEnd) {
      const stop = nextUnit(bytes, at, to);
      const length = stop - at;
      if (length <= shortBytes && at <= lastPacked) {
        const key0 = view.getInt32(at, true) & masks[length << 2]!;
        const key1 = view.getInt32(at + 4, true) & masks[(length << 2) + 1]!;
        const key2 = view.getInt32(at + 8, true) & masks[(length << 2) + 2]!;
        const key3 = view.getInt32(at + 12, true) & masks[(length << 2) + 3]!;
        const slot = (hashOf(key0, key1, key2, key3) >>> shift) * (2 * slotWords);
        const meta = slots[slot + 4]!;
        if (
          slots[slot] === key0 &&
          slots[slot + 1] === key1 &&
          slots[slot + 2] === key2 &&
          slots[slot + 3] === key3 &&
          (meta & 0xff) === length
        ) {
          const count = meta >>> 8;
          ids[size] = slots[slot + 5]!;
          ids[size + 1] = slots[slot + 6]!;
          ids[size + 2] = slots[slot + 7]!;
          for (let i = inlineIds; i < count; i++) ids[size + i] = more[slot + i - inlineIds]!;
          size += count;
          at = stop;
          continue;
        }
        out.size = size;
        key[0] = key0;
        key[1] = key1;
        key[2] = key2;
        key[3] = key3;
        this.#encodeShort(at, stop, out);
      } else {
        out.size = size;
        if (length <= shortBytes) this.#encodeLast(at, stop, out);
        else if (length <= this.#longest) this.#encodeLong(at, stop, out);
        else this.#encodeUnit(bytes, at, stop, out);
      }
      ids = out.reserve(room);
      size = out.size;
      at = stop;
      slots = this.#slots;
      more = this.#more;
      shift = 32 - this.#bits;
    }
    out.size = size;
    return at;
  }

  /** A short unit so near the end of the bytes that words cannot be loaded from there. */
  #encodeLast(at: number, stop: number, out: IdBuffer): void {
    this.#pack(at, stop);
    this.#encodeShort(at, stop, out);
  }

  /** A unit whose bytes are in `#key`, and which may be in either slot of its bucket. */
  #encodeShort(at: number, stop: number, out: IdBuffer): void {
    const first = this.#bucketOf(this.#key, 0);
    if (!this.#isIn(first, stop - at)) {
      const second = first + slotWords;
      if (!this.#isIn(second, stop - at)) return this.#learn(at, stop, out);
      swap(this.#slots, first, second);
      swap(this.#more, first, second);
    }
    const count = this.#slots[first + 4]! >>> 8;
    for (let i = 0; i < count; i++) out.push(i < inlineIds ? this.#slots[first + 5 + i]! : this.#more[first + i - inlineIds]!);
  }

  /** The first slot of the bucket of a unit, `words[at … at + 4)`. */
  #bucketOf(words: Int32Array, at: number): number {
    return (hashOf(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!) >>> (32 - this.#bits)) * (2 * slotWords);
  }

  #isIn(slot: number, length: number): boolean {
    const slots = this.#slots;
    const key = this.#key;
    const isSame = slots[slot] === key[0] && slots[slot + 1] === key[1] && slots[slot + 2] === key[2] && slots[slot + 3] === key[3];
    return isSame && (slots[slot + 4]! & 0xff) === length;
  }

  #learn(at: number, stop: number, out: IdBuffer): void {
    const before = out.size;
    this.#encodeUnit(this.#bytes, at, stop, out);
    const count = out.size - before;
    if (count > mostShortIds) return;
    if (this.#learned >> this.#bits > 0 && this.#bits < mostBits) this.#grow();
    this.#learned++;
    const slots = this.#slots;
    const first = this.#bucketOf(this.#key, 0);
    const slot = slots[first + 4] === 0 ? first : first + slotWords;
    for (let i = 0; i < shortBytes / 4; i++) slots[slot + i] = this.#key[i]!;
    slots[slot + 4] = (stop - at) | (count << 8);
    for (let i = 0; i < count; i++) {
      if (i < inlineIds) slots[slot + 5 + i] = out.at(before + i);
      else this.#more[slot + i - inlineIds] = out.at(before + i);
    }
  }

  /** Four times the buckets; of three units that fall on one again the last gives way. */
  #grow(): void {
    const [slots, more] = [this.#slots, this.#more];
    this.#bits = Math.min(this.#bits + 2, mostBits);
    this.#learned = 0;
    this.#slots = new Int32Array(slotWords << (this.#bits + 1));
    this.#more = new Int32Array(slotWords << (this.#bits + 1));
    for (let old = 0; old < slots.length; old += slotWords) {
      if (slots[old + 4] === 0) continue;
      const first = this.#bucketOf(slots, old);
      const slot = this.#slots[first + 4] === 0 ? first : first + slotWords;
      this.#slots.set(slots.subarray(old, old + slotWords), slot);
      this.#more.set(more.subarray(old, old + slotWords), slot);
    }
  }

  #encodeLong(at: number, stop: number, out: IdBuffer): void {
    if (this.#long.length === 0) this.#long = new Int32Array(longWords << longBits);
    const key = this.#pack(at, stop);
    const long = this.#long;
    const length = stop - at;
    const words = (length + 3) >> 2;
    let hash = 0;
    for (let i = 0; i < words; i++) hash = Math.imul(hash ^ key[i]! ^ (hash >>> 15), 0x2c1b3c6d);
    const slot = ((hash ^ (hash >>> 17)) & ((1 << longBits) - 1)) * longWords;
    const meta = slot + longKey;
    let isSame = (long[meta]! & 0xff) === length;
    for (let i = 0; isSame && i < words; i++) isSame = long[slot + i] === key[i];
    const count = long[meta]! >>> 8;
    if (isSame) {
      for (let i = 1; i <= count; i++) out.push(long[meta + i]!);
      return;
    }
    const before = out.size;
    this.#encodeUnit(this.#bytes, at, stop, out);
    const made = out.size - before;
    if (made > mostLongIds) return;
    long.set(key, slot);
    long[meta] = length | (made << 8);
    for (let i = 0; i < made; i++) long[meta + 1 + i] = out.at(before + i);
  }

  /** The unit's bytes as words, zeros behind them. */
  #pack(at: number, stop: number): Int32Array {
    const key = this.#key.fill(0);
    for (let i = at; i < stop; i++) key[(i - at) >> 2] = key[(i - at) >> 2]! | (this.#bytes[i]! << (8 * ((i - at) & 3)));
    return key;
  }
}

function hashOf(key0: number, key1: number, key2: number, key3: number): number {
  let hash = Math.imul(key0, 0x9e3779b1) ^ Math.imul(key1, 0x85ebca6b) ^ Math.imul(key2, 0xc2b2ae3d) ^ Math.imul(key3, 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash;
}

function swap(words: Int32Array, first: number, second: number): void {
  for (let i = 0; i < slotWords; i++) {
    const word = words[first + i]!;
    words[first + i] = words[second + i]!;
    words[second + i] = word;
  }
}
