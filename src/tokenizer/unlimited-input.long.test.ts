// Ten megabytes of one thing, and words that never repeat: an encoder that takes time in proportion to a square, or whose caches grow, would not end
// here, or not in this memory.
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { variedTexts } from "./conformance.ts";
import { createTokenizer, encodeStream, type TokenizerModel, trainTokenizer } from "./index.ts";

const megabytes = 10;
const corpus = [
  ...variedTexts,
  ...variedTexts.map((text) => `${text} the low lower newest widest 'twas`),
  "a".repeat(2000),
  " ".repeat(2000),
];
const bytes = await trainTokenizer(corpus, { kind: "bytes", vocabSize: 500 });
const models: readonly [string, TokenizerModel][] = [
  ["sentencepiece", await trainTokenizer(corpus, { kind: "sentencepiece", vocabSize: 600, characterCoverage: 0.98 })],
  ["bytes by llama3", bytes],
  ["bytes by o200k", { ...bytes, pattern: "o200k" } as TokenizerModel],
];

const rng = new Rng(5);
const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const texts: readonly [string, string][] = [
  ["one letter", "a".repeat(megabytes << 20)],
  ["spaces", " ".repeat(megabytes << 20)],
  ["base64", Array.from({ length: megabytes << 20 }, () => base64[rng.below(64)]!).join("")],
  ["Chinese without spaces", Array.from({ length: (megabytes << 20) / 3 }, () => String.fromCharCode(0x4e00 + rng.below(0x5000))).join("")],
  ["words that never repeat", Array.from({ length: megabytes << 17 }, (_, i) => `${(i * 2654435761) % 2 ** 32} `).join("")],
];

test.each(models.flatMap(([kind, model]) => texts.map(([what, text]) => [kind, what, model, text] as const)))(
  "%s: ten megabytes of %s come back, and from chunks with the same ids",
  async (_kind, _what, model, text) => {
    const tokenizer = createTokenizer(model);
    const ids = tokenizer.encode(text);
    expect(tokenizer.decode(ids) === text).toBe(true);
    let at = 0;
    for await (const part of encodeStream(tokenizer, chunksOf(text))) {
      for (const id of part) if (ids[at++] !== id) expect.fail(`id ${at - 1} is ${id}, but ${ids[at - 1]} in the whole text`);
    }
    expect(at).toBe(ids.length);
  },
  120_000,
);

function* chunksOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 99_991) yield text.slice(at, at + 99_991);
}

test.each(models)(
  "%s: twenty megabytes of words that never repeat are encoded in bounded memory",
  async (_kind, model) => {
    const tokenizer = createTokenizer(model);
    function* words(): Generator<string> {
      for (let i = 0; i < 200; i++) yield Array.from({ length: 10_000 }, (_, k) => ((i * 10_000 + k) * 2654435761) % 2 ** 32).join(" ");
    }
    let most = 0;
    for await (const _ of encodeStream(tokenizer, words())) most = Math.max(most, process.memoryUsage().arrayBuffers);
    expect(most).toBeLessThan(100e6);
  },
  120_000,
);
