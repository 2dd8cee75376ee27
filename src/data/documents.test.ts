import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { type DocumentSource, readDocuments } from "./documents.ts";
import { expandPaths } from "./expand-paths.ts";
import { readText } from "./read-text.ts";
import { isHeldOut } from "./split-side.ts";
import { splitText } from "./split-text.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-documents-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function texts(files: string[], options: Partial<DocumentSource> = {}): Promise<string[]> {
  return (await collect(readDocuments({ name: "s", files, ...options }))).map(({ text }) => text);
}

test("text files: one document each, or split at a separator or at blank lines", async () => {
  const a = file("a.txt", "\ufeffone\r\n\r\n\r\ntwo\nlines\n \nthree\n");
  const b = file("b.md", "x<|end|>y<|end|><|end|> \n");
  expect(await texts([a])).toEqual(["one\r\n\r\n\r\ntwo\nlines\n \nthree\n"]);
  expect(await texts([a], { separator: "blank-lines" })).toEqual(["one", "two\nlines", "three"]);
  expect(await texts([b], { separator: "<|end|>" })).toEqual(["x", "y"]);
});

test("JSONL: the field of every line, empty lines passed over", async () => {
  const path = file("a.jsonl", '{"text":"é\\n1"}\r\n\n{"text":"2","content":"c"}\n');
  expect(await texts([path])).toEqual(["é\n1", "2"]);
  await expect(texts([path], { field: "content" })).rejects.toThrow(/a\.jsonl:1: the object has no "content"/);
});

test("splitting does not depend on where chunks fall", async () => {
  const rng = new Rng(1);
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: rng.below(40) }, () => "aab"[rng.below(3)]).join("");
    const separator = ["a", "ab", "aab", "aa", "b"][rng.below(5)]!;
    const chunks: string[] = [];
    for (let rest = text; rest !== ""; rest = rest.slice(chunks.at(-1)!.length)) chunks.push(rest.slice(0, 1 + rng.below(4)));
    const parts = await collect(
      splitText(stream(chunks), separator, 1000, () => {
        throw new Error("too long");
      }),
    );
    expect(parts).toEqual(text.split(separator));
  }
});

async function* stream(chunks: string[]) {
  yield* chunks;
}

test("a part longer than allowed is refused before it is held", async () => {
  const parts = splitText(stream(["ab,", "abcdef"]), ",", 5, (part) => {
    throw new Error(`part ${part}`);
  });
  await expect(collect(parts)).rejects.toThrow("part 1");
});

function characterStart(bytes: Uint8Array, at: number): number {
  let start = at;
  while ((bytes[start]! & 0xc0) === 0x80) start--;
  return start;
}

test("characters across chunk borders arrive whole; a wrong byte is named by its offset, wherever it stands", async () => {
  const text = "aé✓🦙".repeat(400_000); // 4.0 MB, so that borders fall inside characters
  const bytes = Buffer.from(text);
  expect((await collect(readText(file("long.txt", bytes)))).join("") === text).toBe(true);
  for (const at of [0, 7, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, bytes.length - 1]) {
    const wrong = Buffer.from(bytes);
    wrong[at] = 0xff;
    await expect(texts([file("wrong.txt", wrong)])).rejects.toThrow(
      new RegExp(`wrong\\.txt: byte 0x.. at offset ${characterStart(bytes, at)} begins no UTF-8 character`),
    );
  }
  await expect(texts([file("cut.txt", bytes.subarray(0, bytes.length - 2))])).rejects.toThrow(/inside a character that began at 3999996/);
});

const bad: readonly [string, () => Promise<unknown>, RegExp][] = [
  ["a missing file", () => texts([join(folder, "none.txt")]), /none\.txt: no such file or folder/],
  ["a folder", () => texts([folder]), /it is a folder/],
  ["an empty file", () => texts([file("empty.txt", "")]), /source "s": .*empty\.txt holds no text/],
  ["white space alone", () => texts([file("white.txt", " \n"), file("white2.txt", "")]), /source "s": its 2 files .* hold no text/],
  ["UTF-16", () => texts([file("wide.txt", Buffer.from("\ufeffab", "utf16le"))]), /byte 0xff at offset 0/],
  ["surrogates in UTF-8", () => texts([file("sur.txt", Buffer.of(97, 0xed, 0xa0, 0x80))]), /byte 0xed at offset 1/],
  ["a broken line", () => texts([file("x.jsonl", '{"text":"a"}\n{"text":')]), /x\.jsonl:2: the line is not JSON/],
  ["a line that is a list", () => texts([file("x.jsonl", "[1]")]), /x\.jsonl:1: the line is not a JSON object/],
  ["a field of another name", () => texts([file("x.jsonl", '{"txt":"a"}')]), /has no "text", did you mean "txt"\?/],
  ["a field that is no text", () => texts([file("x.jsonl", '{"text":7}')]), /"text" is 7 but must be a string/],
  ["a pattern without files", () => expandPaths(["*.nothing"], folder), /no file under .* matches it/],
  ["a path that is not there", () => expandPaths(["nowhere/x.txt"], folder), /no such file/],
];

test.each(bad)("%s is refused in the house's form", async (_, act, message) => {
  const error = await act().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(CriaError);
  expect((error as Error).message).toMatch(/^\[data\] /);
  expect((error as Error).message).toMatch(message);
});

test("patterns: names, folders, stars; sorted, each file once, links not followed", async () => {
  for (const name of ["g/b.md", "g/a.md", "g/in/c.md", "g/in/deep/d.md", "g/in/c.txt", "g/a+b.md"]) file(name, "x");
  symlinkSync(join(folder, "g"), join(folder, "g/in/loop"));
  const expand = async (...patterns: string[]) => (await expandPaths(patterns, folder)).map((path) => path.slice(folder.length + 3));
  expect(await expand("g/*.md")).toEqual(["a+b.md", "a.md", "b.md"]);
  expect(await expand("g/?.md", "g/a.md")).toEqual(["a.md", "b.md"]);
  expect(await expand("g/**/*.md")).toEqual(["a+b.md", "a.md", "b.md", "in/c.md", "in/deep/d.md"]);
  expect(await expand("g/**/deep/*")).toEqual(["in/deep/d.md"]);
  expect(await expand("g/in")).toEqual(["in/c.md", "in/c.txt", "in/deep/d.md"]);
  expect(await expand(join(folder, "g/in/*.txt"))).toEqual(["in/c.txt"]);
});

test("the side of a text depends on the text alone, and the fraction holds", () => {
  const all = Array.from({ length: 4000 }, (_, i) => `document ${i}`);
  const held = all.filter((text) => isHeldOut(text, 0.1));
  expect(held.length).toBeGreaterThan(320);
  expect(held.length).toBeLessThan(480);
  expect(held.every((text) => isHeldOut(text, 0.1) && isHeldOut(text, 0.2))).toBe(true);
  expect(all.some((text) => isHeldOut(text, 0))).toBe(false);
});
