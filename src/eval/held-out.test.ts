import { expect, test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { Rng } from "../base/index.ts";
import { memoryTokens, type Tokens } from "../batches/index.ts";
import { initialise, llamaConfig, parameterRows } from "../model/index.ts";
import { bitsPerByte } from "./bits-per-byte.ts";
import { HeldOutEvaluator } from "./held-out.ts";
import { spreadBatches } from "./spread-batches.ts";

const config = llamaConfig({ vocabSize: 11, dim: 8, nLayers: 1, nHeads: 2, hiddenDim: 12, contextLength: 8 });
const text = (length: number): Tokens => {
  const rng = new Rng(2);
  return memoryTokens(Int32Array.from({ length }, () => rng.below(11)));
};

async function openEvaluator(size: { batch: number; length: number }) {
  const backend = referenceBackend();
  const buffers = new Map();
  const evaluator = await HeldOutEvaluator.open(backend, config, size, buffers);
  for (const [name, values] of initialise(parameterRows(config), 1)) await buffers.get(name).write(values);
  return evaluator;
}

test("bits per byte: one byte per token at the loss of a fair coin is one bit", () => {
  expect(bitsPerByte(Math.LN2, { tokens: 100, bytes: 100 })).toBeCloseTo(1, 12);
  expect(bitsPerByte(3 * Math.LN2, { tokens: 100, bytes: 400 })).toBeCloseTo(0.75, 12);
  expect(() => bitsPerByte(1, { tokens: 1, bytes: 0 })).toThrow("[eval] the text has 0 bytes");
});

test("every token counts once, however windows fall into batches", async () => {
  const held = { tokens: text(46), bytes: 90 }; // 45 predicted: five windows of eight and five tokens
  const seen = [];
  using one = await openEvaluator({ batch: 1, length: 8 });
  using four = await openEvaluator({ batch: 4, length: 8 });
  for (const evaluator of [one, four]) seen.push(await evaluator.evaluate(held));
  expect(seen[0]!.tokens).toBe(45);
  expect(seen[1]!.tokens).toBe(45);
  expect(seen[1]!.loss).toBeCloseTo(seen[0]!.loss, 6);
  expect(seen[0]!.loss).toBeCloseTo(Math.log(11), 1); // untrained: nearly even
  expect(seen[0]!.perplexity).toBeCloseTo(Math.exp(seen[0]!.loss), 12);
  expect(seen[0]!.bitsPerByte).toBeCloseTo((seen[0]!.loss * 45) / 90 / Math.LN2, 12);
});

test("a sample is whole windows at even distances over the whole text", async () => {
  const tokens = text(8 * 100 + 3);
  const starts: number[][] = [];
  const read = (first: number, count: number) => {
    starts.push([first, count]);
    return tokens.read(first, count);
  };
  const counts: number[] = [];
  for await (const batch of spreadBatches({ length: tokens.length, read }, { batch: 4, length: 8 }, 41)) counts.push(batch.count);
  expect(counts).toEqual([32, 16]);
  expect(starts).toEqual([0, 16, 33, 50, 66, 83].map((window) => [8 * window, 9]));
});

test("it reports how far it is, stops when told, and refuses a text of one token", async () => {
  using evaluator = await openEvaluator({ batch: 2, length: 4 });
  const done: number[] = [];
  await evaluator.evaluate({ tokens: text(30), bytes: 1 }, { progress: (event) => done.push(event.done) });
  expect(done).toEqual([8, 16, 24, 29]);
  const stopped = evaluator.evaluate({ tokens: text(30), bytes: 1 }, { signal: AbortSignal.abort(new Error("enough")) });
  await expect(stopped).rejects.toThrow("enough");
  await expect(evaluator.evaluate({ tokens: text(1), bytes: 1 })).rejects.toThrow("[eval] the held-out text has 1 tokens");
});
