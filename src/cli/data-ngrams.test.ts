// A language model of n-grams from the command line, and the step perplexity that asks it.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CleanDocument, stepRows } from "../clean/index.ts";
import { readNgrams } from "../ngrams/index.ts";
import { commandRows } from "./commands.ts";
import { packageRoot } from "./package-root.ts";
import { runWords } from "./terminal.test.helper.ts";

let folder: string;
const inside = (name: string) => join(folder, name);
const cria = (...words: string[]) => runWords(words, commandRows);
const text = "The Llama walked to the water.\nThe llama drank 12 times.\n";
const tokenizer = join(packageRoot, "test", "fixtures", "2026-11-28", "bytes.json");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-ngrams-"));
  await writeFile(inside("text.txt"), text);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("both forms say the same, and the step perplexity asks them", async () => {
  const learn = (out: string) =>
    cria("data", "ngrams", "--order", "3", "--tokenizer", tokenizer, "--out", inside(out), inside("text.txt"), "--json");
  const [packed, arpa] = [await learn("m.ngrams"), await learn("m.arpa")];
  expect(packed.code, packed.stderr).toBe(0);
  expect(JSON.parse(arpa.stdout)).toMatchObject({ sentences: 2, orders: [{}, {}, { pruned: 0 }] });
  const models = await Promise.all(["m.ngrams", "m.arpa"].map(async (name) => readNgrams(name, await readFile(inside(name)))));
  expect(models[0]?.counts).toEqual(models[1]?.counts);
  const row = stepRows.find(({ name }) => name === "perplexity")!;
  const parameters = row.parameters.parse({ model: inside("m.ngrams"), tokenizer });
  const step = await row.open(parameters, { read: (path) => readFile(path) });
  const found = (document: string) => step.apply(new CleanDocument(document)) as CleanDocument;
  const [own, other] = [found(text.trim()), found("zebras sing quietly")].map(({ facts }) => Number(facts.perplexity));
  expect(own).toBeLessThan(Number(other) / 2);
});

test("percentiles of a sample are written, and the step takes them as its cutoffs", async () => {
  const model = ["--model", inside("p.ngrams"), "--tokenizer", tokenizer];
  await cria("data", "ngrams", "--order", "2", "--tokenizer", tokenizer, "--out", inside("p.ngrams"), inside("text.txt"));
  await writeFile(
    inside("sample.jsonl"),
    ["the llama", "zebras sing", "the water", "qqqq", ""].map((text) => JSON.stringify({ text })).join("\n"),
  );
  const made = await cria("data", "percentiles", ...model, "--out", inside("cutoffs.json"), inside("sample.jsonl"), "--json");
  expect(made.code, made.stderr).toBe(0);
  expect(JSON.parse(made.stdout)).toMatchObject({ documents: 4, measuredWith: { normalise: true, lineEnds: "sentences" } });
  const row = stepRows.find(({ name }) => name === "perplexity")!;
  const given = { model: inside("p.ngrams"), tokenizer, cutoffs: inside("cutoffs.json"), buckets: ["head", "middle", "tail"] };
  const step = await row.open(row.parameters.parse(given), { read: (path) => readFile(path) });
  const bucket = (text: string) => (step.apply(new CleanDocument(text)) as CleanDocument).facts.bucket;
  expect(["the llama", "the water", "zebras sing"].map(bucket)).toEqual(expect.arrayContaining(["head", "tail"]));
  const half = await cria(
    "data",
    "percentiles",
    ...model,
    "--share",
    "0.5",
    "--out",
    inside("half.json"),
    inside("sample.jsonl"),
    "--json",
  );
  expect(JSON.parse(half.stdout).documents).toBeLessThan(4);
  const refused = await cria("data", "percentiles", ...model, "--share", "2", "--out", inside("x.json"), inside("sample.jsonl"));
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("--share is 2 but must be above 0 and at most 1") });
});

test("percentiles of the source itself cut the buckets, are kept beside the data, and serve other recipes", async () => {
  await cria("data", "ngrams", "--order", "2", "--tokenizer", tokenizer, "--out", inside("s.ngrams"), inside("text.txt"));
  const texts = Array.from({ length: 120 }, (_, i) => `the ${i % 2 === 0 ? "llama" : "zebra"} ${"walked qq ".repeat(i % 7)}${i}`);
  await writeFile(inside("source.jsonl"), texts.map((text) => `${JSON.stringify({ text, url: `a://${text}` })}\n`).join(""));
  const recipe = (cutoffs: string) =>
    `sources: [{ paths: source.jsonl, steps: [{ perplexity: { model: s.ngrams, tokenizer: ${tokenizer}, cutoffs: ${cutoffs} } }] }]\n`;
  await writeFile(inside("sampled.yaml"), recipe("sampled"));
  const prepared = async (name: string) => {
    const made = await cria("data", "prepare", inside(`${name}.yaml`), "--tokenizer", tokenizer, "--out", inside(name));
    expect(made.code, made.stderr).toBe(0);
    return readFile(join(inside(name), "text-00000.tokens"));
  };
  const tokens = await prepared("sampled");
  const found = JSON.parse(await readFile(join(inside("sampled"), "text.perplexity.json"), "utf8"));
  expect(found).toMatchObject({ documents: 120, measuredWith: { normalise: true } });
  const command = ["--model", inside("s.ngrams"), "--tokenizer", tokenizer, "--out", inside("same.json"), inside("source.jsonl"), "--json"];
  expect(JSON.parse((await cria("data", "percentiles", ...command)).stdout)).toEqual({ out: inside("same.json"), ...found });
  await writeFile(inside("named.yaml"), recipe("sampled/text.perplexity.json"));
  expect(await prepared("named")).toEqual(tokens);
  const tried = await cria("data", "try", inside("sampled.yaml"), "--url", "a://the llama 0");
  expect(tried.stdout).toMatch(
    /^perplexity +measures documents: this one's measure is [\d.]+, and it decides by what a sample of the documents of the source comes to\nthe document stays/,
  );
});

test("words are learned from on demand, as they are written", async () => {
  const told = await cria("data", "ngrams", "--order", "2", "--words", "--as-written", "--out", inside("w.ngrams"), inside("text.txt"));
  expect(told.stdout).toMatch(/w\.ngrams: learned from 11 words in 2 sentences\n {2}1-grams: 13, discounts 0\.500/);
  const model = await readNgrams("w", await readFile(inside("w.ngrams")));
  expect(["Llama", "12", "zebra"].map((word) => model.words.idOf(word) > 0)).toEqual([true, true, false]);
});

test("a tokenizer is learned from the texts as the model reads them, and the step finds it in the model's file", async () => {
  const made = await cria("data", "ngrams", "--order", "3", "--vocab-size", "330", "--out", inside("own.ngrams"), inside("text.txt"));
  expect(made.stdout, made.stderr).toMatch(
    /own\.ngrams: learned from \d+ pieces of a tokenizer of \d+, which is in the model's file, in 2/,
  );
  const row = stepRows.find(({ name }) => name === "perplexity")!;
  const step = await row.open(row.parameters.parse({ model: inside("own.ngrams") }), { read: (path) => readFile(path) });
  const found = (document: string) => Number((step.apply(new CleanDocument(document)) as CleanDocument).facts.perplexity);
  expect(found("The Llama walked to the water.")).toBeLessThan(found("Zebras sing quietly.") / 2);
  const model = await readNgrams("own", await readFile(inside("own.ngrams")));
  expect(model.words.idOf("▁the")).toBeGreaterThan(0);
  expect(JSON.parse(new TextDecoder().decode(model.parts.tokenizer))).toMatchObject({ model: { type: "BPE" } });
  await cria("data", "ngrams", "--order", "3", "--vocab-size", "330", "--out", inside("own.arpa"), inside("text.txt"));
  expect(await readFile(inside("own.arpa.tokenizer.json"))).toEqual(Buffer.from(model.parts.tokenizer!));
});

test("a model in another form is written in the compact form, and no file is left beside it", async () => {
  await cria("data", "ngrams", "--order", "3", "--tokenizer", tokenizer, "--out", inside("c.arpa"), inside("text.txt"));
  const made = await cria("data", "ngrams", "--from", inside("c.arpa"), "--out", inside("c.ngrams"));
  expect(made.stdout, made.stderr).toMatch(/c\.ngrams: \d+ 1-grams, \d+ 2-grams, \d+ 3-grams/);
  const models = await Promise.all(["c.ngrams", "c.arpa"].map(async (name) => readNgrams(name, await readFile(inside(name)))));
  expect(models[0]?.counts).toEqual(models[1]?.counts);
  expect((await readdir(folder)).filter((name) => name.includes("partial"))).toEqual([]);
});

test("little memory makes the same file", async () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `w${i % 7} w${(i * i) % 101} w${i % 13} w${(i * 31) % 17} w${i}`).join("\n");
  await writeFile(inside("large.txt"), lines);
  const learn = (out: string, ...more: string[]) =>
    cria("data", "ngrams", "--words", "--as-written", "--out", inside(out), ...more, inside("large.txt"));
  await learn("whole.ngrams");
  const made = await learn("small.ngrams", "--memory", "1M");
  expect(made.code, made.stderr).toBe(0);
  expect((await readFile(inside("small.ngrams"))).equals(await readFile(inside("whole.ngrams")))).toBe(true);
});

test.each([
  [["--words", "--prune", "0;1"], 2, "--prune is 0;1 but must be counts with commas"],
  [["--words", "--order", "9"], 1, "the order is 9 but must be 2 to 6"],
  [["--memory", "8"], 2, "--memory is 8 bytes but must be at least 1000000"],
  [["--words", "--vocab-size", "300"], 2, "--words and --vocab-size say two things"],
  [["--from", "x.arpa"], 2, "name either texts"],
])("%o is refused", async (flags, code, message) => {
  const made = await cria("data", "ngrams", "--out", inside("x.ngrams"), ...flags, inside("text.txt"));
  expect(made.code).toBe(code);
  expect(made.stderr).toContain(message);
});
