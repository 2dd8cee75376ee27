// GGUF files as gguf-py writes them, to the logits and tokens that transformers computes with the same weights (test/goldens/gguf_models.py).
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "./backend/index.ts";
import { referenceBackend } from "./backend/reference/index.ts";
import { openCpuBackend } from "./host/index.ts";
import { Llama } from "./index.ts";
import { generateTokens, SequenceModel } from "./infer/index.ts";
import { openModel } from "./load/index.ts";
import { sharedData } from "./load/shared-data.test.helper.ts";

interface GoldenModel {
  readonly name: string;
  readonly file: string;
  /** [4, V], rows {@link rowsKept} of the prompt, as base64 of little-endian float32. */
  readonly logits: string;
  readonly tokens: readonly number[];
}

const golden: { readonly prompt: readonly number[]; readonly models: readonly GoldenModel[] } = JSON.parse(
  readFileSync(new URL("../test/goldens/gguf-models.golden.json", import.meta.url), "utf8"),
);
const { prompt, models } = golden;
const rowsKept = [0, 7, 15, 20];

function open({ file }: GoldenModel) {
  return openModel(fileURLToPath(new URL(`../test/goldens/gguf-models/${file}`, import.meta.url)));
}

describe.each([
  { backend: "reference", openBackend: (): Backend | Promise<Backend> => referenceBackend() },
  { backend: "machine code, which maps files", openBackend: () => openCpuBackend({ threads: 1 }) },
  { backend: "wasm, which copies them", openBackend: () => openCpuBackend({ threads: 1, target: "wasm" }) },
])("$backend", ({ openBackend }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await openBackend();
  });
  afterAll(() => backend.dispose());

  test.each(models)("$name: logits, and greedy tokens", async (one) => {
    await using model = await open(one);
    expect(model.warnings).toEqual([]);
    // Quantised matrices are multiplied by activations of 8 bits, where the judge has floats: logits are near its own, and a greedy text soon another one.
    const isQuantised = one.name === "types";
    const { largest, written } = await differences(backend, model, one);
    expect(largest).toBeLessThan(isQuantised ? 0.03 : 1e-4);
    if (!isQuantised) expect(written).toEqual(one.tokens);
  });
});

const random = sharedData("conformance/ollama/llama-2-tiny-random.gguf");

/** The ids are transformers' (5.24), in float64. */
test.skipIf(random === undefined)("llama-2-tiny-random of ollama's tests runs (skipped where CRIA_DATA is absent)", async () => {
  await using llama = await Llama.load(random!, { contextLength: 64 });
  const ids: number[] = [];
  for await (const { id } of llama.pieces("Once upon a time", { temperature: 0, maxTokens: 9, stopIds: [] })) ids.push(id);
  expect([...llama.promptIds("Once upon a time"), ...ids]).toEqual([
    ...[1, 9038, 2501, 263, 931],
    ...[17196, 5211, 21440, 25431, 7455, 3285, 29710, 4660, 29509],
  ]);
});

/** The largest difference of a logit, by the largest logit, and the tokens that are written greedily. */
async function differences(
  backend: Backend,
  { config, weights }: Awaited<ReturnType<typeof open>>,
  { logits, tokens }: GoldenModel,
): Promise<{ readonly largest: number; readonly written: readonly number[] }> {
  await using sequences = await SequenceModel.open(backend, config, weights);
  const all = new Float32Array(Uint8Array.from(Buffer.from(logits, "base64")).buffer);
  const scale = all.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let largest = 0;
  for (const [i, row] of rowsKept.entries()) {
    const found = await sequences.sequence().next(prompt.slice(0, row + 1));
    const expected = all.subarray(i * config.vocabSize, (i + 1) * config.vocabSize);
    for (let id = 0; id < expected.length; id++) largest = Math.max(largest, Math.abs(found[id]! - expected[id]!) / scale);
  }
  const written: number[] = [];
  for await (const { id } of generateTokens(sequences, prompt, { temperature: 0, maxTokens: tokens.length })) written.push(id);
  return { largest, written };
}
