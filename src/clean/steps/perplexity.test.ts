// Perplexities as CCNet computes them, with KenLM and SentencePiece (test/goldens/make_cc_net.py).
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { wholly } from "../../base/index.ts";
import { isKenLm, PackedWriter, packModel, readNgrams } from "../../ngrams/index.ts";
import { CleanDocument, type Facts } from "../document.ts";
import { isDropped } from "../step.ts";
import { cutoffsAt, type PerplexityPercentiles, percentilesOf } from "../text/cutoffs.ts";
import { openMeter } from "../text/perplexity-meter.ts";
import { perplexity } from "./perplexity.ts";

interface Golden {
  readonly tokenizer: string;
  readonly arpa: string;
  readonly perplexities: readonly { readonly text: string; readonly lines: number; readonly whole: number }[];
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../../test/goldens/cc-net.golden.json", import.meta.url), "utf8"));
const { models }: { readonly models: readonly { readonly binary?: string }[] } = JSON.parse(
  readFileSync(new URL("../../../test/goldens/ngrams.golden.json", import.meta.url), "utf8"),
);
const contents: Record<string, Uint8Array> = {
  "xx.arpa": gunzipSync(Buffer.from(golden.arpa, "base64")),
  "xx.sp.model": gunzipSync(Buffer.from(golden.tokenizer, "base64")),
  "xx.arpa.bin": gunzipSync(Buffer.from(models.flatMap(({ binary }) => binary ?? [])[0] ?? "", "base64")),
  "cutoff.csv": Buffer.from(",de,xx\n0,0,0\n30,4,5\n60,6,5.5\n"),
};
const files = { read: async (path: string) => contents[path]! };
const usual = { model: "xx.arpa", tokenizer: "xx.sp.model" };
const open = (given: object) => perplexity.open(perplexity.parameters.parse({ ...usual, ...given }), files);

/** A binary file of KenLM's in the compact form. */
async function packed(binary: Uint8Array): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const writer = new PackedWriter((bytes) => parts.push(bytes), { isOfKenLm: isKenLm(binary) });
  wholly(packModel(await readNgrams("xx.arpa.bin", binary), writer));
  return Buffer.concat(parts);
}

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
});

test("the percentiles of a sample are cutoffs for the model, pieces and settings that it was measured with", async () => {
  const settings = { ...usual, lineEnds: "deleted", normalise: true } as const;
  const meter = await openMeter(settings, files);
  const measured = Float64Array.from(golden.perplexities, ({ text }) => meter.measure(text));
  expect([...measured]).toEqual(golden.perplexities.map(({ whole }) => whole));
  const found = percentilesOf(new Map([["", measured]]), meter.mark);
  const buckets = ["head", "middle", "tail"] as const;
  const counts = async (cutoffs: PerplexityPercentiles, more: object = {}) => {
    const read = async (path: string) => (path === "cutoffs.json" ? Buffer.from(JSON.stringify(cutoffs)) : contents[path]!);
    const given = { ...settings, cutoffs: "cutoffs.json", buckets, ...more };
    const step = await perplexity.open(perplexity.parameters.parse(given), { read });
    const said = golden.perplexities.map(({ text }) => (step.apply(new CleanDocument(text)) as CleanDocument).facts.bucket);
    return buckets.map((bucket) => said.filter((one) => one === bucket).length);
  };
  const below = (limit: number) => measured.filter((one) => one < limit).length;
  for (const percentiles of [
    [30, 60],
    [10, 90],
  ]) {
    const [middle = 0, tail = 0] = percentiles.map((percentile) => found.perplexities[percentile]!);
    const expected = [below(middle), below(tail) - below(middle), measured.length - below(tail)];
    expect(await counts(found, { percentiles })).toEqual(expected);
    expect(expected[0]! / measured.length).toBeLessThanOrEqual(percentiles[0]! / 100 + 1 / measured.length);
  }
  await expect(counts(found, { normalise: false })).rejects.toThrow("measured with the normalise true, but the step has false");
  await expect(counts(found, { lineEnds: "sentences" })).rejects.toThrow("measured with the lineEnds deleted, but the step has sentences");
  await expect(counts(found, { tokenizer: undefined })).rejects.toThrow(/measured with the tokenizer [0-9a-f]{64}, but the step has null/);
  await expect(counts(found, { model: "xx.arpa.bin" })).rejects.toThrow(
    /measured with the model [0-9a-f]{64}, but the step has [0-9a-f]{64}: measure/,
  );
  await expect(counts(found, { percentiles: [0.5, 60] })).rejects.toThrow("it has no percentile 0.5");
  await expect(counts({ ...found, perplexities: [1] })).rejects.toThrow("cutoffs.json: ");
});

test("percentiles are numpy's (test/goldens/make_percentiles.py)", () => {
  const mark = { model: "m", tokenizer: null, normalise: true, lineEnds: "sentences" } as const;
  const { samples }: { readonly samples: readonly { readonly values: readonly number[]; readonly percentiles: readonly number[] }[] } =
    JSON.parse(readFileSync(new URL("../../../test/goldens/percentiles.golden.json", import.meta.url), "utf8"));
  for (const { values, percentiles } of samples) {
    const { perplexities, documents } = percentilesOf(new Map([["", Float64Array.from(values)]]), mark);
    expect(documents).toBe(values.length);
    for (const [percentile, expected] of percentiles.entries())
      expect(Math.abs(perplexities[percentile]! - expected)).toBeLessThan(0.000501);
  }
  expect(samples.length).toBe(6);
  expect(() => percentilesOf(new Map(), mark)).toThrow("no perplexity was measured");
});

test("languages with enough documents have percentiles of their own, and the others those of all", async () => {
  const rising = (start: number, count: number) => Float64Array.from({ length: count }, (_, i) => start + i);
  const groups = new Map([
    ["", rising(1, 50)],
    ["de", rising(1001, 101)],
    ["xx", rising(11, 99)],
  ]);
  const { mark } = await openMeter({ ...usual, lineEnds: "sentences", normalise: true }, files);
  const found = percentilesOf(groups, mark);
  expect(found.documents).toBe(250);
  expect(Object.keys(found.languages ?? {})).toEqual(["de"]);
  expect(found.languages?.de).toMatchObject({ documents: 101, perplexities: Array.from(rising(1001, 101)) });
  const cutoffs = cutoffsAt("found", found, { mark, percentiles: [30, 60] });
  expect(cutoffs("de")).toEqual([1031, 1061]);
  for (const language of ["xx", undefined]) expect(cutoffs(language)).toEqual([found.perplexities[30], found.perplexities[60]]);
});

test("sampled cutoffs are those that a file of the same documents says, and no document is measured without need", async () => {
  const given = perplexity.parameters.parse({ ...usual, lineEnds: "deleted", cutoffs: "sampled", buckets: ["head", "middle", "tail"] });
  const step = (await perplexity.openStatistic?.(given, files))!;
  const documents = golden.perplexities.map(({ text }) => new CleanDocument(text));
  const measured = documents.map((document) => step.measure(document));
  const values = Float64Array.from(measured);
  const summary = step.summarise(new Map([["", values]]));
  const decide = step.decider(JSON.parse(JSON.stringify(summary)));
  const file = { read: async (path: string) => (path === "c.json" ? Buffer.from(JSON.stringify(summary)) : contents[path]!) };
  const byFile = await perplexity.open({ ...given, cutoffs: "c.json" }, file);
  for (const [i, document] of documents.entries()) expect(decide(document, measured[i]!)).toEqual(byFile.apply(document));
  expect(step.groupOf(new CleanDocument(""))).toBeUndefined();
  expect(step.groupOf(new CleanDocument("a", { language: "de" }))).toBe("de");
  expect(() => step.decider(step.summarise(new Map()))(documents[0]!, 1)).toThrow(
    "no document of the sample was measured, with a share of 1",
  );
  expect(perplexity.openStatistic?.({ ...given, cutoffs: "c.json" }, files)).toBeUndefined();
});

test("CCNet's table is taken with models and pieces of its forms", async () => {
  const table = { model: "xx.arpa.bin", cutoffs: "cutoff.csv", language: "xx", buckets: ["head", "middle", "tail"] };
  const found = (await said({ ...table, percentiles: [0, 30] }, "the llama", { language: "xx" })) as Facts;
  const { perplexity: measured } = found;
  expect(found.bucket).toBe(Number(measured) < 5 ? "middle" : "tail");
  contents["xx.ngrams"] = await packed(contents["xx.arpa.bin"]!);
  expect(await said({ ...table, model: "xx.ngrams", percentiles: [0, 30] }, "the llama", { language: "xx" })).toMatchObject({
    bucket: found.bucket,
  });
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

const ccNet = { model: "xx.arpa.bin" };
test.each([
  [{ cutoffs: [6, 5] }, "the cutoffs of perplexity fall from 6 to 5"],
  [{ ...{ cutoffs: "cutoff.csv", language: "xx" }, percentiles: [60, 30] }, "the percentiles of perplexity fall from 60 to 30"],
  [
    { cutoffs: "cutoff.csv", language: "xx" },
    "cutoff.csv: CCNet's cutoffs hold only with its own models and pieces, but xx.arpa is no binary file",
  ],
  [{ cutoffs: "cutoff.csv", model: "xx.arpa.bin", tokenizer: undefined }, "but no tokenizer is named"],
  [{ cutoffs: "cutoff.csv", model: "xx.arpa.bin", normalise: false }, "but normalise is false"],
  [{ ...ccNet, cutoffs: "cutoff.csv" }, "cutoff.csv: it has cutoffs of many languages: say the language"],
  [{ ...ccNet, cutoffs: "cutoff.csv", language: "fr" }, 'cutoff.csv: it has no cutoffs of "fr", but of de, xx'],
  [{ ...ccNet, cutoffs: "cutoff.csv", language: "xx", percentiles: [30, 61] }, 'cutoff.csv: it has no cutoff of "xx" at the percentile 61'],
])("%o is refused", async (given, message) => {
  await expect(open(given)).rejects.toThrow(message);
});

test("the files that a step names are listed", () => {
  const listed = (given: object) => perplexity.files?.(perplexity.parameters.parse({ model: "xx.arpa", ...given }));
  expect(listed({})).toEqual(["xx.arpa"]);
  expect(listed({ ...usual, cutoffs: "cutoff.csv" })).toEqual(["xx.arpa", "xx.sp.model", "cutoff.csv"]);
  for (const cutoffs of [[1, 2], "sampled"]) expect(listed({ cutoffs })).toEqual(["xx.arpa"]);
});

test.each([
  [{ buckets: ["head"] }, /there are no cutoffs, but buckets needs cutoffs/],
  [{ cutoffs: [5, 6], share: 0.1 }, /cutoffs are \[5,6\], but share needs cutoffs: sampled/],
  [{ cutoffs: "c.csv", mostSampled: 9 }, /cutoffs are "c.csv", but mostSampled needs cutoffs: sampled/],
  [{ cutoffs: [5, 6], percentiles: [30, 60] }, /percentiles needs cutoffs of a file/],
])("what would change nothing is refused: %j", (given, message) => {
  const [issue] = perplexity.parameters.safeParse({ model: "m", ...given }).error?.issues ?? [];
  expect(issue?.message).toMatch(message);
});
