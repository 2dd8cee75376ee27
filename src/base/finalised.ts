// The finaliser of MurmurHash3 (Appleby): every bit of the result depends on every bit of the hash.

/** Mixes a hash of 32 bits. */
export function finalised(hash: number): number {
  let bits = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
