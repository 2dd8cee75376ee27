// Books as programs have written them for twenty years: prefixes, fallbacks, lists within chapters, other encodings. What ebooklib writes is in the goldens.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { packed, zipOf } from "./archives/zip.test.helper.ts";
import { formCalled, type ReadingNote, type TextDocument } from "./forms.ts";
import { readTextDocuments } from "./read-file.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-epub-"));
afterAll(() => rmSync(folder, { recursive: true }));

const container = '<container><rootfiles><rootfile full-path="b/p.opf"/></rootfiles></container>';

async function read(opf: string, pages: Readonly<Record<string, string | Uint8Array>>) {
  const path = join(folder, "book.epub");
  const inside = Object.fromEntries(Object.entries(pages).map(([name, content]) => [name.includes("/") ? name : `b/${name}`, content]));
  const files = { mimetype: "application/epub+zip", "META-INF/container.xml": container, "b/p.opf": opf, ...inside };
  writeFileSync(path, zipOf(Object.entries(files).map(([name, content]) => packed(name, Buffer.from(content)))));
  const [documents, notes]: [TextDocument[], ReadingNote[]] = [[], []];
  const file = { path, name: "book.epub", form: formCalled("epub") };
  for await (const document of readTextDocuments(file, {}, { where: "data", onNote: (note) => notes.push(note) })) documents.push(document);
  return {
    text: documents[0]?.text ?? "",
    facts: documents[0]?.facts,
    notes: notes.map(({ kind, what, place }) => `${kind}: ${what}: ${place}`),
  };
}

const page = (text: string) => `<html><body><p>${text}</p></body></html>`;
const xhtml = "application/xhtml+xml";

test("elements of a package may have a prefix, and comments in it count for nothing", async () => {
  const opf = `<opf:package xmlns:opf="o" xmlns:d="http://purl.org/dc/elements/1.1/"><opf:metadata><d:title>T &amp; U</d:title></opf:metadata>
    <!-- <opf:manifest></opf:manifest> --><opf:manifest><opf:item id="a" href="a%20b.html" media-type="${xhtml}"/></opf:manifest >
    <opf:spine><opf:itemref idref="a"/></opf:spine></opf:package>`;
  expect(await read(opf, { "a b.html": page("one") })).toMatchObject({ text: "one", facts: { title: "T & U" }, notes: [] });
});

const packageOf = (items: readonly (readonly [id: string, rest: string])[], more = "") =>
  `<package><manifest>${items.map(([id, rest]) => `<item id="${id}" ${rest}/>`).join("")}</manifest>
  <spine>${items.map(([id]) => `<itemref idref="${id}"/>`).join("")}<itemref idref="lost"/></spine>${more}</package>`;

test("what is no page is its fallback, or told; a chapter that has a list in it stays", async () => {
  const items = [
    ["a", 'href="a.svg" media-type="image/svg+xml" fallback="b"'],
    ["b", `href="b.html" media-type="${xhtml}"`],
    ["c", 'href="c.png" media-type="image/png" fallback="c"'],
    ["d", 'href="d.html" media-type="text/html"'],
    ["e", `href="e.html" media-type="${xhtml}"`],
  ] as const;
  const guide = '<guide><reference type="toc" href="b.html#list"/><reference type="cover" href="e.html"/></guide>';
  const { text, notes } = await read(packageOf(items, guide), { "b.html": page("b"), "d.html": page("d"), "e.html": page("e") });
  expect(text).toBe("b\n\nd");
  expect(notes).toEqual(["c.png", "lost"].map((item) => `left out: item of a book that is no page: book.epub: ${item}`));
  const whole = await read(packageOf([items[1]], '<guide><reference type="toc" href="b.html"/></guide>'), { "b.html": page("b") });
  expect(whole.text).toBe("b");
});

test("pages in UTF-16 of both orders are read, those in other encodings converted and told; what is encrypted is told", async () => {
  const wide = Buffer.from(`\ufeff${page("é wide")}`, "utf16le");
  const old = Buffer.from(`<?xml version="1.0" encoding="windows-1252"?>${page("é old")}`, "latin1");
  const items = ["little.html", "big.html", "old.html", "secret page.html"].map(
    (name, i) => [`i${i}`, `href="${name}" media-type="${xhtml}"`] as const,
  );
  const { text, notes } = await read(packageOf(items), {
    "little.html": wide,
    "big.html": Buffer.from(wide).swap16(),
    "old.html": old,
    "secret page.html": "?",
    "META-INF/encryption.xml": '<encryption><enc:CipherReference URI="b/secret%20page.html"/></encryption>',
  });
  expect(text).toBe("é wide\n\né wide\n\né old");
  expect(notes.slice(1)).toEqual([
    "converted: windows-1252: book.epub: b/old.html",
    "left out: encrypted page of a book: book.epub: b/secret page.html",
  ]);
});
