// node-llama-cpp as the judge of the GGUFs that are written: the same tokens, the same template. Skipped where bench/peers is not installed.
import { existsSync, readdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { referenceBackend } from "../backend/reference/index.ts";
import { type FileType, fileTypeNumber, fileTypes, ggufName, layoutFor } from "../formats/index.ts";
import { Llama, openModel } from "../index.ts";
import { sharedData } from "../load/shared-data.test.helper.ts";
import { tinyChatTemplate, withFolder } from "../load/tiny-model.test.helper.ts";
import { parameterRows } from "../model/index.ts";
import { convertModel } from "./index.ts";
import { variants, writeVariant } from "./variants.test.helper.ts";

const peer = fileURLToPath(new URL("../../bench/peers/node_modules/node-llama-cpp/dist/index.js", import.meta.url));

/** What is used of node-llama-cpp 3.22. */
interface Peer {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<PeerModel>; dispose(): Promise<void> }>;
}
interface PeerModel {
  readonly fileInfo: { readonly metadata: { readonly tokenizer: { readonly chat_template?: string } } };
  createContext(options: object): Promise<{ getSequence(): { evaluate(ids: number[], options: object): AsyncIterable<number> } }>;
  dispose(): Promise<void>;
}

let llama: Awaited<ReturnType<Peer["getLlama"]>> | undefined;

/** The most probable tokens behind others, and the template in the file. */
async function byLlamaCpp(path: string, ids: readonly number[], count: number) {
  const model = await llama!.loadModel({ modelPath: path, gpuLayers: 0 });
  // Keys and values in half precision, as they are by default, would round more than two implementations differ by.
  const cache = { experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32" };
  const context = await model.createContext({ contextSize: 128, threads: 1, flashAttention: false, ...cache });
  const found: number[] = [];
  for await (const id of context.getSequence().evaluate([...ids], { temperature: 0 })) if (found.push(id) >= count) break;
  const template = model.fileInfo.metadata.tokenizer.chat_template;
  await model.dispose();
  return { ids: found, template };
}

async function byCria(path: string, prompt: string, count: number) {
  await using own = await Llama.load(path, { backend: referenceBackend() });
  const ids: number[] = [];
  for await (const { id } of own.pieces(prompt, { temperature: 0, maxTokens: count, stopIds: [] })) ids.push(id);
  return { prompt: [...own.promptIds(prompt)], ids };
}

const system = `${process.platform}-${process.arch}`;
const libraries = fileURLToPath(new URL(`../../bench/peers/node_modules/@node-llama-cpp/${system}/bins/${system}`, import.meta.url));

/** llama.cpp's own way from a GGUF of float32 to one of another type (llama.h, llama_model_quantize). */
async function quantiser(): Promise<(from: string, to: string, type: FileType) => number> {
  const { default: koffi } = await import("koffi");
  const [base, ggml, llamaLibrary] = [/^libggml-base\./, /^libggml\./, /^libllama\./].map((name) => {
    const file = readdirSync(libraries).find((one) => name.test(one)) ?? "";
    return koffi.load(join(libraries, file));
  });
  expect(base && ggml).toBeDefined();
  const params = koffi.struct({
    ...{ nthread: "int", ftype: "int", output_tensor_type: "int", token_embedding_type: "int" },
    ...{ allow_requantize: "bool", quantize_output_tensor: "bool", only_copy: "bool", pure: "bool", keep_split: "bool", dry_run: "bool" },
    ...{ imatrix: "void *", kv_overrides: "void *", tt_overrides: "void *", prune_layers: "void *", max_buf_size: "size_t" },
  });
  const usual = llamaLibrary!.func("llama_model_quantize_default_params", params, []);
  const quantize = llamaLibrary!.func("llama_model_quantize", "uint32_t", ["str", "str", koffi.pointer(params)]);
  return (from, to, type) => quantize(from, to, { ...usual(), nthread: 1, ftype: fileTypeNumber(type) });
}

describe.skipIf(!existsSync(peer))("beside node-llama-cpp", () => {
  beforeAll(async () => {
    const { getLlama } = (await import(peer)) as Peer;
    llama = await getLlama({ gpu: false, build: "never", logLevel: "error", progressLogs: false });
  });
  afterAll(() => llama?.dispose());

  test.each(variants)("$name: the same tokens", async ({ parts }) => {
    await withFolder(async (folder) => {
      const source = join(folder, "source");
      await mkdir(source);
      await writeVariant(source, parts);
      const path = join(folder, "model.gguf");
      await convertModel(source, path);
      const { prompt, ids } = await byCria(source, "ab a ba bab aa", 30);
      expect(await byLlamaCpp(path, prompt, 30)).toEqual({ ids, template: tinyChatTemplate });
    });
  });

  test("a run's folder, trained here: the same tokens", async () => {
    const run = fileURLToPath(new URL("../../test/fixtures/2026-11-28/run", import.meta.url));
    await withFolder(async (folder) => {
      const path = join(folder, "run.gguf");
      await convertModel(run, path);
      const { prompt, ids } = await byCria(run, "The old", 8);
      expect((await byLlamaCpp(path, prompt, 8)).ids).toEqual(ids);
    });
  });

  const stories = sharedData("stories260K/stories260K.bin");
  test.skipIf(stories === undefined).each(["f32", "q8_0", "q5_1", "q4_K_M"] as const)("stories260K in %s: the same story", async (type) => {
    await withFolder(async (folder) => {
      const path = join(folder, "stories.gguf");
      await convertModel(stories!, path, { type });
      const { prompt, ids } = await byCria(path, "Once upon a time", 40);
      expect((await byLlamaCpp(path, prompt, 40)).ids).toEqual(ids);
    });
  });

  test.each([256, 288])("every type of file has llama.cpp's layouts, with rows of %d in feed-forward layers", async (hiddenDim) => {
    await withFolder(async (folder) => {
      const quantise = await quantiser();
      const [source, plain, theirs] = ["source", "plain.gguf", "theirs.gguf"].map((name) => join(folder, name)) as [string, string, string];
      await mkdir(source);
      await writeVariant(source, { dim: 256, nLayers: 17, hiddenDim });
      await convertModel(source, plain);
      for (const type of fileTypes) {
        expect(quantise(plain, theirs, type), type).toBe(0);
        await using model = await openModel(theirs);
        const rows = parameterRows(model.config);
        const found = rows.map(({ name }) => [name, model.tensors.info(ggufName(name)).dtype.toLowerCase()]);
        expect(found, type).toEqual(rows.map((row) => [row.name, layoutFor(row, type, model.config, false).dtype.toLowerCase()]));
      }
    });
  });
});
