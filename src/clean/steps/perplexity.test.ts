// Perplexities as CCNet computes them, with KenLM and SentencePiece (test/goldens/make_cc_net.py).
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { CleanDocument } from "../document.ts";
import { isDropped } from "../step.ts";
import { perplexity } from "./perplexity.ts";

interface Golden {
  readonly tokenizer: string;
  readonly arpa: string;
  readonly perplexities: readonly { readonly text: string; readonly lines: number; readonly whole: number }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../../test/goldens/cc-net.golden.json", import.meta.url), "utf8"));
const contents: Readonly<Record<string, Uint8Array>> = {
  "xx.arpa": gunzipSync(Buffer.from(golden.arpa, "base64")),
  "xx.sp.model": gunzipSync(Buffer.from(golden.tokenizer, "base64")),
  "cutoff.csv": Buffer.from(",de,xx\n0,0,0\n30,4,5\n60,6,5.5\n"),
};
const files = { read: async (path: string) => contents[path]! };
const usual = { model: "xx.arpa", tokenizer: "xx.sp.model" };
const open = (given: object) => perplexity.open(perplexity.parameters.parse({ ...usual, ...given }), files);

async function said(given: object, text: string, facts: object = {}) {
  const outcome = (await open(given)).apply(new CleanDocument(text, { id: "a", ...facts }));
  return isDropped(outcome) ? outcome : outcome.facts;
}

test.each([
  { lineEnds: "sentences", key: "lines" },
  { lineEnds: "deleted", key: "whole" },
] as const)("perplexities are CCNet's where line ends are $lineEnds", async ({ lineEnds, key }) => {
  const step = await open({ lineEnds });
  for (const one of golden.perplexities) {
    const outcome = step.apply(new CleanDocument(one.text, { id: "a" }));
    expect(outcome, one.text).toMatchObject({ facts: { id: "a", perplexity: one[key] } });
  }
});

test("a document goes by its bucket, which two numbers or a table's rows cut", async () => {
  const { text, whole } = golden.perplexities.find(({ whole }) => whole === 5.2)!;
  const at = (cutoffs: readonly number[], more: object = {}) => said({ lineEnds: "deleted", cutoffs, ...more }, text);
  expect(await at([5.3, 6])).toEqual({ id: "a", perplexity: whole, bucket: "head" });
  expect(await at([5.2, 6])).toEqual({ id: "a", perplexity: whole, bucket: "middle" });
  expect(await at([5, 5.2])).toEqual({ reason: "tail", measured: whole, limit: 5.2 });
  expect(await at([5.3, 6], { buckets: ["tail"] })).toEqual({ reason: "head", measured: whole, limit: 5.3 });
  const table = { lineEnds: "deleted", cutoffs: "cutoff.csv", language: "xx" };
  expect(await said(table, text, { language: "xx" })).toMatchObject({ bucket: "middle" });
  expect(await said({ ...table, percentiles: [0, 30] }, text, { language: "xx" })).toEqual({ reason: "tail", measured: whole, limit: 5 });
});

test("documents of other languages and without text stay as they are", async () => {
  expect(await said({ language: "xx" }, "the llama", { language: "de" })).toEqual({ id: "a", language: "de" });
  expect(await said({}, "")).toEqual({ id: "a" });
});

test("without a tokenizer words are counted, and the text as it is where it is not to be normalised", async () => {
  const words = { model: "words.arpa", tokenizer: undefined };
  const arpa = [
    "\\data\\",
    "ngram 1=4",
    "ngram 2=0",
    "\\1-grams:",
    "-1\t<unk>",
    "-2\t<s>",
    "-0.5\t</s>",
    "-0.25\tcafe",
    "\\2-grams:",
    "\\end\\",
    "",
  ];
  const step = (given: object) =>
    perplexity.open(perplexity.parameters.parse({ ...words, ...given }), { read: async () => Buffer.from(arpa.join("\n")) });
  const found = (await step({})).apply(new CleanDocument("Café\u2003CAFÉ"));
  expect(found).toMatchObject({ facts: { perplexity: Number((10 ** (1 / 3)).toFixed(1)) } });
  const plain = (await step({ normalise: false })).apply(new CleanDocument("cafe Café"));
  expect(plain).toMatchObject({ facts: { perplexity: Number((10 ** (1.75 / 3)).toFixed(1)) } });
});

test.each([
  [{ cutoffs: [6, 5] }, "the cutoffs of perplexity fall from 6 to 5"],
  [{ cutoffs: "cutoff.csv" }, "cutoff.csv: it has cutoffs of many languages: say the language"],
  [{ cutoffs: "cutoff.csv", language: "fr" }, 'cutoff.csv: it has no cutoffs of "fr", but of de, xx'],
  [{ cutoffs: "cutoff.csv", language: "xx", percentiles: [30, 61] }, 'cutoff.csv: it has no cutoff of "xx" at the percentile 61'],
])("%o is refused", async (given, message) => {
  await expect(open(given)).rejects.toThrow(message);
});

test("the files that a step names are listed", () => {
  const listed = (given: object) => perplexity.files?.(perplexity.parameters.parse({ model: "xx.arpa", ...given }));
  expect(listed({})).toEqual(["xx.arpa"]);
  expect(listed({ ...usual, cutoffs: "cutoff.csv" })).toEqual(["xx.arpa", "xx.sp.model", "cutoff.csv"]);
  expect(listed({ cutoffs: [1, 2] })).toEqual(["xx.arpa"]);
});
