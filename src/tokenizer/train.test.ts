import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { byteLevelBytes, byteLevelPiece } from "./byte-pieces.ts";
import { type NaivePair, naiveTrain, randomText, variedTexts } from "./conformance.ts";
import { createTokenizer, mergeList, mergePairs, type TokenizerModel, type TrainOptions, trainTokenizer } from "./index.ts";
import { eachWord } from "./split-bytes.ts";
import { splitsOf } from "./split-pattern.ts";
import { eachSentencePart } from "./split-sentence.ts";

const textbook = ["low ".repeat(5) + "lower ".repeat(2) + "newest ".repeat(6) + "widest ".repeat(3)];

function mergesOf({ pieces, merges }: TokenizerModel): string[][] {
  return mergePairs(merges ?? mergeList([])).map(([left, right]) => [pieces[left]!, pieces[right]!]);
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
  const byTie = (a: NaivePair, b: NaivePair) => {
    const [pieceA, pieceB] = [latin1(a.join("")), latin1(b.join(""))];
    return pieceA.length - pieceB.length || (pieceA < pieceB ? -1 : pieceA > pieceB ? 1 : a[0].length - b[0].length);
  };
  expect(mergesOf(await trainTokenizer(texts, options))).toEqual(naiveTrain(byteWords, maxMerges, { byTie }));
});

/** The bytes of a byte-level piece, one unit for each. */
function latin1(piece: string): string {
  return String.fromCharCode(...(byteLevelBytes(piece) ?? []));
}

const wordOptions: TrainOptions = { kind: "word", vocabSize: 5000, maxMerges: 60 };
const byteOptions: TrainOptions = { kind: "bytes", vocabSize: 5000, maxMerges: 60, pattern: "gpt2" };

test.each([21, 22])("ties go by the rule that is asked for, seed %i", async (seed) => {
  const rng = new Rng(seed);
  const texts = Array.from({ length: 8 }, () => randomText(rng, 60));
  const words = countWords(texts, (text, each) => (text.match(/\P{White_Space}+/gu) ?? []).forEach(each));
  const spelled = asSymbols(words, (w) => [...w, "</w>"]);
  const cut = (text: string, each: (w: string) => void) => eachWord(text, splitsOf("gpt2", false), each);
  const byteWords = asSymbols(countWords(texts, cut), (w) => [...byteLevelPiece(new TextEncoder().encode(w))]);

  const utf8 = (piece: string) => String.fromCharCode(...new TextEncoder().encode(piece));
  const greater = (spell: (piece: string) => string) => (a: NaivePair, b: NaivePair) => {
    const [leftA, leftB, rightA, rightB] = [spell(a[0]), spell(b[0]), spell(a[1]), spell(b[1])];
    if (leftA !== leftB) return leftA > leftB ? -1 : 1;
    return rightA > rightB ? -1 : 1;
  };
  const byGreater = await trainTokenizer(texts, { ...wordOptions, ties: "greater-pair" });
  expect(mergesOf(byGreater)).toEqual(naiveTrain(spelled, 60, { byTie: greater(utf8) }));
  const bytesByGreater = await trainTokenizer(texts, { ...byteOptions, ties: "greater-pair" });
  expect(mergesOf(bytesByGreater)).toEqual(naiveTrain(byteWords, 60, { byTie: greater(latin1) }));

  const byIds = (a: NaivePair, b: NaivePair, ids: ReadonlyMap<string, number>) =>
    (ids.get(a[0]) ?? 0) - (ids.get(b[0]) ?? 0) || (ids.get(a[1]) ?? 0) - (ids.get(b[1]) ?? 0);
  for (const [options, symbols] of [[wordOptions, spelled] as const, [byteOptions, byteWords] as const]) {
    const model = await trainTokenizer(texts, { ...options, ties: "smallest-ids" });
    const ids = new Map(model.pieces.map((piece, id) => [piece, id]));
    expect(mergesOf(model)).toEqual(naiveTrain(symbols, 60, { byTie: (a, b) => byIds(a, b, ids) }));
    expect(mergesOf(model)).not.toEqual(mergesOf(await trainTokenizer(texts, options)));
  }
});

test("the greater pair gives the merges of Stanford's CS336", async () => {
  const corpus = textbook.join("").trim().split(" ");
  const model = await trainTokenizer(corpus, { kind: "bytes", vocabSize: 300, maxMerges: 6, ties: "greater-pair" });
  expect(mergesOf(model).map((pair) => pair.join(" "))).toEqual(["s t", "e st", "o w", "l ow", "w est", "n e"]);
});

test("a megabyte of one letter is one word, whose pieces double", async () => {
  const model = await trainTokenizer(["a".repeat(2 ** 20)], { kind: "bytes", vocabSize: 1000, mayBeSmaller: true });
  expect(mergesOf(model).map(([left, right]) => [left?.length, right?.length])).toEqual(
    Array.from({ length: 20 }, (_, i) => [2 ** i, 2 ** i]),
  );
});

test("text never becomes a special piece", async () => {
  const model = await trainTokenizer(["<s> <s> <s> <s> a</s> a</s> <0x41> <0x41>"], {
    kind: "sentencepiece",
    vocabSize: 300,
    mayBeSmaller: true,
  });
  const learned = model.pieces.slice(259);
  expect(learned).toEqual(expect.arrayContaining(["▁", "a", "▁a"]));
  expect(learned.filter((piece) => /[<>s0-9]/.test(piece))).toEqual([]);
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
  const rules = { splitDigits: true, splitByUnicodeScript: true, reserved: [], boundary: "\u001f" };
  const parts = countWords(texts, (text, each) => eachSentencePart(text, rules, (line, start, end) => each(line.slice(start, end))));
  const isAllowed = (left: string, right: string) => {
    const piece = left + right;
    return [...piece].length <= 4 && (/^▁*$/.test(piece) || !/.▁/u.test(piece));
  };
  const expected = naiveTrain(
    asSymbols(parts, (part) => [...part.replaceAll(" ", "▁")]),
    60,
    { mayMerge: isAllowed },
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
  ["no room for the bytes", ["abc"], { vocabSize: 100 }, /no room for 2 special pieces and 256 bytes: ask for at least 258/],
  ["half a piece", ["abc"], { vocabSize: 300.5 }, /vocabSize must be a whole number/],
  ["negative merges", ["abc"], { maxMerges: -1 }, /maxMerges must be/],
  ["an unknown kind", ["abc"], { kind: "unigram" as "word" }, /unknown kind "unigram": one of/],
  ["an unknown pattern", ["abc"], { pattern: "gpt5" as "gpt2" }, /unknown split pattern "gpt5": one of gpt2, llama3/],
  ["no coverage", ["abc"], { kind: "sentencepiece", characterCoverage: 0 }, /characterCoverage must be above 0/],
  ["an unknown mode", ["abc"], { kind: "sentencepiece", mode: "fast" as "spm" }, /unknown mode "fast": one of exact, spm, spm-0.1.97/],
  [
    "an unknown rule for ties",
    ["abc"],
    { ties: "first" as "smallest-ids" },
    /unknown rule for ties "first": one of shorter-piece, greater-pair/,
  ],
  [
    "ties that a mode has not",
    ["abc"],
    { kind: "sentencepiece", mode: "spm", ties: "smallest-ids" },
    /mode spm has the rule for ties shorter-piece/,
  ],
  ["no sentences", ["abc"], { kind: "sentencepiece", maxSentenceLength: 0 }, /maxSentenceLength must be/],
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

test("one text is not taken for a list of its characters", async () => {
  const options = { kind: "bytes", vocabSize: 300, mayBeSmaller: true } as const;
  await expect(trainTokenizer("one text", options)).rejects.toThrow("[tokenizer] the corpus is one text");
});
