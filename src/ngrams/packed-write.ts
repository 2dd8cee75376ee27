// Writes our own compact form: see packed-form.ts. N-grams are sorted by the lines in which they come to lie, so that the file is written from its beginning
// to its end, in as much memory as there is.
import { fail, float16Bits, type Sliced } from "../base/index.ts";
import { fingerprintOf, lineEntries, lineOf, linesFor } from "./line-table.ts";
import { type HashHalves, NgramHash } from "./ngram-hash.ts";
import { goesOn, type NgramModel } from "./ngram-model.ts";
import type { NgramSink } from "./ngram-sink.ts";
import { NgramWords } from "./ngram-words.ts";
import { type PackedParts, packedMagic, packedNumbersAt, partsOf } from "./packed-form.ts";
import { ProbingTable } from "./probing-table.ts";
import { sliceRecords } from "./records/record.ts";
import { RecordSorter } from "./records/record-sorter.ts";
import { inMemory, type RecordSpace } from "./records/scratch.ts";

const where = "ngrams";
/** Bytes that are written together, whole lines. */
const chunkBytes = 1 << 18;

/** How a file is written. */
export interface PackedOptions {
  /** Where n-grams are sorted. @default all in memory */
  readonly space?: RecordSpace;
  /** The tokenizer whose pieces the words are, as a tokenizer.json. @default none: they are words between white space, or pieces of a tokenizer that is named elsewhere */
  readonly tokenizer?: Uint8Array;
  /** Whether the model comes of a binary file of KenLM's, with which cutoffs of CCNet's may go. @default false */
  readonly isOfKenLm?: boolean;
}

/** Takes n-grams, and writes them in the compact form. */
export class PackedWriter implements NgramSink {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #space: RecordSpace;
  readonly #tokenizer: Uint8Array;
  readonly #isOfKenLm: boolean;
  readonly #words = new NgramWords();
  readonly #unigrams: number[] = [];
  readonly #hash = new NgramHash();
  readonly #key = new Uint32Array(2);
  readonly #float = new Float32Array(1);
  readonly #floatBits = new Uint32Array(this.#float.buffer);
  #counts: readonly number[] = [];
  /** The order whose n-grams come, what sorts them, and how many lines they have. */
  #order = 1;
  #sorter: RecordSorter | undefined;
  #lines = 0;
  #size = 0;

  /** @param write takes the file's bytes, one part after another */
  constructor(
    write: (bytes: Uint8Array) => void,
    { space = inMemory, tokenizer = new Uint8Array(0), isOfKenLm = false }: PackedOptions = {},
  ) {
    [this.#write, this.#space, this.#tokenizer, this.#isOfKenLm] = [write, space, tokenizer, isOfKenLm];
  }

  begin(counts: readonly number[]): void {
    this.#counts = counts;
  }

  word(word: string, probability: number, backoff: number, isExtended = true): number {
    const id = this.#unigrams.length / 2;
    if (this.#words.add(word) !== id)
      fail(where, `the word "${word}" has the number ${id}: <unk> is 0, and each other word stands there once`);
    this.#unigrams.push(isExtended ? Math.abs(probability) : -Math.abs(probability), backoff);
    return id;
  }

  ngram(ids: ArrayLike<number>, probability: number, backoff: number, isExtended = true): void {
    const last = ids.length - 1;
    this.#hash.start(ids[last]!);
    for (let i = last - 1; i >= 0; i--) this.#hash.extend(ids[i]!);
    this.entry(this.#hash, { probability, backoff, isExtended });
  }

  /** Takes an n-gram by its hash. */
  entry(hash: HashHalves, values: EntryValues): void {
    if (this.#sorter === undefined)
      return fail(where, `an n-gram of more than ${this.#order} words comes before the shorter ones are ended`);
    this.#key[0] = lineOf(hash.low, hash.high, this.#lines);
    this.#key[1] = fingerprintOf(hash.low);
    this.#size++;
    this.#sorter.add(this.#key, this.#order === this.#counts.length ? this.#bitsOf(values.probability) : halvesOf(values));
  }

  *endOrder(): Sliced<void> {
    if (this.#order === 1) this.#writeWords();
    else yield* this.#writeTable();
    this.#order++;
    this.#sorter = undefined;
    if (this.#order > this.#counts.length) return;
    this.#size = 0;
    this.#lines = linesFor(this.#counts[this.#order - 1]!).lines;
    this.#sorter = new RecordSorter({ words: 2, floats: 0, isSummed: false }, this.#space);
  }

  /** @throws CriaError where orders are missing */
  finish(): void {
    if (this.#order <= this.#counts.length)
      fail(where, `${this.#order - 1} of ${this.#counts.length} orders have been written: give the others`);
  }

  #bitsOf(value: number): number {
    this.#float[0] = value;
    return this.#floatBits[0]!;
  }

  #writeWords(): void {
    const words = this.#words.size;
    const texts = new TextEncoder().encode(Array.from({ length: words }, (_, id) => `${this.#words.wordOf(id)}\0`).join(""));
    const counts = [words, ...this.#counts.slice(1)];
    const parts = partsOf({ counts, textBytes: texts.length, tokenizerBytes: this.#tokenizer.length });
    const bytes = new Uint8Array(parts.tables[0]!);
    this.#fillHeader(bytes, [counts.length, words, texts.length, this.#tokenizer.length, this.#isOfKenLm ? 1 : 0, ...counts.slice(1)]);
    this.#fillWords(bytes, texts, parts);
    this.#write(bytes);
  }

  #fillHeader(bytes: Uint8Array, numbers: readonly number[]): void {
    for (let i = 0; i < packedMagic.length; i++) bytes[i] = packedMagic.charCodeAt(i);
    new Float64Array(bytes.buffer, packedNumbersAt, numbers.length).set(numbers);
  }

  #fillWords(bytes: Uint8Array, texts: Uint8Array, { texts: textsAt, tokenizer, unigrams }: PackedParts): void {
    bytes.set(texts, textsAt);
    bytes.set(this.#tokenizer, tokenizer);
    new Float32Array(bytes.buffer, unigrams, this.#unigrams.length).set(this.#unigrams);
  }

  *#writeTable(): Sliced<void> {
    const count = this.#counts[this.#order - 1]!;
    if (this.#sorter === undefined || this.#size !== count)
      return fail(where, `${this.#size} n-grams of ${this.#order} words came, but ${count} were announced`);
    const cursor = yield* this.#sorter.finish();
    const lines = new LineWriter(this.#write);
    for (let i = 1; cursor.next(); i++) {
      lines.add(cursor.key[0]!, cursor.key[1]!, cursor.count);
      if (i % sliceRecords === 0) yield;
    }
    const { lines: main, spare } = linesFor(count);
    lines.finish((main + spare) * lineEntries);
    this.#sorter.release();
  }
}

/** What an n-gram has beside its words. */
interface EntryValues {
  /** log10, at most 0. */
  readonly probability: number;
  /** log10; -0 where nothing stands behind the n-gram. */
  readonly backoff: number;
  readonly isExtended: boolean;
}

/** The values of an entry that is not among the longest, see line-table.ts. */
function halvesOf({ probability, backoff, isExtended }: EntryValues): number {
  const weight = float16Bits(backoff);
  const isZero = (weight & 0x7fff) === 0;
  const marked = isZero ? (goesOn(backoff) ? 0 : 0x8000) : weight;
  return ((isExtended ? 0 : 0x80000000) | (float16Bits(Math.abs(probability)) << 16) | marked) >>> 0;
}

/** Writes the lines of a table, whose entries come in their order. */
class LineWriter {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #words = new Int32Array(chunkBytes / 4);
  /** The place behind the last entry, and the first place of the chunk. */
  #at = 0;
  #start = 0;
  #line = -1;
  #fingerprint = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** Two n-grams of one line whose fingerprints agree cannot be told apart, one of 2^32 pairs: the first one stays. */
  add(line: number, fingerprint: number, values: number): void {
    if (line === this.#line && fingerprint === this.#fingerprint) return;
    [this.#line, this.#fingerprint] = [line, fingerprint];
    this.#moveTo(Math.max(this.#at, line * lineEntries));
    const at = 2 * (this.#at - this.#start);
    this.#words[at] = fingerprint;
    this.#words[at + 1] = values;
    this.#moveTo(this.#at + 1);
  }

  /** Writes the rest of the table up to its last place, which is free. */
  finish(places: number): void {
    if (this.#at >= places)
      fail(where, `${this.#at} places of a table are taken, but it has ${places}: the n-grams' hashes are too much alike`);
    this.#moveTo(places);
    const rest = 2 * (places - this.#start);
    if (rest > 0) this.#write(new Uint8Array(this.#words.buffer, 0, 4 * rest).slice());
  }

  /** Goes on to a place, and leaves those before it free. */
  #moveTo(place: number): void {
    const places = this.#words.length / 2;
    for (; place >= this.#start + places; this.#start += places) {
      this.#write(new Uint8Array(this.#words.buffer).slice());
      this.#words.fill(0);
    }
    this.#at = place;
  }
}

/** Writes a model in the compact form. @throws CriaError where it has only fingerprints of its n-grams, as one of that form has */
export function* packModel(model: NgramModel, writer: PackedWriter): Sliced<void> {
  const { words, unigrams, tables } = model.parts;
  const probing = tables.map((table) =>
    table instanceof ProbingTable ? table : fail(where, "the model is in the compact form already: copy its file"),
  );
  writer.begin([words.size, ...probing.map(({ taken }) => taken)]);
  for (let id = 0; id < words.size; id++) {
    const probability = unigrams[2 * id]!;
    writer.word(words.wordOf(id), -Math.abs(probability), unigrams[2 * id + 1]!, !isNegative(probability));
  }
  for (const table of probing) {
    yield* writer.endOrder();
    let count = 0;
    for (const entry of table.entries()) {
      const { at } = entry;
      const hasBackoff = table.length === 4;
      writer.entry(entry, {
        probability: table.probability(at),
        backoff: hasBackoff ? table.backoff(at) : 0,
        isExtended: table.isExtended(at),
      });
      if (++count % sliceRecords === 0) yield;
    }
  }
  yield* writer.endOrder();
}

function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0);
}
