// Sorted lists of records as one: a binary heap of their cursors, the least key on top.
import { type RecordCursor, type RecordForm, sharedWords } from "./record.ts";

/** Goes through the records of several cursors in the order of their keys. */
export class MergeCursor implements RecordCursor {
  readonly key: Uint32Array;
  readonly floats: Float64Array;
  count = 0;
  readonly #isSummed: boolean;
  readonly #heap: RecordCursor[] = [];

  constructor({ words, floats, isSummed }: RecordForm, cursors: readonly RecordCursor[]) {
    [this.key, this.floats, this.#isSummed] = [new Uint32Array(words), new Float64Array(floats), isSummed];
    for (const cursor of cursors) if (cursor.next()) this.#heap.push(cursor);
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  next(): boolean {
    const top = this.#heap[0];
    if (top === undefined) return false;
    this.key.set(top.key);
    this.floats.set(top.floats);
    this.count = top.count;
    this.#advance(top);
    if (!this.#isSummed) return true;
    for (let same = this.#heap[0]; same !== undefined && sharedWords(same.key, this.key) === this.key.length; same = this.#heap[0]) {
      this.count += same.count;
      this.#advance(same);
    }
    return true;
  }

  /** Takes the next record of the cursor on top. */
  #advance(top: RecordCursor): void {
    if (!top.next()) {
      const last = this.#heap.pop()!;
      if (last === top) return;
      this.#heap[0] = last;
    }
    this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const cursor = heap[from]!;
    let at = from;
    for (let child = 2 * at + 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isLess(heap[child + 1]!.key, heap[child]!.key)) child++;
      if (!isLess(heap[child]!.key, cursor.key)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = cursor;
  }
}

function isLess(a: Uint32Array, b: Uint32Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return false;
}
