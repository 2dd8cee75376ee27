// Meta's folders and PyTorch's files, as torch.save writes them, from their bytes to the logits and tokens that transformers computes with the same
// weights (test/goldens/meta.py).
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memorySource } from "./base/index.ts";
import { writeHfFolder } from "./convert/index.ts";
import { loadSentencePiece } from "./formats/index.ts";
import { dictOf, tensor, zipOf } from "./formats/torch-file.test.helper.ts";
import { openCpuBackend } from "./host/index.ts";
import { openModel } from "./load/index.ts";
import { tinyTokenizer, withFolder } from "./load/tiny-model.test.helper.ts";
import { openModel as openSources, sourceFiles } from "./open/index.ts";
import { expectSaid, readGolden, type Said, unpack } from "./said.test.helper.ts";

interface MetaGolden extends Said {
  readonly params: Readonly<Record<string, unknown>>;
  readonly files: readonly string[];
}

interface BinGolden extends Said {
  readonly config: object;
  readonly file: string;
}

const { prompt, models, bins } = readGolden<{
  prompt: readonly number[];
  models: readonly MetaGolden[];
  bins: readonly BinGolden[];
}>("meta");

async function writeMeta(folder: string, { params, files }: MetaGolden): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "params.json"), JSON.stringify(params));
  for (const [i, file] of files.entries()) await writeFile(join(folder, `consolidated.0${i}.pth`), unpack(file));
}

describe("Meta's folders", () => {
  test.each(models)("$name: logits, and greedy tokens; as a Hugging Face folder too", async (said) => {
    await withFolder(async (folder) => {
      const meta = join(folder, "meta");
      await writeMeta(meta, said);
      await using model = await openModel(meta);
      expect(model).toMatchObject({ path: meta, format: "Meta folder", config: { ropePairing: "neighbours", tiedOutput: false } });
      await expectSaid(model, said, prompt);
      await expectSaid(model, said, prompt, await openCpuBackend({ threads: 1 }));
      await using byFile = await openModel(join(meta, "consolidated.00.pth"));
      expect(byFile.config).toEqual(model.config);
      const hf = join(folder, "hf");
      const { documents, ...rest } = model;
      expect(documents).toBe(undefined);
      await writeFile(join(meta, "tokenizer.model"), (await loadSentencePiece()).sentencePieceModelBytes(tinyVocabulary(24)));
      await writeHfFolder(hf, rest, { type: "bfloat16" });
      await using again = await openModel(hf);
      expect(again.config).toEqual({ ...model.config, ropePairing: "half" });
      await expectSaid(again, said, prompt);
    });
  });

  test("files in memory open as a folder does", async () => {
    const said = models.find(({ name }) => name === "LLaMA 3 in two files")!;
    const files = said.files.map((file, i) => [`consolidated.0${i}.pth`, memorySource(`part ${i}`, unpack(file))] as const);
    const params = memorySource("params", new TextEncoder().encode(JSON.stringify(said.params)));
    await using model = await openSources(sourceFiles("dropped", { "params.json": params, ...Object.fromEntries(files) }));
    await expectSaid(model, said, prompt);
    await expect(model.openTokenizer()).rejects.toThrow("dropped: it has no tokenizer.json");
  });

  test("what lies in one file is mapped where it lies, and what is cut is read", async () => {
    await withFolder(async (folder) => {
      const mapped = async (name: string) => {
        const found = models.find((one) => one.name === name);
        await writeMeta(folder, found ?? models[0]!);
        await using model = await openModel(folder);
        return [...model.tensors.tensors.keys()].filter((tensor) => model.tensors.inFile(tensor) !== undefined);
      };
      expect((await mapped("LLaMA 1")).length).toBe(12);
      expect(await mapped("LLaMA 1 in two files")).toEqual([
        "model.layers.0.input_layernorm.weight",
        "model.layers.0.post_attention_layernorm.weight",
        "model.norm.weight",
      ]);
    });
  });

  test("the tokenizer lies beside, or beside all sizes' folders, and must be the model's", async () => {
    await withFolder(async (folder) => {
      const meta = join(folder, "7B");
      await writeMeta(meta, models[0]!);
      const bytes = async (pieces: number) => (await loadSentencePiece()).sentencePieceModelBytes(tinyVocabulary(pieces));
      await using model = await openModel(meta);
      await expect(model.openTokenizer()).rejects.toThrow("7B: it has no tokenizer.json: name a file");
      await writeFile(join(folder, "tokenizer.model"), await bytes(24));
      expect((await model.openTokenizer()).vocabSize).toBe(24);
      await writeFile(join(meta, "tokenizer.model"), await bytes(30));
      await expect(model.openTokenizer()).rejects.toThrow("it has 30 pieces but the model has 24 tokens: it belongs to another model");
    });
  });

  test("ranks as tiktoken has them bring LLaMA 3's special pieces, at which a turn ends", async () => {
    await withFolder(async (folder) => {
      const [tokens, dim, hidden] = [128256, 4, 12];
      await writeFile(
        join(folder, "params.json"),
        JSON.stringify({ dim, n_layers: 1, n_heads: 2, vocab_size: tokens, multiple_of: 4, hidden_dim: hidden }),
      );
      const matrix = (rows: number, columns: number) => tensor([rows, columns], [columns, 1], { elements: tokens * dim });
      const norm = tensor([dim], [1], { elements: tokens * dim });
      const heads = ["wq", "wk", "wv", "wo"].map((name) => [`layers.0.attention.${name}.weight`, matrix(dim, dim)] as const);
      const made = dictOf({
        ...{ "tok_embeddings.weight": matrix(tokens, dim), "norm.weight": norm, "output.weight": matrix(tokens, dim) },
        ...{ "layers.0.attention_norm.weight": norm, "layers.0.ffn_norm.weight": norm, ...Object.fromEntries(heads) },
        ...{ "layers.0.feed_forward.w1.weight": matrix(hidden, dim), "layers.0.feed_forward.w3.weight": matrix(hidden, dim) },
        "layers.0.feed_forward.w2.weight": matrix(dim, hidden),
      });
      await writeFile(join(folder, "consolidated.00.pth"), zipOf({ "x/data.pkl": made, "x/data/0": new Uint8Array(4 * tokens * dim) }));
      await writeFile(join(folder, "tokenizer.model"), ranks(128000));
      await using model = await openModel(folder);
      const tokenizer = await model.openTokenizer();
      expect(tokenizer.vocabSize).toBe(tokens);
      expect([...tokenizer.encode("<|eot_id|>", { bos: true, parseSpecial: true })]).toEqual([128000, 128009]);
      expect([...(await model.openChat(tokenizer)).endOfTurn].sort()).toEqual([128001, 128008, 128009]);
    });
  });

  const small = models.find(({ name }) => name === "LLaMA 3 in two files")!;
  const cases: [what: string, spoil: (folder: string) => Promise<unknown>, message: string][] = [
    ["no params.json", (f) => rm(join(f, "params.json")), "it has no params.json, which says what its weights are"],
    [
      "a gap",
      (f) => rm(join(f, "consolidated.00.pth")),
      "it has consolidated.01.pth but no consolidated.00.pth: fetch all files of the model",
    ],
    ["a missing last file", (f) => rm(join(f, "consolidated.01.pth")), "vocab_size is 24 but the weights have 12 tokens"],
    [
      "other sizes",
      (f) => change(f, { multiple_of: 16 }),
      "neither rows nor columns of [64, 16]: a file is missing, or params.json is another model's",
    ],
    [
      "other sizes than the only file's",
      async (f) => {
        await rm(join(f, "consolidated.01.pth"));
        await writeMeta(f, models.find(({ name }) => name === "LLaMA 3") ?? small);
        await change(f, { ffn_dim_multiplier: 1.6 });
      },
      "is [56, 16] but the model's is [72, 16]",
    ],
    ["more layers", (f) => change(f, { n_layers: 3 }), 'it has no tensor "layers.2.attention_norm.weight"'],
    ["endless layers", (f) => change(f, { n_layers: 1e9 }), "n_layers is 1000000000 but a file has 22 tensors"],
    ["fewer layers", (f) => change(f, { n_layers: 1 }), 'tensor "layers.1.attention.wq.weight" is not part of the model'],
    ["no size", (f) => change(f, { dim: undefined }), "dim is missing: it is not the params.json of a LLaMA"],
    ["images", (f) => change(f, { vision_chunk_size: 448 }), "vision_chunk_size is the number 448, but cria reads models of text"],
    ["experts", (f) => change(f, { moe: { num_experts: 8 } }), "cria's feed-forward layers have no experts"],
    [
      "another file's second part",
      (f) => writeFile(join(f, "consolidated.01.pth"), unpack(models[0]!.files[0]!)),
      "the files belong to different models",
    ],
  ];
  test.each(cases)("%s is refused", async (_, spoil, message) => {
    await withFolder(async (folder) => {
      await writeMeta(folder, small);
      await spoil(folder);
      await expect(openModel(folder)).rejects.toThrow(message);
    });
  });
});

describe("pytorch_model.bin", () => {
  test.each(bins)("$name: logits, and greedy tokens", async (said) => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, "config.json"), JSON.stringify(said.config));
      await writeFile(join(folder, "pytorch_model.bin"), unpack(said.file));
      await using model = await openModel(folder);
      expect(model.format).toBe("Hugging Face folder");
      await expectSaid(model, said, prompt);
    });
  });

  test("several by their index; safetensors beside count before them", async () => {
    await withFolder(async (folder) => {
      const [said] = bins;
      await writeFile(join(folder, "config.json"), JSON.stringify(said!.config));
      await writeFile(join(folder, "pytorch_model-00001-of-00001.bin"), unpack(said!.file));
      const names = ["model.embed_tokens.weight", "lm_head.weight", "model.norm.weight"];
      const layer = [
        "self_attn.q_proj",
        "self_attn.k_proj",
        "self_attn.v_proj",
        "self_attn.o_proj",
        "mlp.gate_proj",
        "mlp.up_proj",
        "mlp.down_proj",
      ];
      const all = [...names, ...[...layer, "input_layernorm", "post_attention_layernorm"].map((name) => `model.layers.0.${name}.weight`)];
      const map = Object.fromEntries(all.map((name) => [name, "pytorch_model-00001-of-00001.bin"]));
      await writeFile(join(folder, "pytorch_model.bin.index.json"), JSON.stringify({ weight_map: map }));
      await using model = await openModel(folder);
      await expectSaid(model, said!, prompt);
      await writeFile(join(folder, "model.safetensors"), "x");
      await expect(openModel(folder)).rejects.toThrow("[safetensors]");
    });
  });
});

async function change(folder: string, params: object): Promise<void> {
  const path = join(folder, "params.json");
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), ...params }));
}

/** Every byte, every pair of bytes, and as many with a byte more as there are ranks. */
function ranks(count: number): string {
  const piece = (rank: number) => {
    if (rank < 256) return [rank];
    return rank < 256 + 65536 ? [(rank - 256) >> 8, rank & 255] : [1, (rank - 256) >> 8, rank & 255].map((byte) => byte & 255);
  };
  return Array.from({ length: count }, (_, rank) => `${Buffer.from(piece(rank)).toString("base64")} ${rank}\n`).join("");
}

/** Control pieces, and letters. */
function tinyVocabulary(size: number): typeof tinyTokenizer {
  const pieces = ["<unk>", "<s>", "</s>", "▁", ...Array.from({ length: size - 4 }, (_, i) => String.fromCharCode(97 + i))];
  return { ...tinyTokenizer, byteFallback: false, pieces, scores: pieces.map((_, i) => -i) };
}
