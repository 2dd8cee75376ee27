import { expect, test } from "vitest";
import { trainTokenizer } from "../tokenizer/index.ts";
import { chooseTokenizer, surveyText } from "./choose-tokenizer.ts";

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

/** Characters from U+4E00 on: `common` ones a hundred times each, then `rare` others once. */
function ideographs(common: number, rare: number): string {
  const each = (from: number, count: number) => Array.from({ length: count }, (_, i) => String.fromCodePoint(0x4e00 + from + i)).join("");
  return each(0, common).repeat(100) + each(common, rare);
}

test("a survey counts bytes and characters", async () => {
  const { bytes, characters } = await surveyText(once("año 駱駝"));
  expect(bytes).toBe(11);
  expect([...characters]).toEqual([..."año 駱駝"].map((character) => [character, 1]));
});

test("a text of few characters gets LLaMA's kind as it is", async () => {
  expect(chooseTokenizer(await surveyText(once("a small herd of llamas ".repeat(100))), 512)).toEqual({
    kind: "sentencepiece",
    vocabSize: 512,
  });
});

test("of many characters, the common ones take half of the vocabulary and the others are bytes", async () => {
  const text = ideographs(500, 1000);
  const options = chooseTokenizer(await surveyText(once(text)), 2000);
  expect(options).toMatchObject({ kind: "sentencepiece", vocabSize: 2000, characterCoverage: expect.any(Number) });
  const { pieces } = await trainTokenizer(once(text), { ...options, mayBeSmaller: true });
  const characters = pieces.filter((piece) => /^[\u4e00-\u9fff]$/.test(piece)).length;
  expect(characters).toBeLessThanOrEqual((2000 - 259) / 2);
  expect(characters).toBeGreaterThan((2000 - 259) / 2 - 10);
});

test("of too many, a vocabulary of bytes", async () => {
  const text = ideographs(3000, 0);
  const options = chooseTokenizer(await surveyText(once(text)), 600);
  expect(options).toMatchObject({ kind: "bytes", vocabSize: 600 });
  expect((await trainTokenizer(once(text), options)).pieces).toHaveLength(600);
});
