import { expect, test } from "vitest";
import { dequantise } from "./dequantise.ts";
import { bytesOf, type DType, elementLayouts, quantise, type StateDType } from "./element-layouts.ts";
import { Rng } from "./rng.ts";

test("sizes are whole blocks of rows", () => {
  expect(bytesOf("f32", [3, 5])).toBe(60);
  expect(bytesOf("bf16", [3, 5])).toBe(30);
  expect(bytesOf("f32", [])).toBe(4);
  expect(bytesOf("q4_K", [3, 512])).toBe(3 * 2 * 144);
  expect(() => bytesOf("q8_0", [32, 40])).toThrow("[tensor] q8_0 [32, 40]: rows of 40 elements are not whole blocks of 32");
});

test("plain elements are themselves", () => {
  expect([...dequantise("f32", new Uint8Array(Float32Array.of(1.5, -0.1).buffer))]).toEqual([1.5, Math.fround(-0.1)]);
  expect([...dequantise("bf16", new Uint8Array(Uint16Array.of(0x3f80, 0xc049).buffer))]).toEqual([1, -3.140625]);
  expect([...dequantise("f16", new Uint8Array(Uint16Array.of(0x3c00, 0xc248, 1).buffer))]).toEqual([1, -3.140625, 2 ** -24]);
});

/** A block by hand: the scales that the format has are 0.5 and −2, quants are given. */
function blockOf(dtype: DType, fill: (bytes: Uint8Array) => void): Float64Array {
  const bytes = new Uint8Array(elementLayouts[dtype].bytes);
  fill(bytes);
  return dequantise(dtype, bytes);
}

test("blocks are what the formats say", () => {
  const q8 = blockOf("q8_0", (b) => b.set([0, 0x38, 1, 255, 128])); // d = 0.5, q = 1, −1, −128
  expect([...q8.subarray(0, 4)]).toEqual([0.5, -0.5, -64, 0]);
  const q4 = blockOf("q4_0", (b) => b.set([0, 0x38, 0xf0])); // byte 0: element 0 is 0, element 16 is 15
  expect([q4[0], q4[16], q4[1]]).toEqual([-4, 3.5, -4]);
  const q41 = blockOf("q4_1", (b) => b.set([0, 0x38, 0, 0xc0, 0x21])); // m = −2
  expect([q41[0], q41[16], q41[1]]).toEqual([-1.5, -1, -2]);
  // Block 5 of 8: scale 0b10_0011 (low bits in byte 4 + 9, high in 4 + 1), minimum 0b01_0101; its quants are the upper halves of bytes 16 + 64 on.
  const q4K = blockOf("q4_K", (b) => {
    b.set([0, 0x38, 0, 0xc0]);
    [b[4 + 1], b[4 + 5], b[4 + 9], b[16 + 64]] = [2 << 6, 1 << 6, 0x53, 0x70];
  });
  expect(q4K[5 * 32]).toBe(0.5 * 35 * 7 - -2 * 21);
  expect(q4K[4 * 32]).toBe(0);
  // Element 128 + 64 + 5: low bits in the upper half of byte 64 + 5, high bits 4 and 5 of byte 128 + 32 + 5, scale 12.
  const q6K = blockOf("q6_K", (b) => {
    [b[64 + 5], b[128 + 32 + 5], b[192 + 12], b[209]] = [0x90, 2 << 4, 253, 0x38];
  });
  expect(q6K[128 + 64 + 5]).toBe(0.5 * -3 * (9 + 32 - 32));
});

test("what is no weight or no block is refused", () => {
  expect(() => dequantise("i32", new Uint8Array(4))).toThrow("[tensor] i32 is no layout of weights");
  expect(() => dequantise("q8_0", new Uint8Array(33))).toThrow("[tensor] 33 bytes are not whole blocks of q8_0, which have 34");
});

test("what is quantised is rounded to nearest, and comes back as it is the second time", () => {
  const halves = [1, -1 - 2 ** -11, 1 + 3 * 2 ** -11, 65519, 65520, 2 ** -25, 3 * 2 ** -25, -0, Number.NaN, 2047.9999 * 2 ** -11];
  const [f16, again] = twice("f16", halves);
  expect([...f16]).toEqual([1, -1, 1 + 2 ** -9, 65504, Number.POSITIVE_INFINITY, 0, 2 ** -23, -0, Number.NaN, 1]);
  expect([...again]).toEqual([...f16]);
  const rng = new Rng(3);
  const blocks = Array.from({ length: 64 }, (_, i) => rng.normal() * (i < 32 ? 1 : 1e-4));
  const [q8, same] = twice("q8_0", blocks);
  q8.forEach((x, i) => void expect(Math.abs(x - blocks[i]!)).toBeLessThan((i < 32 ? 4 : 4e-4) / 127));
  expect([...same]).toEqual([...q8]);
  expect([...twice("q8_0", blocks.with(5, Number.POSITIVE_INFINITY))[0]].map(Number.isNaN)).toEqual(blocks.map((_, i) => i < 32));
  expect([...twice("f32", [0.1])[1]]).toEqual([Math.fround(0.1)]);
});

function twice(dtype: StateDType, values: readonly number[]): readonly [Float64Array, Float64Array] {
  const once = dequantise(dtype, quantise(dtype, Float64Array.from(values)));
  return [once, dequantise(dtype, quantise(dtype, once))];
}
