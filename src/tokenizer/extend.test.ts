import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { variedTexts } from "./conformance.ts";
import {
  createTokenizer,
  cutVocabulary,
  type ExtendOptions,
  extendTokenizer,
  extensionRules,
  type TokenizerModel,
  type TrainOptions,
  trainTokenizer,
  WordTable,
  wordCutter,
} from "./index.ts";

const text = (rng: Rng, letters: string, words: number) =>
  Array.from({ length: words }, () =>
    Array.from({ length: 1 + rng.below(4) }, () => Array.from(letters)[rng.below(rng.below(8) + 1)]).join(""),
  ).join(" ");
const english = text(new Rng(1), "etaoinsh", 2000);
const other = `${text(new Rng(2), "хэллоудж", 3000)}\n${text(new Rng(3), "hsniaote", 3000)} 2024`;

const trained = (options: Partial<TrainOptions>) =>
  trainTokenizer([english, ...variedTexts], { vocabSize: 640, mayBeSmaller: true, ...options } as TrainOptions);

/** The same merges as ranks: LLaMA 3's form, with special pieces behind. */
async function ranks(): Promise<TokenizerModel> {
  const model = await trained({ kind: "bytes" });
  if (model.kind !== "bytes") throw new Error("not bytes");
  const { merges: _, ...rest } = model;
  return rest;
}

/** The same merges as scores: LLaMA 1's form. */
async function scores(): Promise<TokenizerModel> {
  return trained({ kind: "sentencepiece", mode: "spm" });
}

const models: readonly (readonly [name: string, make: () => Promise<TokenizerModel>])[] = [
  ["bytes", () => trained({ kind: "bytes", pattern: "gpt2" })],
  ["bytes, words that are pieces whole", async () => ({ ...(await trained({ kind: "bytes" })), ignoreMerges: true }) as TokenizerModel],
  ["ranks", ranks],
  ["sentencepiece, merges", () => trained({ kind: "sentencepiece" })],
  ["sentencepiece, scores", scores],
];

function counted(model: TokenizerModel, texts: readonly string[]): WordTable {
  const table = new WordTable();
  const cut = wordCutter(extensionRules(model));
  for (const one of texts) cut(one, table);
  return table;
}

async function extended(model: TokenizerModel, options: Partial<ExtendOptions> = {}) {
  return extendTokenizer(model, counted(model, [other]), { vocabSize: model.pieces.length + 80, ...options });
}

test.each(models)("%s: an extended vocabulary keeps all ids, and new pieces are made", async (_name, make) => {
  const model = await make();
  const { model: larger, ...report } = await extended(model);
  expect(larger.pieces.length).toBe(model.pieces.length + 80);
  expect(larger.pieces.slice(0, model.pieces.length)).toEqual(model.pieces);
  expect([larger.specials, larger.bosId, larger.eosId, larger.template]).toEqual([
    model.specials,
    model.bosId,
    model.eosId,
    model.template,
  ]);
  const [before, after] = [createTokenizer(model), createTokenizer(larger)];
  expect(after.decode(after.encode(other))).toBe(before.decode(before.encode(other)));
  expect(after.encode(other).length).toBeLessThan(0.8 * before.encode(other).length);
  const used = new Set(after.encode(other));
  expect(larger.pieces.slice(model.pieces.length).filter((_, i) => used.has(model.pieces.length + i)).length).toBeGreaterThan(40);
  // A text without the new pieces is encoded as it was.
  for (const one of [...variedTexts, english]) {
    const ids = after.encode(one);
    if (ids.every((id) => id < model.pieces.length)) expect(ids).toEqual(before.encode(one));
    expect(after.decode(ids)).toBe(before.decode(before.encode(one)));
  }
  expect(report.tokensAfter).toBeLessThan(report.tokensBefore);
  expect(report.changedWords).toBeGreaterThan(10);
  expect(report.changedWords).toBeLessThanOrEqual(report.words);
});

test("new merges are those that training on the old pieces would find: the most frequent pair first", async () => {
  const model = await trainTokenizer(["ab ab"], { kind: "bytes", vocabSize: 259, pattern: "gpt2" });
  expect(model.pieces.slice(256)).toEqual(["ab", "<|begin_of_text|>", "<|end_of_text|>"]);
  // x ab c d · Ġ x ab c d (twice) · Ġ c d ab (twice): c d stands five times, x ab three times, then xab cd three times, then Ġ cd twice.
  const table = counted(model, ["xabcd xabcd xabcd cdab cdab"]);
  const { model: larger, ...report } = await extendTokenizer(model, table, { vocabSize: 263 });
  expect(larger.pieces.slice(259)).toEqual(["cd", "xab", "xabcd", "Ġcd"]);
  expect(report).toEqual({ characters: 0, merges: 4, words: 3, changedWords: 3, tokensBefore: 4 + 10 + 8, tokensAfter: 1 + 4 + 4 });
});

/** Probabilities by hand: "c" has the lowest, which says what an unknown weighs, and stands in no text below. */
const unigram: TokenizerModel = {
  kind: "unigram",
  pieces: ["<unk>", "<s>", "▁", "a", "e", "ae", "c", "d", "▁a", "de", "qqq"],
  scores: [0, 0, -2, -3, -3, -4, -20, -5, -4, -6, -7],
  specials: [0, 1],
  unkId: 0,
  bosId: 1,
  byteFallback: false,
};

test("refuses the kinds word and unigram by name", async () => {
  const word = await trained({ kind: "word" });
  expect(() => extensionRules(word)).toThrow(/a vocabulary of kind word cannot be extended \(its words end in a symbol of their own\)/);
  expect(() => extensionRules(unigram)).toThrow(/a vocabulary of kind unigram cannot be extended \(its pieces have probabilities/);
});

test("refuses sizes and corpora that give nothing", async () => {
  const model = await trained({ kind: "bytes" });
  const size = model.pieces.length;
  await expect(extended(model, { vocabSize: size })).rejects.toThrow(`vocabSize must be a whole number above the ${size} pieces there are`);
  await expect(extendTokenizer(model, new WordTable(), { vocabSize: size + 1 })).rejects.toThrow("the corpus has no words");
  await expect(extended(model, { vocabSize: 100_000 })).rejects.toThrow(
    /too small to extend the vocabulary to 100000 pieces: it gives at most \d+/,
  );
  expect((await extended(model, { vocabSize: 100_000, mayBeSmaller: true })).model.pieces.length).toBeGreaterThan(size);
});

const cuttable = [
  ...models,
  ["word", () => trained({ kind: "word" })] as const,
  ["unigram", async () => unigram] as const,
  ["extended", async () => (await extended(await scores())).model] as const,
];

test.each(cuttable)("%s: a cut vocabulary encodes the corpus to the same pieces", async (_name, make) => {
  const model = await make();
  const tokenizer = createTokenizer(model);
  const texts = [english.slice(0, 300), ...variedTexts.slice(3, 12), "1 22 333"];
  const used = new Set(texts.flatMap((one) => [...tokenizer.encode(one)]));
  const { model: smaller, oldIds } = cutVocabulary(model, used);
  expect(oldIds.length).toBe(smaller.pieces.length);
  expect(oldIds.length).toBeLessThan(model.pieces.length);
  expect(smaller.pieces).toEqual(oldIds.map((id) => model.pieces[id]));
  const cut = createTokenizer(smaller);
  for (const one of texts) expect([...cut.encode(one)].map((id) => oldIds[id])).toEqual([...tokenizer.encode(one)]);
  expect(smaller.specials.map((id) => oldIds[id])).toEqual(model.specials);
  expect([smaller.bosId, smaller.unkId].map((id) => oldIds[id ?? -1])).toEqual([model.bosId, model.unkId]);
});
