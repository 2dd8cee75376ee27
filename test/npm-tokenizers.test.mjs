// Tokenizers on npm as judges, with cuts of the vocabularies that they carry (test/goldens/npm_tokenizers.mjs).
import { readFileSync } from "node:fs";
import { Tokenizer } from "@huggingface/tokenizers";
import { describe, expect, test } from "vitest";
import { readTiktoken, tokenizerConfigJson, tokenizerJson } from "../dist/formats/index.js";
import { kindsByRanks } from "../dist/formats/tiktoken.js";
import { createTokenizer, splitNameOf } from "../dist/tokenizer/index.js";

const { texts, ...peers } = JSON.parse(readFileSync(new URL("goldens/npm-tokenizers.golden.json", import.meta.url), "utf8"));
const { "llama-tokenizer-js": llama, ...ranked } = peers;

/** The ids of a cut vocabulary count on without holes; in the golden they are the whole vocabulary's. */
function numbering(ids) {
  const dense = new Map(ids.map((id, i) => [id, i]));
  return { dense: (id) => dense.get(id), whole: (found) => [...found].map((id) => ids[id]) };
}

/** Texts of which the ids are others than a peer's. */
const different = (made, expected) => texts.filter((text, i) => made(text).join() !== expected(i).join());
const decodesTo = (changed) => new Map(changed);

/**
 * A lone surrogate, which UTF-8 cannot hold, is U+FFFD in a text of ours. Two of the peers write the bytes of U+FFFD in the sentencepiece kind, though
 * it is a piece there, which they would take if it stood in the text itself.
 */
const hasLoneSurrogate = (text) => !text.isWellFormed();

/** JavaScript's \s, by which llama3-tokenizer-js cuts, has U+FEFF, which is no White_Space, and so parts the spaces in front of it otherwise. */
const hasMarkBehindSpace = (text) => /\s\ufeff/.test(text);

describe("llama-tokenizer-js", () => {
  const { dense, whole } = numbering(llama.pieces.map(([id]) => id));
  const model = {
    kind: "sentencepiece",
    pieces: llama.pieces.map(([, piece]) => piece),
    merges: Int32Array.from(llama.merges.flat(), dense),
    ...{ specials: [0, 1, 2], unkId: 0, bosId: 1, eosId: 2, byteFallback: true, dummyPrefix: "each", prefixBeforeSpace: true },
  };
  const tokenizer = createTokenizer(model);

  test("the same ids, with a bos and without", () => {
    const found = different(
      (text) => whole(tokenizer.encode(text)),
      (i) => llama.ids[i].plain,
    );
    expect(found).toEqual(texts.filter(hasLoneSurrogate));
    for (const text of texts) expect([...tokenizer.encode(text, { bos: true })]).toEqual([1, ...tokenizer.encode(text)]);
  });

  test("the same ids without a space in front", () => {
    const bare = createTokenizer({ ...model, dummyPrefix: "never" });
    const found = different(
      (text) => whole(bare.encode(text)),
      (i) => llama.ids[i].noPrefix,
    );
    expect(found).toEqual(texts.filter(hasLoneSurrogate));
  });

  test("the same texts: a ▁ comes back as a space, and a byte order mark, which it takes off, stays here", () => {
    const changed = decodesTo(llama.changed);
    texts.forEach((text, i) => {
      const found = tokenizer.decode(llama.ids[i].plain.map(dense));
      expect(found.replace(/^\ufeff/, "")).toBe((changed.get(i) ?? text.toWellFormed()).replace(/^\ufeff/, ""));
      expect(found).toBe(text.toWellFormed().replaceAll("▁", " "));
    });
  });

  test("@huggingface/tokenizers gives the same ids with the file that is written", () => {
    const peer = new Tokenizer(tokenizerJson(model), tokenizerConfigJson(model));
    const found = different(
      (text) => whole(peer.encode(text, { add_special_tokens: false }).ids),
      (i) => whole(tokenizer.encode(texts[i], { parseSpecial: true })),
    );
    expect(found).toEqual(texts.filter(hasLoneSurrogate));
  });
});

describe.each(Object.entries(ranked))("%s", (name, { count, pattern, specials, ranks, ids, changed }) => {
  const spelt = specials.filter(([piece]) => texts.some((text) => text.includes(piece)));
  const { whole, dense } = numbering([...ranks, ...spelt.map(([, id]) => [id])].map(([id]) => id));
  const file = ranks.map(([id, base64]) => `${base64} ${dense(id)}\n`).join("");
  const ownName = pattern === undefined ? "llama3" : splitNameOf(pattern);
  const model = readTiktoken(new TextEncoder().encode(file), name, () => ({
    pattern: ownName,
    specials: spelt.map(([piece, id]) => [piece, dense(id)]),
  }));
  const tokenizer = createTokenizer(model);
  const exceptions = name === "llama3-tokenizer-js" ? texts.filter(hasMarkBehindSpace) : [];

  test("the same ids, with special pieces in the text and without", () => {
    const special = different(
      (text) => whole(tokenizer.encode(text, { parseSpecial: true })),
      (i) => ids[i].special ?? ids[i].plain,
    );
    expect(special).toEqual(exceptions);
    const known = texts.filter((_, i) => ids[i].plain !== undefined);
    expect(known.filter((text) => whole(tokenizer.encode(text)).join() !== ids[texts.indexOf(text)].plain.join())).toEqual([]);
  });

  test("the same texts", () => {
    const other = decodesTo(changed);
    texts.forEach((text, i) => {
      const found = tokenizer.decode((ids[i].special ?? ids[i].plain).map(dense), { specials: true });
      // Some take a byte order mark off.
      expect(other.has(i) ? found.replace(/^\ufeff/, "") : found).toBe(other.get(i) ?? text.toWellFormed());
    });
  });

  test("so many ranks get this pattern and these special pieces", () => {
    const known = kindsByRanks.get(count);
    expect(known.pattern).toBe(ownName);
    // LLaMA's reserved pieces got names from release to release.
    const named = (all) => all.filter(([piece]) => !piece.includes("reserved") && specials.some(([other]) => other === piece));
    expect(named(known.specials)).toEqual(named(specials));
    expect(known.specials.length).toBe(specials.length);
  });

  test("@huggingface/tokenizers gives the same ids with the file that is written", () => {
    const peer = new Tokenizer(tokenizerJson(model), tokenizerConfigJson(model));
    const found = different(
      (text) => whole(peer.encode(text, { add_special_tokens: false }).ids),
      (i) => ids[i].special ?? ids[i].plain,
    );
    expect(found).toEqual(exceptions);
  });
});
