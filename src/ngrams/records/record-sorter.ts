// Sorts records that memory has no room for: as many as there is room for are sorted and written as a run; runs are merged at the end.
import type { Sliced } from "../../base/index.ts";
import { MergeCursor } from "./merge-cursor.ts";
import { type RecordCursor, type RecordForm, RecordReader, RecordWriter, sliceRecords } from "./record.ts";
import type { RecordSpace, ScratchFile } from "./scratch.ts";

/** Bits of a word that are sorted at a time. */
const digitBits = 11;
/** Runs that are merged at a time. */
const mostRuns = 128;
/** Bytes of a run that are read together: as many as memory has room for in a merge, which takes a quarter of it, between these two. */
const [leastChunk, mostChunk] = [1 << 12, 1 << 18];
const firstRecords = 1 << 8;
/** 32-bit words that an array may have on every version of Node. */
const mostWords = 2 ** 30 - 1;

/** Takes records in any order, and gives them in the order of their keys. */
export class RecordSorter {
  readonly #form: RecordForm;
  readonly #space: RecordSpace;
  readonly #most: number;
  readonly #none: Float64Array;
  #block: Block;
  #runs: ScratchFile[] = [];

  /** @param space what records may take while they are taken; merging them takes no more */
  constructor(form: RecordForm, space: RecordSpace) {
    [this.#form, this.#space, this.#none] = [form, space, new Float64Array(form.floats)];
    const mostInArrays = Math.floor(mostWords / Math.max(2, form.words, 2 * form.floats));
    this.#most = Math.max(1, Math.min(Math.floor(space.memory / recordBytes(form)), mostInArrays));
    this.#block = new Block(form, Math.min(firstRecords, this.#most));
  }

  /** @param floats none of them when absent */
  add(key: Uint32Array, count: number, floats: Float64Array = this.#none): void {
    if (this.#block.isFull) {
      if (this.#block.capacity < this.#most) this.#block = this.#block.grown(Math.min(2 * this.#block.capacity, this.#most));
      else this.#spill();
    }
    this.#block.add(key, count, floats);
  }

  /** Ends adding. @param kept bytes that may stay in memory @returns a cursor over all records, which may be asked for once */
  *finish(kept = this.#space.memory): Sliced<RecordCursor> {
    if (this.#runs.length === 0 && this.#block.size * recordBytes(this.#form) <= kept)
      return new MergeCursor(this.#form, [this.#block.sorted()]);
    this.#spill();
    this.#block = new Block(this.#form, 0);
    while (this.#runs.length > mostRuns) {
      const [some, others] = [this.#runs.slice(0, mostRuns), this.#runs.slice(mostRuns)];
      this.#runs = [...others, yield* this.#merge(some)];
      for (const run of some) run.remove();
    }
    return this.#cursor(this.#runs);
  }

  /** Takes away what is still there. */
  release(): void {
    this.#block = new Block(this.#form, 0);
    for (const run of this.#runs) run.remove();
    this.#runs = [];
  }

  #spill(): void {
    if (this.#block.size === 0) return;
    const writer = this.#writer();
    const cursor = new MergeCursor(this.#form, [this.#block.sorted()]);
    while (cursor.next()) writer.add(cursor.key, cursor.count, cursor.floats);
    writer.finish();
    this.#block.clear();
  }

  *#merge(runs: readonly ScratchFile[]): Sliced<ScratchFile> {
    const writer = this.#writer();
    const cursor = this.#cursor(runs);
    for (let i = 1; cursor.next(); i++) {
      writer.add(cursor.key, cursor.count, cursor.floats);
      if (i % sliceRecords === 0) yield;
    }
    writer.finish();
    return this.#runs.pop()!;
  }

  /** What writes a run, which is removed with the others whatever happens. */
  #writer(): RecordWriter {
    const file = this.#space.scratch.create();
    this.#runs.push(file);
    return new RecordWriter(this.#form, file, mostChunk);
  }

  #cursor(runs: readonly ScratchFile[]): RecordCursor {
    const chunk = Math.min(Math.max(Math.floor(this.#space.memory / (4 * mostRuns)), leastChunk), mostChunk);
    return new MergeCursor(
      this.#form,
      runs.map((run) => new RecordReader(this.#form, run, chunk)),
    );
  }
}

/** Bytes of memory per record: keys, counts and numbers, once more a half of them while a block grows, or two lists of places while it is sorted. */
function recordBytes({ words, floats }: RecordForm): number {
  const bytes = 4 * words + 8 + 8 * floats;
  return Math.max(bytes + 8, Math.ceil(1.5 * bytes));
}

/** Records in memory. */
class Block {
  size = 0;
  readonly capacity: number;
  readonly #form: RecordForm;
  readonly #keys: Uint32Array;
  readonly #counts: Float64Array;
  readonly #floats: Float64Array;
  #places = [new Uint32Array(0), new Uint32Array(0)] as const;

  constructor(form: RecordForm, capacity: number) {
    [this.#form, this.capacity] = [form, capacity];
    this.#keys = new Uint32Array(capacity * form.words);
    this.#counts = new Float64Array(capacity);
    this.#floats = new Float64Array(capacity * form.floats);
  }

  get isFull(): boolean {
    return this.size === this.capacity;
  }

  grown(capacity: number): Block {
    const block = new Block(this.#form, capacity);
    block.#keys.set(this.#keys);
    block.#counts.set(this.#counts);
    block.#floats.set(this.#floats);
    block.size = this.size;
    return block;
  }

  add(key: Uint32Array, count: number, floats: Float64Array): void {
    const { words } = this.#form;
    const at = this.size++;
    for (let i = 0; i < words; i++) this.#keys[at * words + i] = key[i]!;
    this.#counts[at] = count;
    for (let i = 0; i < floats.length; i++) this.#floats[at * floats.length + i] = floats[i]!;
  }

  clear(): void {
    this.size = 0;
  }

  sorted(): RecordCursor {
    if (this.#places[0].length < this.size) this.#places = [new Uint32Array(this.capacity), new Uint32Array(this.capacity)];
    const places = sortedPlaces({ keys: this.#keys, words: this.#form.words, size: this.size }, this.#places);
    return new BlockCursor(this.#form, { keys: this.#keys, counts: this.#counts, floats: this.#floats, places });
  }
}

interface Keys {
  readonly keys: Uint32Array;
  readonly words: number;
  readonly size: number;
}

/** A radix sort, from the last word of the keys to the first, with two lists of places that it fills in turn. */
function sortedPlaces({ keys, words, size }: Keys, lists: readonly [Uint32Array, Uint32Array]): Uint32Array {
  let [places, sorted] = [lists[0].subarray(0, size), lists[1].subarray(0, size)];
  for (let i = 0; i < size; i++) places[i] = i;
  for (let word = words - 1; word >= 0; word--) {
    let most = 0;
    for (let i = word; i < size * words; i += words) most |= keys[i]!;
    for (let shift = 0; shift < 32 && most >>> shift !== 0; shift += digitBits) {
      sortByDigit({ keys, words, size }, { word, shift }, places, sorted);
      [places, sorted] = [sorted, places];
    }
  }
  return places;
}

interface Digit {
  readonly word: number;
  readonly shift: number;
}

function sortByDigit({ keys, words, size }: Keys, { word, shift }: Digit, from: Uint32Array, to: Uint32Array): void {
  const starts = new Uint32Array((1 << digitBits) + 1);
  const mask = (1 << digitBits) - 1;
  for (let i = word; i < size * words; i += words) starts[((keys[i]! >>> shift) & mask) + 1]!++;
  for (let digit = 1; digit < starts.length; digit++) starts[digit]! += starts[digit - 1]!;
  for (let i = 0; i < size; i++) {
    const place = from[i]!;
    to[starts[(keys[place * words + word]! >>> shift) & mask]!++] = place;
  }
}

interface BlockParts {
  readonly keys: Uint32Array;
  readonly counts: Float64Array;
  readonly floats: Float64Array;
  readonly places: Uint32Array;
}

class BlockCursor implements RecordCursor {
  readonly key: Uint32Array;
  readonly floats: Float64Array;
  count = 0;
  readonly #parts: BlockParts;
  #next = 0;

  constructor({ words, floats }: RecordForm, parts: BlockParts) {
    [this.key, this.floats, this.#parts] = [new Uint32Array(words), new Float64Array(floats), parts];
  }

  next(): boolean {
    const { keys, counts, floats, places } = this.#parts;
    if (this.#next === places.length) return false;
    const place = places[this.#next++]!;
    for (let i = 0; i < this.key.length; i++) this.key[i] = keys[place * this.key.length + i]!;
    this.count = counts[place]!;
    for (let i = 0; i < this.floats.length; i++) this.floats[i] = floats[place * this.floats.length + i]!;
    return true;
  }
}
