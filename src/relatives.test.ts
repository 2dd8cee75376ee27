// LLaMA's relatives, from folders as transformers writes them to the logits and tokens that it computes (test/goldens/relatives.py).
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "./backend/index.ts";
import { referenceBackend } from "./backend/reference/index.ts";
import { atomicWrite, atomicWriteJson } from "./files/index.ts";
import { readHfConfig, type TensorToWrite, writeHfConfig, writeSafetensors } from "./formats/index.ts";
import { openCpuBackend } from "./host/index.ts";
import { generateTokens, SequenceModel } from "./infer/index.ts";
import { openModel } from "./load/index.ts";
import { goldenWeights } from "./model/goldens.test.helper.ts";

interface Relative {
  readonly name: string;
  readonly config: object;
  readonly parameters: Parameters<typeof goldenWeights>[0]["parameters"];
  /** [T, V] of the prompt, as base64 of little-endian float32. */
  readonly logits: string;
  readonly tokens: readonly number[];
}

const golden: { readonly prompt: readonly number[]; readonly models: readonly Relative[] } = JSON.parse(
  readFileSync(new URL("../test/goldens/relatives.golden.json", import.meta.url), "utf8"),
);
const { prompt, models } = golden;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-relatives-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function open(relative: Relative) {
  const weights = goldenWeights(relative);
  const tensors = relative.parameters.map(
    ({ name, shape }): TensorToWrite => ({ name, dtype: "F32", shape, data: weights.get(name) ?? new Float32Array() }),
  );
  await atomicWrite(join(folder, "model.safetensors"), writeSafetensors(tensors, { format: "pt" }));
  await atomicWriteJson(join(folder, "config.json"), relative.config);
  return openModel(folder);
}

describe.each([
  { backend: "reference", openBackend: (): Backend | Promise<Backend> => referenceBackend() },
  { backend: "cpu", openBackend: () => openCpuBackend({ threads: 1 }) },
])("$backend", ({ openBackend }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await openBackend();
  });
  afterAll(() => backend.dispose());

  test.each(models)("$name: logits of every row, and greedy tokens", async (relative) => {
    await using model = await open(relative);
    expect(model.warnings).toEqual([]);
    await using sequences = await SequenceModel.open(backend, model.config, model.weights);
    const expected = rowsOf(relative.logits, model.config.vocabSize);
    for (const length of [1, 6, prompt.length]) {
      const logits = await sequences.sequence().next(prompt.slice(0, length));
      expect(largestDifference(logits, expected[length - 1] ?? [])).toBeLessThan(1e-4);
    }
    const tokens: number[] = [];
    for await (const { id } of generateTokens(sequences, prompt, { temperature: 0, maxTokens: relative.tokens.length })) tokens.push(id);
    expect(tokens).toEqual(relative.tokens);
  });
});

test.each(models)("$name: the config is written in its own words", async ({ config }) => {
  const { config: read } = readHfConfig("config.json", JSON.stringify(config));
  const written = writeHfConfig({ config: read, eosTokenIds: [2], bosTokenId: 1 });
  const again = readHfConfig("config.json", JSON.stringify(written));
  expect(again.config).toEqual(read);
  expect(written.model_type === (config as { model_type: string }).model_type || written.model_type === "llama").toBe(true);
});

function rowsOf(base64: string, width: number): Float32Array[] {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  const all = new Float32Array(bytes.buffer);
  return Array.from({ length: all.length / width }, (_, row) => all.subarray(row * width, (row + 1) * width));
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? Number.NaN))));
}
