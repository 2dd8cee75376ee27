// llama2.c's forms against transformers (test/goldens/llama2c.py), and its int8 form of a real model against the float32 one.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "./backend/index.ts";
import { CriaError, memorySource, Rng } from "./base/index.ts";
import { hfName, readLlama2c } from "./formats/index.ts";
import { openCpuBackend } from "./host/index.ts";
import { generateTokens, SequenceModel } from "./infer/index.ts";
import { type OpenModel, openModel } from "./load/index.ts";
import { sharedData } from "./load/shared-data.test.helper.ts";
import { type LlamaConfig, parameterRows } from "./model/index.ts";
import { expectSaid, readGolden, type Said, unpack } from "./said.test.helper.ts";

const { prompt, models } = readGolden<{ prompt: readonly number[]; models: readonly (Said & { readonly file: string })[] }>("llama2c");
const stories = sharedData("stories260K");
if (stories === undefined) console.warn("skipped: stories260K in int8, its folder is not here (CRIA_DATA)");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-llama2c-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(models)("$name", (said) => {
  test("logits, and greedy tokens", async () => {
    const path = join(folder, "model.bin");
    await writeFile(path, unpack(said.file));
    await using model = await openModel(path);
    await expectSaid(model, said, prompt);
    await expectSaid(model, said, prompt, await openCpuBackend({ threads: 1 }));
  });

  test("any part of a matrix is read, at any place", async () => {
    const path = join(folder, "parts.bin");
    await writeFile(path, unpack(said.file));
    await using model = await openModel(path);
    for (const row of parameterRows(model.config)) {
      const whole = await model.weights.read(row);
      const { source, start } = model.tensors.info(hfName(row.name));
      const bytes = new Uint8Array(whole.buffer);
      for (const [from, to] of [
        [0, 4],
        [3, 9],
        [4, 44],
        [17, bytes.length],
        [bytes.length - 5, bytes.length],
      ] as const)
        expect(await source.read(start + from, to - from)).toEqual(bytes.subarray(from, to));
    }
  });
});

test.skipIf(stories === undefined)("stories260K in int8 tells what it tells in float32", async () => {
  await using float = await openModel(join(stories!, "stories260K.bin"));
  const path = join(folder, "stories.bin");
  await writeFile(path, await inInt8(float, 64));
  await using int8 = await openModel(path);
  const backend = await openCpuBackend({ threads: 1 });
  const story = await greedy(backend, float, 150);
  const tokenizer = await float.openTokenizer(join(stories!, "tok512.bin"));
  expect(tokenizer.decode(story)).toMatch(/^Once upon a time, there was a little girl named Lily\./);
  expect(await greedy(backend, int8, 20)).toEqual(story.slice(0, 20));
  const [ofInt8, ofFloat] = [await meanLoss(backend, int8, story), await meanLoss(backend, float, story)];
  expect(Math.abs(ofInt8 - ofFloat)).toBeLessThan(0.01);
});

test("damaged files in int8 are read or refused", async () => {
  const file = unpack(models.find(({ name }) => name === "version 2, tied")!.file);
  const rng = new Rng(1);
  let refused = 0;
  for (let i = 0; i < 300; i++) {
    const bytes = file.slice(0, i % 5 === 0 ? rng.below(file.length) : file.length);
    for (let edits = rng.below(3); edits >= 0; edits--) bytes[rng.below(45)] = rng.below(4) === 0 ? rng.below(256) : rng.below(33);
    try {
      const { tensors } = await readLlama2c(memorySource("model.bin", bytes));
      for (const name of tensors.tensors.keys()) await tensors.readFloat32(name);
    } catch (error) {
      if (!(error instanceof CriaError)) throw error;
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(100);
});

async function greedy(backend: Backend, { config, weights }: OpenModel, maxTokens: number): Promise<number[]> {
  await using sequences = await SequenceModel.open(backend, config, weights);
  const ids: number[] = [];
  for await (const { id } of generateTokens(sequences, [1], { temperature: 0, maxTokens })) ids.push(id);
  return ids;
}

/** Nats per token of a text behind the begin-of-text token. */
async function meanLoss(backend: Backend, { config, weights }: OpenModel, text: readonly number[]): Promise<number> {
  await using sequences = await SequenceModel.open(backend, config, weights);
  const sequence = sequences.sequence();
  let sum = 0;
  for (const [i, id] of text.entries()) {
    const logits = await sequence.next([text[i - 1] ?? 1]);
    const most = Math.max(...logits);
    sum += most + Math.log(logits.reduce((total, logit) => total + Math.exp(logit - most), 0)) - (logits[id] ?? Number.NaN);
  }
  return sum / text.length;
}

/** The model as export.py writes it in version 2. */
async function inInt8({ config, tensors }: OpenModel, group: number): Promise<Uint8Array> {
  const header = Buffer.alloc(256);
  header.writeUInt32LE(0x616b3432, 0);
  sizes(config).forEach((size, i) => void header.writeInt32LE(size, 4 + 4 * i));
  header[36] = Number(config.tiedOutput);
  header.writeInt32LE(group, 37);
  const layered = (names: readonly string[]) =>
    names.flatMap((name) => Array.from({ length: config.nLayers }, (_, i) => `model.layers.${i}.${name}.weight`));
  const norms = [...layered(["input_layernorm", "post_attention_layernorm"]), "model.norm.weight"];
  const kinds = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.down_proj",
    "mlp.up_proj",
  ];
  const parts: ArrayBufferView[] = [header];
  for (const name of norms) parts.push(await tensors.readFloat32(name));
  for (const name of ["model.embed_tokens.weight", ...layered(kinds)]) parts.push(...inGroups(await tensors.readFloat32(name), group));
  return Buffer.concat(parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength)));
}

function sizes({ dim, hiddenDim, nLayers, nHeads, nKvHeads, vocabSize, contextLength }: LlamaConfig): number[] {
  return [2, dim, hiddenDim, nLayers, nHeads, nKvHeads, vocabSize, contextLength];
}

function inGroups(values: Float32Array, group: number): [Int8Array, Float32Array] {
  const scales = Float32Array.from(
    { length: values.length / group },
    (_, g) => Math.max(...values.subarray(g * group, (g + 1) * group).map(Math.abs)) / 127,
  );
  return [Int8Array.from(values, (value, i) => Math.round(value / (scales[Math.floor(i / group)] ?? 1))), scales];
}
