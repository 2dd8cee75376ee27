import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { formCalled, type ReadingNote, type TextDocument } from "./forms.ts";
import { readTextDocuments } from "./read-file.ts";
import { openTexts } from "./texts.ts";

const folder = mkdtempSync(join(tmpdir(), "cria-wiki-"));
afterAll(() => rmSync(folder, { recursive: true }));

function page(title: string, text: string, namespace = 0, more = ""): string {
  return `  <page>\n    <title>${title}</title>\n    <ns>${namespace}</ns>\n    <id>1</id>\n${more}    <revision>\n      <timestamp>2022-03-01T00:00:00Z</timestamp>\n      <model>wikitext</model>\n      <text bytes="3" xml:space="preserve">${text}</text>\n    </revision>\n  </page>\n`;
}

const head = `<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="ltg">\n  <siteinfo><base>https://ltg.example.org/wiki/Suoku</base>
  <namespaces><namespace key="0" case="first-letter" /><namespace key="6" case="first-letter">Fails</namespace><namespace key="14" case="first-letter">Kategoreja</namespace></namespaces></siteinfo>\n`;
const dump = [
  head,
  page("Lama &amp; Co", "'''Lama''' &lt;ref&gt;x&lt;/ref&gt; &amp;nbsp;\r\n&quot;q&quot; &#233;&#xE9;"),
  page("Talk:Lama", "talk", 1),
  page("Old", "#REDIRECT [[Lama]]", 0, '    <redirect title="Lama" />\n'),
  page("Style", "a { }").replace("<model>wikitext", "<model>css"),
  page("Two words?", "second"),
  "</mediawiki>\n",
].join("");

async function read(content: string): Promise<{ documents: TextDocument[]; notes: ReadingNote[] }> {
  const path = join(folder, "x.xml");
  writeFileSync(path, content);
  const [documents, notes]: [TextDocument[], ReadingNote[]] = [[], []];
  const onNote = (note: ReadingNote) => notes.push(note);
  for await (const document of readTextDocuments({ path, name: "x.xml", form: formCalled("wikipedia") }, {}, { where: "data", onNote }))
    documents.push(document);
  return { documents, notes };
}

const facts = { date: "2022-03-01T00:00:00Z", language: "ltg", prefixes: "Fails|Kategoreja" };
const first = {
  text: "'''Lama''' <ref>x</ref> &nbsp;\n\"q\" éé",
  facts: { ...facts, title: "Lama & Co", url: "https://ltg.example.org/wiki/Lama_&_Co" },
};
const second = { text: "second", facts: { ...facts, title: "Two words?", url: "https://ltg.example.org/wiki/Two_words%3F" } };

test("articles are read as wikitext, other pages and redirects are left out and told", async () => {
  const { documents, notes } = await read(dump);
  expect(documents).toEqual([first, second]);
  expect(notes.map(({ kind, what, place }) => [kind, what, place])).toEqual([
    ["left out", "page of namespace 1", "x.xml: page 2"],
    ["left out", "redirect", "x.xml: page 3"],
    ["left out", "page that is no wikitext", "x.xml: page 4"],
  ]);
});

test("dumps are known by what they begin with", async () => {
  const path = join(folder, "pages.xml");
  for (const [content, form] of [
    [`<?xml version="1.0"?>\n<!-- x -->\n${dump}`, "wikipedia"],
    ["<html><mediawiki></html>", "text"],
  ] as const) {
    writeFileSync(path, content);
    await using texts = await openTexts([path]);
    expect(texts.files[0]?.form.name).toBe(form);
  }
});

test("a dump that is cut short tells it, and entities that are declared are not expanded", async () => {
  const cut = await read(dump.slice(0, dump.indexOf("second")));
  expect(cut.documents).toEqual([first]);
  expect(cut.notes.at(-1)).toMatchObject({ kind: "damaged", what: "page that is cut short" });
  const bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>';
  expect((await read(`${bomb}${head}${page("x", "&b; &#0; &#xD800; &#1114112;")}</mediawiki>`)).documents[0]?.text).toBe(
    "&b; &#0; &#xD800; &#1114112;",
  );
});
