// Two hashes of 32 bits that tell a word of a text from others, by four bytes at a time: fastText's own, by one byte, is made of new words alone.

/** Bytes, and a view of them for several at a time. */
export interface ViewedBytes {
  readonly bytes: Int8Array;
  readonly view: DataView;
}

/** Words are read so many bytes at a time, so that as many less one must be there behind the last. */
export const bytesAtOnce = 4;

/** Bytes with a view of them. */
export function viewed(bytes: Int8Array): ViewedBytes {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

/** What the first key of a word begins with. */
export const firstStart = 0x811c9dc5 | 0;

/** What the second key of a word of so many bytes begins with. */
export function secondStart(length: number): number {
  return 0x41c6ce57 ^ length;
}

/** Goes on with the first key by four bytes. */
export function nextFirst(key: number, bytes: number): number {
  const product = Math.imul(key ^ bytes, 0x4d01c6c7);
  return product ^ (product >>> 15);
}

/** Goes on with the second key by four bytes. */
export function nextSecond(key: number, bytes: number): number {
  return Math.imul(((key << 5) | (key >>> 27)) ^ bytes, 0x9e3779b1);
}

/** The key of a word behind its last byte, whose upper bits depend on all bytes. */
export function finished(key: number): number {
  return Math.imul(key ^ (key >>> 15), 0x85ebca6b);
}

/** The bytes between two places, three at most. */
export function lastBytes(view: DataView, at: number, end: number): number {
  return view.getInt32(at, true) & ((1 << (8 * (end - at))) - 1);
}
