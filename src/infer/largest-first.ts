// The indices of the largest values in order, without sorting the rest: a few by insertion, many by a binary heap (Williams 1964), which is built in
// O(n) and takes O(log n) per index.

/** The least number of indices that a heap finds sooner than insertion does. */
const heapCount = 128;

/** The `count` indices of the largest values by falling value, the lower index first among equals. `values` hold no NaN. */
export function largest(values: Float32Array | Float64Array, count: number): Int32Array {
  if (count === 0) return new Int32Array();
  if (count < heapCount) return Int32Array.from(inserted(values, count));
  const best = new Int32Array(Math.min(count, values.length));
  const order = largestFirst(values);
  for (let at = 0; at < best.length; at++) best[at] = order.next().value ?? 0;
  return best;
}

/**
 * Indices by falling value, the lower index first among equals. `values` must not change, nor hold NaN, while it is read.
 * @param heap the indices that take part, rising, by default all; the array serves as the heap
 */
export function* largestFirst(values: Float32Array | Float64Array, heap = indices(values.length)): Generator<number, void> {
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, heap.length, values, at);
  for (let size = heap.length; size > 0; size--) {
    yield heap[0]!;
    heap[0] = heap[size - 1]!;
    sink(heap, size - 1, values, 0);
  }
}

/** 0, 1, …, count − 1. */
export function indices(count: number): Int32Array {
  const all = new Int32Array(count);
  for (let index = 0; index < count; index++) all[index] = index;
  return all;
}

/** O(n · count) at worst, where values rise, and O(n) as a rule. */
function inserted(values: Float32Array | Float64Array, count: number): number[] {
  const best: number[] = [];
  let least = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < values.length; index++) {
    const value = values[index]!;
    if (best.length === count && value <= least) continue;
    let at = best.length;
    while (at > 0 && values[best[at - 1]!]! < value) at--;
    best.splice(at, 0, index);
    if (best.length > count) best.pop();
    least = values[best[best.length - 1]!]!;
  }
  return best;
}

/** Lets the index at `at` sink to its place among the first `size`. */
function sink(heap: Int32Array, size: number, values: Float32Array | Float64Array, at: number): void {
  const sinking = heap[at]!;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && isBefore(values, heap[child + 1]!, heap[child]!)) child++;
    if (!isBefore(values, heap[child]!, sinking)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = sinking;
}

function isBefore(values: Float32Array | Float64Array, a: number, b: number): boolean {
  return values[a]! > values[b]! || (values[a] === values[b] && a < b);
}
