import { beforeAll, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { Regex } from "../regex/index.ts";
import { naiveMerge, randomText, variedTexts } from "./conformance.ts";
import {
  byteLevelPiece,
  createTokenizer,
  explainer,
  makeTokenizer,
  mergeList,
  mergePairs,
  StreamDecoder,
  type Tokenizer,
  type TokenizerKind,
  type TokenizerModel,
  trainTokenizer,
} from "./index.ts";
import { PieceMatcher } from "./piece-matcher.ts";
import { nextUnitOf } from "./scan-bytes.ts";
import { eachWord } from "./split-bytes.ts";
import { cutRuns } from "./split-pattern.test.helper.ts";
import { nextWordOf, otherSpellings, type SplitName, splitNameOf, splitPatterns, splitsOf, wordPatterns } from "./split-pattern.ts";
import type { NextUnit } from "./unit-cache.ts";

const tokenizers = new Map<string, Tokenizer>();

beforeAll(async () => {
  const corpus = [...variedTexts, ...variedTexts.map((text) => `${text} the low lower newest widest 'twas`)];
  const train = (options: Parameters<typeof trainTokenizer>[1]) => trainTokenizer(corpus, options).then(createTokenizer);
  tokenizers.set("word", await train({ kind: "word", vocabSize: 500 }));
  tokenizers.set("sentencepiece", await train({ kind: "sentencepiece", vocabSize: 600, characterCoverage: 0.98 }));
  tokenizers.set("bytes", await train({ kind: "bytes", vocabSize: 500 }));
  tokenizers.set("bytes gpt2", await train({ kind: "bytes", vocabSize: 500, pattern: "gpt2", splitDigits: true }));
});

const lossless = ["sentencepiece", "bytes", "bytes gpt2"];

test.each(lossless)("%s: decoding gives back every text", (name) => {
  const tokenizer = tokenizers.get(name)!;
  const rng = new Rng(7);
  const random = Array.from({ length: 200 }, () => String.fromCodePoint(...Array.from({ length: rng.below(20) }, () => anyCharacter(rng))));
  const marks = name === "sentencepiece" ? [] : ["▁ literal ▁▁ marks▁", " ▁"];
  for (const text of [...variedTexts, ...random, ...marks, "\ufeffbom", "\ufeff"]) {
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect(tokenizer.decode(tokenizer.encode(text, tokenizer.bosId === undefined ? {} : { bos: true, eos: true }))).toBe(text);
  }
});

test("sentencepiece: a ▁ of the text is a space, as in the libraries whose files these are", () => {
  const tokenizer = tokenizers.get("sentencepiece")!;
  for (const text of ["▁ literal ▁▁ marks▁", " ▁", "▁", "a▁b", "the▁low"]) {
    const spaces = text.replaceAll("▁", " ");
    expect(tokenizer.encode(text)).toEqual(tokenizer.encode(spaces));
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(spaces);
  }
});

/** Any scalar value: all of Unicode but the surrogates. */
function anyCharacter(rng: Rng): number {
  const code = rng.below(rng.below(2) === 0 ? 0x3000 : 0x10f800);
  return code >= 0xd800 ? code + 0x800 : code;
}

test.each(lossless)("%s: decoding gives back all bytes, also what is no UTF-8", (name) => {
  const tokenizer = tokenizers.get(name)!;
  const rng = new Rng(8);
  const utf8 = new TextEncoder();
  for (let round = 0; round < 200; round++) {
    const bytes = Uint8Array.from({ length: rng.below(40) }, () => (rng.below(2) === 0 ? rng.below(256) : 0x20 + rng.below(96)));
    expect(tokenizer.decodeBytes(tokenizer.encodeBytes(bytes))).toEqual(bytes);
  }
  for (const text of variedTexts) expect(tokenizer.encodeBytes(utf8.encode(text))).toEqual(tokenizer.encode(text));
});

test("a lone surrogate counts as U+FFFD", () => {
  for (const name of lossless) expect(tokenizers.get(name)!.decode(tokenizers.get(name)!.encode("a\ud800b\udfff"))).toBe("a\ufffdb\ufffd");
});

test("the word kind gives back words, unknown characters as U+FFFD", () => {
  const tokenizer = tokenizers.get("word")!;
  expect(tokenizer.decode(tokenizer.encode(" the  low\n\tlower "))).toBe("the low lower");
  expect(tokenizer.decode(tokenizer.encode("low ꙮ"))).toBe("low \ufffd");
});

function rankBy(model: TokenizerModel): (left: string, right: string) => number | undefined {
  const ranks = new Map(mergePairs(model.merges ?? mergeList([])).map(([l, r], rank) => [`${model.pieces[l]} ${model.pieces[r]}`, rank]));
  return (left, right) => ranks.get(`${left} ${right}`);
}

test("sentencepiece: fast encoding equals the naive merging of the whole text", () => {
  const tokenizer = tokenizers.get("sentencepiece")!;
  const rng = new Rng(9);
  for (const text of [...variedTexts.filter((t) => t !== ""), ...Array.from({ length: 60 }, () => randomText(rng, 1 + rng.below(200)))]) {
    const merged = naiveMerge([...`▁${text.replaceAll(" ", "▁")}`], rankBy(tokenizer.model));
    const pieces = merged.flatMap((piece) => (tokenizer.pieceToId(piece) === undefined ? utf8Names(piece) : [piece]));
    expect(Array.from(tokenizer.encode(text), (id) => tokenizer.idToPiece(id))).toEqual(pieces);
  }
});

function utf8Names(piece: string): string[] {
  return Array.from(new TextEncoder().encode(piece), (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
}

test.each(["word", "sentencepiece", "bytes"] as const)(
  "%s: short words and long ones, which go through a heap, equal the naive merging",
  (kind) => {
    const tokenizer = tokenizers.get(kind)!;
    const rng = new Rng(10);
    for (const length of [1, 2, 47, 158, 159, 160, 161, 162, 300, 1000]) {
      const text = Array.from({ length }, () => "aaabcdelnotw"[rng.below(12)]!).join("");
      const wrapped = { word: [...text, "</w>"], sentencepiece: [..."▁", ...text], bytes: [...text] }[kind];
      expect(Array.from(tokenizer.encode(text), (id) => tokenizer.idToPiece(id))).toEqual(naiveMerge(wrapped, rankBy(tokenizer.model)));
    }
  },
);

test.each<TokenizerKind>(["word", "sentencepiece", "bytes"])("%s: a megabyte of one letter is encoded", (kind) => {
  const tokenizer = tokenizers.get(kind)!;
  const text = "a".repeat(1 << 20);
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
});

test("scores: the highest merges first, the leftmost among equals, whatever its parts", () => {
  const pieces = ["<unk>", "<s>", "</s>", "▁", "a", "b", "c", "ab", "bc", "abc", "aa", "aaa"];
  const scores = [0, 0, 0, -9, -9, -9, -9, -3, -2, -1, -4, -0.5];
  const tokenizer = createTokenizer({
    kind: "sentencepiece",
    pieces,
    scores,
    specials: [0, 1, 2],
    unkId: 0,
    bosId: 1,
    eosId: 2,
    byteFallback: false,
    dummyPrefix: "first",
    prefixBeforeSpace: true,
  });
  const show = (text: string) => Array.from(tokenizer.encode(text), (id) => tokenizer.idToPiece(id)).join(" ");
  expect(show("abc")).toBe("▁ abc");
  expect(show("aaaa")).toBe("▁ aaa a");
  expect(show("aaaaa")).toBe("▁ aaa aa");
  expect(show("axyzb x")).toBe("▁ a <unk> b ▁ <unk>");
});

test("where there is neither an unknown piece nor a byte, what stands around an unknown character merges", () => {
  const tokenizer = createTokenizer({
    kind: "sentencepiece",
    pieces: ["a", "b", "ab", "."],
    merges: mergeList([[0, 1]]),
    specials: [],
    byteFallback: false,
    fusesUnknown: false,
    dummyPrefix: "never",
    prefixBeforeSpace: true,
  });
  for (const unknown of ["", "c", "日", "🦙", "!"]) expect([...tokenizer.encode(`.a${unknown}b.`)]).toEqual([3, 2, 3]);
});

test("special pieces are text unless asked for, and left away when decoding", () => {
  const tokenizer = tokenizers.get("bytes")!;
  const text = "<|begin_of_text|>low<|end_of_text|>";
  expect([...tokenizer.encode(text)]).not.toContain(tokenizer.bosId);
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  const ids = tokenizer.encode(text, { parseSpecial: true });
  expect([ids[0], ids.at(-1)]).toEqual([tokenizer.bosId, tokenizer.eosId]);
  expect(tokenizer.decode(ids)).toBe("low");
  expect(tokenizer.decode(ids, { specials: true })).toBe(text);
});

test.each([...lossless, "word"])("%s: streaming gives what decoding gives, never half a character", (name) => {
  const tokenizer = tokenizers.get(name)!;
  for (const text of variedTexts) {
    const ids = tokenizer.encode(text);
    const stream = new StreamDecoder(tokenizer);
    const parts = Array.from(ids, (id) => stream.push(id));
    if (name !== "word" && !text.includes("\ufffd")) expect(parts.join("")).not.toContain("\ufffd");
    expect(parts.join("") + stream.flush()).toBe(tokenizer.decode(ids));
  }
});

test("a stream that ends inside a character says so with U+FFFD", () => {
  const tokenizer = tokenizers.get("bytes")!;
  const stream = new StreamDecoder(tokenizer);
  const [first] = tokenizer.encodeBytes(Uint8Array.of(0xf0, 0x9f));
  expect(stream.push(first!)).toBe("");
  expect(stream.flush()).toBe("\ufffd");
});

test("a stream spells out those special pieces that it shall show", () => {
  for (const name of ["sentencepiece", "bytes"]) {
    const tokenizer = tokenizers.get(name)!;
    const [shown, hidden] = tokenizer.model.specials.filter((id) => id !== tokenizer.unkId);
    const ids = [...tokenizer.encode("the"), shown!, hidden!, ...tokenizer.encode("é")];
    const stream = new StreamDecoder(tokenizer, { shown: new Set([shown!]) });
    const text = ids.map((id) => stream.push(id)).join("") + stream.flush();
    expect(text.replace(" ", "")).toBe(`the${tokenizer.idToPiece(shown!)}é`);
  }
});

test("a continued stream keeps its first space", () => {
  const tokenizer = tokenizers.get("sentencepiece")!;
  const id = tokenizer.encode("the")[0]!;
  expect(new StreamDecoder(tokenizer).push(id)).not.toMatch(/^ /);
  expect(new StreamDecoder(tokenizer, { continued: true }).push(id)).toMatch(/^ /);
});

const spellings = [...Object.entries(splitPatterns).map(([name, source]) => [source, name as SplitName] as const), ...otherSpellings];

test.each(spellings)("the scanner of %s cuts as the expression does", (source, name) => {
  const pattern = new Regex(source);
  const nextWord = nextWordOf(name);
  const nextUnit = nextUnitOf(name);
  expect(nextUnit !== undefined).toBe((wordPatterns as readonly string[]).includes(name));
  const rng = new Rng(11);
  const units = [
    " ",
    "  ",
    "\n",
    "\r",
    "\t",
    "\u0085",
    "\ufeff",
    "a",
    "Z",
    "é",
    "日",
    "1",
    "٣",
    "½",
    "'",
    "'s",
    "'LL",
    "'Re",
    "!",
    "🦙",
    "𝔘",
    "𝟙",
    "\u0301",
    "\ud800",
    "ǅ",
    "ʰ",
    "한",
    "か",
    "$",
    "/",
    "\u0000",
    "𐐀",
    "ßs",
    "'ſ",
  ];
  const random = Array.from({ length: 1000 }, () => Array.from({ length: rng.below(16) }, () => units[rng.below(units.length)]!).join(""));
  for (const text of [...variedTexts, ...random]) {
    const words: string[] = [];
    for (let at = 0; at < text.length; at = nextWord(text, at, text.length)) words.push(text.slice(at, nextWord(text, at, text.length)));
    expect(words).toEqual(isolated(pattern, text));
    if (nextUnit !== undefined) expect(unitsOf(nextUnit, text)).toEqual(isolated(pattern, text.replace(/\p{Cs}/gu, "\ufffd")));
  }
});

function unitsOf(nextUnit: NextUnit, text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  const units: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const stop = nextUnit(bytes, at, bytes.length);
    units.push(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(at, stop)));
    at = stop;
  }
  return units;
}

/** Matches and what lies between. */
function isolated(pattern: Regex, text: string): string[] {
  const words: string[] = [];
  let done = 0;
  for (const { start, end } of pattern.matches(text)) {
    words.push(text.slice(done, start), text.slice(start, end));
    done = end;
  }
  return [...words, text.slice(done)].filter((word) => word !== "");
}

const names = Object.keys(splitPatterns) as SplitName[];

test.each(names)("the %s pattern loses nothing in runs of one kind", (name) => {
  for (const [text, joined] of cutRuns(name, 2_000)) expect(joined).toBe(text);
});

test("an expression's name, also where line ends stand in it as themselves", () => {
  for (const name of names) {
    expect(splitNameOf(splitPatterns[name])).toBe(name);
    expect(splitNameOf(splitPatterns[name].replaceAll("\\r", "\r").replaceAll("\\n", "\n"))).toBe(name);
  }
  expect(splitNameOf("(a+)+$")).toBe(undefined);
});

test("of several patterns each cuts the words of the one before", () => {
  const words: string[] = [];
  eachWord("ab 12!c\n日本x", splitsOf(["newline", "words", "punctuation", "cjk", "digit"], false), (word) => words.push(word));
  expect(words).toEqual(["ab", " ", "1", "2", "!", "c", "\n", "日本", "x"]);
});

test.each<[string, (model: TokenizerModel) => unknown, RegExp]>([
  ["a piece twice", (m) => ({ ...m, pieces: m.pieces.with(300, "a") }), /has the ids \d+ and 300|ids must be unique/],
  ["a merge outside", (m) => ({ ...m, merges: mergeList([[0, 99999]]) }), /outside the 500 pieces/],
  ["a merge of nothing", (m) => ({ ...m, merges: mergeList([[0, 0]]) }), /which is not among/],
  ["half a merge", (m) => ({ ...m, merges: Int32Array.of(0, 1, 2) }), /has 3 ids: a merge is two/],
  ["merges as pairs", (m) => ({ ...m, merges: [[0, 1]] }), /must be an Int32Array of pairs of ids/],
  ["a bos outside", (m) => ({ ...m, bosId: 500 }), /special id 500 is outside/],
  ["a byte without a piece", (m) => ({ ...m, merges: mergeList([]), pieces: m.pieces.with(97, "nothing") }), /byte 97 has no piece/],
])("refuses %s", (_name, damage, message) => {
  expect(() => createTokenizer(damage(tokenizers.get("bytes")!.model) as TokenizerModel)).toThrow(message);
});

/** The ids are those of huggingface/tokenizers 0.23. */
test.each<[string, readonly number[], readonly number[]]>([
  ["ab", [2], [2]],
  ["a\u0004b", [0, 1], [2]],
  ["a \u0004b", [0, 3, 1], [0, 3, 1]],
  ["\u0004", [], []],
  ["axb", [2], [2]],
  ["ab\u65e5ab", [2, 2], [2, 2]],
  [`${"ax".repeat(10)}b`, [0, 0, 0, 0, 0, 0, 0, 0, 0, 2], [0, 0, 0, 0, 0, 0, 0, 0, 0, 2]],
])("bytes without a piece are left out before anything merges, where a model says that it lacks them: %j", (text, cut, whole) => {
  const pieces = { pieces: ["a", "b", "ab", "\u0120"], merges: mergeList([[0, 1]]), specials: [] };
  for (const [pattern, ids] of [[{ pattern: "gpt2" }, cut] as const, [{}, whole] as const]) {
    const tokenizer = createTokenizer({ kind: "bytes", ...pieces, ...pattern, splitDigits: false, ignoreMerges: false, lacksBytes: true });
    expect([...tokenizer.encode(text)]).toEqual(ids);
    expect([...tokenizer.encodeBytes(new TextEncoder().encode(text))]).toEqual(ids);
    expect(explainer(tokenizer)(text).ids).toEqual(ids);
  }
});

test("white space that pieces take along is walked over once, however long its runs", () => {
  const sought = (more: object) => ({ id: 7, spelling: "\n", isSpecial: false, ...more });
  const run = "\n".repeat(1 << 16);
  for (const more of [{ lstrip: true }, { rstrip: true }, { lstrip: true, rstrip: true }]) {
    const found: number[] = [];
    const between: [number, number][] = [];
    const matcher = new PieceMatcher([sought(more), { id: 8, spelling: "x", isSpecial: false, lstrip: true, rstrip: true }]);
    matcher.each(
      `a ${run}x b`,
      false,
      (start, end) => between.push([start, end]),
      (id) => found.push(id),
    );
    expect(found.at(-1)).toBe(8);
    expect(between).toContainEqual([run.length + 4, run.length + 5]);
  }
});

test("says what is wrong with an id, or with asking for what is not there", () => {
  const tokenizer = tokenizers.get("bytes")!;
  expect(() => tokenizer.decode([500])).toThrow(/id 500 is outside the vocabulary of 500/);
  expect(() => tokenizer.idToPiece(-1)).toThrow(/outside the vocabulary/);
  const { bosId: _, ...model } = tokenizer.model;
  expect(() => createTokenizer(model as TokenizerModel).encode("x", { bos: true })).toThrow(/no begin-of-text/);
});

test("what is no text, no bytes or no ids is refused in a sentence", () => {
  const tokenizer = tokenizers.get("bytes")!;
  const anything = (value: unknown) => value as never;
  expect(() => tokenizer.encode(anything(undefined))).toThrow("[tokenizer] undefined is given, but a text is needed");
  expect(() => tokenizer.encodeBytes(anything("a"))).toThrow('[tokenizer] "a" is given, but a Uint8Array is needed');
  expect(() => tokenizer.decode(anything(5))).toThrow("[tokenizer] 5 is given, but an iterable of ids is needed");
  expect(() => tokenizer.decode(anything("5"))).toThrow('[tokenizer] "5" is given, but an iterable of ids is needed');
});

test("a large vocabulary is built in slices, of which none has more than some thousand pieces", () => {
  const letters = Array.from({ length: 180 }, (_, i) => byteLevelPiece([i < 94 ? 33 + i : 67 + i]));
  const singles = Array.from({ length: 256 }, (_, byte) => byteLevelPiece([byte]));
  const pairs = letters.flatMap((a) => letters.map((b) => a + b));
  const idOf = new Map([...singles, ...pairs].map((piece, id) => [piece, id]));
  const merges = mergeList(pairs.map((pair) => [idOf.get([...pair][0] ?? "") ?? 0, idOf.get([...pair][1] ?? "") ?? 0]));
  const model = { kind: "bytes", pieces: [...singles, ...pairs], merges, specials: [], splitDigits: false, ignoreMerges: false } as const;
  const work = makeTokenizer(model);
  let slices = 1;
  let step = work.next();
  for (; !step.done; step = work.next()) slices++;
  expect(slices).toBeGreaterThan(2 * Math.floor(pairs.length / 4096)); // pieces are gone through, and merges
  expect(step.value?.encode("!!!")).toEqual(createTokenizer(model).encode("!!!"));
});
