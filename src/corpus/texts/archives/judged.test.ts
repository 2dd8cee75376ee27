// Archives, packed files, tables and books that Python's modules wrote (test/goldens/make_archives.py) are read back.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import type { ReadingNote, TextDocument, TextOptions } from "../forms.ts";
import { readTextDocuments } from "../read-file.ts";
import { openTexts } from "../texts.ts";

interface Case {
  readonly name: string;
  readonly how: string;
  /** Base64 of gzip data. */
  readonly content: string;
  readonly texts: readonly string[];
  /** How often what is no document was told, by what it was. */
  readonly notes?: Readonly<Record<string, number>>;
  /** Facts of the first document. */
  readonly facts?: TextDocument["facts"];
  /** Whether the text is the long one that is made here, too. */
  readonly prose?: boolean;
}

const path = join(import.meta.dirname, "../../../../test/goldens/archives.golden.json");
const { cases } = JSON.parse(readFileSync(path, "utf8")) as { cases: readonly Case[] };
const folder = mkdtempSync(join(tmpdir(), "cria-archives-"));
afterAll(() => rmSync(folder, { recursive: true }));

const contentOf = ({ content }: Case) => gunzipSync(Buffer.from(content, "base64"));
const prose = Array.from({ length: 4000 }, (_, i) => `The ${i % 40} llamas of hill ${(i * i) % 97} walk to the water.\n`).join("");

async function read(name: string, content: Uint8Array, options: TextOptions = {}) {
  const file = join(folder, name);
  writeFileSync(file, content);
  const documents: TextDocument[] = [];
  const notes: ReadingNote[] = [];
  await using opened = await openTexts([file], options);
  for (const one of opened.files)
    for await (const document of readTextDocuments(one, options, { where: "data", onNote: (note) => notes.push(note) }))
      documents.push(document);
  return { documents, notes, texts: documents.map(({ text }) => text) };
}

function counted(notes: readonly ReadingNote[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { what } of notes) counts[what] = (counts[what] ?? 0) + 1;
  return counts;
}

test.each(cases.map((one) => [one.name, one.how, one] as const))("%s, %s", async (name, how, one) => {
  const { documents, notes, texts } = await read(name, contentOf(one));
  expect(texts).toEqual(one.prose ? [prose] : one.texts);
  expect(counted(notes)).toEqual(one.notes ?? {});
  if (one.facts !== undefined) expect(documents[0]?.facts).toMatchObject(one.facts);
  const hidden = await read(`${name.replace(/\W.*/, "")}-${how.replace(/\W/g, "")}`, contentOf(one));
  expect(hidden.texts).toEqual(texts); // known by its content, too
});

test("what is in archives has its name there, and a form that is asked for is that of all", async () => {
  const [ustar] = cases.filter(({ name }) => name === "t.tar") as [Case];
  const { documents } = await read("t.tar", contentOf(ustar));
  expect(documents.map(({ facts }) => facts.file)).toEqual([
    "a.txt",
    "folder/é.txt",
    "b.jsonl",
    "b.jsonl",
    expect.stringMatching(/long\.txt$/),
    "another.md",
  ]);
  expect(documents[2]?.facts).toEqual({ file: "b.jsonl", url: "https://x.org/1" });
  const asText = await read("t.tar", contentOf(ustar), { format: "text" });
  expect(asText.texts).toContain('{"text":"one","url":"https://x.org/1"}\n{"text":"two"}\n');
});

test("where nobody counts, what is damaged in an archive stops the reading", async () => {
  const zip = contentOf(cases.find(({ name, how }) => name === "t.zip" && how === "stored") as Case);
  const at = zip.indexOf("plain");
  zip[at] = (zip[at] ?? 0) ^ 1;
  writeFileSync(join(folder, "w.zip"), zip);
  await using opened = await openTexts([join(folder, "w.zip")]);
  const all = async () => {
    for await (const _ of opened.documents());
  };
  await expect(all()).rejects.toThrow(/w\.zip: a\.txt has the checksum \d+ but the archive says \d+: it is damaged, fetch it again/);
  const { texts, notes } = await read("w.zip", zip);
  expect(texts).toEqual(["accents é ✓\n", "one", "two"]);
  expect(notes.find(({ kind }) => kind === "damaged")?.place).toMatch(/w\.zip: a\.txt: .* has the checksum/);
});

test("nested columns and those that are not there are refused by name", async () => {
  const table = contentOf(cases.find(({ name }) => name === "t.parquet") as Case);
  await expect(read("t.parquet", table, { field: "tags" })).rejects.toThrow(/the column "tags" is nested, and a text is a string/);
  await expect(read("t.parquet", table, { field: "meta" })).rejects.toThrow(/the column "meta" is nested/);
  await expect(read("t.parquet", table, { field: "txt" })).rejects.toThrow(
    /no column "txt", did you mean "text"\?; its columns are url, text, score, date, tags, meta/,
  );
  await expect(read("t.parquet", table, { field: "score" })).rejects.toThrow(/"score" is 0 but must be a string/);
});

test("a schema whose element has fewer children than none ends", async () => {
  const table = contentOf(cases.find(({ name }) => name === "t.parquet") as Case);
  // The element "tags" is told by its name, then field 5, its children, as 1 in zigzag coding.
  const tags = Buffer.from("\x04tags\x15\x02", "latin1");
  const at = table.indexOf(tags);
  expect(at).toBeGreaterThan(0);
  table[at + tags.length - 1] = 3; // -2
  const { texts, notes } = await read("t.parquet", table);
  expect(texts.length + notes.length).toBeGreaterThan(50);
});
