import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { byteLevelPiece } from "./byte-pieces.ts";
import { naiveTrain, randomText, variedTexts } from "./conformance.ts";
import { createTokenizer, type TokenizerModel, type TrainOptions, trainTokenizer } from "./index.ts";
import { eachWord } from "./split-bytes.ts";
import { splitsOf } from "./split-pattern.ts";
import { eachSentencePart } from "./split-sentence.ts";

const textbook = ["low ".repeat(5) + "lower ".repeat(2) + "newest ".repeat(6) + "widest ".repeat(3)];

function mergesOf({ pieces, merges }: TokenizerModel): string[][] {
  return (merges ?? []).map(([left, right]) => [pieces[left]!, pieces[right]!]);
}

function countWords(texts: readonly string[], cut: (text: string, each: (word: string) => void) => void) {
  const counts = new Map<string, number>();
  for (const text of texts) cut(text, (word) => counts.set(word, (counts.get(word) ?? 0) + 1));
  return counts;
}

function asSymbols(counts: ReadonlyMap<string, number>, spell: (word: string) => readonly string[]) {
  return new Map([...counts].map(([word, count]) => [spell(word), count]));
}

test("the textbook's example: low lower newest widest", async () => {
  const model = await trainTokenizer(textbook, { kind: "word", vocabSize: 1000, maxMerges: 6 });
  expect(mergesOf(model)).toEqual([
    ["e", "s"],
    ["es", "t"],
    ["est", "</w>"],
    ["l", "o"],
    ["lo", "w"],
    ["e", "w"],
  ]);
  const { encode, idToPiece, decode } = wrap(model);
  expect(encode("lowest newest").map(idToPiece)).toEqual(["low", "est</w>", "n", "ew", "est</w>"]);
  expect(decode(encode("  lowest\nnewest "))).toBe("lowest newest");
});

function wrap(model: TokenizerModel) {
  const tokenizer = createTokenizer(model);
  return {
    encode: (text: string) => [...tokenizer.encode(text)],
    idToPiece: (id: number) => tokenizer.idToPiece(id),
    decode: (ids: number[]) => tokenizer.decode(ids),
  };
}

test("training stops at the vocabulary size", async () => {
  const model = await trainTokenizer(textbook, { kind: "word", vocabSize: 20 });
  expect(model.pieces.length).toBe(20);
});

test.each([1, 2, 3, 4, 5, 6])("incremental counts give the merges of the naive trainer, seed %i", async (seed) => {
  const rng = new Rng(seed);
  const texts = [
    ...Array.from({ length: 20 }, () => randomText(rng, rng.below(120))),
    ...variedTexts.slice(0, 1 + seed * 4),
    "aaaa aaa aaaaaaa",
  ];
  const maxMerges = 60;

  const words = countWords(texts, (text, each) => (text.match(/\P{White_Space}+/gu) ?? []).forEach(each));
  const word = await trainTokenizer(texts, { kind: "word", vocabSize: 5000, maxMerges });
  const spelled = asSymbols(words, (w) => [...w, "</w>"]);
  expect(mergesOf(word)).toEqual(naiveTrain(spelled, maxMerges));

  const cut = (text: string, each: (w: string) => void) => eachWord(text, splitsOf("gpt2", true), each);
  const byteWords = asSymbols(countWords(texts, cut), (w) => [...byteLevelPiece(new TextEncoder().encode(w))]);
  const options: TrainOptions = { kind: "bytes", vocabSize: 5000, maxMerges, pattern: "gpt2", splitDigits: true };
  expect(mergesOf(await trainTokenizer(texts, options))).toEqual(naiveTrain(byteWords, maxMerges));
});

test.each([11, 12, 13])("sentencepiece training equals the naive trainer under its rules, seed %i", async (seed) => {
  const rng = new Rng(seed);
  const texts = Array.from({ length: 30 }, () => randomText(rng, 80).replaceAll(" ", "  "));
  const model = await trainTokenizer(texts, {
    kind: "sentencepiece",
    vocabSize: 10_000,
    maxMerges: 60,
    characterCoverage: 1,
    maxPieceLength: 4,
  });
  const rules = { splitDigits: true, splitByUnicodeScript: true };
  const parts = countWords(texts, (text, each) => {
    for (const line of text.split("\n")) if (line !== "") eachSentencePart(` ${line}`, rules, each);
  });
  const isAllowed = (left: string, right: string) => {
    const piece = left + right;
    return [...piece].length <= 4 && (/^▁*$/.test(piece) || !/.▁/u.test(piece));
  };
  const expected = naiveTrain(
    asSymbols(parts, (part) => [...part.replaceAll(" ", "▁")]),
    60,
    isAllowed,
  );
  expect(mergesOf(model)).toEqual(expected);
});

test("neither the order nor the cutting into documents changes the result", async () => {
  const lines = variedTexts.flatMap((text) => text.split("\n")).filter((line) => line !== "");
  const options: TrainOptions = { kind: "sentencepiece", vocabSize: 600 };
  const one = await trainTokenizer([lines.join("\n")], options);
  async function* backwards() {
    yield* lines.toReversed();
  }
  expect(await trainTokenizer(backwards(), options)).toEqual(one);
});

test("sentencepiece vocabularies are laid out like LLaMA's, with digits alone", async () => {
  const model = await trainTokenizer(["in 1984 and 2024 the year 2024 the  end 🦙 the"], { kind: "sentencepiece", vocabSize: 290 });
  expect(model.pieces.slice(0, 4)).toEqual(["<unk>", "<s>", "</s>", "<0x00>"]);
  expect(model.pieces[258]).toBe("<0xFF>");
  expect([model.unkId, model.bosId, model.eosId, model.padId]).toEqual([0, 1, 2, undefined]);
  expect(model.pieces.length).toBe(290);
  const { encode, idToPiece } = wrap(model);
  expect(encode("1984 2024").map(idToPiece)).toEqual(["▁", "1", "9", "8", "4", "▁", "2", "0", "2", "4"]);
  expect(model.pieces.filter((piece) => /\d/.test(piece) && !piece.startsWith("<0x")).every((piece) => piece.length === 1)).toBe(true);
});

test("character coverage leaves rare characters to bytes, maximal length bounds pieces", async () => {
  const text = `${"common words ".repeat(500)}ж`;
  const model = await trainTokenizer([text], { kind: "sentencepiece", vocabSize: 275, characterCoverage: 0.999, maxPieceLength: 3 });
  expect(model.pieces).not.toContain("ж");
  expect(model.pieces.slice(259).every((piece) => piece.length <= 3)).toBe(true);
  expect(wrap(model).encode("ж").map(wrap(model).idToPiece)).toEqual(["▁", "<0xD0>", "<0xB6>"]);
});

test.each<[string, string[], Partial<TrainOptions>, RegExp]>([
  ["an empty corpus", [], {}, /no words/],
  ["white space only", [" \n "], { kind: "word" }, /no words/],
  ["a small corpus", ["abc"], {}, /too small for a vocabulary of 300: it gives at most 260 pieces/],
  ["no room for the bytes", ["abc"], { vocabSize: 100 }, /no room for 2 special and byte pieces and 256 characters: ask for at least 258/],
  ["half a piece", ["abc"], { vocabSize: 300.5 }, /vocabSize must be a whole number/],
  ["negative merges", ["abc"], { maxMerges: -1 }, /maxMerges must be/],
  ["an unknown kind", ["abc"], { kind: "unigram" as "word" }, /unknown kind "unigram": one of/],
  ["an unknown pattern", ["abc"], { pattern: "gpt5" as "gpt2" }, /unknown split pattern "gpt5": one of gpt2, llama3/],
  ["no coverage", ["abc"], { kind: "sentencepiece", characterCoverage: 0 }, /characterCoverage must be above 0/],
  ["no length", ["abc"], { kind: "sentencepiece", maxPieceLength: 0 }, /maxPieceLength must be/],
  ["a special piece twice", ["abc"], { specials: { bos: "<s>", eos: "<s>" } as never }, /must differ/],
])("refuses %s", async (_name, corpus, options, message) => {
  await expect(trainTokenizer(corpus, { kind: "bytes", vocabSize: 300, ...options } as TrainOptions)).rejects.toThrow(message);
});

test("reports progress and stops when aborted", async () => {
  const abort = new AbortController();
  const rng = new Rng(5);
  function* corpus() {
    for (let i = 0; i < 1_000_000; i++) yield randomText(rng, 500);
  }
  const tasks = new Set<string>();
  const options: TrainOptions = {
    kind: "bytes",
    vocabSize: 4000,
    signal: abort.signal,
    onProgress: ({ task }) => {
      tasks.add(task);
      abort.abort();
    },
  };
  await expect(trainTokenizer(corpus(), options)).rejects.toThrow(/abort/i);
  expect([...tasks]).toEqual(["counting words"]);
});

test("a corpus with fewer pieces than asked for gives what it has, where that is allowed", async () => {
  const options = { kind: "sentencepiece", vocabSize: 1000 } as const;
  await expect(trainTokenizer(["low low lower"], options)).rejects.toThrow(
    /too small for a vocabulary of 1000: it gives at most \d+ pieces/,
  );
  const { pieces } = await trainTokenizer(["low low lower"], { ...options, mayBeSmaller: true });
  expect(pieces.length).toBeLessThan(300);
  expect(pieces).toContain("▁lower");
});
