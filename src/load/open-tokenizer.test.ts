import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { beforeAll, expect, test } from "vitest";
import { ggufTokenizerBytes, loadSentencePiece, tiktokenText, tokenizerJson } from "../formats/index.ts";
import { createTokenizer, type Tokenizer, type TokenizerModel, trainTokenizer } from "../tokenizer/index.ts";
import { openAnyTokenizer, openModel } from "./index.ts";
import { tinyTokenizer, withFolder, writeTinyBin, writeTinyFolder } from "./tiny-model.test.helper.ts";

const goldens = fileURLToPath(new URL("../../test/goldens/sentencepiece-models.golden.json", import.meta.url));
let files: Map<string, Uint8Array>;
let bytesModel: TokenizerModel;

beforeAll(async () => {
  const { models } = JSON.parse(await readFile(goldens, "utf8")) as { models: { name: string; file: string }[] };
  files = new Map(models.map(({ name, file }) => [name, gunzipSync(Buffer.from(file, "base64"))]));
  bytesModel = await trainTokenizer(["a b c the low lower ".repeat(40)], { kind: "bytes", vocabSize: 266 });
});

test("a file is what its first bytes say, whatever its name", async () => {
  await withFolder(async (folder) => {
    await writeTinyBin(folder);
    const forms: [string, string | Uint8Array][] = [
      ["proto.bin", files.get("bpe, bytes")!],
      ["gguf.json", ggufTokenizerBytes(tinyTokenizer)],
      ["json.model", `\n{\n${JSON.stringify(tokenizerJson(tinyTokenizer)).slice(1)}`],
      ["mark.json", `\ufeff${JSON.stringify(tokenizerJson(tinyTokenizer))}`],
    ];
    for (const [name, content] of forms) {
      await writeFile(join(folder, name), content);
      const tokenizer = await openAnyTokenizer(join(folder, name));
      expect(tokenizer.decode(tokenizer.encode("ab a  b")), name).toBe("ab a  b");
    }
    await copyFile(join(folder, "tok265.bin"), join(folder, "other.bin"));
    expect((await openAnyTokenizer(join(folder, "other.bin"))).model).toEqual(tinyTokenizer);
    const ranks = join(folder, "ranks.model");
    await writeFile(ranks, tiktokenText({ ...bytesModel, ignoreMerges: true } as TokenizerModel));
    const tiktoken = () => ({ pattern: "llama3", specials: [] }) as const;
    expect([...(await openAnyTokenizer(ranks, { tiktoken })).encode("the low")]).toEqual([
      ...(await open(folder, bytesModel)).encode("the low"),
    ]);
  });
});

async function open(folder: string, model: TokenizerModel): Promise<Tokenizer> {
  const path = join(folder, "some.json");
  await writeFile(path, JSON.stringify(tokenizerJson(model)));
  return openAnyTokenizer(path);
}

test("a folder's tokenizer.json comes before its tokenizer.model, and that before a .gguf", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "a.gguf"), ggufTokenizerBytes(tinyTokenizer));
    expect((await openAnyTokenizer(folder)).vocabSize).toBe(265);
    await writeFile(join(folder, "tokenizer.model"), files.get("bpe, bytes")!);
    expect((await openAnyTokenizer(folder)).vocabSize).toBe(420);
    await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizerJson(bytesModel)));
    expect((await openAnyTokenizer(folder)).vocabSize).toBe(266);
    await Promise.all(["tokenizer.json", "tokenizer.model"].map((name) => rm(join(folder, name))));
    await copyFile(join(folder, "a.gguf"), join(folder, "b.gguf"));
    await expect(openAnyTokenizer(folder)).rejects.toThrow(/it has 2 \.gguf files: name a file: tokenizer\.json, tokenizer\.model/);
    await mkdir(join(folder, "empty"));
    await expect(openAnyTokenizer(join(folder, "empty"))).rejects.toThrow(/it has no tokenizer\.json: name a file/);
    await expect(openAnyTokenizer(join(folder, "none"))).rejects.toThrow(/none: no such file or folder/);
  });
});

test("what stands beside a tokenizer.model brings tokens and says which play which part", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "tokenizer.model"), files.get("bpe, bytes")!);
    const bare = await openAnyTokenizer(folder);
    expect([bare.bosId, bare.eosId, bare.padId, bare.model.template]).toEqual([1, 2, undefined, { before: [1], after: [] }]);
    const token = (content: string, flags: object = {}) => ({
      content,
      lstrip: false,
      rstrip: false,
      normalized: false,
      single_word: false,
      special: true,
      ...flags,
    });
    const decoder = {
      0: token("<unk>"),
      1: token("<s>"),
      2: token("</s>"),
      420: token("<|im_end|>"),
      421: token("<x>", { special: false, rstrip: true }),
    };
    const config = {
      tokenizer_class: "LlamaTokenizer",
      added_tokens_decoder: decoder,
      pad_token: "<pad>",
      eos_token: "<|im_end|>",
      add_bos_token: false,
      add_eos_token: true,
    };
    await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify(config));
    const tokenizer = await openAnyTokenizer(folder);
    expect([tokenizer.vocabSize, tokenizer.bosId, tokenizer.eosId, tokenizer.padId]).toEqual([423, 1, 420, 422]);
    expect(tokenizer.model.template).toEqual({ before: [], after: [420] });
    const ids = tokenizer.encode("the<x>  the<|im_end|>", { parseSpecial: true });
    expect([...ids]).toEqual([...bare.encode("the"), 421, ...bare.encode("the"), 420]);
    expect(tokenizer.decode(ids)).toBe("the<x> the");
    expect([...tokenizer.encode("<|im_end|>")]).toEqual([...bare.encode("<|im_end|>")]);

    await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ added_tokens_decoder: { 1: token("<start>") } }));
    await expect(openAnyTokenizer(folder)).rejects.toThrow(/piece 1 is "<s>", but "<start>" as an added token: correct one of them/);
    await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ added_tokens_decoder: { 425: token("<far>") } }));
    await expect(openAnyTokenizer(folder)).rejects.toThrow(/added token 425, "<far>", leaves a hole behind its 420 pieces/);
    await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ add_prefix_space: false }));
    expect([...(await openAnyTokenizer(folder)).encode(" the")]).toEqual([...bare.encode("the")]);
  });
});

test("a tokenizer of another name is not what a folder's tokenizer_config.json speaks of", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "mine.model"), files.get("bpe, bytes")!);
    const alone = await openAnyTokenizer(join(folder, "mine.model"));
    await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify({ bos_token: "<|begin_of_text|>", add_bos_token: false }));
    expect((await openAnyTokenizer(join(folder, "mine.model"))).model).toEqual(alone.model);
  });
});

test("older folders name added tokens in added_tokens.json", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "tokenizer.model"), files.get("bpe, bytes")!);
    await writeFile(join(folder, "added_tokens.json"), JSON.stringify({ "[PAD]": 420 }));
    await writeFile(join(folder, "special_tokens_map.json"), JSON.stringify({ pad_token: "[PAD]" }));
    const warnings: string[] = [];
    const tokenizer = await openAnyTokenizer(folder, { onWarning: (warning) => warnings.push(warning) });
    expect([tokenizer.vocabSize, tokenizer.padId, tokenizer.isSpecial(420), warnings]).toEqual([421, 420, true, []]);
  });
});

test.each(["bpe, bytes", "unigram, bytes, extra spaces go"])(
  "%s: lone surrogates are U+FFFD, and bytes that are no UTF-8 come back",
  async (name) => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, "tokenizer.model"), files.get(name)!);
      const tokenizer = await openAnyTokenizer(folder);
      expect([...tokenizer.encode("a\ud800b")]).toEqual([...tokenizer.encode("a\ufffdb")]);
      for (const bytes of [
        [0xff, 0x61],
        [0x61, 0xe2, 0x82, 0x62],
        [0xf0, 0x9f, 0xa6],
        [0xed, 0xa0, 0x80],
      ]) {
        const ids = tokenizer.encodeBytes(Uint8Array.from(bytes));
        expect([...tokenizer.decodeBytes(ids)], String(bytes)).toEqual(bytes);
      }
    });
  },
);

test("a tokenizer with far fewer pieces than the model has tokens is said to be another model's", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    await using model = await openModel(folder);
    const path = join(folder, "other.json");
    const warned = async (other: TokenizerModel) => {
      await writeFile(path, JSON.stringify(tokenizerJson(other)));
      const warnings: string[] = [];
      await model.openTokenizer(path, (warning) => warnings.push(warning));
      return warnings;
    };
    const [pieces, scores] = [tinyTokenizer.pieces.slice(0, 259), (tinyTokenizer.scores ?? []).slice(0, 259)];
    expect(await warned({ ...tinyTokenizer, pieces, scores })).toEqual([]); // padding of the model's table may explain it
    const small = await trainTokenizer(["a b c"], { kind: "word", vocabSize: 8 });
    expect(await warned(small)).toEqual([
      `[model] ${path}: it has ${small.pieces.length} pieces but the model has 265 tokens: where it is another model's tokenizer, what is read and written makes no sense`,
    ]);
  });
});

test("a model's folder may have a tokenizer.model instead", async () => {
  await withFolder(async (folder) => {
    await writeTinyFolder(folder);
    await rm(join(folder, "tokenizer.json"));
    const { sentencePieceModelBytes } = await loadSentencePiece();
    await writeFile(join(folder, "tokenizer.model"), sentencePieceModelBytes(tinyTokenizer));
    await using model = await openModel(folder);
    const tokenizer = await model.openTokenizer();
    expect([...tokenizer.encode("ab a  b", { template: true })]).toEqual([
      ...createTokenizer(tinyTokenizer).encode("ab a  b", { template: true }),
    ]);
    expect((await model.openChat(tokenizer)).endOfTurn).toEqual([2]);
    await writeFile(join(folder, "tokenizer.model"), files.get("bpe, bytes")!);
    await expect(model.openTokenizer()).rejects.toThrow("it has 420 pieces but the model has 265 tokens: it belongs to another model");
  });
});
