// Ordinary text repeats its words: the ids of a short run of bytes are merged once and then found again, without strings and without allocation.
// Texts of many languages have more words than a processor's caches hold. So units are looked up a batch at a time: all are cut first, then the
// slots of all are read, which lets the processor wait for many at once, and then all are compared.
import { grown } from "./grown.ts";
import type { IdBuffer } from "./id-buffer.ts";

/** Finds the end of the unit that begins at `at`, `at` < `end`; bytes beyond `end` do not exist for it. The bytes are UTF-8. */
export type NextUnit = (bytes: Uint8Array, at: number, end: number) => number;

/** Appends the ids of one unit. */
export type EncodeUnit = (bytes: Uint8Array, from: number, to: number, out: IdBuffer) => void;

/**
 * A slot is four words, a quarter of a cache line: `key0 key1 value0 value1`. The key of a unit of up to 8 bytes is the unit, zeros behind it; that
 * of a longer one is its hash, and where its words lie in the arena. The value: bits 0 to 53 are three ids of 18 bits, 54 and 55 say how many ids
 * there are, 57 to 63 how many bytes the unit has; 0 is a free slot. Units with other ids have 0 as their count, and in `value0` where the arena
 * has `count ids …`.
 */
const slotWords = 4;
const inlineBytes = 8;
const idBits = 18;
const mostInlineIds = 3;
const lowBits = 32 - idBits;
const idMask = (1 << idBits) - 1;
const countShift = 22;
const lengthShift = 25;

/** A unit is in one of so many slots in a row. Where all are taken the last one gives way. */
const mostProbes = 8 * slotWords;
/** The table grows with what it holds, and is emptied when it is full at its largest. */
const leastBits = 9;
const mostBits = 19;
const mostArena = 1 << 21;

const longBytes = 64;
const mediumBytes = 32;
/** Units of a batch. */
const batch = 64;

/** A cache holds on to a text of at most so many bytes: the scratch that short texts are written to may be as large. */
const mostKept = 1 << 19;

/** Length of a unit of up to 8 bytes → what is kept of its two words. */
const firstMask = Int32Array.of(0, 0xff, 0xffff, 0xffffff, -1, -1, -1, -1, -1);
const secondMask = Int32Array.of(0, 0, 0, 0, 0, 0xff, 0xffff, 0xffffff, -1);

/** Keeps the ids of short runs of bytes. */
export class UnitCache {
  readonly #nextUnit: NextUnit;
  readonly #encodeUnit: EncodeUnit;
  /** The most bytes of a unit that is kept. */
  readonly #longest: number;
  #bits = leastBits;
  #slots = new Int32Array(slotWords << leastBits);
  #learned = 0;
  /** What does not fit into slots: words of long units, and lists of ids. */
  #arena = new Int32Array(1 << 10);
  #used = 0;
  /** The batch: where each unit ends, its hash, and its key. */
  readonly #stops = new Int32Array(batch);
  readonly #hashes = new Int32Array(batch + 1);
  readonly #keys = new Int32Array(2 * batch);
  /** The last bytes that were given, and a view of them: most calls come with the same scratch. */
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** @param keepsLong units of more than 32 bytes are kept too, which costs more than it saves where `encodeUnit` cuts them and keeps the parts */
  constructor(nextUnit: NextUnit, encodeUnit: EncodeUnit, keepsLong = true) {
    this.#nextUnit = nextUnit;
    this.#encodeUnit = encodeUnit;
    this.#longest = keepsLong ? longBytes : mediumBytes;
  }

  /** Appends the ids of all units of `bytes[from … to)`, which are UTF-8. */
  encode(bytes: Uint8Array, from: number, to: number, out: IdBuffer): void {
    if (bytes !== this.#bytes) this.#take(bytes);
    for (let at = from; at < to; ) {
      const count = this.#cut(at, to);
      this.#touch(count);
      this.#write(at, count, out);
      at = this.#stops[count - 1]!;
    }
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

  /** Cuts units until the batch is full. @returns how many */
  #cut(from: number, to: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const nextUnit = this.#nextUnit;
    const stops = this.#stops;
    const hashes = this.#hashes;
    const keys = this.#keys;
    const lastPacked = view.byteLength - inlineBytes;
    let count = 0;
    for (let at = from; count < batch && at < to; count++) {
      const stop = nextUnit(bytes, at, to);
      const length = stop - at;
      stops[count] = stop;
      if (length <= inlineBytes) {
        const key0 = (at <= lastPacked ? view.getInt32(at, true) : packed(bytes, at)) & firstMask[length]!;
        const key1 = (at <= lastPacked ? view.getInt32(at + 4, true) : packed(bytes, at + 4)) & secondMask[length]!;
        keys[2 * count] = key0;
        keys[2 * count + 1] = key1;
        hashes[count] = hashOf(key0, key1);
      } else {
        const hash = length <= longBytes ? hashOfLong(view, at, stop) : 0;
        keys[2 * count] = hash;
        hashes[count] = hash;
      }
      at = stop;
    }
    return count;
  }

  /** Reads the slots of a batch, so that they are in the processor's cache when they are compared. */
  #touch(count: number): void {
    const slots = this.#slots;
    const hashes = this.#hashes;
    const shift = 32 - this.#bits;
    let sum = 0;
    for (let i = 0; i < count; i++) sum ^= slots[(hashes[i]! >>> shift) * slotWords]!;
    hashes[batch] = sum; // what nobody uses the compiler leaves out
  }

  /** Writes the ids of a batch. */
  #write(from: number, count: number, out: IdBuffer): void {
    const stops = this.#stops;
    const hashes = this.#hashes;
    const keys = this.#keys;
    const room = Math.min(stops[count - 1]! - from, batch * longBytes) + mostInlineIds; // units that are kept have no more ids than bytes
    let slots = this.#slots;
    let arena = this.#arena;
    let shift = 32 - this.#bits;
    let ids = out.reserve(room);
    let size = out.size;
    let at = from;
    for (let i = 0; i < count; i++) {
      const stop = stops[i]!;
      const length = stop - at;
      const slot = (hashes[i]! >>> shift) * slotWords;
      const value1 = slots[slot + 3]!;
      const isLong = length > inlineBytes;
      if (
        value1 >>> lengthShift === length &&
        slots[slot] === keys[2 * i] &&
        (isLong ? this.#isAt(slots[slot + 1]!, at, stop) : slots[slot + 1] === keys[2 * i + 1])
      ) {
        const value0 = slots[slot + 2]!;
        const idCount = (value1 >>> countShift) & 3;
        if (idCount > 0) {
          ids[size] = value0 & idMask;
          ids[size + 1] = (value0 >>> idBits) | ((value1 & 0xf) << lowBits);
          ids[size + 2] = (value1 >>> 4) & idMask;
          size += idCount;
        } else {
          const many = arena[value0]!;
          for (let j = 1; j <= many; j++) ids[size++] = arena[value0 + j]!;
        }
      } else {
        out.size = size;
        this.#encodeOne(i, at, stop, out);
        ids = out.reserve(room);
        size = out.size;
        slots = this.#slots;
        arena = this.#arena;
        shift = 32 - this.#bits;
      }
      at = stop;
    }
    out.size = size;
  }

  /** Unit `i` of the batch, wherever it is kept. */
  #encodeOne(i: number, at: number, stop: number, out: IdBuffer): void {
    const length = stop - at;
    if (length > this.#longest) {
      this.#encodeUnit(this.#bytes, at, stop, out);
      return;
    }
    const slots = this.#slots;
    const slot = this.#find(i, at, length);
    if (slot < 0) {
      this.#learn(i, at, stop, out);
      return;
    }
    const [value0, value1] = [slots[slot + 2]!, slots[slot + 3]!];
    const count = (value1 >>> countShift) & 3;
    if (count === 0) {
      const last = value0 + this.#arena[value0]!;
      for (let id = value0 + 1; id <= last; id++) out.push(this.#arena[id]!);
      return;
    }
    out.push(value0 & idMask);
    if (count > 1) out.push((value0 >>> idBits) | ((value1 & 0xf) << lowBits));
    if (count > 2) out.push((value1 >>> 4) & idMask);
  }

  /** The slot of unit `i` of the batch, or -1. */
  #find(i: number, at: number, length: number): number {
    const slots = this.#slots;
    const key0 = this.#keys[2 * i]!;
    const key1 = this.#keys[2 * i + 1]!;
    const mask = slots.length - 1;
    let slot = (this.#hashes[i]! >>> (32 - this.#bits)) * slotWords;
    for (let probe = 0; probe < mostProbes; probe += slotWords, slot = (slot + slotWords) & mask) {
      const value1 = slots[slot + 3]!;
      if (value1 === 0) return -1;
      if (value1 >>> lengthShift !== length || slots[slot] !== key0) continue;
      if (length <= inlineBytes ? slots[slot + 1] === key1 : this.#isAt(slots[slot + 1]!, at, at + length)) return slot;
    }
    return -1;
  }

  /** Whether the arena has the words of a long unit at `words`. */
  #isAt(words: number, at: number, stop: number): boolean {
    const view = this.#view;
    const arena = this.#arena;
    let word = words;
    for (let i = at; i < stop - 4; i += 4) if (view.getInt32(i, true) !== arena[word++]) return false;
    return view.getInt32(stop - 4, true) === arena[word];
  }

  #learn(i: number, at: number, stop: number, out: IdBuffer): void {
    const length = stop - at;
    const before = out.size;
    this.#encodeUnit(this.#bytes, at, stop, out);
    const count = out.size - before;
    if (count > length || count === 0) return;
    this.#makeRoom();
    this.#learned++;
    const key0 = this.#keys[2 * i]!;
    const key1 = length <= inlineBytes ? this.#keys[2 * i + 1]! : this.#keepWords(at, stop);
    const [id0, id1, id2] = [out.at(before), count > 1 ? out.at(before + 1) : 0, count > 2 ? out.at(before + 2) : 0];
    const isInline = count <= mostInlineIds && (id0 | id1 | id2) >>> idBits === 0;
    const value0 = isInline ? id0 | (id1 << idBits) : this.#keepIds(out, before);
    const value1 = isInline ? (id1 >>> lowBits) | (id2 << 4) | (count << countShift) : 0;
    this.#place(this.#hashes[i]!, key0, key1, value0, value1 | (length << lengthShift));
  }

  #place(hash: number, key0: number, key1: number, value0: number, value1: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const home = (hash >>> (32 - this.#bits)) * slotWords;
    let slot = home;
    for (let probe = slotWords; probe < mostProbes && slots[slot + 3] !== 0; probe += slotWords) slot = (slot + slotWords) & mask;
    slots[slot] = key0;
    slots[slot + 1] = key1;
    slots[slot + 2] = value0;
    slots[slot + 3] = value1;
  }

  /** Puts the words of a long unit into the arena, the last one up to its last byte. @returns where they lie */
  #keepWords(at: number, stop: number): number {
    const words = this.#used;
    for (let i = at; i < stop - 4; i += 4) this.#arena[this.#used++] = this.#view.getInt32(i, true);
    this.#arena[this.#used++] = this.#view.getInt32(stop - 4, true);
    return words;
  }

  #keepIds(out: IdBuffer, from: number): number {
    const list = this.#used;
    this.#arena[this.#used++] = out.size - from;
    for (let i = from; i < out.size; i++) this.#arena[this.#used++] = out.at(i);
    return list;
  }

  /** Makes room for one more unit. */
  #makeRoom(): void {
    if (this.#used + 2 * longBytes > mostArena || (this.#bits === mostBits && this.#learned >= 0.75 * 2 ** mostBits)) {
      this.#slots.fill(0);
      this.#learned = 0;
      this.#used = 0;
    }
    if (this.#used + 2 * longBytes > this.#arena.length) this.#arena = grown(this.#arena);
    if (this.#learned >> (this.#bits - 1) > 0 && this.#bits < mostBits) this.#grow();
  }

  /** Four times the slots. */
  #grow(): void {
    const slots = this.#slots;
    this.#bits += 2;
    this.#slots = new Int32Array(slotWords << this.#bits);
    for (let old = 0; old < slots.length; old += slotWords) {
      const [key0, key1, value1] = [slots[old]!, slots[old + 1]!, slots[old + 3]!];
      if (value1 !== 0) this.#place(value1 >>> lengthShift <= inlineBytes ? hashOf(key0, key1) : key0, key0, key1, slots[old + 2]!, value1);
    }
  }
}

/** A word of the bytes from `at` on, as many of four as there are. */
function packed(bytes: Uint8Array, at: number): number {
  let word = 0;
  for (let i = Math.min(at + 4, bytes.length) - 1; i >= at; i--) word = (word << 8) | bytes[i]!;
  return word;
}

function hashOf(key0: number, key1: number): number {
  const hash = Math.imul(key0, 0x9e3779b1) ^ Math.imul(key1, 0x85ebca6b);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
}

/** The hash of a unit of more than 4 bytes. */
function hashOfLong(view: DataView, at: number, stop: number): number {
  let hash = stop - at;
  for (let i = at; i < stop - 4; i += 4) hash = Math.imul(hash ^ view.getInt32(i, true) ^ (hash >>> 15), 0x9e3779b1);
  hash = Math.imul(hash ^ view.getInt32(stop - 4, true) ^ (hash >>> 15), 0x85ebca6b);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
}
