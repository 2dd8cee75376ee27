import { expect, test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { memoryTokens } from "../batches/index.ts";
import { initialise, llamaConfig, parameterRows, type WeightSource } from "../model/index.ts";
import { HeldModel } from "./index.ts";

const config = llamaConfig({ vocabSize: 20, dim: 8, nLayers: 2, nHeads: 2, hiddenDim: 12, contextLength: 16, qkvBias: true });
const values = initialise(parameterRows(config), 3);
const gains = Float32Array.from({ length: 8 }, (_, i) => 0.5 + i / 4);
values.set("layers.0.attentionNorm.gain", gains);
const weights: WeightSource = { read: async ({ name }) => values.get(name)! };
// More than two windows, the last of which is filled up with rows that do not count.
const ids = Int32Array.from({ length: 41 }, (_, i) => (7 * i * i + 3) % 20);

test("the mean squares of what the first layer reads are those of the normalised embedding", async () => {
  using held = await HeldModel.load(referenceBackend(), { config, weights });
  const found = await held.meanSquares({ tokens: memoryTokens(ids), bytes: 41 });
  const table = values.get("embedding")!;
  const sums = new Float64Array(8);
  for (const id of ids.subarray(0, 40)) {
    const row = table.subarray(8 * id, 8 * id + 8);
    const square = row.reduce((sum, x) => sum + x * x, 0) / 8 + config.normEpsilon;
    for (let i = 0; i < 8; i++) sums[i]! += (row[i]! * gains[i]!) ** 2 / square;
  }
  const wanted = Array.from(sums, (sum) => sum / 40);
  for (const name of ["query", "key", "value"])
    found.get(`layers.0.attention.${name}`)!.forEach((x, i) => void expect(x / wanted[i]!).toBeCloseTo(1, 5));
});

test("every linear layer but the output has one number per column", async () => {
  using held = await HeldModel.load(referenceBackend(), { config, weights });
  const found = await held.meanSquares({ tokens: memoryTokens(ids), bytes: 41 }, { tokens: 16 });
  const matrices = parameterRows(config).filter(({ name, shape }) => shape.length === 2 && name !== "embedding" && name !== "output");
  expect([...found].map(([name, squares]) => [name, squares.length]).toSorted()).toEqual(
    matrices.map(({ name, shape }) => [name, shape[1]]).toSorted(),
  );
  for (const squares of found.values()) expect(squares.every((x) => x > 0)).toBe(true);
});

test("an abort ends it, and a text without two tokens is refused", async () => {
  using held = await HeldModel.load(referenceBackend(), { config, weights });
  const text = { tokens: memoryTokens(ids), bytes: 41 };
  await expect(held.meanSquares(text, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  await expect(held.meanSquares({ tokens: memoryTokens(ids.subarray(0, 1)), bytes: 1 })).rejects.toThrow("it needs at least 2");
});
