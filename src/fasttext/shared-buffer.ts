// Memory that threads share: a model that is sent to another thread is not copied with what is large in it.

/** So many zeros; in memory of one thread alone where none can be shared, as in pages that are not isolated from other origins. */
export function sharedBuffer(bytes: number): ArrayBuffer | SharedArrayBuffer {
  return typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes);
}

/** So many zeros in such memory. */
export function sharedFloats(count: number): Float32Array {
  return new Float32Array(sharedBuffer(4 * count));
}
