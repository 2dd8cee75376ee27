// KenLM's tries (kpu/kenlm, lm/trie.hh, lm/quantize.hh, lm/bhiksha.hh; Raj & Whittaker 2003 for the pointers): the n-grams by their words from the last
// to the first, those behind one parent side by side in rows of bits:
//
//   | quantiser | unigrams: probability f32, back-off weight f32, first child u64 | rows of two words | rows of three | …
//
//   a row:  | the word's number | probability and back-off weight: 31 and 32 bits, or indices into tables | the lower bits of its first child |
//
// The upper bits of a first child, where pointers are packed, are the index in a sorted list of the rows from which on they hold.
import { check } from "../base/index.ts";
import type { KenLmHeader } from "./kenlm-read.ts";
import { NgramHash } from "./ngram-hash.ts";
import type { NgramModelParts } from "./ngram-model.ts";
import { ProbingTable } from "./probing-table.ts";

const where = "ngrams";

/** Reads the trie, and says where it ends. @throws CriaError where it is damaged or cut short */
export function readKenLmTrie(
  name: string,
  bytes: Uint8Array,
  header: KenLmHeader,
): { parts: Omit<NgramModelParts, "words">; end: number } {
  const { counts, kind, order } = header;
  const bits = new BitReader(name, bytes);
  const quantiser = kind === 3 || kind === 5 ? readQuantiser(name, bits, order) : undefined;
  const unigramStart = quantiser?.end ?? 0;
  let at = unigramStart + 16 * (counts[0]! + 2);
  const levels: Level[] = [];
  for (let length = 2; length <= order; length++) {
    const level = readLevel(name, bits, at, { header, length, quantiser });
    levels.push(level);
    at = level.end;
  }
  bits.check(at);
  const trie = new TrieReader(name, bits, levels);
  return { parts: trie.read(unigramStart, counts[0]!), end: at };
}

/** The centres of the bins of each order, at bits of the file, and how many bits an index has. */
interface Quantiser {
  readonly probabilityBits: number;
  readonly backoffBits: number;
  readonly end: number;
}

function readQuantiser(name: string, bits: BitReader, order: number): Quantiser {
  bits.check(8);
  const [version, probabilityBits, backoffBits] = [0, 8, 16].map((at) => bits.read(at, 8)) as [number, number, number];
  check(version === 2, where, () => `${name}: its quantiser has version ${version}, but 2 is supported: make it again from its ARPA file`);
  check(
    probabilityBits >= 1 && probabilityBits <= 25 && backoffBits >= 1 && backoffBits <= 25,
    where,
    () => `${name}: its quantiser has ${probabilityBits} and ${backoffBits} bits, but 1 to 25 are possible: it is damaged`,
  );
  const longest = 4 * 2 ** probabilityBits;
  return { probabilityBits, backoffBits, end: 8 + (order - 2) * (longest + 4 * 2 ** backoffBits) + longest };
}

/** The rows of n-grams of one length. */
interface Level {
  readonly count: number;
  readonly isLongest: boolean;
  /** The first bit of the first row, and the bits of a row and of its parts. */
  readonly start: number;
  readonly rowBits: number;
  readonly wordBits: number;
  readonly nextBits: number;
  /** Where the list of the upper bits of first children begins, in bytes, and how many there are; 0 where pointers are whole. */
  readonly uppers: number;
  readonly upperCount: number;
  /** Where the tables of values begin, in bytes; undefined where values stand in the rows. */
  readonly tables: { readonly probability: number; readonly backoff: number } | undefined;
  readonly probabilityBits: number;
  readonly backoffBits: number;
  /** The byte behind the rows. */
  readonly end: number;
}

interface LevelOptions {
  readonly header: KenLmHeader;
  readonly length: number;
  readonly quantiser: Quantiser | undefined;
}

function readLevel(name: string, bits: BitReader, at: number, { header, length, quantiser }: LevelOptions): Level {
  const { counts, kind, order } = header;
  const [count, isLongest] = [counts[length - 1]!, length === order];
  const probabilityBits = quantiser?.probabilityBits ?? 31;
  const backoffBits = isLongest ? 0 : (quantiser?.backoffBits ?? 32);
  const next = isLongest
    ? { nextBits: 0, uppers: 0, upperCount: 0, bytes: 0 }
    : readNext(name, bits, at, { isPacked: kind >= 4, rows: count + 1, most: counts[length]! });
  const wordBits = bitsOf(counts[0]!);
  const rowBits = wordBits + probabilityBits + backoffBits + next.nextBits;
  const start = at + next.bytes;
  const perOrder = quantiser === undefined ? 0 : 4 * (2 ** quantiser.probabilityBits + 2 ** quantiser.backoffBits);
  const probability = 8 + (length - 2) * perOrder;
  return {
    ...{ count, isLongest, start: 8 * start, rowBits, wordBits, probabilityBits, backoffBits },
    ...{ nextBits: next.nextBits, uppers: next.uppers, upperCount: next.upperCount },
    tables: quantiser && { probability, backoff: probability + 4 * 2 ** quantiser.probabilityBits },
    end: start + Math.floor(((1 + count) * rowBits + 7) / 8) + 8,
  };
}

interface NextOptions {
  readonly isPacked: boolean;
  readonly rows: number;
  readonly most: number;
}

/** How first children are stored, and the bytes in front of the rows that they take. */
function readNext(name: string, bits: BitReader, at: number, { isPacked, rows, most }: NextOptions) {
  const required = bitsOf(most);
  if (!isPacked) return { nextBits: required, uppers: 0, upperCount: 0, bytes: 0 };
  bits.check(at + 16);
  const [version, allowed] = [bits.read(8 * at, 8), bits.read(8 * at + 8, 8)];
  check(
    version === 0,
    where,
    () => `${name}: its packed pointers have version ${version}, but 0 is supported: make it again from its ARPA file`,
  );
  const cut = cheapestCut({ required, rows, most, allowed });
  const upperCount = Math.floor(most / 2 ** (required - cut)) + 1;
  return { nextBits: required - cut, uppers: 8 * Math.ceil(at / 8) + 8, upperCount, bytes: 8 * (1 + upperCount) + 7 };
}

/** How many upper bits of a pointer are cheapest to leave out of the rows. */
function cheapestCut({ required, rows, most, allowed }: { required: number; rows: number; most: number; allowed: number }): number {
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (let cut = 0; cut <= Math.min(required, allowed); cut++) {
    const bits = Math.floor(most / 2 ** (required - cut)) * 64 - rows * cut;
    if (bits < least) [best, least] = [cut, bits];
  }
  return best;
}

function bitsOf(value: number): number {
  return value === 0 ? 0 : Math.floor(Math.log2(value)) + 1;
}

/** Puts the n-grams of a trie into tables. */
class TrieReader {
  readonly #name: string;
  readonly #bits: BitReader;
  readonly #levels: readonly Level[];
  readonly #tables: readonly ProbingTable[];
  /** The next row of each level, and the index into its list of upper bits that the rows have come to. */
  readonly #rowAt: number[];
  readonly #upperAt: number[];
  #words = 0;

  constructor(name: string, bits: BitReader, levels: readonly Level[]) {
    [this.#name, this.#bits, this.#levels] = [name, bits, levels];
    this.#tables = levels.map(({ isLongest }) => ProbingTable.empty(isLongest ? 3 : 4));
    [this.#rowAt, this.#upperAt] = [levels.map(() => 0), levels.map(() => 0)];
  }

  read(start: number, words: number): Omit<NgramModelParts, "words"> {
    this.#words = words;
    const unigrams = new Float32Array(2 * words);
    const unigramBits = new Int32Array(unigrams.buffer);
    for (let id = 0; id < words; id++) {
      const at = 8 * (start + 16 * id);
      unigrams[2 * id] = this.#bits.float(at);
      unigrams[2 * id + 1] = this.#bits.float(at + 32);
      const [first, end] = [this.#bits.read(at + 64, 48), this.#bits.read(at + 192, 48)];
      unigramBits[2 * id]! = (unigramBits[2 * id]! & 0x7fffffff) | (first === end ? 0x80000000 : 0);
      const hash = new NgramHash();
      hash.start(id);
      this.#readRows(0, first, end, hash);
    }
    return { unigrams, tables: this.#tables };
  }

  /** Takes the rows that stand behind one parent, and all that stand behind them. */
  #readRows(depth: number, first: number, end: number, parent: NgramHash): void {
    const [level, table] = [this.#levels[depth]!, this.#tables[depth]!];
    const expected = this.#rowAt[depth]!;
    check(
      first === expected && first <= end && end <= level.count,
      where,
      () =>
        `${this.#name}: rows ${first} to ${end} of ${level.count} stand behind an n-gram of ${depth + 1} words, but they begin at ${expected}: it is damaged`,
    );
    this.#rowAt[depth] = end;
    const hash = new NgramHash();
    for (let row = first; row < end; row++) {
      const at = level.start + row * level.rowBits;
      const word = this.#bits.read(at, level.wordBits);
      check(word < this.#words, where, () => `${this.#name}: a row has the word ${word} of ${this.#words}: it is damaged`);
      [hash.low, hash.high] = [parent.low, parent.high];
      hash.extend(word);
      const entry = table.insert(hash);
      table.setProbability(entry, this.#probability(level, at + level.wordBits));
      if (level.isLongest) continue;
      table.setBackoff(entry, this.#backoff(level, at + level.wordBits));
      const [firstChild, endChild] = [this.#next(depth, row), this.#next(depth, row + 1)];
      if (firstChild < endChild) table.markExtended(entry);
      this.#readRows(depth + 1, firstChild, endChild, hash);
    }
  }

  #probability({ tables, probabilityBits, backoffBits }: Level, at: number): number {
    if (tables === undefined) return this.#bits.negativeFloat(at);
    return this.#bits.float(8 * tables.probability + 32 * this.#bits.read(at + backoffBits, probabilityBits));
  }

  #backoff({ tables, probabilityBits, backoffBits }: Level, at: number): number {
    if (tables === undefined) return this.#bits.float(at + probabilityBits);
    return this.#bits.float(8 * tables.backoff + 32 * this.#bits.read(at, backoffBits));
  }

  /** The first child of a row. Rows are asked for in their order, so that upper bits only rise. */
  #next(depth: number, row: number): number {
    const level = this.#levels[depth]!;
    const lower = this.#bits.read(level.start + row * level.rowBits + level.rowBits - level.nextBits, level.nextBits);
    if (level.upperCount === 0) return lower;
    let upper = this.#upperAt[depth]!;
    while (upper + 1 < level.upperCount && this.#bits.read(8 * (level.uppers + 8 * (upper + 1)), 48) <= row) upper++;
    this.#upperAt[depth] = upper;
    return upper * 2 ** level.nextBits + lower;
  }
}

const scratch = new DataView(new ArrayBuffer(4));

/** Reads numbers at any bit, the lowest bit first. */
class BitReader {
  readonly #name: string;
  readonly #bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    [this.#name, this.#bytes] = [name, bytes];
  }

  /** @throws CriaError where there are fewer bytes */
  check(end: number): void {
    check(
      end <= this.#bytes.length,
      where,
      () => `${this.#name}: its n-grams end at byte ${end} behind the words, but ${this.#bytes.length} are there: it is cut short`,
    );
  }

  /** An unsigned number of at most 48 bits. */
  read(at: number, count: number): number {
    let byte = Math.floor(at / 8);
    let value = this.#bytes[byte++]! >>> (at % 8);
    for (let have = 8 - (at % 8); have < count; have += 8) value += this.#bytes[byte++]! * 2 ** have;
    return value % 2 ** count;
  }

  float(at: number): number {
    scratch.setUint32(0, this.read(at, 32));
    return scratch.getFloat32(0);
  }

  /** A number below zero without its sign bit. */
  negativeFloat(at: number): number {
    scratch.setUint32(0, this.read(at, 31) + 0x80000000);
    return scratch.getFloat32(0);
  }
}
