// What explains an encoding merges by the book, and is held against the encoder: it throws where its ids are others.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { readTokenizerJson } from "../dist/formats/index.js";
import { readSentencePieceModel } from "../dist/formats/sentencepiece-read.js";
import { createTokenizer, explainer, trainTokenizer } from "../dist/tokenizer/index.js";

const golden = (name) => JSON.parse(readFileSync(new URL(`goldens/${name}.golden.json`, import.meta.url), "utf8"));
const pipelines = golden("tokenizer-pipelines");
const { models } = golden("sentencepiece-models");
const npm = golden("npm-tokenizers");

test.each(pipelines.tokenizers)("$name", ({ file, cases }) => {
  const tokenizer = createTokenizer(readTokenizerJson(JSON.stringify(file)));
  const explain = explainer(tokenizer);
  for (const { text, ids } of cases.filter((_, i) => i % 3 === 0)) {
    expect(explain(text, { parseSpecial: true }).ids).toEqual(ids);
    expect(explain(text).ids).toEqual([...tokenizer.encode(text)]);
  }
});

test.each(models)("SentencePiece: $name", ({ file, texts }) => {
  const tokenizer = createTokenizer(readSentencePieceModel(gunzipSync(Buffer.from(file, "base64")), "x.model"));
  const explain = explainer(tokenizer);
  for (const { text } of texts.filter((_, i) => i % 3 === 0)) expect(explain(text).ids).toEqual([...tokenizer.encode(text)]);
});

test("words of the textbook, and LLaMA's of every kind of text", async () => {
  const kinds = [
    { kind: "word", vocabSize: 45 },
    { kind: "sentencepiece", vocabSize: 290 },
    { kind: "bytes", vocabSize: 275, pattern: "llama3" },
  ];
  for (const options of kinds) {
    const tokenizer = createTokenizer(await trainTokenizer(["the low lower newest widest of the low town 12 345 "], options));
    const explain = explainer(tokenizer);
    for (const text of npm.texts) expect(explain(text).ids).toEqual([...tokenizer.encode(text)]);
    const around = { bos: tokenizer.bosId !== undefined, eos: tokenizer.eosId !== undefined };
    expect(explain("the low", around)).toMatchObject({ before: [tokenizer.bosId], after: [tokenizer.eosId] });
  }
});

test("merges, ranks, ways and special pieces are told", () => {
  const [bpe] = [pipelines.tokenizers.find(({ name }) => name.startsWith("a suffix at the end"))];
  const explain = explainer(createTokenizer(readTokenizerJson(JSON.stringify(bpe.file))));
  const { parts, overlooked } = explain("low<s>low");
  expect(overlooked).toEqual([bpe.file.model.vocab["<s>"]]);
  const [word] = parts[0].words;
  expect(word).toMatchObject({
    text: "low",
    symbols: ["l", "o", "w</w>"],
    merges: [{ left: "l", right: "o", symbols: ["lo", "w</w>"] }, {}],
  });
  expect(word.merges.map(({ rank }) => rank)).toEqual(
    word.merges.map(({ left, right }) => bpe.file.model.merges.findIndex(([l, r]) => l === left && r === right)),
  );
  expect(explain("low<s>low", { parseSpecial: true }).parts.map(({ kind }) => kind)).toEqual(["text", "piece", "text"]);
  const unigram = pipelines.tokenizers.find(({ name }) => name.startsWith("T5"));
  const [found] = explainer(createTokenizer(readTokenizerJson(JSON.stringify(unigram.file))))("lower").parts[0].words;
  expect(found.paths.length).toBe(3);
  const sums = found.paths.map(({ sum }) => sum);
  expect(sums).toEqual(sums.toSorted((a, b) => b - a));
  expect(found.paths[0].pieces.join("")).toBe("▁lower");
  expect(found.paths[0].scores.reduce((a, b) => a + b, 0)).toBeCloseTo(sums[0], 9);
});
