// Texts in other encodings, as Python's codecs write them (test/goldens/make_charsets.py): converted and told where notes are counted, refused else.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type FormName, formCalled, type ReadingNote } from "./forms.ts";
import { decodePage } from "./page-charset.ts";
import { readTextDocuments } from "./read-file.ts";

interface Case {
  readonly language: string;
  readonly encoding: string;
  /** Base64. */
  readonly content: string;
  readonly text: string;
}

const path = join(import.meta.dirname, "../../../test/goldens/charsets.golden.json");
const { cases } = JSON.parse(readFileSync(path, "utf8")) as { cases: readonly Case[] };
const folder = mkdtempSync(join(tmpdir(), "cria-charsets-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(content: Uint8Array, form: FormName = "text", isCounted = true): Promise<{ text: string; notes: ReadingNote[] }> {
  const file = join(folder, "text");
  writeFileSync(file, content);
  const notes: ReadingNote[] = [];
  let text = "";
  const onNote = isCounted ? (note: ReadingNote) => notes.push(note) : undefined;
  for await (const document of readTextDocuments({ path: file, name: "text", form: formCalled(form) }, {}, { where: "data", onNote }))
    text += document.text;
  return { text, notes };
}

test.each(cases.map((one) => [one.language, one.encoding, one] as const))("%s in %s", async (_, encoding, { content, text }) => {
  const bytes = Buffer.from(content, "base64");
  const found = await read(bytes);
  expect(found.text).toBe(text);
  expect(found.notes.map(({ kind }) => kind)).toEqual(["converted"]);
  await expect(read(bytes, "text", false)).rejects.toThrow(/^\[data\] text: /);
  if (!/utf-16/.test(encoding))
    expect((await read(Buffer.concat([Buffer.alloc(3 << 20, "ascii\n"), bytes]))).text.endsWith(text)).toBe(true);
});

test("a few broken bytes in UTF-8 are replaced, wherever they stand, and told once", async () => {
  const bytes = Buffer.from("é✓🦙 words. ".repeat(200_000));
  for (const at of [1 << 20, (1 << 20) + 1, 2 << 20]) bytes[at] = 0xff;
  const { text, notes } = await read(bytes);
  expect(text.length).toBeGreaterThan(2_000_000);
  expect(text.split("\ufffd").length).toBeLessThan(10);
  expect(notes.map(({ what }) => what)).toEqual(["bytes that are no UTF-8"]);
  const cut = await read(Buffer.from("a é").subarray(0, 3));
  expect(cut).toMatchObject({ text: "a \ufffd", notes: [{ what: "bytes that are no UTF-8" }] });
});

test("a page says its encoding itself", async () => {
  const page = Buffer.from("<html><head><meta charset=iso-8859-2></head><body>P\xf8\xedli\xb9</body></html>", "latin1");
  expect(await read(page, "html")).toMatchObject({ text: "Příliš\n", notes: [{ kind: "converted", what: "iso-8859-2" }] });
  await expect(read(page, "html", false)).rejects.toThrow(/begins no UTF-8 character/);
});

test("a server's word for an encoding counts only where the bytes may be in it", () => {
  const wide = Buffer.from("<p>wide é", "utf16le");
  const japanese = Buffer.from('<p>\x1b$B$"\x1b(B', "latin1");
  expect(decodePage(wide, "utf-16le")).toEqual({ text: "<p>wide é", converted: "utf-16le" });
  expect(decodePage(Buffer.from("<p>plain"), "utf-16le")).toEqual({ text: "<p>plain" });
  expect(decodePage(japanese, "iso-2022-jp")).toEqual({ text: "<p>あ", converted: "iso-2022-jp" });
  expect(decodePage(Buffer.from("<p>あ"), "iso-2022-jp")).toEqual({ text: "<p>あ" });
});
