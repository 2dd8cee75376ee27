// Dumps of Stack Exchange with known threads: whatever the order of rows, each question has its answers by their scores as numbers.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Rng } from "../../base/index.ts";
import { formCalled, type ReadingNote, type TextDocument } from "./forms.ts";
import { readTextDocuments } from "./read-file.ts";
import { Spill } from "./spill.ts";
import { openTexts } from "./texts.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-posts-"));
afterAll(() => rmSync(folder, { recursive: true }));

const quoted = (text: string) =>
  text.replace(/[&<>"\n]/g, (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#xA;" })[one] ?? one);

function row(values: Readonly<Record<string, string | number>>): string {
  return `  <row ${Object.entries(values)
    .map(([key, value]) => `${key}="${quoted(String(value))}"`)
    .join(" ")} />\n`;
}

function dump(rows: readonly string[]): string {
  return `\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n${rows.join("")}</posts>\n`;
}

async function read(content: string): Promise<{ documents: TextDocument[]; notes: ReadingNote[] }> {
  const path = join(folder, "Posts.xml");
  writeFileSync(path, content);
  const [documents, notes]: [TextDocument[], ReadingNote[]] = [[], []];
  const onNote = (note: ReadingNote) => notes.push(note);
  for await (const document of readTextDocuments(
    { path, name: "Posts.xml", form: formCalled("stackexchange") },
    {},
    { where: "data", onNote },
  ))
    documents.push(document);
  return { documents, notes };
}

test("a question, its answers by their scores as numbers, without HTML; other posts are told", async () => {
  const { documents, notes } = await read(
    dump([
      row({ Id: 3, PostTypeId: 2, ParentId: 1, Score: 9, Body: "<p>nine</p>" }),
      row({
        Id: 1,
        PostTypeId: 1,
        Score: 4,
        Title: 'What is "a & b"?',
        Body: "<p>I <em>ask</em>.</p>\n<pre><code>a &lt; b\n</code></pre>\n",
        CreationDate: "2014-01-21",
        ContentLicense: "CC BY-SA 3.0",
      }),
      row({ Id: 4, PostTypeId: 2, ParentId: 1, Score: -1, Body: "<p>bad</p>" }),
      row({ Id: 5, PostTypeId: 2, ParentId: 1, Score: 85, Body: "<p>many</p>" }),
      row({ Id: 6, PostTypeId: 2, ParentId: 1, Score: 9, Body: "<p>nine too</p>" }),
      row({ Id: 7, PostTypeId: 5, Score: 0, Body: "a tag" }),
      row({ Id: 8, PostTypeId: 2, ParentId: 99, Score: 0, Body: "lost" }),
      row({ Id: 9, PostTypeId: 2, Score: 0, Body: "no parent" }),
    ]),
  );
  expect(documents).toEqual([
    {
      text: 'What is "a & b"?\n\nI ask.\n\na < b\n\nmany\n\nnine\n\nnine too\n\nbad',
      facts: { title: 'What is "a & b"?', date: "2014-01-21", licence: "CC BY-SA 3.0", score: 4, answers: 4, question: 1 },
    },
  ]);
  expect(notes.map(({ kind, what }) => [kind, what])).toEqual([
    ["left out", "post of type 5"],
    ["damaged", "row without a post's attributes"],
    ["left out", "answer without its question"],
  ]);
});

test("threads of random dumps are those that were planted, in the order of their questions", async () => {
  const rng = new Rng(7);
  const rows: string[] = [];
  const wanted: string[] = [];
  for (let question = 0; question < 200; question++) {
    const id = 1 + question * 1000; // several groups
    const scores = Array.from({ length: rng.below(5) }, () => rng.below(200) - 20);
    rows.push(row({ Id: id, PostTypeId: 1, Score: 1, Title: `t${id}`, Body: "" }));
    for (const [i, score] of scores.entries())
      rows.push(row({ Id: id + 1 + i, PostTypeId: 2, ParentId: id, Score: score, Body: `s${score}` }));
    wanted.push([`t${id}`, ...scores.sort((a, b) => b - a).map((score) => `s${score}`)].join("\n\n"));
  }
  rows.sort(() => rng.below(3) - 1);
  expect((await read(dump(rows))).documents.map(({ text }) => text)).toEqual(wanted);
});

test("lines that do not fit in memory come back from files, which go", async () => {
  const spills = () => readdirSync(folder).filter((name) => name.startsWith("cria-spill-")).length;
  const usual = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  const found: (readonly string[])[] = [];
  {
    await using spill = new Spill("data", 50);
    for (let i = 0; i < 100; i++) await spill.add(i % 7, `line ${i} é`);
    expect(spills()).toBe(1);
    for await (const group of spill.groups()) found.push(group);
  }
  const lines = Array.from({ length: 100 }, (_, i) => `line ${i} é`);
  expect(found).toEqual(Array.from({ length: 7 }, (_, group) => lines.filter((_, i) => i % 7 === group)));
  expect(spills()).toBe(0);
  if (usual === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usual;
});

test("a dump is known by its first element, and one that is cut short tells it", async () => {
  const whole = dump([1, 2, 3].map((id) => row({ Id: id, PostTypeId: 1, Score: id, Title: `t${id}`, Body: `<p>b${id}</p>` })));
  const path = join(folder, "other.xml");
  writeFileSync(path, whole);
  await using texts = await openTexts([path]);
  expect(texts.files[0]?.form.name).toBe("stackexchange");
  const cut = await read(whole.slice(0, whole.indexOf("t3")));
  expect(cut.documents).toHaveLength(2);
  expect(cut.notes.map(({ what }) => what)).toEqual(["row without a post's attributes", "dump that ends without its last tag"]);
});

test("rows that share a line are none that could be read, and are told", async () => {
  const rows = [1, 2].map((id) => row({ Id: id, PostTypeId: 1, Score: id, Title: `t${id}`, Body: `<p>b${id}</p>` }));
  const { documents, notes } = await read(`<posts>${rows.map((one) => one.trim()).join("")}</posts>`);
  expect(documents).toEqual([]);
  expect(notes.map(({ kind, what }) => [kind, what])).toEqual([["damaged", "row that has no line of its own"]]);
});
