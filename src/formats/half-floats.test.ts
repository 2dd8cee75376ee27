import { expect, test } from "vitest";
import { float16Bits, float16Value, Rng } from "../base/index.ts";
import { narrowFloat16, widenFloat16 } from "./half-floats.ts";

test("every half float comes back, and what lies between two rounds as the scalar function does", () => {
  const bits = Uint16Array.from({ length: 1 << 16 }, (_, i) => i).filter((half) => !Number.isNaN(float16Value(half)));
  const values = new Float32Array(bits.length);
  widenFloat16(bits, values);
  expect(sameBits(narrowFloat16(values), bits)).toBe(true);
  const rng = new Rng(1);
  const words = Uint32Array.from({ length: 300_000 }, () => Math.floor(rng.uniform() * 2 ** 32));
  // Half of them in the range of half floats, where a tie is not rare.
  for (let i = 0; i < words.length; i += 2) words[i] = ((words[i]! & 0x8fffffff) | 0x30000000) & (i % 4 === 0 ? 0xfffff000 : 0xffffffff);
  const any = new Float32Array(words.buffer);
  expect(sameBits(narrowFloat16(any), Uint16Array.from(any, float16Bits))).toBe(true);
});

function sameBits(a: Uint16Array, b: Uint16Array): boolean {
  return a.length === b.length && a.every((bits, i) => bits === b[i]);
}
