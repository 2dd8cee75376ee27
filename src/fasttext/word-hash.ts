// FNV-1a over the UTF-8 of words and n-grams, whose bytes are taken as signed, as fastText takes them (0.9, dictionary.cc).

/** What a hash begins with. */
export const hashStart = 0x811c9dc5 | 0;

/** Goes on with a hash by one byte more, from -128 to 127. */
export function nextHash(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, 0x01000193);
}

/** The hash of bytes from one place to another, as a signed number of 32 bits. */
export function hashOf(bytes: Int8Array, start = 0, end = bytes.length): number {
  let hash = hashStart;
  for (let at = start; at < end; at++) hash = nextHash(hash, bytes[at]!);
  return hash;
}

/** The UTF-8 of a text, as signed numbers. */
export function signedBytes(text: string): Int8Array {
  const bytes = encoder.encode(text);
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

const encoder = new TextEncoder();

/** Whether so many bytes from two places are equal. */
export function isSameBytes(a: Int8Array, atA: number, b: Int8Array, atB: number, count: number): boolean {
  for (let i = 0; i < count; i++) if (a[atA + i] !== b[atB + i]) return false;
  return true;
}
