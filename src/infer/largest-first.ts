// The indices of the largest values in order, without sorting the rest: a binary heap (Williams 1964), built in O(n), O(log n) an index taken.

/** Indices by falling value, the lower index first among equals. `values` must not change, nor hold NaN, while it is read. */
export function* largestFirst(values: Float64Array): Generator<number, void> {
  const heap = Int32Array.from(values, (_, index) => index);
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, heap.length, values, at);
  for (let size = heap.length; size > 0; size--) {
    yield heap[0]!;
    heap[0] = heap[size - 1]!;
    sink(heap, size - 1, values, 0);
  }
}

/** Lets the index at `at` sink to its place among the first `size`. */
function sink(heap: Int32Array, size: number, values: Float64Array, at: number): void {
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

function isBefore(values: Float64Array, a: number, b: number): boolean {
  return values[a]! > values[b]! || (values[a] === values[b] && a < b);
}
