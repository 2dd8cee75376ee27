import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { gbnfGrammar } from "../grammar/index.ts";
import { byteFallbackPiece, byteLevelPiece, createTokenizer, mergeList, type Tokenizer } from "../tokenizer/index.ts";
import { type DraftSource, type GenerateTextOptions, GrammarStep, generateText, type LanguageModel, modelDraft } from "./index.ts";
import { Scores } from "./scores.ts";
import { GrowingText } from "./text-so-far.ts";

const bytes = Array.from({ length: 256 }, (_, byte) => byte);
const sentencePiece = createTokenizer({
  kind: "sentencepiece",
  pieces: ["<unk>", "<s>", "</s>", ...bytes.map(byteFallbackPiece), "▁", "a", "b", "▁a", "ab", "▁ab", "é", "[a", "a]", ",▁", "unused"],
  scores: [0, 0, 0, ...bytes.map(() => 0), ...Array.from({ length: 11 }, (_, i) => -1 - i)],
  ...{ specials: [0, 1, 2], unkId: 0, bosId: 1, eosId: 2, template: { before: [1], after: [] }, unused: [3 + 256 + 10] },
  ...{ byteFallback: true, dummyPrefix: "first", prefixBeforeSpace: true },
});
const encoder = new TextEncoder();
const level = (text: string) => byteLevelPiece([...encoder.encode(text)]);
const byteLevel = createTokenizer({
  kind: "bytes",
  pieces: [...bytes.map((byte) => byteLevelPiece([byte])), level("ab"), level("é]"), byteLevelPiece([0x5b, 0xc3]), "<end>"],
  merges: mergeList([]),
  ...{ specials: [259], eosId: 259, splitDigits: false, ignoreMerges: true },
});

/** A model whose logits follow from the text, and can be read ahead. */
function hashing(vocabSize: number, noise: number): LanguageModel {
  const after = (ids: readonly number[]) => {
    const rng = new Rng(ids.reduce((hash, id) => (Math.imul(hash, 31) + id) | 0, 7));
    const other = new Rng(ids.length);
    return Float32Array.from({ length: vocabSize }, () => 3 * rng.normal() + noise * other.normal());
  };
  const sequence = () => {
    const ids: number[] = [];
    const nextAll = async (more: ArrayLike<number>) => Array.from(more, (id) => after([...ids.slice(0, ids.push(id))]));
    const truncate = (length: number) => {
      ids.length = length;
    };
    return { nextAll, truncate, next: async (more: ArrayLike<number>) => (await nextAll(more)).at(-1)!, [Symbol.dispose]() {} };
  };
  return { vocabSize, contextLength: 200, sequence };
}

/** A model whose logits are random. */
function random(rng: Rng, vocabSize: number): LanguageModel {
  const next = async () => Float32Array.from({ length: vocabSize }, () => 3 * rng.normal());
  return { vocabSize, contextLength: 1000, sequence: () => ({ next, [Symbol.dispose]() {} }) };
}

async function written(tokenizer: Tokenizer, prompt: string, seed: number, options: GenerateTextOptions) {
  const model = random(new Rng(seed), tokenizer.vocabSize + 5);
  let text = "";
  const ids: number[] = [];
  for await (const piece of generateText(model, tokenizer, prompt, { seed, ...options })) {
    text += piece.text;
    ids.push(piece.id);
    if (piece.finishReason !== undefined) return { text, ids, finishReason: piece.finishReason };
  }
  throw new Error("a text ended without a reason");
}

const list = gbnfGrammar('root ::= "[" item{1,4} "]"\nitem ::= " "? (word | "é" | "😀") ","?\nword ::= [a-c]{1,5}');

describe("a text under a grammar", () => {
  test.each([
    ["sentencepiece", sentencePiece, sentencePiece.eosId],
    ["bytes", byteLevel, byteLevel.eosId],
    ["bytes without a stop token", byteLevel, undefined],
  ])("is one of the grammar's, or says that it was cut: %s", async (_, tokenizer, stopId) => {
    const reasons = new Map<string, number>();
    for (let seed = 0; seed < 60; seed++) {
      const options = { grammar: list, maxTokens: 12, ...(stopId !== undefined && { stopIds: [stopId] }), temperature: seed % 2 };
      const { text, ids, finishReason } = await written(tokenizer, ["b", " ", "a["][seed % 3]!, seed, options);
      reasons.set(finishReason, (reasons.get(finishReason) ?? 0) + 1);
      if (finishReason === "stop") expect([text, list.accepts(text)]).toEqual([text, true]);
      else expect(ids.length).toBe(12);
      for (const id of ids) expect(tokenizer.isSpecial(id)).toBe(false);
    }
    expect([...reasons.keys()].sort()).toEqual(["length", "stop"]);
  });

  test.each([0, 2])("is the same with a draft that guesses ahead, also where a guess ends it: noise %i", async (noise) => {
    for (let seed = 0; seed < 20; seed++) {
      const text = async (draft?: DraftSource) => {
        const options = { grammar: list, maxTokens: 30, stopIds: [259], seed, ...(draft !== undefined && { draft }) };
        const found = [];
        for await (const piece of generateText(hashing(270, 0), byteLevel, "b", options)) found.push(piece);
        return found;
      };
      expect(await text(modelDraft(hashing(270, noise), 8))).toEqual(await text());
    }
  });

  test("begins with a space where the grammar says so, though nothing stands in front", async () => {
    const { text } = await written(sentencePiece, "", 1, { grammar: 'root ::= " a" " b"' });
    expect(text).toBe(" a b");
  });

  test("has special tokens by their spelling where they are shown, and no others", async () => {
    const grammar = gbnfGrammar('root ::= ("<s>" | "</s>" | "a")+');
    const seen = new Set<number>();
    for (let seed = 0; seed < 20; seed++) {
      const options = { grammar, shownIds: [1, 2], stopIds: [2], maxTokens: 8 };
      const { text, ids, finishReason } = await written(sentencePiece, "b", seed, options);
      for (const id of ids) seen.add(id);
      expect([text, finishReason !== "stop" || grammar.accepts(text)]).toEqual([text, true]);
      expect(text.split("<s>").length - 1).toBeGreaterThanOrEqual(ids.filter((id) => id === 1).length);
    }
    expect([seen.has(0), seen.has(1)]).toEqual([false, true]);
    expect((await written(sentencePiece, "b", 3, { grammar, maxTokens: 8 })).ids).not.toContain(1);
  });

  test("may end at a stop token where the grammar may end, and nowhere else", async () => {
    const grammar = gbnfGrammar('root ::= ("ab")+');
    for (let seed = 0; seed < 30; seed++) {
      const { text, finishReason } = await written(sentencePiece, "b", seed, { grammar, stopIds: [2, 263], maxTokens: 40 });
      expect(finishReason === "length" || grammar.accepts(text)).toBe(true);
    }
  });

  test("gets stuck, and says so, where no token goes on", async () => {
    const withoutB = { suppressTokens: [...sentencePiece.encode("b"), 3 + 0x62, sentencePiece.pieceToId("ab")!] };
    expect(await written(sentencePiece, "b", 1, { grammar: 'root ::= "aab"', ...withoutB })).toMatchObject({
      finishReason: "stuck",
      text: "aa",
    });
    const logitBias = new Map(withoutB.suppressTokens.map((id) => [id, Number.NEGATIVE_INFINITY]));
    expect((await written(sentencePiece, "b", 1, { grammar: 'root ::= "aab"', logitBias })).finishReason).toBe("stuck");
    await expect(written(sentencePiece, "b", 1, { grammar: 'root ::= "b"', ...withoutB })).rejects.toThrow(
      "no token may come first by the grammar",
    );
    await expect(written(sentencePiece, "b", 1, { grammar: 'root ::= ""' })).rejects.toThrow("no token may come first");
    expect(await written(sentencePiece, "b", 1, { grammar: 'root ::= ""', stopIds: [2] })).toMatchObject({
      text: "",
      finishReason: "stop",
    });
  });

  test("refuses stop strings and tokenizers whose pieces change with those beside them", async () => {
    await expect(written(sentencePiece, "b", 1, { grammar: list, stop: ["x"] })).rejects.toThrow("omit stop, or the grammar");
    const words = createTokenizer({
      kind: "word",
      pieces: ["<unk>", "a</w>", "a", "</w>"],
      merges: mergeList([[2, 3]]),
      specials: [0],
      unkId: 0,
    });
    await expect(written(words, "a", 1, { grammar: list })).rejects.toThrow("changes pieces by those beside them");
  });
});

test("the step masks alike for the machine and for logits, and follows a text that is taken back", () => {
  const step = new GrammarStep(gbnfGrammar('root ::= "a" [ab]{2} "é"?'), byteLevel, [259]);
  const textOf = (ids: readonly number[]) => {
    const text = new GrowingText([7, 7]);
    for (const id of ids) text.push(id);
    return text;
  };
  const allowed = (ids: readonly number[]) => {
    const bits = new Uint32Array(9).fill(0xffffffff);
    step.restrict(bits, textOf(ids));
    const scores = new Scores().begin(new Float32Array(260));
    step.apply(scores, textOf(ids));
    const found = Array.from({ length: 288 }, (_, id) => id).filter((id) => ((bits[id >>> 5]! >>> (id & 31)) & 1) === 1);
    expect(Array.from({ length: 260 }, (_, id) => id).filter((id) => scores.logits[id] === 0)).toEqual(found);
    return found;
  };
  const [a, b] = [0x61, 0x62];
  expect(allowed([])).toEqual([a, 256]);
  expect(allowed([a, b])).toEqual([a, b]);
  expect(allowed([])).toEqual([a, 256]);
  expect(allowed([256])).toEqual([a, b]);
  expect(allowed([256, a])).toEqual([0xc3, 259]);
  expect(allowed([256, b])).toEqual([0xc3, 259]);
  expect(step.isComplete(textOf([256, b]))).toBe(false);
  expect(step.isComplete(textOf([256, b, 0xc3, 0xa9]))).toBe(true);
  expect(() => allowed([b])).toThrow("token 98 follows, which the grammar does not allow here");
});
