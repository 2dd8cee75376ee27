// Folders as transformers' save_pretrained writes them, of every scaling, type and class, to the text that it writes with them, beyond the length
// that a scaling was trained for (test/goldens/hf_folders.py); and out again as folders of ours.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "./backend/index.ts";
import { referenceBackend } from "./backend/reference/index.ts";
import { writeHfFolder } from "./convert/index.ts";
import { floatTypes } from "./formats/index.ts";
import { openCpuBackend } from "./host/index.ts";
import { mostProbable, SequenceModel } from "./infer/index.ts";
import { type OpenModel, openModel } from "./load/index.ts";
import { parameterRows } from "./model/index.ts";
import { readGolden, unpack } from "./said.test.helper.ts";

interface Text {
  readonly prompt: readonly number[];
  /** Greedy, with a cache. */
  readonly tokens: readonly number[];
  /** The logits before the first token, and before the last, as base64 of little-endian float32. */
  readonly first: string;
  readonly last: string;
}

interface Folder {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly texts: readonly Text[];
}

const { models } = readGolden<{ models: readonly Folder[] }>("hf-folders");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-hf-"));
  for (const [i, { files }] of models.entries())
    for (const [name, file] of Object.entries(files)) await writeFile(join(await made(i), name), unpack(file));
});
afterAll(() => rm(folder, { recursive: true }));

async function made(i: number): Promise<string> {
  const path = join(folder, String(i));
  await mkdir(path, { recursive: true });
  return path;
}

describe.each([
  { backend: "reference", open: (): Backend | Promise<Backend> => referenceBackend() },
  { backend: "cpu", open: () => openCpuBackend({ threads: 1 }) },
])("$backend", ({ open }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open();
  });
  afterAll(() => backend.dispose());

  test.each(models.map((one, i) => ({ ...one, i })))("$name: the text that transformers writes", async ({ i, texts }) => {
    await using model = await openModel(await made(i));
    expect(model.warnings).toEqual([]);
    const scaling = model.config.ropeScaling;
    for (const text of texts) {
      if ("originalLength" in scaling) expect(text.prompt.length + text.tokens.length).toBeGreaterThan(scaling.originalLength);
      await expectText(backend, model, text);
    }
  });
});

async function expectText(backend: Backend, { config, weights }: OpenModel, { prompt, tokens, first, last }: Text): Promise<void> {
  await using sequences = await SequenceModel.open(backend, config, weights);
  const sequence = sequences.sequence();
  let logits: Float32Array = new Float32Array();
  for (const [i, token] of tokens.entries()) {
    logits = await sequence.next(i === 0 ? prompt : tokens.slice(i - 1, i));
    if (i === 0) expectClose(logits, first);
    expect(mostProbable(logits), `token ${i}`).toBe(token);
  }
  expectClose(logits, last);
}

/** The logits differ by less than 1e-4 of the largest. */
function expectClose(found: Float32Array, base64: string): void {
  const expected = new Float32Array(Uint8Array.from(Buffer.from(base64, "base64")).buffer);
  expect(found.length).toBe(expected.length);
  const most = Math.max(...expected.map(Math.abs));
  expect(Math.max(...found.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)))) / most).toBeLessThan(1e-4);
}

test.each(models.map((one, i) => ({ ...one, i })))("$name: written and opened again, it is the same model", async ({ i, name }) => {
  const isWide = i % 3 === 0;
  const type = isWide ? "float32" : floatTypes.find((one) => name.endsWith(one));
  await using model = await openModel(await made(i));
  const path = join(folder, `${i}-written`);
  const { files } = await writeHfFolder(path, model, { type: type ?? "float32", maxShardBytes: isWide ? 6000 : 1e9 });
  await using again = await openModel(path);
  expect(again.config).toEqual(model.config);
  expect(again.warnings).toEqual([]);
  expect([...files.keys()].filter((file) => file.endsWith(".safetensors")).length > 1).toBe(isWide);
  for (const row of parameterRows(model.config)) expect(await again.weights.read(row), row.name).toEqual(await model.weights.read(row));
});
