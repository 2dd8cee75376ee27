import { expect, test } from "vitest";
import { byteLevelPiece, createTokenizer, mergeList } from "../tokenizer/index.ts";
import { textToScore } from "./texts-to-score.ts";

const bytes = Array.from({ length: 256 }, (_, byte) => byteLevelPiece([byte]));
const tokenizerWith = (ends: object) =>
  createTokenizer({
    ...{ kind: "bytes", pieces: [...bytes, "<begin>", "<end>"], merges: mergeList([]), specials: [256, 257] },
    ...{ splitDigits: false, ignoreMerges: false, ...ends },
  });
const idsOf = (text: string) => [...new TextEncoder().encode(text)];

test("white space at a prompt's end is scored with the continuation, and no token goes unscored", () => {
  const plain = tokenizerWith({ eosId: 257 });
  expect(textToScore(plain, "ab ", "c")).toEqual({ ids: idsOf("ab c"), from: 2 });
  expect(textToScore(plain, "ab", " c")).toEqual({ ids: idsOf("ab c"), from: 2 });
  for (const [prompt, continuation] of [
    ["", "  c"],
    ["  ", "c"],
  ] as const)
    expect(textToScore(plain, prompt, continuation)).toEqual({ ids: [257, ...idsOf("  c")], from: 1 });
  const framed = tokenizerWith({ bosId: 256, eosId: 257, template: { before: [256], after: [257] } });
  expect(textToScore(framed, "ab", "c")).toEqual({ ids: [256, ...idsOf("abc")], from: 3 }); // nothing behind a text that goes on
  expect(textToScore(framed, "", "c")).toEqual({ ids: [256, ...idsOf("c")], from: 1 });
  expect(textToScore(framed, [1, 2], "c")).toEqual({ ids: [1, 2, ...idsOf("c")], from: 2 });
  expect(textToScore(framed, "ab", [5])).toEqual({ ids: [256, ...idsOf("ab"), 5], from: 3 });
});

test("what cannot be scored is said", () => {
  const bare = tokenizerWith({});
  expect(() => textToScore(bare, "", "c")).toThrow("neither a begin-of-text nor an end-of-text token");
  expect(() => textToScore(bare, "ab", "")).toThrow('the continuation "" adds no token to its prompt');
});
