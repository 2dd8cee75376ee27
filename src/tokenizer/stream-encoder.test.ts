import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { randomText, variedTexts } from "./conformance.ts";
import { createTokenizer, encodeStream, StreamEncoder, type Tokenizer, type TokenizerModel, trainTokenizer } from "./index.ts";

const corpus = [...variedTexts, ...variedTexts.map((text) => `${text} the low lower newest widest 'twas`)];
const train = async (options: Parameters<typeof trainTokenizer>[1]) => trainTokenizer(corpus, options);

const sentencepiece = await train({ kind: "sentencepiece", vocabSize: 600, characterCoverage: 0.98 });
const bytes = await train({ kind: "bytes", vocabSize: 500 });
const { merges: _, ...ranks } = bytes as Extract<TokenizerModel, { kind: "bytes" }>;

/** Pieces that take white space along, that touch no word, and that begin as one another. */
function withSpecials(model: TokenizerModel): TokenizerModel {
  const pieces = [...model.pieces, "<|x|>", "<|x|>y", "<a b>", "tag"];
  const first = model.pieces.length;
  const matching = [
    { id: first, lstrip: true },
    { id: first + 1, rstrip: true },
    { id: first + 3, singleWord: true },
  ];
  return { ...model, pieces, specials: [...model.specials, first, first + 1], added: [first + 2, first + 3], matching } as TokenizerModel;
}

const withoutExtraSpaces = {
  ...sentencepiece,
  dummyPrefix: "never",
  normaliser: [{ type: "sentencepiece", removeExtraSpaces: true, dummySpace: "front" }],
} as TokenizerModel;

const models: readonly [name: string, model: TokenizerModel, isBounded: boolean][] = [
  ["sentencepiece", sentencepiece, true],
  ["sentencepiece with special pieces", withSpecials(sentencepiece), true],
  ["sentencepiece without extra spaces", withoutExtraSpaces, true],
  ["sentencepiece with one unknown for a run", { ...sentencepiece, byteFallback: false } as TokenizerModel, false],
  ["word", await train({ kind: "word", vocabSize: 500 }), true],
  ["bytes with special pieces", withSpecials(bytes), true],
  ["bytes by ranks", { ...ranks, ignoreMerges: true }, true],
  ...(["gpt2", "qwen2", "o200k", "tekken"] as const).map(
    (pattern) => [`bytes by ${pattern}`, { ...bytes, pattern } as TokenizerModel, true] as [string, TokenizerModel, boolean],
  ),
  ["bytes, every digit alone", { ...bytes, splitDigits: true } as TokenizerModel, false],
];

const units = [
  "<|x|>",
  "<|x|>y",
  "<a b>",
  "tag",
  "  ",
  " ",
  "\n",
  "\u3000",
  "/",
  "'ll",
  "▁",
  "ABC",
  "日本",
  "。",
  "1",
  "\ud83e",
  "\udd99",
  "\ufeff",
];

function difficultText(rng: Rng): string {
  return Array.from({ length: rng.below(60) }, () =>
    rng.below(3) > 0 ? units[rng.below(units.length)]! : randomText(rng, 1 + rng.below(12)),
  ).join("");
}

test.each(models)("%s: a text in chunks, cut anywhere, has the ids of the whole text", (_name, model) => {
  const tokenizer = createTokenizer(model);
  const rng = new Rng(21);
  for (let round = 0; round < 120; round++) {
    const text = difficultText(rng);
    const roles = { bos: tokenizer.bosId !== undefined, eos: tokenizer.eosId !== undefined };
    const options = { ...(round % 2 === 0 ? roles : {}), parseSpecial: round % 3 === 0, bufferBytes: 1 + rng.below(40) };
    expect(streamed(tokenizer, pieces(rng, text), options), JSON.stringify(text)).toEqual([...tokenizer.encode(wellFormed(text), options)]);
    const raw = Uint8Array.from([...new TextEncoder().encode(text), ...Array.from({ length: rng.below(9) }, () => rng.below(256))]);
    expect(streamed(tokenizer, pieces(rng, raw), options), String(raw)).toEqual([...tokenizer.encodeBytes(raw, options)]);
  }
});

test.each(models)(
  "%s: a long text in slices has the ids of the whole text, whatever is encoded between two of them",
  (_name, model, isBounded) => {
    const tokenizer = createTokenizer(model);
    const rng = new Rng(22);
    const text = Array.from({ length: 90 }, () => difficultText(rng)).join(" and 1 ");
    const everySecond = (start: number) => start % 2 === 0;
    for (const options of [{}, { bos: tokenizer.bosId !== undefined, parseSpecial: true }, { parseSpecial: everySecond }]) {
      const slices = tokenizer.encodeSliced(text, options);
      let yields = 0;
      for (let next = slices.next(); ; next = slices.next(), yields++) {
        if (next.done) {
          expect(next.value).toEqual(tokenizer.encode(text, options));
          break;
        }
        tokenizer.encode("something else, é");
      }
      if (isBounded && tokenizer.kind !== "word") expect(yields).toBeGreaterThan(1); // the word kind needs its text as a string
    }
  },
);

/** A lone surrogate counts as U+FFFD. */
function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, "\ufffd");
}

function pieces<T extends string | Uint8Array>(rng: Rng, text: T): T[] {
  const chunks: T[] = [];
  for (let at = 0; at < text.length; ) {
    const stop = at + 1 + rng.below(9);
    chunks.push(text.slice(at, stop) as T);
    at = stop;
  }
  return chunks;
}

function streamed(
  tokenizer: Tokenizer,
  chunks: (string | Uint8Array)[],
  options: ConstructorParameters<typeof StreamEncoder>[1],
): number[] {
  const encoder = new StreamEncoder(tokenizer, options);
  return [...chunks.flatMap((chunk) => [...encoder.push(chunk)]), ...encoder.flush()];
}

test.each(models)("%s: ids come before the text ends where its words do not hang on all of it", (_name, model, isBounded) => {
  const tokenizer = createTokenizer(model);
  const encoder = new StreamEncoder(tokenizer, { bufferBytes: 1000 });
  let held = 0;
  let most = 0;
  for (let i = 0; i < 200; i++) {
    held += 50;
    if (encoder.push("the low lower newest. Widest 12 of them\nall of it ".slice(0, 50)).length > 0) held = 0;
    most = Math.max(most, held);
  }
  expect(most <= 2000).toBe(isBounded);
});

test("chunks may come at once or over time, as strings and as bytes, and a half of a surrogate pair waits for the other", async () => {
  const tokenizer = createTokenizer(bytes);
  const chunks = ["the lo", "w \ud83e", "\udd99 ", new TextEncoder().encode("newest \ud83e"), "\ud83e", new Uint8Array(0), "x\ud83e"];
  const text = "the low \ud83e\udd99 newest \ufffd\ufffdx\ufffd";
  async function* overTime() {
    for (const chunk of chunks) yield chunk;
  }
  for (const source of [chunks, overTime()]) {
    const ids: number[] = [];
    for await (const part of encodeStream(tokenizer, source)) ids.push(...part);
    expect(ids).toEqual([...tokenizer.encode(text)]);
  }
});
