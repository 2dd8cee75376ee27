// Folders as transformers reads them: configs and generation settings with the tokens that transformers' generate() wrote (test/goldens/hugging_face.py).
import { readFileSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { referenceBackend } from "./backend/reference/index.ts";
import { atomicWrite, atomicWriteJson } from "./files/index.ts";
import { type TensorToWrite, writeSafetensors } from "./formats/index.ts";
import { Llama } from "./index.ts";
import { beamSearch, generateTokens, SequenceModel } from "./infer/index.ts";
import { openModel } from "./load/index.ts";
import { sharedCase } from "./load/shared-data.test.helper.ts";
import { goldenWeights } from "./model/goldens.test.helper.ts";

interface Golden {
  readonly prompt: readonly number[];
  readonly config: object;
  readonly parameters: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly offset: number;
    readonly scale: number;
  }[];
  readonly rope: readonly { readonly name: string; readonly config: object; readonly tokens: readonly number[] }[];
  readonly dumps: { readonly config: object; readonly generation: object };
  readonly beams: readonly {
    readonly settings: {
      readonly num_beams: number;
      readonly max_new_tokens: number;
      readonly length_penalty?: number;
      readonly early_stopping?: boolean;
      readonly eos_token_id: number | readonly number[];
    };
    readonly texts: readonly (readonly number[])[];
    readonly scores: readonly number[];
  }[];
  readonly generation: readonly { readonly name: string; readonly settings: object; readonly tokens: readonly number[] }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../test/goldens/hugging-face.golden.json", import.meta.url), "utf8"));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-hugging-face-"));
  const weights = goldenWeights(golden);
  const tensors = golden.parameters.map(({ name, shape }): TensorToWrite => ({ name, dtype: "F32", shape, data: weights.get(name)! }));
  await atomicWrite(join(folder, "model.safetensors"), writeSafetensors(tensors, { format: "pt" }));
});
afterAll(() => rm(folder, { recursive: true }));

/** What the folder's model writes after the prompt, by the folder's own settings. */
async function written(config: object, settings: object): Promise<number[]> {
  await atomicWriteJson(join(folder, "config.json"), config);
  await atomicWriteJson(join(folder, "generation_config.json"), settings);
  await using model = await openModel(folder);
  expect(model.warnings).toEqual([]);
  await using sequences = await SequenceModel.open(referenceBackend(), model.config, model.weights);
  const tokens: number[] = [];
  const stopIds = model.namedEnds({} as Parameters<typeof model.namedEnds>[0]);
  for await (const { id } of generateTokens(sequences, golden.prompt, { ...model.generation, stopIds })) tokens.push(id);
  return tokens;
}

describe("RoPE's numbers, wherever a config has them", () => {
  test.each(golden.rope)("$name", async ({ config, tokens }) => {
    expect(await written(config, { do_sample: false, max_new_tokens: 16, eos_token_id: 2 })).toEqual(tokens);
  });

  test("the goldens tell the three kinds apart", () => {
    expect(new Set(golden.rope.map(({ tokens }) => tokens.join(" "))).size).toBe(3);
  });
});

describe("generation_config.json", () => {
  test.each(golden.generation)("$name", async ({ settings, tokens }) => {
    expect(await written(golden.config, settings)).toEqual(tokens);
  });
});

describe("beam search", () => {
  test.each(golden.beams)("finds what transformers finds with $settings", async ({ settings, texts, scores }) => {
    await atomicWriteJson(join(folder, "config.json"), golden.config);
    await using model = await openModel(folder);
    await using sequences = await SequenceModel.open(referenceBackend(), model.config, model.weights);
    const {
      num_beams: beams,
      max_new_tokens: maxTokens,
      length_penalty: lengthPenalty = 1,
      early_stopping: earlyStopping = false,
    } = settings;
    const options = { beams, maxTokens, lengthPenalty, earlyStopping, stopIds: [settings.eos_token_id].flat() };
    const found = await beamSearch(sequences, golden.prompt, options);
    expect(found.map(({ ids }) => ids)).toEqual(texts);
    for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(scores[i]!, 4);
  });
});

test("documents with every key that transformers knows, at its defaults, say nothing that cria does not follow", async () => {
  const { config, generation } = golden.dumps;
  expect(Object.keys(config).length + Object.keys(generation).length).toBeGreaterThan(90);
  expect(await written(config, { ...generation, max_new_tokens: 9 })).toEqual(golden.rope[0]!.tokens.slice(0, 9));
});

const ropeCase = sharedCase("01-rope-theta-precedence");
const nullCase = sharedCase("02-safetensors-metadata-null/model");
if (ropeCase === undefined) console.warn("skipped: the shared case of RoPE's numbers, its folder is not here (CRIA_CASES)");
if (nullCase === undefined) console.warn("skipped: the shared case of null metadata, its folder is not here (CRIA_CASES)");

/** Ten greedy tokens after a prompt. */
async function tenTokens(path: string): Promise<number[]> {
  await using llama = await Llama.load(path, { backend: referenceBackend() });
  const tokens: number[] = [];
  for await (const { id } of llama.pieces("the king said unto", { temperature: 0, maxTokens: 10, stopIds: [] })) tokens.push(id);
  return tokens;
}

test.skipIf(ropeCase === undefined).each([
  ["a", [327, 295, 295, 295, 295, 295, 302, 228, 32, 118]],
  ["b", [327, 295, 295, 295, 295, 295, 302, 228, 32, 118]],
  ["c", [327, 295, 295, 295, 295, 295, 302, 228, 32, 118]],
  ["d", [186, 295, 259, 8, 223, 249, 295, 295, 208, 44]],
])("the shared case with config-%s.json", async (name, tokens) => {
  const copy = await mkdtemp(join(tmpdir(), "cria-case-"));
  try {
    await cp(join(ropeCase!, "base"), copy, { recursive: true });
    await writeFile(join(copy, "config.json"), readFileSync(join(ropeCase!, `config-${name}.json`)));
    expect(await tenTokens(copy)).toEqual(tokens);
  } finally {
    await rm(copy, { recursive: true });
  }
});

test.skipIf(nullCase === undefined)("the shared case whose weights have null for metadata", async () => {
  expect(await tenTokens(nullCase!)).toEqual([291, 327, 231, 207, 223, 45, 230, 295, 295, 295]);
});
