import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { cutText, Rng } from "../base/index.ts";
import { dataRecipe, openCorpus } from "../corpus/index.ts";
import { parseWith } from "../schema/index.ts";
import { partsOf, splitCorpus } from "./split-corpus.ts";
import { isHeldOut } from "./split-side.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-split-"));
afterAll(() => rmSync(folder, { recursive: true }));

const rng = new Rng(11);
const word = () => Array.from({ length: 2 + rng.below(6) }, () => "abcdefghij"[rng.below(10)]).join("");
const sentence = () => `${Array.from({ length: 5 + rng.below(8) }, word).join(" ")}.`;
const prose = (length: number): string => {
  const parts: string[] = [];
  for (let made = 0; made < length; made += parts.at(-1)!.length) parts.push(sentence() + (rng.below(5) === 0 ? "\n\n" : " "));
  return parts.join("");
};

function source(...documents: string[]) {
  return {
    name: "s",
    async *documents() {
      yield* documents;
    },
  };
}

test("the side of a text depends on the text alone, and the fraction holds", () => {
  const all = Array.from({ length: 4000 }, (_, i) => `document ${i}`);
  const held = all.filter((text) => isHeldOut(text, 0.1));
  expect(held.length).toBeGreaterThan(320);
  expect(held.length).toBeLessThan(480);
  expect(held.every((text) => isHeldOut(text, 0.1) && isHeldOut(text, 0.2))).toBe(true);
  expect(all.some((text) => isHeldOut(text, 0))).toBe(false);
});

test.each([
  ["one file", 1, 100_000, 0.01],
  ["one file, a large share", 1, 30_000, 0.9],
  ["five files", 5, 20_000, 0.05],
  ["twenty rows", 20, 80, 0.01],
  ["one short text", 1, 300, 0.01],
  ["two lines", 2, 60, 0.5],
  ["a share next to nothing", 1, 50_000, 1e-9],
  ["a share next to all", 1, 50_000, 0.999999],
  ["a thousand rows, of which chance would hold none out", 1000, 60, 1e-6],
])("%s: both sides have text, none of it the same, and together they are all of it", async (_, count, length, share) => {
  for (let round = 0; round < 6; round++) {
    const documents = Array.from({ length: count }, () => prose(length));
    const split = await splitCorpus([source(...documents)], share, "test");
    const again = await splitCorpus([source(...documents)], share, "test");
    const { stretch } = split.sources[0]!;
    expect(stretch).toBeGreaterThan(0);
    const placed = [false, true].map((isHeld) =>
      documents.flatMap((text) =>
        [...partsOf(text, split.sources[0]!, split)]
          .filter((part) => part.isHeldOut === isHeld)
          .map((part) => ({ text: part.text, isThere: text.startsWith(part.text, part.at) })),
      ),
    );
    expect(placed.flat().every(({ isThere }) => isThere)).toBe(true);
    const sides = placed.map((parts) => parts.map(({ text }) => text));
    expect(sides[0]!.some((text) => text.trim() !== "") && sides[1]!.some((text) => text.trim() !== "")).toBe(true);
    expect(sides.flat().join("").length).toBe(documents.join("").length);
    const stretches = documents.flatMap((text) => [...cutText(text, stretch!)]);
    const [training, held] = [false, true].map(
      (isHeld) => new Set(stretches.filter((text) => split.isHeldOut(text) === isHeld).map((text) => text.trim())),
    );
    expect([...held!].filter((text) => training!.has(text))).toEqual([]);
    expect(stretches.every((text) => split.isHeldOut(text) === again.isHeldOut(text))).toBe(true);
  }
});

test("the share holds about for a text of one file, and exactly the same for the same text", async () => {
  const text = prose(400_000);
  const split = await splitCorpus([source(text)], 0.1, "test");
  const held = [...partsOf(text, split.sources[0]!, split)].map((part) => (part.isHeldOut ? part.text : "")).join("").length / text.length;
  expect(held).toBeGreaterThan(0.07);
  expect(held).toBeLessThan(0.13);
});

test("many documents stay whole, by their hash alone, as much of them is read as settles it", async () => {
  let read = 0;
  const many = {
    name: "many",
    async *documents() {
      for (let i = 0; i < 100_000; i++) {
        read++;
        yield `document ${i}`;
      }
    },
  };
  const split = await splitCorpus([many], 0.1, "test");
  expect(split.sources).toEqual([{ stretch: undefined }]);
  expect(read).toBeLessThan(100);
  for (let i = 0; i < 1000; i++) expect(split.isHeldOut(`document ${i}`)).toBe(isHeldOut(`document ${i}`, 0.1));
});

test("the same text in two sources is on one side, also where one of them is split by stretches", async () => {
  const rows = Array.from({ length: 400 }, () => sentence());
  const twice = await splitCorpus([source(...rows), source(...rows.slice(0, 3))], 0.1, "test");
  expect(twice.sources[0]).toEqual({ stretch: undefined });
  expect(twice.sources[1]!.stretch).toBeGreaterThan(0);
  const one = "only this";
  const single = await splitCorpus([source(one), source(...rows)], 0.5, "test");
  expect(single.isHeldOut(one)).toBe(false); // the only text of its source is for training
});

test.each([
  ["one word", ["word"]],
  ["the same again and again", ["the same line\n\n".repeat(30)]],
  ["the same rows", Array.from({ length: 50 }, () => "row")],
])("%s cannot be split, and the message says what to do", async (_, documents) => {
  await expect(splitCorpus([source(...documents)], 0.1, "test")).rejects.toThrow(
    /\[test\] the text is too short, or too much the same, to hold a part of it out \(heldOut is 0\.1\): give more text, or set heldOut to 0/,
  );
});

test("a corpus says how it was split, and gives each side of its files", async () => {
  const path = join(folder, "one.txt");
  const text = prose(20_000);
  writeFileSync(path, text);
  const recipe = parseWith(dataRecipe, { sources: [{ paths: path }], heldOut: 0.1 }, "test", "recipe");
  await using corpus = await openCorpus(recipe);
  expect(await corpus.notes()).toEqual([
    'source "text" has few documents: what is held out are stretches of about 400 characters of them, not whole ones',
  ]);
  let length = 0;
  for (const side of ["train", "held out"] as const) for await (const part of corpus.documents(side)) length += part.text.length;
  expect(length).toBe(text.length);
  const whole: string[] = [];
  for await (const document of corpus.documents()) whole.push(document.text);
  expect(whole).toEqual([text]);
});
