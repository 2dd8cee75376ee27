// What input could take without end: packed data that unfolds to far too much, lines and entities of any size, a disk that is full.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { tarHeader, tarOf } from "./archives/tar.test.helper.ts";
import { ownLicence } from "./code/licences.ts";
import { type FormName, formCalled, type ReadingNote, type TextDocument } from "./forms.ts";
import { Growth } from "./growth.ts";
import { joinSource } from "./latex/join-source.ts";
import { maxDocumentLength } from "./limits.ts";
import { readTextDocuments } from "./read-file.ts";
import { splitText } from "./split-text.ts";
import { httpPage } from "./warc/http-response.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-limits-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function* repeated<T>(chunk: T, times: number): AsyncGenerator<T> {
  for (let i = 0; i < times; i++) yield chunk;
}

async function lengthOf(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of chunks) length += chunk.length;
  return length;
}

async function read(content: string | Uint8Array, form: FormName): Promise<{ documents: TextDocument[]; notes: ReadingNote[] }> {
  const path = join(folder, "file");
  writeFileSync(path, content);
  const found = { documents: [] as TextDocument[], notes: [] as ReadingNote[] };
  const onNote = (note: ReadingNote) => found.notes.push(note);
  for await (const document of readTextDocuments({ path, name: "file", form: formCalled(form) }, {}, { where: "data", onNote }))
    found.documents.push(document);
  return found;
}

test("packed data may unfold to 250 times its size, or to what is free", async () => {
  const chunk = new Uint8Array(1000);
  const growth = (packed: number) => new Growth("bomb.gz", "data", packed, 10_000).out(repeated(chunk, 100));
  expect(await lengthOf(growth(400))).toBe(100_000);
  await expect(lengthOf(growth(399))).rejects.toThrow(
    /^\[data\] bomb\.gz: 399 packed bytes unfold to 100000 and more, over 250 times as many/,
  );
  await expect(lengthOf(growth(0))).rejects.toThrow(/unfold to 11000 and more/);
});

test("an archive whose last member says more bytes than there are gives the others", async () => {
  const whole = tarOf({ "a.txt": "one", "b.txt": "two" }).subarray(0, 2048);
  const { documents, notes } = await read(Buffer.concat([whole, tarHeader("c.txt", 8_589_934_591), Buffer.from("three")]), "archive");
  expect(documents.map(({ text }) => text)).toEqual(["one", "two"]);
  expect(notes.map(({ kind, what }) => [kind, what])).toEqual([["damaged", "file that cannot be read in an archive"]]);
});

test("a line of any length is refused before it is held", async () => {
  let given = 0;
  const chunks = async function* () {
    for (; given < 2 * maxDocumentLength; given += 1 << 20) yield "x".repeat(1 << 20);
  };
  const refuse = (part: number): never => {
    throw new Error(`line ${part + 1}`);
  };
  const all = async () => {
    for await (const _ of splitText(chunks(), "\n", 4 << 20, refuse));
  };
  await expect(all()).rejects.toThrow("line 1");
  expect(given).toBeLessThan(8 << 20);
});

test("entities that a file declares are not expanded", async () => {
  const entities = Array.from({ length: 30 }, (_, i) => `<!ENTITY l${i + 1} "&l${i};&l${i};&l${i};&l${i};">`).join("");
  const page = (text: string) => `<page><title>T</title><ns>0</ns><revision><text>${text}</text></revision></page>`;
  const bomb = `<?xml version="1.0"?><!DOCTYPE m [<!ENTITY l0 "lol">${entities}]><mediawiki>${page("&l30; &amp;")}</mediawiki>`;
  expect((await read(bomb, "wikipedia")).documents.map(({ text }) => text)).toEqual(["&l30; &"]);
});

test.skipIf(process.platform !== "linux")("a disk that is full is a clear stop, also in an archive, and leaves nothing", async () => {
  const usual = process.env.TMPDIR;
  process.env.TMPDIR = join(folder, "none");
  try {
    const nested = tarOf({ "a.txt": "one", "b.parquet": "PAR1PAR1" });
    await expect(read(nested, "archive")).rejects.toThrow(/none.*: no such file or folder/);
  } finally {
    if (usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usual;
  }
  expect(readdirSync(folder)).toEqual(["file"]);
});

test("time is in proportion to the length of hostile headers, sources and licences", async () => {
  const blank = " ".repeat(100_000);
  const response = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/html${blank}x\r\n\r\n<p>text`);
  expect(httpPage(response, () => true)).toMatchObject({ type: `text/html${blank}x` });
  expect(ownLicence(`a${blank}b\n// SPDX-License-Identifier: MIT */`)).toBeUndefined(); // it stands too far from the beginning
  expect(ownLicence(`a${blank.slice(0, 8000)}b\n/* SPDX-License-Identifier: MIT OR Apache-2.0  */\r\n`)).toBe("MIT OR Apache-2.0");
  const join = async (main: string, part = "") => (await joinSource("main", async (path) => (path === "main" ? main : part))).text.length;
  expect(await join(`\\input{${blank}{`)).toBe(blank.length + 8);
  expect(await join("\\begin{verbatim}\n".repeat(100_000))).toBe(1_700_000);
  expect(await join("\\input{a}", "x".repeat(20_000_000))).toBe(20_000_000);
});
