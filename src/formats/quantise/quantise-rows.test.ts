// gguf-py as the judge of the layouts that have one way to be written (test/goldens/quantised_blocks.py), and a plain rounding as that of super-blocks.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dequantise, elementLayouts, Rng } from "../../base/index.ts";
import { quantiseRows, type WritableDType, writableDTypes } from "./index.ts";

const golden: Readonly<Record<string, string>> = JSON.parse(
  readFileSync(new URL("../../../test/goldens/quantised-blocks.golden.json", import.meta.url), "utf8"),
);
const bytesOf = (name: string) => new Uint8Array(Buffer.from(golden[name] ?? "", "base64"));
const rows = new Float32Array(bytesOf("rows").buffer);
const simple = writableDTypes.filter((dtype) => dtype in golden);

test("gguf-py has written every simple layout", () => {
  expect(simple).toEqual(["f16", "bf16", "q8_0", "q4_0", "q4_1", "q5_0", "q5_1"]);
});

test.each(simple)("%s has gguf-py's bytes, of ordinary and odd rows", (dtype) => {
  const made = quantiseRows(dtype, { values: rows, columns: 32 });
  const wanted = bytesOf(dtype);
  expect(made.length).toBe(wanted.length);
  const { bytes } = elementLayouts[dtype];
  const differ = [...made.keys()].filter((i) => made[i] !== wanted[i]).map((i) => `byte ${i % bytes} of block ${Math.floor(i / bytes)}`);
  expect(differ).toEqual([]);
});

/** The root of the mean weighted square of what a layout makes of rows. */
function errorOf(dtype: WritableDType, bytes: Uint8Array, values: Float32Array, weight: (i: number) => number = () => 1): number {
  return Math.sqrt(dequantise(dtype, bytes).reduce((sum, x, i) => sum + weight(i) * (x - values[i]!) ** 2, 0) / values.length);
}

const kinds = {
  normal: (rng: Rng) => 0.02 * rng.normal(),
  heavy: (rng: Rng) => 0.02 * rng.normal() ** 3,
  positive: (rng: Rng) => rng.uniform(),
  negative: (rng: Rng) => -rng.uniform(),
} as const;

/** What a block of 16 or 32 would lose with scales of float32 that just cover its range. */
function plainError(values: Float32Array, { count, quants, hasMinimum }: { count: number; quants: number; hasMinimum: boolean }): number {
  let sum = 0;
  for (let from = 0; from < values.length; from += count) {
    const block = values.subarray(from, from + count);
    const least = hasMinimum ? Math.min(0, ...block) : 0;
    const reach = hasMinimum ? Math.max(...block) - least : block.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    const scale = reach / (hasMinimum ? quants - 1 : quants / 2 - 1) || 1;
    sum += block.reduce((all, x) => all + (Math.round((x - least) / scale) * scale + least - x) ** 2, 0);
  }
  return Math.sqrt(sum / values.length);
}

const supers = [
  ["q4_K", { count: 32, quants: 16, hasMinimum: true }],
  ["q5_K", { count: 32, quants: 32, hasMinimum: true }],
  ["q6_K", { count: 16, quants: 64, hasMinimum: false }],
] as const;

test.each(supers)("%s loses less than plain rounding, though its scales have few bits", (dtype, form) => {
  for (const [kind, draw] of Object.entries(kinds)) {
    const rng = new Rng(1).fork(kind);
    const values = Float32Array.from({ length: 16 * 512 }, () => draw(rng));
    expect(errorOf(dtype, quantiseRows(dtype, { values, columns: 512 }), values), kind).toBeLessThan(plainError(values, form));
  }
});

test.each(supers)("%s lowers the error where it counts", (dtype) => {
  const rng = new Rng(2);
  const values = Float32Array.from({ length: 8 * 512 }, () => rng.normal());
  const importance = Float32Array.from({ length: 512 }, () => Math.exp(2 * rng.normal()));
  const weight = (i: number) => importance[i % 512]!;
  const error = (bytes: Uint8Array) => errorOf(dtype, bytes, values, weight);
  const made = error(quantiseRows(dtype, { values, columns: 512, importance }));
  expect(made).toBeLessThan(0.95 * error(quantiseRows(dtype, { values, columns: 512 })));
  // Columns that count nothing are not lost.
  const some = importance.map((w, i) => (i < 300 ? 0 : w));
  expect(errorOf(dtype, quantiseRows(dtype, { values, columns: 512, importance: some }), values)).toBeLessThan(0.2);
});

test.each(supers)("%s keeps blocks of one value, of none, and of very small ones", (dtype) => {
  for (const value of [0, 1, -3, 0.02]) {
    const made = dequantise(dtype, quantiseRows(dtype, { values: new Float32Array(256).fill(value), columns: 256 }));
    expect(Math.max(...made.map((x) => Math.abs(x - value))), `${value}`).toBeLessThanOrEqual(Math.abs(value) * 2 ** -7);
  }
  const tiny = Float32Array.from({ length: 256 }, (_, i) => (i - 128) * 1e-9);
  expect(dequantise(dtype, quantiseRows(dtype, { values: tiny, columns: 256 })).every((x) => Math.abs(x) < 1e-5)).toBe(true);
});

test("rows give the same bytes in one piece and in several", () => {
  const rng = new Rng(3);
  const values = Float32Array.from({ length: 6 * 256 }, () => rng.normal());
  const importance = Float32Array.from({ length: 256 }, () => rng.uniform());
  for (const dtype of writableDTypes) {
    const whole = quantiseRows(dtype, { values, columns: 256, importance });
    const pieces = [values.subarray(0, 256), values.subarray(256, 1024), values.subarray(1024)];
    expect(Buffer.concat(pieces.map((piece) => quantiseRows(dtype, { values: piece, columns: 256, importance }))), dtype).toEqual(
      Buffer.from(whole),
    );
  }
});

test("what a layout cannot hold is refused", () => {
  const values = new Float32Array(256);
  expect(() => quantiseRows("q4_K", { values, columns: 128 })).toThrow(
    "256 values in 128 columns are not rows of whole blocks of q4_K, which have 256",
  );
  expect(() => quantiseRows("q8_0", { values, columns: 512 })).toThrow("256 values in 512 columns are not rows");
  for (const [dtype, value] of [
    ["f16", 65520],
    ["q8_0", Number.NaN],
    ["q6_K", Number.POSITIVE_INFINITY],
  ] as const)
    expect(() => quantiseRows(dtype, { values: values.with(7, value), columns: 256 })).toThrow(
      `a value is ${value}, but ${dtype} holds numbers below 65520 alone: take bf16 or f32, or a model that did not diverge`,
    );
});
