// Memory of matrices, which threads share: a model that is sent to another thread is not copied with its matrices.

/** Zeros; in memory of one thread alone where none can be shared, as in pages that are not isolated from other origins. */
export function sharedFloats(count: number): Float32Array {
  return typeof SharedArrayBuffer === "undefined" ? new Float32Array(count) : new Float32Array(new SharedArrayBuffer(4 * count));
}
