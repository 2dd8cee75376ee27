// Oniguruma as the judge of how a text is cut by the name in a GGUF (test/goldens/make_gguf_pre.py).
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { characterPres, cutsOf, pres } from "../dist/formats/gguf-pre.js";
import { ggufTokenizerModel, ggufTokenizerPairs, readTokenizerJson, tokenizerJson } from "../dist/formats/index.js";
import { createTokenizer, trainTokenizer } from "../dist/tokenizer/index.js";
import { preTokeniserOf } from "../dist/tokenizer/pre-tokeniser.js";

const { texts, words } = JSON.parse(readFileSync(new URL("goldens/gguf-pre.golden.json", import.meta.url), "utf8"));
const plain = ggufTokenizerPairs(await trainTokenizer(["low lower lowest 123"], { kind: "bytes", vocabSize: 264, pattern: "gpt2" }));
const named = (name) => new Map([...plain, ["tokenizer.ggml.pre", { type: "text", value: name }]]);

describe.each(pres)("$names", (pre) => {
  test("words of a text", () => {
    const { pattern = [], splitDigits, preTokeniser } = cutsOf(pre);
    const names = [...(splitDigits ? ["digit"] : []), ...[pattern].flat()];
    const cut = preTokeniserOf(preTokeniser ?? names.map((name) => ({ type: "pattern", name })));
    texts.forEach((text, i) => {
      const lengths = [];
      cut(text, "text", (word) => lengths.push(Array.from(word).length));
      expect(lengths.join(" "), JSON.stringify(text)).toBe(words[pre.names[0]][i]);
    });
  });

  test("every name is read, and written as the first of them", () => {
    for (const name of pre.names) {
      const model = ggufTokenizerModel(named(name));
      expect(ggufTokenizerPairs(model).get("tokenizer.ggml.pre")).toEqual({ type: "text", value: pre.names[0] });
      const again = createTokenizer(readTokenizerJson(JSON.stringify(tokenizerJson(model))));
      expect([...again.encode(texts[0])]).toEqual([...createTokenizer(model).encode(texts[0])]);
    }
  });
});

test("no name stands twice", () => {
  const names = pres.flatMap((pre) => pre.names);
  expect(new Set(names).size).toBe(names.length);
});

test("a missing name is said, and stands for default", () => {
  const without = new Map(plain);
  without.delete("tokenizer.ggml.pre");
  const warnings = [];
  const model = ggufTokenizerModel(without, "x.gguf", (warning) => warnings.push(warning));
  expect(warnings).toEqual([expect.stringMatching(/^\[gguf\] x\.gguf: it has no tokenizer\.ggml\.pre.* read as "default"/)]);
  expect(model).toEqual(ggufTokenizerModel(named("default")));
});

test("names that are not known, or of pieces that are no bytes, are refused", () => {
  for (const name of characterPres) expect(() => ggufTokenizerModel(named(name))).toThrow(`pre is "${name}", whose pieces are characters`);
  expect(() => ggufTokenizerModel(named("nobody"))).toThrow(/pre is "nobody": only llama-bpe, .* are supported/);
});
