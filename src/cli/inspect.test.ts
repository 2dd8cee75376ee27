import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { atomicWriteJson } from "../files/index.ts";
import { pair } from "../formats/gguf-file.test.helper.ts";
import { ggufTokenizerPairs } from "../formats/index.ts";
import { openCpuBackend } from "../host/index.ts";
import { openModel } from "../index.ts";
import { modelMemory } from "../infer/index.ts";
import { tinyGguf, tinyGgufTensors } from "../load/tiny-gguf.test.helper.ts";
import {
  folderForAll,
  tinyChatTemplate,
  tinyChatTokenizer,
  withFolder,
  writeTinyBin,
  writeTinyChat,
  writeTinyFolder,
} from "../load/tiny-model.test.helper.ts";
import { commandRows } from "./commands.ts";
import { runWords } from "./terminal.test.helper.ts";

const run = (words: readonly string[]) => runWords(words, commandRows);

/** A folder with the tiny model, for all tests. */
let folder: string;
const made = folderForAll(writeTinyFolder);
beforeAll(() => {
  folder = made();
});

describe("cria inspect", () => {
  test("shows a model, for people and for programs", async () => {
    const json = JSON.parse((await run(["inspect", folder, "--json"])).stdout);
    expect(json).toMatchObject({
      file: { path: folder, format: "Hugging Face folder", tensors: 20 },
      config: { dim: 16, nLayers: 2, ropePairing: "half" },
      tokenizer: { kind: "sentencepiece", pieces: 265, bos: 1, eos: 2, pad: null, unk: 0, stop: "2" },
      metadata: { format: "pt" },
    });
    expect(json.tensors).toContainEqual({ name: "model.layers.0.self_attn.k_proj.weight", shape: [8, 16], dtype: "F32" });
    const { stdout } = await run(["inspect", folder]);
    expect(stdout).toMatch(/^architecture +llama: 2 layers, 16 channels, 4 heads of 4, 2 of keys and values, feed-forward 24 \(swiglu\)$/m);
    expect(stdout).toContain(
      `(${json.file.parameters.toLocaleString("en-US")})\ncontext       32 tokens\nvocabulary    265 tokens, sentencepiece\n`,
    );
    expect(stdout).toMatch(/^chat +no template: the model continues texts$/m);
    expect(stdout).toMatch(/^ {2}ropeScaling +default$/m);
    expect(stdout).toMatch(/^tensors {2}--tensors lists all 20$/m);
    expect((await run(["inspect", folder, "--tensors"])).stdout).toMatch(/^ {2}model\.layers\.0\.self_attn\.k_proj\.weight +8 × 16 +F32$/m);
  });

  test("shows how RoPE is scaled", async () => {
    await withFolder(async (scaled) => {
      await writeTinyFolder(scaled);
      const path = join(scaled, "config.json");
      const config = JSON.parse(await readFile(path, "utf8"));
      const ones = Array.from({ length: config.head_dim / 2 }, () => 1);
      const rope = { rope_type: "longrope", short_factor: ones, long_factor: ones, original_max_position_embeddings: 16 };
      await atomicWriteJson(path, { ...config, rope_scaling: rope });
      const { stdout } = await run(["inspect", scaled]);
      expect(stdout).toContain(`longrope, originalLength 16, shortFactors ${ones.length} values, longFactors ${ones.length} values\n`);
    });
  });

  test("shows which layers have a window or RoPE", async () => {
    await withFolder(async (relative) => {
      await writeTinyFolder(relative);
      const path = join(relative, "config.json");
      const { architectures: _, ...config } = JSON.parse(await readFile(path, "utf8"));
      const window = { use_sliding_window: true, sliding_window: 8 };
      await atomicWriteJson(path, { ...config, model_type: "smollm3", no_rope_layers: [0, 1], ...window });
      const { stdout } = await run(["inspect", relative]);
      expect(stdout).toMatch(/ {2}slidingWindow +8\n/);
      expect(stdout).toMatch(/ {2}slidingLayers +layer 0\n/);
      expect(stdout).toMatch(/ {2}ropeLayers +layer 1\n/);
    });
  });

  test("shows a file of weights alone, and a model without its tokenizer", async () => {
    const file = JSON.parse((await run(["inspect", join(folder, "model.safetensors"), "--json"])).stdout);
    expect(file).toMatchObject({ file: { format: "safetensors", tensors: 20 }, metadata: { format: "pt" } });
    await withFolder(async (bare) => {
      const path = await writeTinyBin(bare);
      const tokenizer = join(bare, "elsewhere.bin");
      await rename(join(bare, "tok265.bin"), tokenizer);
      expect(JSON.parse((await run(["inspect", path, "--json"])).stdout).tokenizer.problem).toContain("its tokenizer is missing");
      expect(JSON.parse((await run(["inspect", path, "--tokenizer", tokenizer, "--json"])).stdout).tokenizer.pieces).toBe(265);
      await rm(tokenizer);
      expect(await run(["inspect", path, "--tokenizer", tokenizer])).toMatchObject({ code: 1, stdout: "" });
    });
  });

  test("shows chat templates and all ends of a turn, and why a tokenizer is another model's", async () => {
    await withFolder(async (told) => {
      await writeTinyFolder(told);
      await writeTinyChat(told);
      const shown = async (model: string) => JSON.parse((await run(["inspect", model, "--json"])).stdout).tokenizer;
      expect(await shown(told)).toMatchObject({ chat: "default", stop: "2 264" });
      expect((await run(["inspect", told])).stdout).toMatch(/^chat +default$/m);
      expect(await shown(folder)).toMatchObject({ chat: "", stop: "2" });
      await atomicWriteJson(join(told, "generation_config.json"), { eos_token_id: 265 });
      expect(await shown(told)).toEqual({ problem: expect.stringContaining("token 265 ends a text, but the model has 265 tokens") });
    });
  });

  test("shows a GGUF, types by their share, and which chat templates cannot be read", async () => {
    await withFolder(async (made) => {
      const path = join(made, "tiny.gguf");
      const tensors = tinyGgufTensors().map((tensor) =>
        tensor.sizes.length === 2 ? { ...tensor, type: 1, data: new Uint8Array(tensor.data.length / 2) } : tensor,
      );
      const templates = [
        pair("tokenizer.chat_template", "text", tinyChatTemplate),
        pair("tokenizer.chat_template.broken", "text", "{% if %}"),
      ];
      const pairs = Object.fromEntries([...ggufTokenizerPairs(tinyChatTokenizer), ...templates]);
      await writeFile(path, tinyGguf(pairs, tensors));
      const json = JSON.parse((await run(["inspect", path, "--json"])).stdout);
      expect(json.file).toMatchObject({ format: "GGUF", architecture: "llama", tensors: 20 });
      expect(json.chatTemplates).toEqual([
        { name: "default", problem: null },
        { name: "broken", problem: expect.stringContaining("the chat template broken") },
      ]);
      const [half, single] = json.types;
      expect([half, single]).toMatchObject([
        { dtype: "F16", tensors: 15 },
        { dtype: "F32", tensors: 5 },
      ]);
      expect([half.bytes, single.bytes]).toEqual([2 * half.parameters, 4 * single.parameters]);
      expect(half.share).toBeCloseTo(half.bytes / (half.bytes + single.bytes), 12);
      const { stdout } = await run(["inspect", path]);
      expect(stdout).toMatch(/^chat +default, broken \(cannot be read\)$/m);
      expect(stdout).toMatch(/^ {2}F16 +15 +[\d.]+K +[\d.]+ kB +9\d\.\d % +16\.00$/m);
    });
  });

  test("shows the memory of texts of a length, as loading counts it, and what fits", async () => {
    const words = ["inspect", folder, "--context", "20", "--sequences", "3"];
    const { memory } = JSON.parse((await run([...words, "--json"])).stdout);
    await using backend = await openCpuBackend();
    await using model = await openModel(folder);
    for (const cacheType of ["f32", "f16"] as const) {
      const asked = { contextLength: 20, sequences: 3, cacheType };
      const { there: _, tokens: __, ...counted } = modelMemory(backend, model.config, model.weights, asked);
      expect(memory.byCache[cacheType]).toMatchObject(counted);
    }
    expect(memory).toMatchObject({ contextLength: 20, sequences: 3, backend: backend.name });
    expect(memory.byCache.q8_0).toEqual({ problem: expect.stringContaining("q8_0 keys need heads of a multiple of 32") });
    const { stdout } = await run(words);
    expect(stdout).toContain(`memory for 3 texts of 20 tokens, by the type of keys and values (--cache), on ${backend.name}\n`);
    expect(stdout).toMatch(/^ +f32 +f16 +q8_0$/m);
    expect(stdout).toMatch(/^ {2}fits +yes +yes +–$/m);
    expect(await run(["inspect", folder, "--context", "33"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--context is 33 but the model's context is 32"),
    });
  });

  test("a GGUF without tensors is a tokenizer", async () => {
    await withFolder(async (made) => {
      const path = join(made, "vocabulary.gguf");
      await writeFile(path, tinyGguf({}, []));
      expect((await run(["inspect", path])).stdout).toMatch(/^kind +sentencepiece\npieces +265\n/);
      expect(await run(["inspect", path, "--context", "9"])).toMatchObject({ code: 2, stderr: expect.stringContaining("omit --context") });
    });
  });

  test("wrong use and what is no model", async () => {
    expect((await run(["inspect"])).code).toBe(2);
    expect((await run(["inspect", "a", "b"])).code).toBe(2);
    expect((await run(["inspect", "/no/where"])).code).toBe(1);
    expect((await run(["inspect", "/no/where.safetensors"])).code).toBe(1);
    const config = await run(["inspect", join(folder, "config.json")]);
    expect(config).toMatchObject({ code: 1, stderr: expect.stringContaining("config.json: it is no model: cria opens Hugging Face") });
    const alone = join(folder, "model.safetensors");
    for (const words of [
      ["--context", "9"],
      ["--sequences", "2"],
      ["--tokenizer", folder],
    ])
      expect(await run(["inspect", alone, ...words])).toMatchObject({ code: 2, stderr: expect.stringContaining(`omit ${words[0]}`) });
    for (const words of [
      ["--context", "0"],
      ["--sequences", "0"],
      ["--sequences", "1.5"],
    ])
      expect((await run(["inspect", folder, ...words])).code).toBe(2);
  });
});
