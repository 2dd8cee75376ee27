// tiktoken as the judge of files of ranks (test/goldens/make_tiktoken.py).
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { isTiktoken, readTiktoken, readTokenizerJson, tiktokenText, tokenizerJson } from "../dist/formats/index.js";
import { createTokenizer } from "../dist/tokenizer/index.js";

const { files } = JSON.parse(readFileSync(new URL("goldens/tiktoken.golden.json", import.meta.url), "utf8"));

describe.each(files)("$pattern", ({ file, pattern, specials, texts, decoded }) => {
  const bytes = new TextEncoder().encode(file);
  const kind = (ranks) => ({ pattern, specials: specials.map((piece, i) => [piece, ranks + i]), bos: specials[0], eos: specials[1] });
  const model = readTiktoken(bytes, "small.tiktoken", kind);
  const tokenizer = createTokenizer(model);

  test("the same ids, with special pieces and without", () => {
    for (const { text, plain, ids } of texts) {
      expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(plain);
      expect([...tokenizer.encode(text, { parseSpecial: true })], JSON.stringify(text)).toEqual(ids);
    }
  });

  test("the same text of ids drawn at random", () => {
    for (const { ids, text } of decoded) expect(tokenizer.decode(ids, { specials: true })).toBe(text);
  });

  test("writes the file that it has read, also by way of a tokenizer.json, which gives the same ids", () => {
    expect(isTiktoken(bytes)).toBe(true);
    expect(tiktokenText(model)).toBe(file);
    const json = readTokenizerJson(JSON.stringify(tokenizerJson(model)));
    expect(tiktokenText(json)).toBe(file);
    const other = createTokenizer(json);
    for (const { text, ids } of texts) expect([...other.encode(text, { parseSpecial: true })], JSON.stringify(text)).toEqual(ids);
  });
});

test("what goes with ranks is known by their number, or has to be said", () => {
  const [{ file }] = files;
  expect(() => readTiktoken(new TextEncoder().encode(file), "small.tiktoken")).toThrow(
    /small\.tiktoken: it has 350 ranks, and no known kind has so many \(50256, 100256, .*\): say which split pattern and special pieces go with it/,
  );
});

test.each([
  ["a line without a rank", "IQ==\n", /line 1, "IQ==", must be a piece in base64 and its rank/],
  ["no base64", "I! 0\n", /line 1, "I! 0", does not begin with base64/],
  ["a rank twice", "IQ== 0\nIg== 0\n", /line 2, .*a piece or a rank that another line has/],
  ["a piece twice", "IQ== 0\nIQ== 1\n", /line 2/],
  ["a rank far out", "IQ== 99999999\n", /line 1/],
  ["nothing", "\n\n", /it holds no ranks/],
])("refuses %s", (_name, text, message) => {
  expect(() => readTiktoken(new TextEncoder().encode(text), "x")).toThrow(message);
});
