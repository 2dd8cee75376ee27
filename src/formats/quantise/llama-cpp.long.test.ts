// llama.cpp's own quantisers (ggml_quantize_chunk of the libggml-base that node-llama-cpp ships) as the judge of super-blocks: the error is at most
// 1.02 times theirs, with an importance of columns and without; the simple blocks are the same bytes. Skipped where bench/peers is not installed.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { dequantise, elementLayouts, Rng } from "../../base/index.ts";
import { quantiseRows } from "./index.ts";

const folder = `../../../bench/peers/node_modules/@node-llama-cpp/${process.platform}-${process.arch}/bins/${process.platform}-${process.arch}/`;
const library = fileURLToPath(new URL(`${folder}libggml-base.so`, import.meta.url));
/** Numbers that ggml has for its layouts. */
const types = { q4_0: 2, q4_1: 3, q5_0: 6, q5_1: 7, q8_0: 8, q4_K: 12, q5_K: 13, q6_K: 14 } as const;
const supers = ["q4_K", "q5_K", "q6_K"] as const;
const [rows, columns] = [64, 1024];

const kinds = {
  normal: (rng: Rng) => 0.02 * rng.normal(),
  heavy: (rng: Rng) => 0.02 * rng.normal() ** 3,
  uniform: (rng: Rng) => rng.uniform() - 0.5,
  positive: (rng: Rng) => rng.uniform(),
  sparse: (rng: Rng) => (rng.below(8) === 0 ? rng.normal() : 0),
} as const;

/** Rows in a layout, by llama.cpp. */
type Quantise = (dtype: keyof typeof types, values: Float32Array, importance?: Float32Array) => Uint8Array;

async function llamaCpp(): Promise<Quantise> {
  const { default: koffi } = await import("koffi");
  const base = koffi.load(library);
  const chunk = base.func("size_t ggml_quantize_chunk(int, const float *, _Out_ uint8_t *, int64_t, int64_t, int64_t, const float *)");
  const init = base.func("void ggml_quantize_init(int)");
  return (dtype, values, importance) => {
    const { block, bytes } = elementLayouts[dtype];
    const out = new Uint8Array((values.length / block) * bytes);
    init(types[dtype]);
    chunk(types[dtype], values, out, 0, values.length / columns, columns, importance ?? null);
    return out;
  };
}

describe.skipIf(!existsSync(library))("beside llama.cpp", () => {
  const values = (draw: (rng: Rng) => number) => {
    const rng = new Rng(11);
    return Float32Array.from({ length: rows * columns }, () => draw(rng));
  };

  test.each(Object.entries(kinds))("of %s numbers", async (_, draw) => {
    const theirs = await llamaCpp();
    const matrix = values(draw);
    for (const dtype of ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0"] as const)
      expect(Buffer.compare(quantiseRows(dtype, { values: matrix, columns }), theirs(dtype, matrix)), dtype).toBe(0);
    const rng = new Rng(12);
    const some = Float32Array.from({ length: columns }, () => Math.exp(2 * rng.normal()));
    for (const dtype of supers)
      for (const importance of [undefined, some]) {
        const weight = (i: number) => importance?.[i % columns] ?? 1;
        const error = (bytes: Uint8Array) =>
          Math.sqrt(dequantise(dtype, bytes).reduce((sum, x, i) => sum + weight(i) * (x - matrix[i]!) ** 2, 0));
        const ratio = error(quantiseRows(dtype, { values: matrix, columns, importance })) / error(theirs(dtype, matrix, importance));
        expect(ratio, `${dtype} ${importance ? "weighted" : "plain"}`).toBeLessThanOrEqual(1.02);
      }
  });
});
