import { describe, expect, test } from "vitest";
import {
  byteFallbackPiece,
  byteLevelPiece,
  createTokenizer,
  mergeList,
  type TextTemplate,
  type Tokenizer,
  type TokenizerModel,
} from "../tokenizer/index.ts";
import { type GenerateTextOptions, generateText, type LanguageModel, promptIds } from "./index.ts";

const bytes = Array.from({ length: 256 }, (_, byte) => byte);
const llama = createTokenizer({
  kind: "sentencepiece",
  pieces: ["<unk>", "<s>", "</s>", ...bytes.map(byteFallbackPiece), "▁", "a", "b", "▁a", "ab", "▁ab", "é"],
  scores: [0, 0, 0, ...bytes.map(() => 0), -1, -2, -3, -4, -5, -6, -7],
  ...{ specials: [0, 1, 2], unkId: 0, bosId: 1, eosId: 2, template: { before: [1], after: [] } },
  ...{ byteFallback: true, dummyPrefix: "first", prefixBeforeSpace: true },
});
const words = createTokenizer({
  kind: "word",
  pieces: ["<unk>", "a", "b", "</w>", "a</w>", "b</w>"],
  merges: mergeList([
    [1, 3],
    [2, 3],
  ]),
  ...{ specials: [0], unkId: 0 },
});
const byteLevel = createTokenizer({
  kind: "bytes",
  pieces: bytes.map((byte) => byteLevelPiece([byte])),
  merges: mergeList([]),
  ...{ specials: [], splitDigits: false, ignoreMerges: false },
});

/** Sequences that answer whatever they read. */
function answering(answer: (ids: readonly number[]) => Float32Array): LanguageModel["sequence"] {
  return () => ({ next: async (ids) => answer(Array.from(ids)), [Symbol.dispose]() {} });
}

/** A model that says `script`, whatever the prompt. */
function says(script: readonly number[], vocabSize: number): LanguageModel {
  let said = 0;
  return {
    ...{ vocabSize, contextLength: 1000 },
    sequence: answering(() => {
      const logits = new Float32Array(vocabSize);
      logits[script[said++]!] = 9;
      return logits;
    }),
  };
}

async function pieces(tokenizer: Tokenizer, prompt: string, script: readonly number[], options: GenerateTextOptions = {}) {
  const found = [];
  const model = says(script, tokenizer.vocabSize);
  for await (const piece of generateText(model, tokenizer, prompt, { temperature: 0, maxTokens: script.length, ...options }))
    found.push(piece);
  return found;
}

async function texts(...args: Parameters<typeof pieces>): Promise<string[]> {
  return (await pieces(...args)).map((piece) => piece.text);
}

const ids = (tokenizer: Tokenizer, ...names: string[]) => names.map((name) => tokenizer.pieceToId(name)!);

describe("spaces at the border between prompt and text", () => {
  test("sentencepiece: the first space goes only where nothing is in front", async () => {
    expect(await texts(llama, "", ids(llama, "▁a", "▁a"))).toEqual(["a", " a"]);
    expect(await texts(llama, "b", ids(llama, "▁a", "b"))).toEqual([" a", "b"]);
  });

  test("words: the space between words comes with the next word", async () => {
    expect(await texts(words, "a", ids(words, "b</w>", "a", "b</w>"))).toEqual([" b", " a", "b"]);
  });

  test("prompt and text together decode to the same", async () => {
    for (const tokenizer of [llama, words, byteLevel])
      for (const prompt of ["a", "ab a", "b "].slice(0, tokenizer === words ? 2 : 3)) {
        const script = [...tokenizer.encode("ab b a")];
        const all = tokenizer.decode([...promptIds(tokenizer, prompt), ...script]);
        expect(tokenizer.decode(promptIds(tokenizer, prompt)) + (await texts(tokenizer, prompt, script)).join("")).toBe(all);
      }
  });
});

describe("characters", () => {
  test("come whole, however their bytes come", async () => {
    const script = [...byteLevel.encode("é€😀x")];
    expect(await texts(byteLevel, "a", script)).toEqual(["", "é", "", "", "€", "", "", "", "😀", "x"]);
  });

  test("that the end leaves unfinished are U+FFFD, as in decoding", async () => {
    const script = [...byteLevel.encode("a€")].slice(0, 3);
    expect(await texts(byteLevel, "a", script)).toEqual(["a", "", "\ufffd"]);
  });
});

describe("stop strings", () => {
  test("across tokens, held back and gone; the reason is stop", async () => {
    const script = [...byteLevel.encode("one\n\nQ: two")];
    const found = await pieces(byteLevel, "a", script, { stop: ["\nQ:", "zzz"] });
    expect(found.map((piece) => piece.text)).toEqual(["o", "n", "e", "", "\n", "", ""]);
    expect(found.at(-1)).toEqual({ id: script[6], text: "", finishReason: "stop" });
  });

  test("that do not come leave nothing out", async () => {
    const script = [...byteLevel.encode("ab\nQ")];
    const found = await pieces(byteLevel, "a", script, { stop: ["\nQ:"] });
    expect(found.map((piece) => piece.text)).toEqual(["a", "b", "", "\nQ"]);
    expect(found.at(-1)!.finishReason).toBe("length");
  });

  test("before a stop token, what was held back comes", async () => {
    const found = await pieces(llama, "a", [...ids(llama, "▁a", "b"), 2], { stop: ["bb"], stopIds: [2] });
    expect(found).toEqual([
      { id: llama.pieceToId("▁a"), text: " a", prompt: { tokens: 2, cachedTokens: 0 } },
      { id: llama.pieceToId("b"), text: "" },
      { id: 2, text: "b", finishReason: "stop" },
    ]);
  });
});

test("pieces have their log-probabilities where these are asked for", async () => {
  const script = [...byteLevel.encode("ab")];
  const found = await pieces(byteLevel, "x", script, { logProbabilities: 1 });
  const expected = 9 - Math.log(Math.exp(9) + 255);
  for (const { id, logProbabilities } of found) {
    expect(logProbabilities?.logProbability).toBeCloseTo(expected, 6);
    expect(logProbabilities?.top.map((one) => one.id)).toEqual([id]);
  }
  expect(found.map(({ text }) => text)).toEqual(["a", "b"]);
});

test("an empty prompt starts from what the tokenizer puts in front, where it puts anything", () => {
  expect([...promptIds(llama, "")]).toEqual([1]);
  for (const tokenizer of [byteLevel, withTemplate(undefined)])
    expect(() => promptIds(tokenizer, "")).toThrow("[infer] the prompt is empty and the tokenizer puts no begin-of-text token in front");
});

function withTemplate(template: TextTemplate | undefined): Tokenizer {
  const { template: _, ...model } = llama.model;
  return createTokenizer({ ...model, ...(template === undefined ? {} : { template }) } as TokenizerModel);
}

test("what goes around a prompt is the template's, whatever special pieces there are", () => {
  const [a] = ids(llama, "▁a");
  expect([...promptIds(withTemplate(undefined), "a")]).toEqual([a]);
  expect([...promptIds(withTemplate({ before: [1], after: [2] }), "a")]).toEqual([1, a, 2]);
});

test("a rendered chat that begins with the begin-of-text token gets no second one, and ids none at all", async () => {
  const rendered = "<s>a</s>";
  expect([...promptIds(llama, rendered, { parseSpecial: true })]).toEqual([1, ...ids(llama, "a"), 2]);
  expect([...promptIds(llama, rendered)].slice(0, 2)).toEqual([1, ...ids(llama, "▁")]);
  const heard: (readonly number[])[] = [];
  const model: LanguageModel = {
    ...{ vocabSize: llama.vocabSize, contextLength: 100 },
    sequence: answering((ids) => {
      heard.push(ids);
      return new Float32Array(llama.vocabSize);
    }),
  };
  for (const [prompt, options] of [
    [rendered, { parseSpecial: true }],
    [Uint32Array.of(1, 5), {}],
    [Uint32Array.of(5), {}],
  ] as const)
    for await (const _ of generateText(model, llama, prompt, { ...options, maxTokens: 1 }));
  expect(heard).toEqual([[1, ...ids(llama, "a"), 2], [1, 5], [5]]);
});

test("what others wrote in a prompt is text, also where it spells a special piece", () => {
  expect([...promptIds(llama, "</s>")]).not.toContain(2);
});

test("a model with more rows than the tokenizer has pieces never says one of them", async () => {
  const model: LanguageModel = {
    ...{ vocabSize: 300, contextLength: 10 },
    sequence: answering(() => new Float32Array(300).fill(1).fill(50, 256)),
  };
  const found = [];
  for await (const { id } of generateText(model, byteLevel, "a", { seed: 1 })) found.push(id);
  expect(found).toHaveLength(10);
  expect(Math.max(...found)).toBeLessThan(256);
});
