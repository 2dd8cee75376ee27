// Elements of 8 and 16 bits: their sizes, and what rounding to 16-bit floats means, slowly.
import { bfloat16Bits, float16Bits, float16Value } from "../base/index.ts";
import type { Narrow } from "./ir.ts";

/** Bytes of an element. */
export const narrowBytes: Readonly<Record<Narrow, 1 | 2>> = { f16: 2, bf16: 2, u16: 2, i8: 1, u8: 1 };

/** What an element is in memory, where its meaning is not looked at. */
export const narrowStorage = { f16: "u16", bf16: "u16", u16: "u16", i8: "i8", u8: "u8" } as const satisfies Readonly<
  Record<Narrow, Narrow>
>;

/** The 32 bits of a lane, of an element as memory has it: floats become float32, integers int32. */
export function widenBits(type: Narrow, element: number): number {
  if (type === "f16") return float32Bits(float16Value(element));
  return type === "bf16" ? element << 16 : element;
}

/** The bits of a lane as an element, which has the low ones of what is returned. @param flush see {@link roundToBfloat16}. */
export function narrowBits(type: Narrow, bits: number, flush: boolean): number {
  if (type === "f16") return roundToFloat16(bits);
  return type === "bf16" ? roundToBfloat16(bits, flush) : bits;
}

/** The nearest float16, ties to even. @param bits those of a float32. */
export function roundToFloat16(bits: number): number {
  const magnitude = bits & 0x7fffffff;
  if (magnitude > infinity) return ((bits >>> 16) & 0x8000) | 0x7e00 | ((magnitude >> 13) & 0x1ff);
  return float16Bits(float32Value(bits));
}

/** The nearest bfloat16, ties to even: the upper half of a float32. @param flush whether what is below the normal numbers becomes zero. */
export function roundToBfloat16(bits: number, flush: boolean): number {
  if (flush && (bits & 0x7fffffff) < smallestNormal) return (bits >>> 16) & 0x8000;
  return bfloat16Bits(bits);
}

/** One word, as a float and as bits. */
const asFloat = new Float32Array(1);
const asBits = new Int32Array(asFloat.buffer);

/** The float32 of these 32 bits. */
export function float32Value(bits: number): number {
  asBits[0] = bits;
  return asFloat[0]!;
}

/** The bits of the nearest float32, as an int32. */
export function float32Bits(value: number): number {
  asFloat[0] = value;
  return asBits[0]!;
}

const infinity = 0x7f800000;
const smallestNormal = 0x00800000;

/** Bytes as int32, four each, the first one lowest. */
export function wordsOfBytes(bytes: readonly number[]): number[] {
  return [...new Int32Array(Uint8Array.from(bytes).buffer)];
}
