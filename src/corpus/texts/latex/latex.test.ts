// LaTeX sources joined as TeX reads them, from folders and archives of every shape that arXiv has; hostile ones end and lead nowhere.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { tarOf } from "../archives/tar.test.helper.ts";
import type { ReadingNote, TextDocument } from "../forms.ts";
import { readTextDocuments } from "../read-file.ts";
import { openTexts } from "../texts.ts";
import { decodeSource } from "./decode-source.ts";
import { joinSource } from "./join-source.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-latex-"));
afterAll(() => rmSync(folder, { recursive: true }));
const shared = join(import.meta.dirname, "../../../../../shared/data");

function put(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function read(...paths: string[]): Promise<{ documents: TextDocument[]; notes: ReadingNote[] }> {
  const found = { documents: [] as TextDocument[], notes: [] as ReadingNote[] };
  await using texts = await openTexts(paths, { format: "latex" });
  for (const file of texts.files)
    for await (const document of readTextDocuments(file, {}, { where: "data", onNote: (note) => found.notes.push(note) }))
      found.documents.push(document);
  return found;
}

const joined = async (files: Readonly<Record<string, string>>, main = "main.tex") => joinSource(main, async (path) => files[path]);
const article = (body: string) => `\\documentclass{article}\n\\begin{document}\n${body}\n\\end{document}\n`;

test.each([
  ["with and without the ending", { "a.tex": "A", "b.txt": "B" }, "\\input{a} \\input a.tex \\input{b.txt}", "A A B"],
  ["folders, and files that those name from the main one", { "x/a.tex": "\\input{x/b}", "x/b.tex": "B" }, "\\include{x/a}", "B"],
  ["import and subimport", { "x/a.tex": "\\subimport{y/}{b}", "x/y/b.tex": "B" }, "\\import{x}{a}", "B"],
  ["a subfile's body", { "a.tex": "\\documentclass[main]{subfiles}\\begin{document}A\\end{document}x" }, "\\subfile{a}", "A"],
  ["the end of a file", { "a.tex": "A\\endinput B" }, "\\input{a}C", "AC"],
  ["a bibliography that BibTeX made", { "main.bbl": "[1] B" }, "\\bibliography{refs}", "[1] B"],
  [
    "no comments and nothing verbatim",
    { "a.tex": "A" },
    "% \\input{a}\n\\verb|\\input{a}| 5\\% \\input{a}",
    "% \\input{a}\n\\verb|\\input{a}| 5\\% A",
  ],
])("joined: %s", async (_, files, source, text) => {
  expect((await joined({ "main.tex": source, ...files })).text).toBe(text);
});

test("files that hold themselves, that are not there, and names that lead out stay named, and are told", async () => {
  const { text, missing, files } = await joined({
    "main.tex": "\\input{a} \\input{none} \\input{../b} \\input{/etc/passwd} \\input{\\name}",
    "a.tex": "A \\input{main} \\input{a}",
  });
  expect(text).toBe("A \\input{main} \\input{a} \\input{none} \\input{../b} \\input{/etc/passwd} \\input{\\name}");
  expect(files).toEqual(["main.tex", "a.tex"]);
  expect(missing.map(([what, name]) => [what.split(" that ")[0], name])).toEqual([
    ["file within itself", "main"],
    ["file within itself", "a"],
    ["file", "none"],
    ["file outside of its folder", "../b"],
    ["file outside of its folder", "/etc/passwd"],
  ]);
});

test("files that name others twice each end at the longest source", async () => {
  const names = "abcdefghijklmnopqrstuvwxyz";
  const files = Object.fromEntries(
    [...names].map((name, i) => [`${name}.tex`, `${"x".repeat(100_000)}${`\\input{${names[i + 1] ?? "a"}}`.repeat(2)}`]),
  );
  const all: Readonly<Record<string, string>> = { "main.tex": "\\input{a}", ...files };
  const { text, missing } = await joinSource("main.tex", async (path) => all[path], 3_000_000);
  expect(text.length).toBeLessThan(4_000_000);
  expect(missing.map(([what]) => what)).toContain("file beyond the longest LaTeX source");
});

test("a folder: main files with what they name, parts left out, nothing outside of the folder that was named", async () => {
  put("secret.tex", "SECRET");
  put("paper/main.tex", article("\\input{part} \\input{../secret} \\input{link}"));
  put("paper/part.tex", "A \\emph{part}.");
  put("paper/notes.md", "# no TeX");
  symlinkSync(join(folder, "secret.tex"), join(folder, "paper", "link.tex"));
  const { documents, notes } = await read(join(folder, "paper"));
  expect(documents).toEqual([{ text: article("A \\emph{part}. \\input{../secret} \\input{link}"), facts: { file: "main.tex", files: 2 } }]);
  expect(notes.map(({ what }) => what)).toContain("part of another LaTeX source");
  expect((await read(join(folder, "paper", "main.tex"))).documents).toEqual(documents);
});

test("archives as arXiv has them: one source, a file alone, and many sources in one archive", async () => {
  const source = tarOf({
    "ms.tex": article("\\input{sec/one}"),
    "sec/one.tex": "One.",
    "other.tex": article("x"),
    "figure.png": "\0\0",
    "ms.bbl": "B",
  });
  const alone = "\\documentstyle{article}\\begin{document}Old paper.\\end{document}";
  const pdf = "%PDF-1.4";
  const many = tarOf({
    "0001/hep1.gz": gzipSync(source),
    "0001/hep2.gz": gzipSync(alone),
    "0001/hep3.gz": gzipSync(source).subarray(0, 60),
    "0001/hep4.pdf": pdf,
    "0001/hep5.gz": gzipSync(pdf),
  });
  const one = { text: article("One."), facts: { file: "ms.tex", files: 2 } };
  expect((await read(put("one.tar.gz", gzipSync(source)))).documents).toEqual([one]);
  expect((await read(put("two.gz", gzipSync(alone)))).documents.map(({ text }) => text)).toEqual([alone]);
  const { documents, notes } = await read(put("many.tar", many));
  expect(documents.map(({ text }) => text)).toEqual([one.text, alone]);
  expect(notes.map(({ kind, what }) => `${kind}: ${what}`)).toEqual([
    "left out: further main file of a LaTeX source",
    "damaged: file that cannot be read in an archive",
    "left out: PDF without its source",
    "left out: file that is no LaTeX",
  ]);
});

test("sources in the encoding that they name, or seem to be in, are converted and told", async () => {
  const source = "\\documentclass{article}\\usepackage[latin2]{inputenc}\\begin{document}P\xf8\xedli\xb9\\end{document}";
  const { documents, notes } = await read(put("latin2.tex", Buffer.from(source, "latin1")));
  expect(documents[0]?.text).toContain("Příliš");
  expect(notes.map(({ kind, what }) => [kind, what])).toEqual([["converted", "iso-8859-2"]]);
});

test.skipIf(!existsSync(shared))("the HoTT book is whole, and arxiv-latex-cleaner's source has what its cleaner keeps", async () => {
  const book = await read(join(shared, "text/latex/hott-book/main.tex"));
  expect(book.documents[0]?.facts.files).toBe(22);
  for (const part of [
    "preface",
    "introduction",
    "preliminaries",
    "basics",
    "logic",
    "equivalences",
    "induction",
    "hits",
    "hlevels",
    "homotopy",
    "categories",
    "setmath",
    "reals",
    "formal",
    "symbols",
  ])
    expect(book.documents[0]?.text).toContain(
      readFileSync(join(shared, `text/latex/hott-book/${part}.tex`), "utf8")
        .trim()
        .slice(-500),
    );
  expect(book.notes.map(({ place }) => place.split(": ").at(-1))).toEqual(["version.tex"]); // a file that its authors' program makes
  const cases = join(shared, "conformance/arxiv-latex-cleaner/test_data");
  const [given] = (await read(join(cases, "tex/main.tex"))).documents;
  const [cleaned] = (await read(join(cases, "tex_arXiv_true/main.tex"))).documents;
  expect([given?.facts.files, cleaned?.facts.files]).toEqual([3, 3]);
  for (const part of ["figure_included.tex", "figure_included.tikz"])
    expect(given?.text).toContain(readFileSync(join(cases, "tex/figures", part), "utf8").trim());
});

test("a source that names an encoding that is none is read as what it seems to be", () => {
  const source = "\\usepackage[constructor]{inputenc}\nCafé";
  expect(decodeSource(Buffer.from(source)).text).toBe(source);
});
