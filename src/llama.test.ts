import { readdirSync } from "node:fs";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { Backend } from "./backend/index.ts";
import { referenceBackend } from "./backend/reference/index.ts";
import { atomicWriteJson } from "./files/index.ts";
import { narrowBfloat16, type TensorToWrite } from "./formats/index.ts";
import { chooseTarget, openCpuBackend } from "./host/index.ts";
import { type GenerateOptions, Llama, type LoadOptions, type Prompt } from "./index.ts";
import { SequenceModel, type TextPiece } from "./infer/index.ts";
import { openModel } from "./load/index.ts";
import { sharedData } from "./load/shared-data.test.helper.ts";
import { withFolder, writeTinyBin, writeTinyFolder } from "./load/tiny-model.test.helper.ts";
import { type LlamaConfig, parameterRows, type WeightSource } from "./model/index.ts";

/** All that a model writes. */
async function write(
  path: string,
  prompt: string,
  options: GenerateOptions,
  load: LoadOptions = { backend: referenceBackend() },
): Promise<string> {
  await using llama = await Llama.load(path, load);
  let text = "";
  for await (const piece of llama.generate(prompt, options)) text += piece;
  return text;
}

describe("a tiny model", () => {
  test("writes the same out of a folder and out of a .bin, on the reference and on the CPU", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      const bin = await writeTinyBin(folder);
      const greedy = { temperature: 0, maxTokens: 20, stopIds: [] };
      /** What bytes that are no character decode to is said by the folder's tokenizer, not by the .bin's. */
      const written = async (path: string, load: LoadOptions) => {
        await using llama = await Llama.load(path, load);
        const ids: number[] = [];
        for await (const { id } of llama.pieces("ab a", greedy)) ids.push(id);
        return ids;
      };
      const expected = await written(folder, { backend: referenceBackend() });
      expect(new Set(expected).size).toBeGreaterThan(3);
      expect(await written(bin, { backend: referenceBackend() })).toEqual(expected);
      expect(await written(bin, { threads: 2 })).toEqual(expected);
    });
  });

  test("says for how many tokens memory has room, and warns where these are fewer than the model's context", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      const config = join(folder, "config.json");
      await atomicWriteJson(config, { ...JSON.parse(await readFile(config, "utf8")), max_position_embeddings: 4096 });
      const backend = referenceBackend();
      const room = { bytes: 200_000, bound: "what a test has" };
      vi.spyOn(backend, "memory").mockReturnValue(room);
      vi.spyOn(backend, "workspaceBytes").mockReturnValue(100_000);
      await using llama = await Llama.load(folder, { backend });
      expect(llama.contextLength).toBeGreaterThan(0);
      expect(llama.contextLength).toBeLessThan(4096);
      expect(llama.warnings).toEqual([
        `memory has room for texts of ${llama.contextLength} tokens, fewer than the model's 4096: keys and values may be stored in fewer bytes (cacheType "f16" or "q8_0")`,
      ]);
      await using half = await Llama.load(folder, { backend, cacheType: "f16" });
      expect(half.contextLength).toBeGreaterThan(llama.contextLength);
      await using asked = await Llama.load(folder, { backend, contextLength: 64 });
      expect([asked.contextLength, asked.warnings]).toEqual([64, []]);
      await expect(Llama.load(folder, { backend, contextLength: 4096 })).rejects.toThrow("set contextLength to");
    });
  });

  test("weights are used where they lie, and give the same logits as those that are read", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder, { shards: 2 });
      for (const path of [folder, await writeTinyBin(folder)]) {
        await using backend = await openCpuBackend({ threads: 2 });
        const mapped = mappedBy(backend);
        const ids = [1, 40, 50, 60, 70];
        const logits = async (weights: WeightSource, config: LlamaConfig) => {
          await using sequences = await SequenceModel.open(backend, config, weights);
          return sequences.sequence().next(ids);
        };
        await using model = await openModel(path);
        const { config, weights } = model;
        const read = await logits({ read: (row) => weights.read(row) }, config);
        expect(await mapped()).toBe(0);
        expect(await logits(weights, config)).toEqual(read);
        const isNative = (await chooseTarget()).machine !== undefined && process.platform !== "win32";
        expect(await mapped()).toBe(isNative ? parameterRows(config).length : 0);
      }
    });
  });

  test("16-bit weights are used where they lie, and come to the same as widened ones", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder, { tensors: (all) => all.map((tensor, i) => (i % 2 === 0 ? inBfloat16(tensor) : inFloat16(tensor))) });
      await using backend = await openCpuBackend({ threads: 2 });
      await using model = await openModel(folder);
      const { config, weights } = model;
      const mapped = mappedBy(backend);
      for (const ids of [[1], [1, 40, 50, 60, 70]]) {
        const logits = async (weights: WeightSource) => {
          await using sequences = await SequenceModel.open(backend, config, weights);
          return sequences.sequence().next(ids);
        };
        const [narrow, widened] = [await logits(weights), await logits({ read: (row) => weights.read(row) })];
        narrow.forEach((value, i) => void expect(value).toBeCloseTo(widened[i]!, 6)); // float32 is summed from panels, in another order
      }
      const isNative = (await chooseTarget()).machine !== undefined && process.platform !== "win32";
      const matrices = parameterRows(config).filter(({ shape }) => shape.length === 2);
      expect(await mapped()).toBe(isNative ? 2 * matrices.length : 0);
    });
  });

  test("draws as its folder says, else as usual, unless it is told otherwise", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      const defaults = async () => {
        await using llama = await Llama.load(folder, { backend: referenceBackend() });
        return llama.defaults;
      };
      expect(await defaults()).toEqual({ temperature: 0.8, topK: 0, topP: 0.95, stopIds: [2] });
      await atomicWriteJson(join(folder, "generation_config.json"), { do_sample: false, max_new_tokens: 3, eos_token_id: 7 });
      expect(await defaults()).toEqual({ temperature: 0, topK: 0, topP: 0.95, maxTokens: 3, stopIds: [7, 2] });
      const silent = { do_sample: true, temperature: null, max_length: 30 };
      await atomicWriteJson(join(folder, "generation_config.json"), silent);
      expect(await defaults()).toEqual({ temperature: 0.8, topK: 0, topP: 0.95, maxLength: 30, stopIds: [2] });
      await atomicWriteJson(join(folder, "generation_config.json"), { ...silent, min_p: 0.1 }); // and the rest as transformers has it
      expect(await defaults()).toEqual({ temperature: 1, topK: 50, topP: 1, minP: 0.1, maxLength: 30, stopIds: [2] });
      await atomicWriteJson(join(folder, "generation_config.json"), { do_sample: false, max_new_tokens: 3, eos_token_id: 7 });
      const greedy = await write(folder, "a", {});
      expect(await write(folder, "a", { temperature: 0, maxTokens: 3 })).toBe(greedy);
      const drawn = [];
      for (const seed of [1, 2, 3, 4, 5, 6]) drawn.push(await write(folder, "a", { temperature: 3, seed, maxTokens: 9 }));
      expect(new Set(drawn).size).toBeGreaterThan(1);
    });
  });

  test("of two limits that take each other's place, the caller's counts", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      await atomicWriteJson(join(folder, "generation_config.json"), {
        do_sample: false,
        max_new_tokens: 3,
        min_new_tokens: 3,
        eos_token_id: 7,
      });
      await using llama = await Llama.load(folder, { backend: referenceBackend() });
      const count = async (options: GenerateOptions) => {
        let pieces = 0;
        for await (const _ of llama.pieces("a", options)) pieces++;
        return pieces;
      };
      const promptTokens = llama.promptIds("a").length;
      expect(await count({ stopIds: [] })).toBe(3);
      expect(await count({ stopIds: [], maxLength: promptTokens + 5 })).toBe(5);
      const all = Array.from({ length: 265 }, (_, id) => id);
      expect(await count({ stopIds: all.slice(1) })).toBe(3);
      expect(await count({ stopIds: all.slice(1), minLength: promptTokens + 1 })).toBe(2);
    });
  });

  test("tokens in the configs that the vocabulary lacks disturb nobody who does not use them", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      const greedy = { temperature: 0, maxTokens: 5, stopIds: [] };
      const text = await write(folder, "ab", greedy);
      const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
      await atomicWriteJson(join(folder, "config.json"), { ...config, bos_token_id: 9999, eos_token_id: [2, 9999], pad_token_id: -1 });
      await atomicWriteJson(join(folder, "generation_config.json"), { suppress_tokens: [9999], bad_words_ids: [[9998, 9999]] });
      expect(await write(folder, "ab", greedy)).toBe(text);
    });
  });

  test("stops on demand, and goes on to write other texts", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      await using llama = await Llama.load(folder, { backend: referenceBackend() });
      const abort = new AbortController();
      const read = async () => {
        for await (const _ of llama.pieces("a", { signal: abort.signal, seed: 1, stopIds: [] })) abort.abort(new Error("enough"));
      };
      await expect(read()).rejects.toThrow("enough");
      for await (const _ of llama.generate("b", { seed: 1 })) break;
      let text = "";
      for await (const piece of llama.generate("ab", { temperature: 0, maxTokens: 5 })) text += piece;
      expect(text).toBe(await write(folder, "ab", { temperature: 0, maxTokens: 5 }));
    });
  });

  test("two texts that take turns are those that each would be alone, and nothing is computed twice", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      await using backend = await openCpuBackend({ threads: 2 });
      const options = { temperature: 0.8, seed: 5, stopIds: [], maxTokens: 9 };
      const prompts = ["ab a b", "b a a"];
      await using llama = await Llama.load(folder, { backend });
      const alone: TextPiece[][] = [];
      for (const prompt of prompts) {
        await using fresh = await Llama.load(folder, { backend });
        const pieces: TextPiece[] = [];
        for await (const piece of fresh.pieces(prompt, options)) pieces.push(piece);
        alone.push(pieces);
      }
      const rows = watchRows(backend);
      const texts = prompts.map((prompt) => llama.pieces(prompt, options));
      const together: TextPiece[][] = prompts.map(() => []);
      for (let count = 0; count < options.maxTokens; count++)
        for (const [i, text] of texts.entries()) {
          const { value } = await text.next();
          if (value) together[i]!.push(value);
        }
      expect(together).toEqual(alone);
      const read = prompts.reduce((sum, prompt) => sum + llama.promptIds(prompt).length, 0);
      expect(rows()).toBe(read + 2 * (options.maxTokens - 1));
    });
  });

  test("a prompt of ids is read as it is; the first token says how much of it was read before, where the salt is the same", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      await using llama = await Llama.load(folder, { backend: referenceBackend() });
      const prompt = "ab a ab a";
      const ids = llama.promptIds(prompt);
      const options = { temperature: 0, maxTokens: 3, stopIds: [] };
      const written = async (asked: Prompt, cacheSalt?: string) => {
        const pieces: TextPiece[] = [];
        for await (const piece of llama.pieces(asked, { ...options, cacheSalt })) pieces.push(piece);
        const [{ prompt: counts } = {}, ...others] = pieces;
        expect(others.every(({ prompt }) => prompt === undefined)).toBe(true);
        return { ids: pieces.map(({ id }) => id), cached: counts?.cachedTokens, tokens: counts?.tokens };
      };
      const first = await written(prompt, "a");
      expect(first).toMatchObject({ cached: 0, tokens: ids.length });
      expect(llama.cachedTokens(prompt, { cacheSalt: "a" })).toBe(ids.length - 1);
      expect(llama.cachedTokens([...ids], { cacheSalt: "b" })).toBe(0);
      expect(await written(ids, "b")).toEqual(first);
      expect(await written([...ids], "a")).toEqual({ ...first, cached: ids.length - 1 });
      for await (const { prompt: counts } of llama.choices(ids, 2, { ...options, maxTokens: 1, cacheSalt: "a" }))
        expect(counts).toEqual({ tokens: ids.length, cachedTokens: ids.length - 1 });
      expect(llama.counts).toMatchObject({ heldPages: 0, freePages: llama.counts.pages });
      llama.mixedRows = 7;
      expect(llama.mixedRows).toBe(7);
      for (const wrong of [[1.5], [-1], 7]) expect(() => llama.pieces(wrong as Prompt)).toThrow("must be a text or an array of token ids");
      await expect(written([])).rejects.toThrow("there is no token to go on from");
    });
  });

  test("a backend that was given stays open, also when loading fails", async () => {
    await withFolder(async (folder) => {
      await using backend = await openCpuBackend({ threads: 1 });
      await writeTinyFolder(folder);
      const text = await write(folder, "a", { temperature: 0, maxTokens: 3 }, { backend });
      await expect(Llama.load(folder, { backend, contextLength: 33 })).rejects.toThrow("33 positions exceed the model's context of 32");
      expect(await write(folder, "a", { temperature: 0, maxTokens: 3 }, { backend })).toBe(text);
    });
  });

  test("one that is damaged is refused", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      await truncate(join(folder, "model.safetensors"), 5000);
      await expect(Llama.load(folder)).rejects.toThrow("the download is incomplete");
      await writeFile(join(folder, "model.safetensors"), "");
      await expect(Llama.load(folder)).rejects.toThrow("the file is cut short");
    });
  });

  test.skipIf(process.platform !== "linux")("no threads stay behind, after dispose and after a load that failed", async () => {
    await withFolder(async (folder) => {
      await writeTinyFolder(folder);
      const threads = () => readdirSync("/proc/self/task").length;
      const round = async () => {
        const llama = await Llama.load(folder, { threads: 3 });
        for await (const _ of llama.generate("a", { maxTokens: 2 }));
        await llama.dispose();
        await expect(Llama.load(folder, { threads: 3, contextLength: 33 })).rejects.toThrow("33 positions");
        await expect(Llama.load(folder, { threads: 3, signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
      };
      await round(); // Node starts threads of its own when it first reads files.
      const before = threads();
      await round();
      expect(threads()).toBe(before);
    });
  });
});

/** How many rows all programs that are compiled from now on were told to compute. */
function watchRows(backend: Backend): () => number {
  let rows = 0;
  const compile = backend.compile.bind(backend);
  vi.spyOn(backend, "compile").mockImplementation(async (graph, bindings) => {
    const program = await compile(graph, bindings);
    const [, count] = [...bindings].find(([{ name }]) => name === "count") ?? [];
    const pass = program.pass.bind(program);
    vi.spyOn(program, "pass").mockImplementation(async (writes, reads) => {
      const values = await pass(writes, reads);
      rows += (await count?.read())?.[0] ?? 0;
      return values;
    });
    return program;
  });
  return () => rows;
}

const stories = sharedData("stories260K/stories260K.bin") ?? "";
if (stories === "") console.warn("skipped: stories260K against llama2.c's text, its file is not here (CRIA_DATA)");

/** What llama2.c's own test expects of its program with `-t 0.0 -n 200` (github.com/karpathy/llama2.c, test_all.py). */
const storyOfLily = `Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high.
Lily's mom said, "Lily, let's go to the park." Lily was sad and didn't know what to do. She said, "I want to play with your ball, but I can't find it."
Lily was sad and didn't know what to do. She said, "I'm sorry, Lily. I didn't know what to do."
Lily didn't want to help her mom, so she`;

test.skipIf(stories === "").each([
  { name: "reference", load: { backend: referenceBackend() } },
  { name: "cpu, one thread", load: { threads: 1 } },
  { name: "cpu, two threads", load: { threads: 2 } },
])("stories260K tells llama2.c's story to the character: $name", async ({ load }) => {
  expect(await write(stories, "", { temperature: 0, maxTokens: 200 }, load)).toBe(storyOfLily);
});

function inBfloat16(tensor: TensorToWrite): TensorToWrite {
  return { ...tensor, dtype: "BF16", data: narrowBfloat16(tensor.data as Float32Array) };
}

/** Numbers of the same sign between 2⁻⁶ and 2⁻⁵: what the model writes with them does not matter. */
function inFloat16(tensor: TensorToWrite): TensorToWrite {
  const data = Uint16Array.from(tensor.data as Float32Array, (x) => (x < 0 ? 0x8000 : 0) | (0x2400 + ((Math.abs(x) * 4096) & 0x3ff)));
  return { ...tensor, dtype: "F16", data };
}

/** Counts the buffers that a backend maps from now on; WebAssembly maps none. */
function mappedBy(backend: Backend): () => Promise<number> {
  if (backend.map === undefined) return async () => 0;
  const map = vi.spyOn(backend, "map");
  return async () => (await Promise.all(map.mock.results.map(({ value }) => value))).filter((buffer) => buffer !== undefined).length;
}
