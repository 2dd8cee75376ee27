import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { parquetMetadataAsync } from "hyparquet";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import type { TextOptions } from "./forms.ts";
import { readPart, textParts } from "./parts.ts";
import { openTexts } from "./texts.ts";

const where = "here";
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-parts-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function readAll(name: string, content: string | Uint8Array, stretchBytes: number, options: TextOptions = {}) {
  const path = join(folder, name);
  await writeFile(path, content);
  await using texts = await openTexts([path], options);
  const parts = await textParts(texts.files, options, stretchBytes, where);
  let bytes = 0;
  const documents: string[] = [];
  for (const { file, stretch } of parts)
    for await (const { text } of readPart(texts.files[file]!, stretch, stretchBytes, options, {
      where,
      onBytes: (more) => (bytes += more),
    }))
      documents.push(text);
  return { parts, documents, bytes, size: texts.bytes };
}

function randomLines(rng: Rng): string[] {
  return Array.from({ length: 1 + rng.below(10) }, () => "xé日🦙\ufeff ".repeat(rng.below(4)) + rng.below(100));
}

test.each([2, 7, 40])("stretches of %i bytes hold every line once, in order, and every byte is read once", async (stretchBytes) => {
  for (let seed = 1; seed <= 4; seed++) {
    const rng = new Rng(seed);
    const lines = randomLines(rng);
    const text = lines.join("\n") + (seed % 2 === 0 ? "\n" : "");
    const plain = await readAll("a.txt", text, stretchBytes);
    expect(plain.documents.join("")).toBe(text);
    expect(plain.bytes).toBe(plain.size);
    expect(plain.parts.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(plain.size);
    for (const part of plain.documents.slice(0, -1)) expect(part.endsWith("\n")).toBe(true);
    const records = await readAll("a.jsonl", lines.map((line) => JSON.stringify({ text: line })).join("\n"), stretchBytes);
    expect(records.documents).toEqual(lines);
  }
});

test("what cannot be cut at line ends, or is packed, is read whole", async () => {
  const text = "one\n\ntwo\n\nthree";
  expect((await readAll("a.txt", text, 4, { separator: "blank-lines" })).documents).toEqual(["one", "two", "three"]);
  expect((await readAll("a.txt.gz", gzipSync(text), 4)).documents).toEqual([text]);
  expect((await readAll("a.csv", 'text\n"a\nb"\n', 4)).documents).toEqual(["a\nb"]);
  expect((await readAll("a.txt", text, 4)).parts.length).toBe(4);
});

test("a message names line and byte as they stand in the whole file", async () => {
  await expect(readAll("a.jsonl", '{"text":"a"}\n{"text":"b"}\n{"text":3}\n', 14)).rejects.toThrow(/a\.jsonl:3/);
  const bad = Buffer.concat([Buffer.from("good\ngood\nbad "), Buffer.from([0xff, 0x20])]);
  await expect(readAll("bad.txt", bad, 6)).rejects.toThrow(/byte 0xff at offset 14 begins no UTF-8/);
});

test("a Parquet file is cut at its groups of rows, as Python wrote them", async () => {
  const path = join(import.meta.dirname, "../../../test/goldens/archives.golden.json");
  const { cases } = JSON.parse(await readFile(path, "utf8")) as { cases: readonly { name: string; content: string; texts: string[] }[] };
  const tables = cases.filter(({ name }) => name === "t.parquet");
  for (const [i, { content, texts }] of tables.entries()) {
    const bytes = gunzipSync(Buffer.from(content, "base64"));
    const groups = (await parquetMetadataAsync(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer))
      .row_groups;
    for (const stretchBytes of [100, 1000, 1 << 20]) {
      const read = await readAll(`${i}.parquet`, bytes, stretchBytes);
      expect(read.documents).toEqual(texts);
      expect(read.parts.length).toBe(Math.ceil(bytes.length / stretchBytes));
      const packed = groups.flatMap(({ columns }) => columns.map(({ meta_data: one }) => Number(one?.total_compressed_size)));
      expect(read.bytes).toBe(packed.reduce((sum, size) => sum + size, 0));
    }
  }
  expect(tables.length).toBeGreaterThan(5);
});

/** Records as crawls pack them, each a member of its own; in the text of some stand bytes that begin a member, and a record that is none. */
function packedCrawl(
  rng: Rng,
  count: number,
): { readonly crawl: Buffer; readonly texts: readonly string[]; readonly borders: readonly number[] } {
  const texts = Array.from(
    { length: count },
    (_, i) => `page ${i} ${"word ".repeat(rng.below(40))}${i % 3 === 0 ? "WARC/1.0\r\n" : ""}${rng.below(1e9)}`,
  );
  const records = texts.map((text) => {
    const head = `WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n`;
    return gzipSync(`${head}${text}\r\n\r\n`, { level: rng.below(10) });
  });
  const borders = records.map((_, i) => records.slice(0, i).reduce((sum, { length }) => sum + length, 0));
  return { crawl: Buffer.concat(records), texts: texts.map((text) => text.replaceAll("\r\n", "\n")), borders };
}

test.each([61, 300, 5000])(
  "a packed crawl is cut into stretches of %i bytes at its records, each of which is read once",
  async (stretchBytes) => {
    const { crawl, texts } = packedCrawl(new Rng(stretchBytes), 60);
    const { parts, documents, bytes } = await readAll("a.warc.gz", crawl, stretchBytes);
    expect(documents.map((text) => text.trim())).toEqual(texts.map((text) => text.trim()));
    expect([parts.length, bytes]).toEqual([Math.ceil(crawl.length / stretchBytes), crawl.length]);
  },
);

test("damage in a crawl that is cut is told by its place in the whole file, and members that begin with no record are no borders", async () => {
  const { crawl, texts, borders } = packedCrawl(new Rng(3), 40);
  crawl.fill(0, borders[30]! + 20, borders[30]! + 30);
  const path = join(folder, "b.warc.gz");
  await writeFile(path, crawl);
  await using opened = await openTexts([path], {});
  const read = async (stretchBytes: number) => {
    const [found, notes]: [string[], string[]] = [[], []];
    const onNote = ({ what, place }: { what: string; place: string }) => void notes.push(`${what}: ${place}`);
    for (const { file, stretch } of await textParts(opened.files, {}, stretchBytes, where))
      for await (const { text } of readPart(opened.files[file]!, stretch, stretchBytes, {}, { where, onNote })) found.push(text.trim());
    return { found, notes };
  };
  const whole = await read(crawl.length);
  expect(whole.found).toEqual(texts.filter((_, i) => i !== 30).map((text) => text.trim()));
  expect(whole.notes).toEqual([expect.stringMatching(new RegExp(`gzip data that is damaged: .*byte ${borders[30]}$`))]);
  expect(await read(700)).toEqual(whole);
  const single = gzipSync(gunzipSync(packedCrawl(new Rng(4), 40).crawl));
  expect((await readAll("c.warc.gz", single, 200)).parts.length).toBe(1);
});
