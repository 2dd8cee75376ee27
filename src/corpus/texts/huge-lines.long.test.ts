// A line, record, page or element of more than a gigabyte in every form of text: it is told and passed over, or a clear stop, in bounded memory. Each file is
// read in a process of its own, whose largest memory is asked for.
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { FormName } from "./forms.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-huge-"));
afterAll(() => rmSync(folder, { recursive: true }));

const hugeBytes = 2 ** 30 + 2 ** 20;
const letters = Buffer.alloc(2 ** 20, "x");
/** What one process may hold at most: a document of 2^28 characters, and Node itself. */
const mostMemory = 700 * 2 ** 20;

interface Huge {
  readonly name: string;
  readonly form: FormName;
  /** What stands before and behind a gigabyte of letters. */
  readonly before: string;
  readonly behind: string;
  /** What is said of it. */
  readonly told: RegExp;
  /** Whether what stands behind it is read. */
  readonly goesOn?: boolean;
}

const record = (length: number, content = "") =>
  `WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://a.example/\r\nContent-Length: ${length}\r\n\r\n${content}`;
const page = (text: string) => `<page><title>T</title><ns>0</ns><revision><text>${text}`;

const forms: readonly Huge[] = [
  {
    name: "a line of JSON Lines",
    form: "jsonl",
    before: '{"text":"a"}\n{"text":"',
    behind: '"}\n{"text":"b"}\n',
    told: /^CriaError: .*longer than 268435456 characters/,
  },
  {
    name: "a record of JSON",
    form: "json",
    before: '[{"text":"a"},{"text":"',
    behind: '"},{"text":"b"}]',
    told: /^CriaError: .*longer than 268435456 characters/,
  },
  {
    name: "a field of CSV",
    form: "csv",
    before: 'text\na\n"',
    behind: '"\nb\n',
    told: /^CriaError: .*line 3 is not a row of a table .*268435456/,
  },
  {
    name: "a field of TSV",
    form: "tsv",
    before: "text\na\n",
    behind: "\nb\n",
    told: /^CriaError: .*line 3 is not a row of a table .*268435456/,
  },
  { name: "a page", form: "html", before: "<p>a", behind: "</p><p>b</p>", told: /^CriaError: .*longer than 268435456 characters/ },
  { name: "a tag", form: "html", before: "<p a='", behind: "'>a</p>", told: /^CriaError: .*longer than 268435456 characters/ },
  {
    name: "a record of WARC",
    form: "warc",
    before: `${record(1, "a")}\r\n\r\n${record(hugeBytes)}`,
    behind: `\r\n\r\n${record(1, "b")}\r\n\r\n`,
    told: /^left out: record of more than 67108864 bytes$/,
    goesOn: true,
  },
  {
    name: "a header of WARC",
    form: "warc",
    before: `${record(1, "a")}\r\n\r\nWARC/1.0\r\nX: `,
    behind: `\r\n\r\n${record(1, "b")}\r\n\r\n`,
    told: /^damaged: bytes that belong to no record$/,
    goesOn: true,
  },
  {
    name: "an article",
    form: "wikipedia",
    before: `<mediawiki>${page("a")}</text></revision></page>${page("")}`,
    behind: `</text></revision></page>${page("b")}</text></revision></page></mediawiki>`,
    told: /^CriaError: .*longer than 268435456 characters/,
  },
  {
    name: "a tag of XML",
    form: "wikipedia",
    before: `<mediawiki>${page("a")}</text></revision></page><page a="`,
    behind: '"></mediawiki>',
    told: /^CriaError: .*longer than 268435456 characters/,
  },
  {
    name: "a row",
    form: "stackexchange",
    before: '<posts>\n<row Id="1" PostTypeId="1" Body="a" />\n<row Id="2" Body="',
    behind: '" />\n</posts>\n',
    told: /^CriaError: .*longer than 268435456 characters/,
  },
  {
    name: "a source of LaTeX",
    form: "latex",
    before: "\\documentclass{a}\\begin{document}a",
    behind: "\\end{document}",
    told: /^left out: file of more bytes than a LaTeX source has$/,
  },
  { name: "a source of code", form: "code", before: "print(1)\n", behind: "\n", told: /^left out: file of more bytes than people write$/ },
];

interface Found {
  readonly lengths: readonly number[];
  readonly notes: readonly string[];
  readonly error: string;
  readonly memory: number;
}

/** Writes the file and reads it in a process of its own. */
function readHuge({ form, before, behind }: Pick<Huge, "form" | "before" | "behind">): Found {
  const path = join(folder, { code: "file.py", latex: "file.tex" }[form as string] ?? "file");
  const file = openSync(path, "w");
  writeSync(file, before);
  for (let written = 0; written < hugeBytes; written += letters.length) writeSync(file, letters);
  writeSync(file, behind);
  closeSync(file);
  const code = `
    import { readTextDocuments } from ${JSON.stringify(join(import.meta.dirname, "read-file.js"))};
    import { formCalled } from ${JSON.stringify(join(import.meta.dirname, "forms.js"))};
    const [lengths, notes] = [[], []];
    let error = "";
    const reading = { where: "data", onNote: ({ kind, what }) => notes.push(kind + ": " + what) };
    const file = { path: ${JSON.stringify(path)}, name: "file", root: ${JSON.stringify(folder)}, form: formCalled(${JSON.stringify(form)}) };
    try {
      for await (const { text } of readTextDocuments(file, {}, reading)) lengths.push(text.length);
    } catch (thrown) {
      error = thrown.name + ": " + thrown.message;
    }
    console.log(JSON.stringify({ lengths, notes, error, memory: process.resourceUsage().maxRSS * 1024 }));`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code]);
  rmSync(path);
  expect(status, stderr.toString()).toBe(0);
  return JSON.parse(stdout.toString());
}

test.each(forms)("$name of more than a gigabyte is told or refused", ({ told, goesOn = false, ...huge }) => {
  const { lengths, notes, error, memory } = readHuge(huge);
  expect(memory).toBeLessThan(mostMemory);
  expect(error === "" ? notes.join("\n") : error).toMatch(told);
  expect(error === "").toBe(told.source.startsWith("^CriaError") === false);
  expect(lengths.every((length) => length === 1)).toBe(true);
  if (goesOn) expect(lengths.length).toBe(2);
});

test("plain text of one line of more than a gigabyte comes in pieces, and nothing of it is lost", () => {
  const { lengths, notes, error, memory } = readHuge({ form: "text", before: "a", behind: "\nb\n" });
  expect([notes, error]).toEqual([[], ""]);
  expect(memory).toBeLessThan(mostMemory);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(hugeBytes + 4);
});
