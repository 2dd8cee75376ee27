// Hugging Face's libraries as the judge of tokenizer.json: added tokens, split patterns, decoders, a saved LLaMA tokenizer (test/goldens/make_tokenizers.py).
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readTokenizerJson, tokenizerConfigJson, tokenizerJson } from "../dist/formats/index.js";
import { createTokenizer, StreamDecoder, splitNameOf } from "../dist/tokenizer/index.js";
import { eachWord } from "../dist/tokenizer/split-bytes.js";
import { splitsOf } from "../dist/tokenizer/split-pattern.js";

const golden = JSON.parse(readFileSync(new URL("goldens/tokenizers.golden.json", import.meta.url), "utf8"));

const open = (file, options) => createTokenizer(readTokenizerJson(JSON.stringify(file), options));

/** What the pieces of a stream make together. */
function streamed(tokenizer, ids, options) {
  const stream = new StreamDecoder(tokenizer, options);
  return [...ids].map((id) => stream.push(id)).join("") + stream.flush();
}

describe("added tokens with flags drawn at random", () => {
  test.each(golden.added)("$form: the same ids and the same text", ({ form, file, cases }) => {
    for (const { tokens, texts } of cases) {
      const tokenizer = open({ ...file, added_tokens: tokens });
      expect(open(tokenizerJson(tokenizer.model)).model).toEqual(tokenizer.model);
      for (const { text, ids, plain, decoded, hidden } of texts) {
        const about = JSON.stringify({ text, tokens });
        expect([...tokenizer.encode(text, { parseSpecial: true })], about).toEqual(ids);
        expect([...tokenizer.encode(text)], about).toEqual(plain);
        for (const [specials, theirs] of [
          [true, decoded],
          [false, hidden],
        ]) {
          const ours = tokenizer.decode(ids, { specials });
          expect(streamed(tokenizer, ids, { specials }), about).toBe(ours);
          // They forget that a special piece is special where the normaliser spells it otherwise.
          if (!specials && shows(form, tokens, ids))
            expect(ours, about).toBe(tokenizer.decode(ids.filter((id) => !tokenizer.isSpecial(id))));
          // Metaspace: they take a leading space away also where encoding put none.
          else if (ours !== ` ${theirs}` || !keepsSpace(form, tokens, text, ours)) expect(ours, about).toBe(theirs);
        }
      }
    }
  });
});

/** Whether their decoding shows a special piece that it was told to hide. */
function shows(form, tokens, ids) {
  const isOther = ({ content }) => form === "prepend" || (form === "never" && content.includes(" "));
  return tokens.some((token) => token.special && token.normalized && isOther(token) && ids.includes(token.id));
}

/** Whether the leading space of the decoded text is the text's own under Metaspace: one of several, alone, or an added token's. */
function keepsSpace(form, tokens, text, decoded) {
  if (form !== "first" && form !== "always") return false;
  return (
    /^ ( |$)/.test(decoded) || tokens.some(({ content }) => content.startsWith(" ") && text.trimStart().startsWith(content.trimStart()))
  );
}

describe("split patterns", () => {
  const { texts, patterns } = golden.splits;

  test.each(patterns)("$name cuts as Oniguruma does", ({ expressions, lengths }) => {
    const splits = splitsOf(expressions.map(splitNameOf), false);
    texts.forEach((text, i) => {
      const words = [];
      eachWord(text, splits, (word) => words.push(word));
      expect(words.join("")).toBe(text);
      expect(
        words.map((word) => Array.from(word).length),
        JSON.stringify(text),
      ).toEqual(lengths[i]);
    });
  });
});

describe("decoders", () => {
  const fileOf = (form) => golden.added.find((one) => one.form === form).file;
  const never = fileOf("never");

  test.each(golden.decoders.filter(({ decoder }) => !isOfWords(decoder)))("$decoder", ({ decoder, texts }) => {
    const file = decoder?.type === "ByteLevel" ? fileOf("bytes") : never;
    const pieces = [...new Set([...Object.keys(file.model.vocab), ...texts.flatMap(({ tokens }) => tokens)])];
    const tokenizer = open({
      ...file,
      decoder,
      model: { ...file.model, vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])) },
    });
    expect(open(tokenizerJson(tokenizer.model)).model).toEqual(tokenizer.model);
    for (const { tokens, text } of texts) {
      const ids = tokens.map((piece) => pieces.indexOf(piece));
      expect(tokenizer.decode(ids), JSON.stringify(tokens)).toBe(text);
      expect(streamed(tokenizer, ids), JSON.stringify(tokens)).toBe(text);
    }
  });

  test("the word kind's, which they read without an error also where there are no words", () => {
    const mark = "\ue000";
    const model = {
      ...{ kind: "word", pieces: ["<unk>", "</w>", "a", "b", "c", "a</w>", "b</w>", "c</w>"], unkId: 0, specials: [0] },
      merges: Int32Array.of(2, 1, 3, 1, 4, 1),
    };
    const { decoder, texts } = golden.decoders.find((one) => isOfWords(one.decoder));
    expect(tokenizerJson(model).decoder).toEqual(decoder);
    const tokenizer = open(tokenizerJson(model));
    expect(tokenizer.model).toEqual(model);
    for (const { tokens, text } of texts) {
      const ids = tokens.map((token) => model.pieces.indexOf(token.replace(mark, "</w>")));
      expect(tokenizer.decode(ids)).toBe(text);
    }
    const earlier = {
      ...tokenizerJson(model),
      decoder: { ...decoder, decoders: [...decoder.decoders.slice(0, 2), { type: "Strip", content: " ", start: 0, stop: 1 }] },
    };
    expect(open(earlier).model).toEqual(model);
  });
});

const isOfWords = (decoder) => decoder?.decoders?.at(-1).pattern?.Regex !== undefined;

test("a LLaMA tokenizer as transformers 5 saves it, without an unknown token in its model", () => {
  const { files, texts } = golden.saved;
  expect(files["tokenizer.json"].model.unk_token).toBe(null);
  const tokenizer = open(files["tokenizer.json"], { config: files["tokenizer_config.json"] });
  expect(tokenizer.unkId).toBe(0);
  for (const { text, ids } of texts) expect([...tokenizer.encode(text, { template: true, parseSpecial: true })], text).toEqual(ids);
  const alone = open(files["tokenizer.json"]);
  expect(alone.unkId).toBe(undefined);
  expect([...alone.encode("日 ab")]).toEqual([...tokenizer.encode("日 ab")]);
  expect(open(tokenizerJson(tokenizer.model), { config: tokenizerConfigJson(tokenizer.model) }).model).toEqual(tokenizer.model);
});
