import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { dataRecipe } from "../corpus/index.ts";
import { tokenizerJson } from "../formats/index.ts";
import { parseWith } from "../schema/index.ts";
import { trainTokenizer } from "../tokenizer/index.ts";
import { parseRecipe } from "../train/index.ts";
import { commandRows } from "./commands.ts";
import { dataCommand } from "./data.ts";
import { runWords } from "./terminal.test.helper.ts";
import { train } from "./train.ts";

let folder: string;
const inside = (name: string) => join(folder, name);
const recipe = `sources:
  - { name: books, paths: text/books.txt, separator: blank-lines, weight: 3, licence: MIT }
  - { name: web, paths: "text/*.jsonl", weight: 1 }
heldOut: 0.2
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-data-cli-"));
  const documents = Array.from({ length: 60 }, (_, i) => `Llama number ${i} follows path ${i * 7}.`);
  const specials = { bos: "<s>", eos: "</s>" };
  const model = await trainTokenizer(documents, { kind: "bytes", vocabSize: 300, pattern: "gpt2", specials });
  await writeFile(inside("tokenizer.json"), JSON.stringify(tokenizerJson(model)));
  await mkdir(inside("text"));
  await writeFile(inside("text/books.txt"), documents.join("\n\n"));
  await writeFile(inside("text/web.jsonl"), documents.map((text) => `${JSON.stringify({ text: `${text} Again.` })}\n`).join(""));
  await writeFile(inside("recipe.yaml"), recipe);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function cria(...words: string[]) {
  return runWords(words, commandRows);
}

function prepareWords(given: { recipe?: string; out: string }): string[] {
  const { recipe: file = "recipe.yaml", out } = given;
  return ["data", "prepare", inside(file), "--tokenizer", inside("tokenizer.json"), "--out", inside(out)];
}

test("prepares what a recipe names from the recipe's folder on, and tells what the shards hold", async () => {
  const made = await cria(...prepareWords({ out: "shards" }));
  expect(made).toMatchObject({ code: 0, stderr: "" });
  expect(made.stdout).toMatch(/vocabulary of 300\n {2}source +share +documents +bytes +tokens +bytes\/token\n {2}books +75\.0 % /);
  expect(made.stdout).toMatch(/\n {2}web +25\.0 % .*\n {2}held-out +\d+ /);
  expect((await cria("data", "stats", inside("shards"))).stdout).toBe(made.stdout);
  const stats = JSON.parse((await cria("data", "stats", inside("shards"), "--json")).stdout);
  const { documents } = stats.heldOut;
  expect(stats).toMatchObject({ data: inside("shards"), vocabulary: { size: 300 }, sources: [{ licence: "MIT" }, { name: "web" }] });
  expect(stats.sources[0].documents + stats.sources[1].documents + documents).toBe(120);
});

test("mix says how often a budget goes through each source, and which it repeats too often", async () => {
  await cria(...prepareWords({ out: "mixed" }));
  const { sources } = JSON.parse((await cria("data", "stats", inside("mixed"), "--json")).stdout);
  const mixed = JSON.parse((await cria("data", "mix", inside("mixed"), "--tokens", "8k", "--json")).stdout);
  expect(mixed.sources).toEqual([
    { name: "books", share: 0.75, has: sources[0].tokens, takes: 6000, epochs: 6000 / sources[0].tokens },
    { name: "web", share: 0.25, has: sources[1].tokens, takes: 2000, epochs: 2000 / sources[1].tokens },
  ]);
  const told = await cria("data", "mix", inside("mixed"), "--tokens", "8000");
  expect(told.stdout).toMatch(/mixed: 8,000 tokens\n {2}source +share +tokens +of the budget +epochs\n {2}books +75\.0 % .* 6,000 /);
  expect(told.stderr).toMatch(
    /^note: 1 of 2 sources is gone through more often than about 4 times, .*: "books" \d+\.\d times: lower its weight/,
  );
  expect(told.stderr).not.toContain('"web"');
  const both = await cria("data", "mix", inside("mixed"), "--tokens", "80k");
  expect(both.stderr).toMatch(
    /^note: 2 of 2 sources are .*: "books" \d+\.\d times, "web" \d+\.\d times: lower their weights, or give them more text\n$/,
  );
  expect(await cria("data", "mix", inside("mixed"), "--tokens", "many")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--tokens is "many"'),
  });
});

test("verify says whether every byte is what was written", async () => {
  await cria(...prepareWords({ out: "verified" }));
  const sound = await cria("data", "verify", inside("verified"));
  expect(sound).toMatchObject({ code: 0, stdout: expect.stringMatching(/verified: \d+ files of [\d,]+ bytes are what was written\n$/) });
  const path = join(inside("verified"), "books-00000.tokens");
  const bytes = await readFile(path);
  bytes[50]! ^= 4;
  await writeFile(path, bytes);
  const damaged = await cria("data", "verify", inside("verified"), "--json");
  expect(damaged).toMatchObject({ code: 1, stderr: expect.stringMatching(/books-00000\.tokens has SHA-256/) });
});

test.skipIf(process.platform === "win32")("links to files are read as files are: right counts of documents", async () => {
  for (const name of ["real", "mix", "links"]) await mkdir(inside(name));
  await writeFile(inside("mix/a.txt"), "one one one\n\ntwo two two\n");
  await writeFile(inside("real/b.txt"), "three three\n\nfour four\n");
  await symlink(inside("real/b.txt"), inside("mix/b.txt"));
  await symlink(inside("real/b.txt"), inside("links/b.txt"));
  for (const [name, documents] of [
    ["mix", 4],
    ["links", 2],
  ] as const) {
    await writeFile(inside(`${name}.yaml`), `sources: [{ name: t, paths: ${name}, weight: 1, separator: blank-lines }]\nheldOut: 0\n`);
    const made = await cria(...prepareWords({ recipe: `${name}.yaml`, out: `${name}-out` }), "--json");
    expect(JSON.parse(made.stdout).sources[0].documents).toBe(documents);
  }
});

test("what was passed over, and a split by stretches of text, are told on stderr", async () => {
  await mkdir(inside("own"));
  await writeFile(inside("own/story.txt"), Array.from({ length: 100 }, (_, i) => `It counted ${100 + i} llamas. `).join(""));
  await writeFile(inside("own/.notes"), "x");
  await writeFile(inside("own.yaml"), "sources: [{ paths: own }]\nheldOut: 0.1\n");
  const made = await cria(...prepareWords({ recipe: "own.yaml", out: "own-shards" }), "--json");
  expect(made.code).toBe(0);
  expect(made.stderr).toMatch(
    /^note: passed over: 1 hidden file or folder \(.*\.notes\)\nnote: source "text" has few documents: .* stretches of about 230 /,
  );
  const manifest = JSON.parse(made.stdout);
  expect(manifest.sources[0]).toMatchObject({ name: "text", weight: 1, split: { by: "stretches", characters: 230 } });
  expect(manifest.heldOut.bytes).toBeGreaterThan(0);
  expect(manifest.heldOut.bytes + manifest.sources[0].bytes).toBe(2300);
  // One story is in pieces then, which is told where they are counted.
  expect(manifest.sources[0].documents).toBeGreaterThan(1);
  const told = await cria("data", "stats", inside("own-shards"));
  expect(told.stdout).toMatch(/\n {2}documents of text are counted in pieces: stretches are held out of them, /);
});

test.each(["text/books.txt", "text", "text/*.txt", "-"])("%s where a recipe belongs is known as a text", async (path) => {
  const name = path === "-" ? path : inside(path);
  const { code, stderr } = await cria("data", "prepare", name, "--tokenizer", inside("tokenizer.json"), "--out", inside("never"));
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /is a text, not a recipe: write a recipe that names it \(sources: \[\{ paths: ".*" \}\]\), or leave all of it to .*cria train /,
  );
});

test("a recipe of the other kind is known, and the command that follows it named", async () => {
  await writeFile(inside("train.yaml"), "data: data\ntokenizer: t.json\nmodel: { preset: 5M }\nsteps: 3\n");
  for (const words of [
    ["data", "prepare", inside("train.yaml"), "--tokenizer", "t", "--out", "o"],
    ["data", "try", inside("train.yaml"), "--file", "x"],
  ])
    expect(await cria(...words)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/train\.yaml is a recipe of training, not of data: npx cria train .* follows it\n$/),
    });
  expect(await cria("train", inside("recipe.yaml"))).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/recipe\.yaml is a recipe of data, not of training: npx cria data prepare .* follows it, and a recipe/),
  });
});

test.each([
  ["no recipe", 2, /RECIPE\.yaml is missing/, ["data", "prepare", "--tokenizer", "t", "--out", "o"]],
  ["no tokenizer and no folder", 2, /--tokenizer must be given: .*\n.*--out must be given: /, ["data", "prepare", "recipe.yaml"]],
  ["prepared data", 2, /shards is prepared data already: name a recipe/, ["data", "prepare", "@shards", "--tokenizer", "t", "--out", "o"]],
  ["two folders", 2, /"b" is one too many/, ["data", "stats", "a", "b"]],
  ["a folder of texts", 1, /text: it has no manifest\.json, so it is no prepared data: name another folder/, ["data", "stats", "@text"]],
  ["a folder that is none", 1, /nowhere: no such file or folder/, ["data", "stats", "nowhere"]],
])("%s is refused", async (_, code, message, words) => {
  const paths = words.map((word) => (word.startsWith("@") ? inside(word.slice(1)) : word));
  expect(await cria(...paths)).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(message) });
});

test.each([
  ["a misspelt key", `${recipe}heldout: 0.1\n`, /unknown key "heldout", did you mean "heldOut"/],
  ["a misspelt key of a source", recipe.replace("weight: 3", "wieght: 3"), /unknown key "wieght" in sources\[0\], did you mean "weight"/],
  ["a text that is missing", recipe.replace("books.txt", "none.txt"), /none\.txt: no such file/],
  ["no YAML", "sources: [", /it is not YAML/],
])("%s is refused, and nothing is left", async (_, text, message) => {
  await writeFile(inside("bad.yaml"), text);
  const before = await readdir(folder);
  expect(await cria(...prepareWords({ recipe: "bad.yaml", out: "refused" }))).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(message),
  });
  expect(await readdir(folder)).toEqual(before);
});

test("the recipes that help shows are recipes", async () => {
  const prepareCommand = await dataCommand.commands.find(({ name }) => name === "prepare")?.load();
  expect(parseWith(dataRecipe, parse(prepareCommand!.example!.text), "test", "help").sources.length).toBe(2);
  expect(parseRecipe(parse(train.example!.text), "help")).toMatchObject({ steps: 2000, learningRate: 1e-3, model: { preset: "5M" } });
  expect((await cria("data", "prepare", "--help")).stdout).toContain("\na recipe:\n  sources:\n    - name: books");
});
