// KenLM's binary form (kpu/kenlm, lm/binary_format.cc, version 5), little-endian, of hash tables (build_binary's default) and of tries:
//
//   | magic, test values: 88 bytes | order u8, 0 · 3 | multiplier f32 | kind u32 | has words u8, 0 · 3 | version of the kind u32 | n-grams u64 per order |
//
// filled up to a multiple of eight, then the words' hashes, the n-grams, and the words as texts with a 0 behind each, in the order of their numbers.
// Hash tables are used where they lie in the bytes; a trie's n-grams are put into tables.
import { check, decodeUtf8, fail } from "../base/index.ts";
import { readKenLmTrie } from "./kenlm-trie.ts";
import { mostOrder, NgramModel, type NgramModelParts } from "./ngram-model.ts";
import { NgramWords, unknownId } from "./ngram-words.ts";
import { type EntryLength, ProbingTable } from "./probing-table.ts";

const where = "ngrams";
const magic = "mmap lm http://kheafield.com/code";
const thisMagic = `${magic} format version 5\n`;
/** The magic is followed by what shows how a machine stores numbers. */
const testValues = { at: 56, floats: [0, 1, -0.5], ints: [1, 0xffffffff, 0, 1, 0] };
const headerStart = 88;
const kinds = [
  "hash tables",
  "hash tables with rest costs",
  "a trie",
  "a quantised trie",
  "a trie with packed pointers",
  "a quantised trie with packed pointers",
];

/** What stands in front of the n-grams. */
export interface KenLmHeader {
  readonly order: number;
  /** Buckets of a hash table per entry. */
  readonly multiplier: number;
  readonly kind: number;
  readonly counts: readonly number[];
}

/** Whether a file begins as KenLM's binary files do. */
export function isKenLm(bytes: Uint8Array): boolean {
  return startsWith(bytes, magic);
}

/** Reads a binary file. The model goes on using the bytes. @throws CriaError where it is damaged, cut short, or of a kind or version that is not supported */
export function readKenLm(name: string, given: Uint8Array): NgramModel {
  const bytes = given.byteOffset % 4 === 0 ? given : given.slice();
  const header = readHeader(name, bytes);
  const start = 8 * Math.ceil((headerStart + 20 + 8 * header.order) / 8);
  const rest = bytes.subarray(start);
  return header.kind === 0 ? readTables(name, rest, header) : readTrie(name, rest, header);
}

function readHeader(name: string, bytes: Uint8Array): KenLmHeader {
  check(
    startsWith(bytes, thisMagic),
    where,
    () => `${name}: it is of another version of KenLM's binary form than 5: make it again from its ARPA file`,
  );
  check(bytes.length >= headerStart + 20, where, () => `${name}: it ends at byte ${bytes.length}, inside of its header: it is cut short`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { at, floats, ints } = testValues;
  const isUsual =
    floats.every((value, i) => view.getFloat32(at + 4 * i, true) === value) &&
    ints.every((value, i) => view.getUint32(at + 12 + 4 * i, true) === value);
  check(
    isUsual,
    where,
    () => `${name}: its test values are others than those of little-endian 64-bit files: make it again on another machine`,
  );
  const [order, multiplier, kind] = [
    view.getUint8(headerStart),
    view.getFloat32(headerStart + 4, true),
    view.getUint32(headerStart + 8, true),
  ];
  const hasWords = view.getUint8(headerStart + 12) === 1;
  const version = view.getUint32(headerStart + 16, true);
  check(
    order >= 2 && order <= mostOrder,
    where,
    () => `${name}: it has n-grams of ${order} words, but 2 to ${mostOrder} are supported: train another order`,
  );
  check(
    kind !== 1 && kind < kinds.length,
    where,
    () =>
      `${name}: it has ${kinds[kind] ?? `the unknown kind ${kind}`}, but ${kinds[0]} or ${kinds[2]} are supported: make it again from its ARPA file`,
  );
  check(
    version === (kind === 0 ? 0 : 1),
    where,
    () => `${name}: it has ${kinds[kind]} of version ${version}, but ${kind === 0 ? 0 : 1} is supported: make it again from its ARPA file`,
  );
  check(hasWords, where, () => `${name}: its words' texts were left out: make it again with them`);
  check(
    multiplier > 1 || kind > 1,
    where,
    () => `${name}: its tables have ${multiplier} buckets per n-gram, but must have more than 1: it is damaged`,
  );
  const counts = Array.from({ length: order }, (_, i) => readCount(name, view, headerStart + 20 + 8 * i));
  return { order, multiplier, kind, counts };
}

function readCount(name: string, view: DataView, at: number): number {
  check(at + 8 <= view.byteLength, where, () => `${name}: it ends at byte ${view.byteLength}, inside of its header: it is cut short`);
  const count = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  check(
    count <= view.byteLength,
    where,
    () => `${name}: it says ${count} n-grams of one order in ${view.byteLength} bytes: it is damaged or cut short`,
  );
  return count;
}

/** | version u32, words u32 | table of the words' hashes | unigrams: two f32 each | a table per order | */
function readTables(name: string, bytes: Uint8Array, { counts, multiplier }: KenLmHeader): NgramModel {
  const cutter = new Cutter(name, bytes);
  const view = cutter.view(8);
  const [version, size] = [view.getUint32(0, true), view.getUint32(4, true)];
  check(version === 0, where, () => `${name}: its words are of version ${version}, but 0 is supported: make it again from its ARPA file`);
  cutter.take(12 * buckets(counts[0]!, multiplier));
  const unigrams = cutter.floats(2 * (counts[0]! + 1));
  const tables = counts.slice(1).map((count, i) => {
    const length: EntryLength = i === counts.length - 2 ? 3 : 4;
    return ProbingTable.over(cutter.take(4 * length * buckets(count, multiplier)), length, count);
  });
  check(
    tables.every((table) => table.hasSpace),
    where,
    () => `${name}: a table has no empty bucket: it is damaged`,
  );
  check(
    size >= 1 && size <= counts[0]! + 1,
    where,
    () => `${name}: it has ${size} words and ${counts[0]} n-grams of one word: it is damaged`,
  );
  return modelOf(name, cutter.rest(), size, { unigrams, tables });
}

/** KenLM multiplies in float32. */
function buckets(entries: number, multiplier: number): number {
  return Math.max(entries + 1, Math.floor(Math.fround(multiplier * Math.fround(entries))));
}

/** | words without the unknown one u64 | hash u64 per word, and padding | trie | */
function readTrie(name: string, bytes: Uint8Array, header: KenLmHeader): NgramModel {
  const cutter = new Cutter(name, bytes);
  const size = cutter.view(8).getUint32(0, true) + 1;
  cutter.take(8 * header.counts[0]!);
  check(size === header.counts[0], where, () => `${name}: it has ${size} words and ${header.counts[0]} n-grams of one word: it is damaged`);
  const { parts, end } = readKenLmTrie(name, cutter.rest(), header);
  return modelOf(name, cutter.rest().subarray(end), size, parts);
}

function modelOf(name: string, bytes: Uint8Array, size: number, parts: Omit<NgramModelParts, "words">): NgramModel {
  const texts = decodeUtf8(bytes, name, where, "its words must be UTF-8: make it again from an ARPA file that is").split("\0");
  check(
    texts.length === size + 1 && texts[0] === "<unk>" && texts[size] === "",
    where,
    () => `${name}: ${texts.length - 1} words stand at its end, but it has ${size}, the first of them <unk>: it is damaged or cut short`,
  );
  const words = new NgramWords();
  for (const [id, text] of texts.slice(1, size).entries())
    if (words.add(text) !== id + 1) fail(where, `${name}: the word "${text}" stands there twice: it is damaged`);
  for (const mark of ["<s>", "</s>"])
    check(words.idOf(mark) !== unknownId, where, () => `${name}: it has no ${mark}: train it with the ends of sentences`);
  return new NgramModel({ ...parts, words });
}

/** Takes one part after another, each held against the bytes that are left. */
class Cutter {
  readonly #name: string;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(name: string, bytes: Uint8Array) {
    [this.#name, this.#bytes] = [name, bytes];
  }

  take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length)
      fail(where, `${this.#name}: its n-grams end at byte ${end} behind the header, but ${this.#bytes.length} are there: it is cut short`);
    this.#at = end;
    return this.#bytes.subarray(end - count, end);
  }

  view(count: number): DataView {
    const { buffer, byteOffset } = this.take(count);
    return new DataView(buffer, byteOffset, count);
  }

  floats(count: number): Float32Array {
    const { buffer, byteOffset } = this.take(4 * count);
    return new Float32Array(buffer, byteOffset, count);
  }

  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return bytes.length >= text.length && Array.from(text).every((character, i) => bytes[i] === character.charCodeAt(0));
}
