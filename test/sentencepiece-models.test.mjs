// SentencePiece as the judge of its own files: tokenizer.model of every kind gives its ids and its texts, and is written so that it reads back
// (test/goldens/make_sentencepiece_models.py).
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { loadSentencePiece } from "../dist/formats/index.js";
import { createTokenizer, StreamDecoder } from "../dist/tokenizer/index.js";

const { models } = JSON.parse(readFileSync(new URL("goldens/sentencepiece-models.golden.json", import.meta.url), "utf8"));

const { readSentencePieceModel, sentencePieceModelBytes } = await loadSentencePiece();

const idOrNone = (id) => (id < 0 ? undefined : id);

describe.each(models)("$name", ({ file, roles, texts, decoded }) => {
  const model = readSentencePieceModel(gunzipSync(Buffer.from(file, "base64")));
  const tokenizer = createTokenizer(model);

  test("roles", () => {
    const { unkId, bosId, eosId, padId } = tokenizer;
    expect([unkId, bosId, eosId, padId]).toEqual([roles.unk, roles.bos, roles.eos, roles.pad].map(idOrNone));
  });

  test("the same ids and the same text", () => {
    for (const { text, ids, decoded } of texts) {
      expect([...tokenizer.encode(text)], JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids), JSON.stringify(text)).toBe(decoded);
    }
  });

  test("the same text of ids drawn at random, at once and one by one", () => {
    for (const { ids, text } of decoded) {
      expect(tokenizer.decode(ids), JSON.stringify(ids)).toBe(text);
      const stream = new StreamDecoder(tokenizer);
      expect(ids.map((id) => stream.push(id)).join("") + stream.flush(), JSON.stringify(ids)).toBe(text);
    }
  });

  test("reads back what it writes", () => {
    expect(readSentencePieceModel(sentencePieceModelBytes(model))).toEqual(model);
  });
});
