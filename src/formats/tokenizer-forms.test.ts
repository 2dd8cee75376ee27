// Tokenizers from one form into another: every id is kept, or the form is refused by name.
import { beforeAll, describe, expect, test } from "vitest";
import { memorySource, Rng } from "../base/index.ts";
import { randomText, variedTexts } from "../tokenizer/conformance.ts";
import {
  type BytesModel,
  createTokenizer,
  mergeList,
  type SentencePieceModel,
  type TokenizerModel,
  type TrainOptions,
  trainTokenizer,
} from "../tokenizer/index.ts";
import {
  ggufTokenizerBytes,
  ggufTokenizerModel,
  ggufTokenizerPairs,
  readGgufMetadata,
  readTiktoken,
  readTokenizerJson,
  tiktokenText,
  tokenizerJson,
} from "./index.ts";
import { readSentencePieceModel, sentencePieceModelBytes } from "./sentencepiece.ts";

const rng = new Rng(5);
const specials = ["<s>", "</s>", "<|begin_of_text|>", "<|end_of_text|>"];
const withSpecials = Array.from({ length: 30 }, () => `${randomText(rng, 8)}${specials[rng.below(4)]}${randomText(rng, 8)}`);
const texts = [...variedTexts, ...Array.from({ length: 50 }, () => randomText(rng, rng.below(60))), ...withSpecials];

const train = (options: TrainOptions) =>
  trainTokenizer([...variedTexts, ...variedTexts, "the low lower newest widest lowest ".repeat(9)], options);

const models = new Map<string, TokenizerModel>();

beforeAll(async () => {
  models.set("sentencepiece", await train({ kind: "sentencepiece", vocabSize: 620, characterCoverage: 0.98 }));
  models.set("llama3", await train({ kind: "bytes", vocabSize: 480 }));
  models.set("smollm", await train({ kind: "bytes", vocabSize: 450, pattern: "gpt2", splitDigits: true }));
  models.set("word", await train({ kind: "word", vocabSize: 400 }));
});

/** Every form: out and back. */
const forms: Record<string, (model: TokenizerModel) => TokenizerModel | Promise<TokenizerModel>> = {
  "tokenizer.json": (model) => readTokenizerJson(JSON.stringify(tokenizerJson(model))),
  "tokenizer.model": (model) => readSentencePieceModel(sentencePieceModelBytes(model)),
  GGUF: async (model) => ggufTokenizerModel((await readGgufMetadata(memorySource("x.gguf", ggufTokenizerBytes(model)))).pairs),
  ranks: (model) => readTiktoken(new TextEncoder().encode(tiktokenText(model)), "x", (ranks) => kindOf(model as BytesModel, ranks)),
};

function kindOf({ pattern = [], splitDigits, pieces, bosId, eosId }: BytesModel, ranks: number) {
  const pieceOf = (id: number | undefined) => (id === undefined ? {} : pieces[id]!);
  const list = pieces.slice(ranks).map((piece, i) => [piece, ranks + i] as const);
  return { pattern, splitDigits, specials: list, bos: String(pieceOf(bosId)), eos: String(pieceOf(eosId)) };
}

const kept: [kind: string, forms: string[]][] = [
  ["sentencepiece", ["tokenizer.json", "tokenizer.model", "GGUF"]],
  ["llama3", ["tokenizer.json", "GGUF"]],
  ["smollm", ["tokenizer.json", "GGUF"]],
];

describe.each(kept)("%s", (kind, kinds) => {
  test.each(kinds)("by way of %s, every text has the same ids and every id the same piece", async (form) => {
    const model = models.get(kind)!;
    await expectSame(model, await forms[form]!(model));
  });
});

test("from form to form and to form again", async () => {
  let model = models.get("sentencepiece")!;
  for (const form of ["tokenizer.model", "GGUF", "tokenizer.json", "tokenizer.model", "tokenizer.json", "GGUF"])
    model = await forms[form]!(model);
  await expectSame(models.get("sentencepiece")!, model);
});

async function expectSame(model: TokenizerModel, again: TokenizerModel) {
  const [one, other] = [createTokenizer(model), createTokenizer(again)];
  expect(again.pieces).toEqual(model.pieces);
  expect([again.specials, again.bosId, again.eosId, again.unkId, again.template]).toEqual([
    ...[model.specials, model.bosId, model.eosId, model.unkId, model.template],
  ]);
  for (const text of texts)
    for (const parseSpecial of [false, true]) {
      const ids = one.encode(text, { parseSpecial });
      expect([...other.encode(text, { parseSpecial })], JSON.stringify(text)).toEqual([...ids]);
      expect(other.decode(ids), JSON.stringify(text)).toBe(one.decode(ids));
    }
}

/** The pieces in the order in which ranks have them: bytes, merges, then what stands apart. */
function ranked(model: BytesModel): BytesModel {
  return { ...model, ignoreMerges: true };
}

test("byte-level pieces as ranks and back", async () => {
  for (const name of ["llama3", "smollm"]) {
    const model = ranked(models.get(name) as BytesModel);
    await expectSame(model, await forms.ranks!(model));
  }
});

test.each<[string, string, RegExp]>([
  ["word", "tokenizer.model", /\[tokenizer\.model\] a tokenizer of the kind word has no form there/],
  ["word", "GGUF", /\[gguf\] a tokenizer of the kind word has no form/],
  ["word", "ranks", /\[tiktoken\] a tokenizer of the kind word has no form/],
  ["llama3", "tokenizer.model", /\[tokenizer\.model\] a tokenizer of the kind bytes has no form there/],
  ["sentencepiece", "ranks", /\[tiktoken\] a tokenizer of the kind sentencepiece has no form/],
])("%s as %s is refused by name", async (kind, form, message) => {
  await expect((async () => forms[form]!(models.get(kind)!))()).rejects.toThrow(message);
});

test.each<[string, Partial<SentencePieceModel>, string, RegExp]>([
  ["Metaspace", { prefixBeforeSpace: false }, "tokenizer.model", /a space in front only of texts that begin with none has no form/],
  ["Metaspace", { prefixBeforeSpace: false }, "GGUF", /a space in front only of texts that begin with none has no form/],
  ["an added piece", { added: [300] }, "tokenizer.model", /the added piece .*, which is found before a space comes in front, has no form/],
  ["a normaliser", { normaliser: [{ type: "lowercase" }] }, "GGUF", /the normaliser \(lowercase\) has no form/],
  [
    "a normaliser",
    { normaliser: [{ type: "lowercase" }], dummyPrefix: "never" },
    "tokenizer.model",
    /step \{"type":"lowercase"\} has no form/,
  ],
  ["more around a text", { template: { before: [1, 2], after: [] } }, "GGUF", /the pieces around a text are .* a GGUF can only say/],
  ["ignore_merges", { ignoreMerges: true }, "tokenizer.model", /ignore_merges has no form/],
])("%s is refused by name", async (_name, change, form, message) => {
  const model = { ...models.get("sentencepiece")!, ...change } as TokenizerModel;
  await expect((async () => forms[form]!(model))()).rejects.toThrow(message);
});

test("merges that a score per piece cannot say are refused with the piece", () => {
  const model: SentencePieceModel = {
    ...({ kind: "sentencepiece", byteFallback: false, dummyPrefix: "never", prefixBeforeSpace: true, unkId: 0, specials: [0] } as const),
    pieces: ["<unk>", "▁", "a", "b", "c", "ab", "bc", "abc"],
    merges: mergeList([
      [2, 3],
      [3, 4],
      [2, 6],
    ]),
  };
  // Merged by itself abc is ab and c, which the list does not join.
  expect(() => sentencePieceModelBytes(model)).toThrow(/the piece "abc" is no outcome of the merges, but two pieces make it up/);
});

test.each(["tokenizer.json", "GGUF", "ranks"])("a unigram model as %s is refused with the form that holds it", async (form) => {
  const model: TokenizerModel = {
    ...({ kind: "unigram", pieces: ["<unk>", "▁", "a"], scores: [0, -1, -2], unkId: 0, specials: [0], byteFallback: false } as const),
  };
  await expect((async () => forms[form]!(model))()).rejects.toThrow(/write a tokenizer\.model$/);
});

/** LLaMA's vocabulary has one score for all its runs of spaces. */
test.each([
  ["all lengths", [2, 3, 4, 5, 6, 7, 8]],
  ["some lengths", [2, 4, 5, 8, 16]],
])("runs of one score, %s: merges and scores of merges give the ids of the scores", (_name, lengths) => {
  const runs = lengths.map((length) => "▁".repeat(length));
  const model: SentencePieceModel = {
    ...({ kind: "sentencepiece", byteFallback: false, dummyPrefix: "each", prefixBeforeSpace: true, unkId: 0, specials: [0] } as const),
    pieces: ["<unk>", "▁", "a", "▁a", ...runs.toReversed()],
    scores: [0, -5, -6, -1, ...runs.map(() => -1e9)],
  };
  const json = readTokenizerJson(JSON.stringify(tokenizerJson(model)));
  const again = readSentencePieceModel(sentencePieceModelBytes(json));
  const [one, two, three] = [model, json, again].map(createTokenizer);
  for (let spaces = 0; spaces < 70; spaces++)
    for (const text of [" ".repeat(spaces), `a${" ".repeat(spaces)}a  a`]) {
      const ids = [...one!.encode(text)];
      expect([...two!.encode(text)], JSON.stringify(text)).toEqual(ids);
      expect([...three!.encode(text)], JSON.stringify(text)).toEqual(ids);
    }
  const tied = { ...model, pieces: [...model.pieces, "aa"], scores: [...model.scores!, -1e9] };
  expect(() => tokenizerJson(tied)).toThrow(/the pieces ".*" and ".*" have one score, and merges have an order/);
});

test("a GGUF's metadata has the usual keys", () => {
  const pairs = ggufTokenizerPairs(models.get("llama3")!);
  expect(pairs.get("tokenizer.ggml.model")).toEqual({ type: "text", value: "gpt2" });
  expect(pairs.get("tokenizer.ggml.pre")).toEqual({ type: "text", value: "dbrx" });
  expect(pairs.get("tokenizer.ggml.add_bos_token")).toEqual({ type: "bool", value: true });
  expect(ggufTokenizerPairs(models.get("sentencepiece")!).get("tokenizer.ggml.model")).toEqual({ type: "text", value: "llama" });
});

test.each<[string, (pairs: Map<string, unknown>) => void, RegExp]>([
  ["no vocabulary", (pairs) => pairs.delete("tokenizer.ggml.model"), /it has no tokenizer\.ggml\.model/],
  [
    "another kind",
    (pairs) => pairs.set("tokenizer.ggml.model", { type: "text", value: "bert" }),
    /tokenizer\.ggml\.model is "bert": only llama and gpt2/,
  ],
  [
    "an unknown pre",
    (pairs) => pairs.set("tokenizer.ggml.pre", { type: "text", value: "nobody" }),
    /tokenizer\.ggml\.pre is "nobody": only llama-bpe/,
  ],
  ["no merges", (pairs) => pairs.delete("tokenizer.ggml.merges"), /it has no tokenizer\.ggml\.merges/],
  [
    "an id outside",
    (pairs) => pairs.set("tokenizer.ggml.bos_token_id", { type: "u32", value: 480 }),
    /bos_token_id is 480, but there are 480 pieces/,
  ],
  [
    "a flag that is none",
    (pairs) => pairs.set("tokenizer.ggml.add_bos_token", { type: "u8", value: 1 }),
    /add_bos_token must be a bool, but it is of the type u8/,
  ],
  [
    "types of other pieces",
    (pairs) => pairs.set("tokenizer.ggml.token_type", { type: "array", value: { type: "i32", values: [1] } }),
    /token_type has 1 numbers for 480 pieces/,
  ],
])("a GGUF with %s is refused", (_name, change, message) => {
  const pairs = new Map(ggufTokenizerPairs(models.get("llama3")!));
  change(pairs);
  expect(() => ggufTokenizerModel(pairs, "x.gguf")).toThrow(message);
});

test("a vocabulary without pieces for some bytes stays one, and has no form in ranks", async () => {
  const model: BytesModel = {
    ...{ kind: "bytes", pieces: ["a", "b", "ab", "\u0120", "<s>"], merges: mergeList([[0, 1]]), specials: [4] },
    ...{ pattern: "gpt2", splitDigits: false, ignoreMerges: false, lacksBytes: true },
  };
  expect(readTokenizerJson(JSON.stringify(tokenizerJson(model)))).toMatchObject({ lacksBytes: true, pieces: model.pieces });
  const { pairs } = await readGgufMetadata(memorySource("x.gguf", ggufTokenizerBytes(model)));
  expect(ggufTokenizerModel(pairs)).toMatchObject({ lacksBytes: true, pieces: model.pieces });
  expect(() => tiktokenText(model)).toThrow("a vocabulary without pieces for some bytes has no form in a file of ranks");
});
