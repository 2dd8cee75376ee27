// Joins several counts of words into one, their counts added: a merge of sorted runs, which holds one block of each in memory.

import { WordBlockBuilder } from "./word-block-builder.ts";
import { type ByteRange, compareBytes, type WordBlock, type WordCounts } from "./word-counts.ts";

/** The words of all, each once, in the order of their bytes. */
export function mergeCounts(all: readonly WordCounts[]): WordCounts {
  const [only] = all;
  return all.length === 1 && only !== undefined ? only : { blocks: () => merge(all) };
}

async function* merge(all: readonly WordCounts[]): AsyncGenerator<WordBlock> {
  const heap: Cursor[] = [];
  for (const counts of all) {
    const cursor = new Cursor(counts.blocks());
    if (await cursor.nextBlock()) heap.push(cursor);
  }
  try {
    for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, at);
    yield* mergeHeap(heap);
  } finally {
    for (const cursor of heap) await cursor.close();
  }
}

/** Every cursor of the heap stands at a word. */
async function* mergeHeap(heap: Cursor[]): AsyncGenerator<WordBlock> {
  const builder = new WordBlockBuilder();
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    const word: ByteRange = { bytes: top.bytes, start: top.start, end: top.end }; // the cursor moves on, and may leave the block
    let count = 0;
    for (let same: Cursor | undefined = top; same !== undefined && compareBytes(word, same) === 0; ) {
      count += same.count;
      if (!same.next() && !(await same.nextBlock())) drop(heap);
      sink(heap, 0);
      same = heap[0];
    }
    builder.push(word.bytes, word.start, word.end, count);
    if (builder.isFull) yield builder.take();
  }
  if (!builder.isEmpty) yield builder.take();
}

/** A place in a run of sorted words. */
class Cursor {
  readonly #blocks: Iterator<WordBlock> | AsyncIterator<WordBlock>;
  #block: WordBlock = { bytes: new Uint8Array(), ends: new Uint32Array(), counts: new Float64Array() };
  #word = 0;
  start = 0;
  end = 0;

  constructor(blocks: Iterable<WordBlock> | AsyncIterable<WordBlock>) {
    this.#blocks = Symbol.asyncIterator in blocks ? blocks[Symbol.asyncIterator]() : blocks[Symbol.iterator]();
  }

  get bytes(): Uint8Array {
    return this.#block.bytes;
  }

  get count(): number {
    return this.#block.counts[this.#word]!;
  }

  /** The next word of the block; false behind its last. */
  next(): boolean {
    this.#word++;
    this.start = this.end;
    if (this.#word >= this.#block.counts.length) return false;
    this.end = this.#block.ends[this.#word]!;
    return true;
  }

  /** The first word of the next block that has one; false behind the last. */
  async nextBlock(): Promise<boolean> {
    for (;;) {
      const { done, value } = await this.#blocks.next();
      if (done === true) return false;
      if (value.counts.length === 0) continue;
      this.#block = value;
      this.#word = 0;
      this.start = 0;
      this.end = value.ends[0]!;
      return true;
    }
  }

  async close(): Promise<void> {
    await this.#blocks.return?.();
  }
}

/** Takes the first cursor, which is behind its last word, out of the heap. */
function drop(heap: Cursor[]): void {
  const last = heap.pop();
  if (last !== undefined && heap.length > 0) heap[0] = last;
}

/** Moves a cursor below those whose words come first. */
function sink(heap: Cursor[], at: number): void {
  const cursor = heap[at];
  if (cursor === undefined) return;
  for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && precedes(heap[child + 1]!, heap[child]!)) child++;
    if (!precedes(heap[child]!, cursor)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = cursor;
}

function precedes(a: Cursor, b: Cursor): boolean {
  return compareBytes(a, b) < 0;
}
