// The product of two numbers of 32 bits has 64: Math.imul gives the lower half, and this the upper one.

/** Bits 32 to 63 of the product of two unsigned numbers of 32 bits, by products of 16 bits; with a sign, as `Math.imul` has it. */
export function upper32(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536)) | 0;
}
