// Google's SentencePiece as the judge: its models, loaded as pieces and scores, give its ids (test/goldens/make_sentencepiece.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createTokenizer } from "../dist/tokenizer/index.js";

const { models } = JSON.parse(readFileSync(new URL("goldens/sentencepiece.golden.json", import.meta.url), "utf8"));

test.each(Object.entries(models))("%s: the same ids as SentencePiece, and the text back", (_name, { settings, pieces, scores, texts }) => {
  const tokenizer = createTokenizer({
    kind: "sentencepiece",
    pieces,
    scores,
    specials: [0, 1, 2],
    unkId: 0,
    bosId: 1,
    eosId: 2,
    byteFallback: settings.byte_fallback === true,
    dummyPrefix: settings.add_dummy_prefix === false ? "never" : "first",
    prefixBeforeSpace: true,
  });
  for (const { text, ids } of texts) {
    expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(ids);
    if (settings.byte_fallback) expect(tokenizer.decode(ids)).toBe(text);
  }
});
