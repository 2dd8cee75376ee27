import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { CriaError } from "../base/index.ts";
import { byteTokenizer } from "../batches/byte-tokenizer.test.helper.ts";
import { isHeldOut, vocabularyOf } from "../batches/index.ts";
import { parseWith } from "../schema/index.ts";
import { createTokenizer, trainTokenizer } from "../tokenizer/index.ts";
import { prepare } from "./prepare.ts";
import { PreparedData } from "./prepared.ts";
import { readYaml } from "./read-yaml.ts";
import { dataRecipe } from "./recipe.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-prepare-"));
afterAll(() => rmSync(folder, { recursive: true }));

const prose = Array.from({ length: 40 }, (_, i) => `Tale ${i}: once upon a time …`);
const facts = Array.from({ length: 30 }, (_, i) => `Fact ${i}.`);
mkdirSync(join(folder, "texts"));
writeFileSync(join(folder, "texts/prose.txt"), prose.join("\n\n"));
writeFileSync(join(folder, "facts.jsonl"), facts.map((text) => JSON.stringify({ body: text })).join("\n"));

const rawRecipe = {
  sources: [
    { name: "prose", paths: "texts/*.txt", separator: "blank-lines", weight: 3, licence: "MIT" },
    { name: "facts", paths: ["facts.jsonl"], field: "body", weight: 1 },
  ],
  heldOut: 0.2,
  shardTokens: 200,
};
const parse = (value: unknown) => parseWith(dataRecipe, value, "recipe", "recipe.yaml");

test("a recipe becomes shards, held-out text and a manifest that opens", async () => {
  const out = join(folder, "out");
  const tasks = new Set<string>();
  const manifest = await prepare(parse(rawRecipe), byteTokenizer, out, {
    folder,
    progress: ({ task, done, total, note }) => tasks.add(`${task} ${note} ${done === total}`),
  });
  expect([...tasks].filter((task) => !task.startsWith("choosing what to hold out"))).toEqual([
    "preparing prose true",
    "preparing facts true",
  ]);
  const all = [...prose, ...facts];
  const held = all.filter((text) => isHeldOut(text, 0.2));
  const bytes = (texts: string[]) => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const train = prose.filter((text) => !held.includes(text));
  expect(manifest.sources[0]).toMatchObject({ name: "prose", weight: 3, licence: "MIT", documents: train.length, bytes: bytes(train) });
  expect(manifest.sources[0]!.tokens).toBe(bytes(train) + 2 * train.length);
  expect(manifest.sources[0]!.shards.length).toBeGreaterThan(2);
  expect(manifest.sources.map(({ split }) => split)).toEqual([{ by: "documents" }, { by: "documents" }]);
  expect(manifest.heldOut).toMatchObject({ documents: held.length, bytes: bytes(held), text: "held-out.jsonl" });
  expect(JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"))).toEqual(manifest);

  await using data = await PreparedData.open(out, vocabularyOf(byteTokenizer));
  const texts: string[] = [];
  for await (const text of data.heldOutTexts()) texts.push(text);
  expect(texts).toEqual(held);
  expect(Array.from(await data.heldOut!.read(0, data.heldOut!.length))).toEqual(
    held.flatMap((text) => Array.from(byteTokenizer.encode(text, { bos: true, eos: true }))),
  );
  expect(data.sources.map(({ name, weight, tokens }) => [name, weight, tokens.totals.documents])).toEqual([
    ["prose", 3, train.length],
    ["facts", 1, all.length - held.length - train.length],
  ]);
  await expect(PreparedData.open(out, { ...vocabularyOf(byteTokenizer), size: 259 })).rejects.toThrow(
    /prepare the data with this tokenizer/,
  );
  await expect(prepare(parse(rawRecipe), byteTokenizer, out, { folder })).rejects.toThrow(/the folder is not empty/);
});

test("boundaries: one token per document where the recipe says so; a tokenizer without it is refused, and a document mask without ends", async () => {
  const recipe = { ...rawRecipe, boundaries: "eos", heldOut: 0 };
  const manifest = await prepare(parse(recipe), byteTokenizer, join(folder, "eos"), { folder });
  expect(manifest.heldOut).toBeUndefined();
  expect(manifest.sources[1]!.tokens).toBe(manifest.sources[1]!.bytes + 30);
  await using data = await PreparedData.open(join(folder, "eos"));
  expect(data.heldOut).toBeUndefined();
  const options = { batch: 2, length: 16, seed: 1, documentMask: true };
  const { documents, targets } = await data.mixture(options).next();
  expect(documents?.positions.filter((position) => position === 0).length).toBeGreaterThan(2);
  expect(targets).toContain(-1);
  await prepare(parse({ ...recipe, boundaries: "bos" }), byteTokenizer, join(folder, "bos"), { folder });
  await using begins = await PreparedData.open(join(folder, "bos"));
  expect(() => begins.mixture(options)).toThrow(
    /documentMask is true but boundaries are "bos", so that no token would predict the end of a text: prepare the data with boundaries "both" or "eos"/,
  );
  expect(begins.mixture({ ...options, documentMask: false }).batchTokens).toBe(32);
  const headless = { ...byteTokenizer, bosId: undefined };
  await expect(prepare(parse(rawRecipe), headless, join(folder, "x"), { folder })).rejects.toThrow(
    /no begin-of-text token: set boundaries to "eos"/,
  );
});

test("what fails, and what is aborted, leaves nothing behind", async () => {
  writeFileSync(join(folder, "bad.txt"), Buffer.of(97, 0xff));
  const before = readdirSync(folder);
  const bad = { ...rawRecipe, sources: [...rawRecipe.sources, { name: "bad", paths: "bad.txt", weight: 1 }] };
  await expect(prepare(parse(bad), byteTokenizer, join(folder, "y"), { folder })).rejects.toThrow(
    /bad\.txt: byte 0xff at offset 1 begins no UTF-8 character/,
  );
  for (const stopAt of ["preparing prose", "preparing facts"]) {
    const stop = new AbortController();
    const progress = ({ task, note }: { task: string; note?: string }) =>
      void (`${task} ${note}` === stopAt && stop.abort(new Error("stopped")));
    await expect(prepare(parse(rawRecipe), byteTokenizer, join(folder, "y"), { folder, progress, signal: stop.signal })).rejects.toThrow(
      /^stopped$/,
    );
  }
  writeFileSync(join(folder, "bad.txt"), "short");
  const same = { sources: [{ paths: "bad.txt" }] };
  await expect(prepare(parse(same), byteTokenizer, join(folder, "y"), { folder })).rejects.toThrow(
    /the text is too short, or too much the same, to hold a part of it out \(heldOut is 0\.01\)/,
  );
  await expect(prepare(parse(rawRecipe), byteTokenizer, join(folder, "bad.txt"), { folder })).rejects.toThrow(CriaError);
  await expect(prepare(parse(rawRecipe), byteTokenizer, join(folder, "bad.txt/in"), { folder })).rejects.toThrow(CriaError);
  expect(readdirSync(folder)).toEqual(before);
});

test("damaged folders are refused by name", async () => {
  const out = join(folder, "damaged");
  const { sources } = await prepare(parse(rawRecipe), byteTokenizer, out, { folder });
  const manifestPath = join(out, "manifest.json");
  const manifest = readFileSync(manifestPath, "utf8");
  writeFileSync(manifestPath, manifest.replace(`"tokens": ${sources[0]!.tokens}`, '"tokens": 7'));
  await expect(PreparedData.open(out)).rejects.toThrow(/the manifest says 7: prepare it again/);
  writeFileSync(manifestPath, manifest.replace("facts-00000.tokens", "../facts"));
  await expect(PreparedData.open(out)).rejects.toThrow(/shards\[0\] is "\.\.\/facts": it must be a plain file name/);
  writeFileSync(manifestPath, manifest.slice(0, 50));
  await expect(PreparedData.open(out)).rejects.toThrow(CriaError);
  await expect(PreparedData.open(join(folder, "nowhere"))).rejects.toThrow(/nowhere: no such file or folder/);
});

const badRecipes: readonly [what: string, recipe: unknown, message: RegExp][] = [
  ["a misspelt key", { ...rawRecipe, heldout: 0.1 }, /recipe\.yaml: unknown key "heldout", did you mean "heldOut"\?/],
  [
    "a misspelt key of a source",
    { sources: [{ name: "a", paths: "x", wieght: 1 }] },
    /unknown key "wieght" in sources\[0\], did you mean "weight"\?/,
  ],
  ["a key like none", { ...rawRecipe, zzzzzzzzzzzz: 1 }, /unknown key "zzzzzzzzzzzz": known are sources, heldOut/],
  [
    "a missing weight beside another source",
    {
      sources: [
        { name: "a", paths: "x" },
        { name: "b", paths: "y", weight: 1 },
      ],
    },
    /sources\[0\]\.weight is missing/,
  ],
  [
    "a missing name beside another source",
    {
      sources: [
        { name: "a", paths: "x", weight: 1 },
        { paths: "y", weight: 1 },
      ],
    },
    /sources\[1\]\.name is missing/,
  ],
  ["a weight of zero", { sources: [{ name: "a", paths: "x", weight: 0 }] }, /sources\[0\]\.weight is 0: it must be above 0/],
  ["a negative weight", { sources: [{ name: "a", paths: "x", weight: -2 }] }, /weight is -2/],
  ["a weight that is a word", { sources: [{ name: "a", paths: "x", weight: "half" }] }, /weight is "half": it must be a finite number/],
  ["no sources", { sources: [] }, /sources is \[\]/],
  ["a name twice", { sources: [1, 2].map(() => ({ name: "a", paths: "x", weight: 1 })) }, /every source needs a name of its own/],
  ["a name that leaves the folder", { sources: [{ name: "../a", paths: "x", weight: 1 }] }, /name is "\.\.\/a"/],
  ["a reserved name", { sources: [{ name: "held-out", paths: "x", weight: 1 }] }, /what the held-out part is called/],
  ["paths that are a number", { sources: [{ name: "a", paths: 3, weight: 1 }] }, /sources\[0\]\.paths is 3: it has none of the forms/],
  ["everything held out", { ...rawRecipe, heldOut: 1 }, /heldOut is 1/],
  ["an unknown format", { sources: [{ name: "a", paths: "x", weight: 1, format: "pdf" }] }, /format is "pdf"/],
  ["nothing", null, /the document is null/],
];

test.each(badRecipes)("a recipe with %s is refused by name", (_, recipe, message) => {
  expect(() => parse(recipe)).toThrow(CriaError);
  expect(() => parse(recipe)).toThrow(message);
});

test("recipes are read from YAML; what is not YAML is named by line", async () => {
  const path = join(folder, "recipe.yaml");
  writeFileSync(path, "sources:\n  - { name: a, paths: [x], weight: 0.5 }\n");
  expect(await readYaml(path, dataRecipe, "recipe")).toEqual({
    sources: [{ name: "a", paths: ["x"], weight: 0.5 }],
    heldOut: 0.01,
    boundaries: "both",
  });
  writeFileSync(path, "sources: [{ paths: x }]\n");
  expect(await readYaml(path, dataRecipe, "recipe")).toMatchObject({ sources: [{ name: "text", paths: "x", weight: 1 }] });
  writeFileSync(path, "sources: [\n  - }\n");
  await expect(readYaml(path, dataRecipe, "recipe")).rejects.toThrow(/^\[recipe\] .*recipe\.yaml: it is not YAML, .* at line \d/);
  writeFileSync(path, "a: *nowhere\n");
  await expect(readYaml(path, dataRecipe, "recipe")).rejects.toThrow(CriaError);
});

test("threads that encode last until all is written, where there is text enough for some", async () => {
  const words = createTokenizer(await trainTokenizer(["a llama and a path"], { kind: "bytes", vocabSize: 264 }));
  const long = join(folder, "long.txt");
  const lines = Array.from({ length: 180 }, (_, i) => `Tale ${i}: ${"a llama and a path ".repeat(1300)}`);
  writeFileSync(long, lines.join("\n\n"));
  const text = lines.join("").length;
  expect(text).toBeGreaterThan(1 << 22);
  const recipe = { sources: [{ paths: long, separator: "blank-lines" }], heldOut: 0, boundaries: "eos" };
  const { sources } = await prepare(parse(recipe), words, join(folder, "long"));
  expect(sources[0]).toMatchObject({ documents: lines.length, bytes: text });
});
