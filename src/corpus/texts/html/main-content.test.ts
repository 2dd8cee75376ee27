// Pages written by hand, each in another layout, whose main content is known (test/goldens/pages), beside what PyPI's Resiliparse makes of them
// (make_main_content.py); pages that have none; and pages that would take time without end.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readability } from "@mozilla/readability";
import JSDOMParser from "@mozilla/readability/JSDOMParser.js";
import { afterAll, expect, test, vi } from "vitest";
import { Rng } from "../../../base/index.ts";
import type { ReadingNote } from "../forms.ts";
import { readTextDocuments } from "../read-file.ts";
import { openTexts } from "../texts.ts";
import { pageText } from "./page-text.ts";
import { pageTree, treeLimits } from "./page-tree.ts";
import { readPage } from "./read-page.ts";

const goldens = join(import.meta.dirname, "../../../../test/goldens");
const golden = JSON.parse(readFileSync(join(goldens, "main-content.golden.json"), "utf8")) as Record<string, string>;
const names = readdirSync(join(goldens, "pages"));
const folder = mkdtempSync(join(tmpdir(), "cria-html-"));
afterAll(() => rmSync(folder, { recursive: true }));

const plain = (text: string) => text.replace(/\s+/g, " ");

/** A page, and the stretches of it that are main content and that are not. */
function marked(name: string) {
  const text = readFileSync(join(goldens, "pages", name), "utf8");
  const between = (mark: RegExp) => Array.from(text.matchAll(mark), ([, inner = ""]) => plain(inner.replace(/<[^>]*>/g, "")));
  return { html: text.replace(/\[[+-]|[+-]\]/g, ""), main: between(/\[\+(.*?)\+\]/gs), other: between(/\[-(.*?)-\]/gs) };
}

/** What of a page is found in a text, and should or should not be. */
function judged(text: string, { main, other }: ReturnType<typeof marked>) {
  const has = (stretch: string) => plain(text).includes(stretch);
  return { missing: main.filter((stretch) => !has(stretch)), extra: other.filter(has) };
}

/** What is lost or left over of 98 and 168 stretches. */
const known: Readonly<Record<string, ReturnType<typeof judged>>> = {
  // A caption between the heading and the text, and a word between the text and the pages that are related.
  "magazine-it.html": { missing: ["La bottega vista dal cortile, in una mattina di marzo."], extra: [] },
  "recipe-fr.html": { missing: [], extra: ["Publicité"] },
};

test.each(names)("%s: the main content is kept, what is around it goes", (name) => {
  const page = marked(name);
  expect(page.main.length).toBeGreaterThan(3);
  expect(page.other.length).toBeGreaterThan(2);
  const { text, whyWhole } = readPage(page.html);
  expect(whyWhole).toBeUndefined();
  expect(judged(text, page)).toEqual(known[name] ?? { missing: [], extra: [] });
});

test("less is lost and left over than by Resiliparse, and far less left over than of whole pages", () => {
  const sums = { ours: [0, 0], theirs: [0, 0], whole: [0, 0], all: [0, 0] };
  for (const name of names) {
    const page = marked(name);
    const texts = { ours: readPage(page.html).text, theirs: golden[name] ?? "", whole: pageText(page.html) };
    for (const [who, text] of Object.entries(texts)) {
      const { missing, extra } = judged(text, page);
      sums[who as keyof typeof sums][0]! += missing.length;
      sums[who as keyof typeof sums][1]! += extra.length;
    }
    sums.all[0]! += page.main.length;
    sums.all[1]! += page.other.length;
  }
  expect(names).toHaveLength(14);
  expect(sums).toEqual({ ours: [1, 1], theirs: [7, 34], whole: [0, 139], all: [98, 168] });
});

test("main content has the lines of the page: headings, lists, code and tables", () => {
  const { text } = readPage(marked("docs-en.html").html);
  expect(text.startsWith("Reading queues\n\nA queue is read")).toBe(true);
  expect(text).toContain('\n\nqueue = pebble.open("orders")\nfor message in queue:\n    handle(message)\n');
  expect(text).toContain("\n\nParameters\n\nname\tdefault\tmeaning\nlease\t60\tseconds until");
  expect(readPage(marked("recipe-fr.html").html).text).toContain(
    "\n\nsix gros oignons jaunes, épluchés et coupés en fines lamelles\ncinquante",
  );
  expect(readPage(marked("column-ko.html").html).text).toContain("있었다.\n옆자리"); // lines of divs stay lines
});

const paragraph = "<p>A paragraph, of which there are many, says what it says in a hundred characters or in a few more than that.</p>";
const links = Array.from({ length: 40 }, (_, i) => `<li><a href="/${i}">Story ${i}</a></li>`).join("");
const teaser = (i: number) =>
  `<div class="card"><h2>Part ${i}</h2><div><p>${`This part of the page says something of its own, number ${i}. `.repeat(3)}</p></div></div>`;

test.each([
  ["a page of links", `<div class="list"><ul>${links}</ul></div>`],
  ["a few words", "<p>few words</p><div>and more</div>"],
])("%s is read whole", (_, body) => {
  expect(readPage(body).text).toBe(pageText(body));
  expect(readPage(body, "whole")).toEqual({ text: pageText(body) });
});

test("parts of a page that are alike are all its main content", () => {
  const page = `<div class="menu"><a href="/">Start</a></div><div class="home">${[1, 2, 3, 4].map(teaser).join("")}</div>`;
  const { text, whyWhole } = readPage(page);
  expect(whyWhole).toBeUndefined();
  for (const i of [1, 2, 3, 4]) expect(text).toContain(`number ${i}`);
  expect(text).not.toContain("Start");
});

test("a page whose found part is a small one is read whole, which is told where notes are counted", async () => {
  const comment = `<div class="comment"><p>${"Somebody has another opinion on this, and says so. ".repeat(5)}</p></div>`;
  const page = `<div class="article"><p>${"The article says little, in a few words. ".repeat(5)}</p></div><div id="comments">${comment.repeat(5)}</div>`;
  const path = join(folder, "parts.html");
  writeFileSync(path, page);
  const notes: ReadingNote[] = [];
  const texts: string[] = [];
  await using opened = await openTexts([path]);
  const [file] = opened.files;
  if (file === undefined) throw new Error("no file");
  for await (const { text } of readTextDocuments(file, {}, { where: "data", onNote: (note) => notes.push(note) })) texts.push(text);
  expect(texts).toEqual([pageText(page)]);
  expect(notes).toEqual([{ kind: "read whole", what: "page without main content", place: expect.stringMatching(/parts\.html$/) }]);
});

test("the heading that a page's title begins with comes back where it stands outside; others, and the title itself, do not", () => {
  const page = (heading: string, title = "A day at the lake - Site") =>
    `<!doctype html><title>${title}</title><div class="top"><h1>${heading}</h1></div><div class="menu"><a href="/">Start</a></div><div class="text">${paragraph.repeat(4)}</div>`;
  const text = `${paragraph
    .repeat(4)
    .replaceAll("</p>", "\n\n")
    .replace(/<[^>]*>/g, "")
    .trim()}\n`;
  expect(readPage(page("A day at\n the <b>lake</b>"))).toEqual({ text: `A day at the lake\n\n${text}` });
  expect(readPage(page("Site"))).toEqual({ text });
  expect(readPage(page("")).text).toBe(text);
});

test.each([
  [
    "paragraphs, items and cells without end tags",
    "<ul><li>a<p>b<li>c</ul><table><tr><td>d<td>e<tr><td>f</table>",
    "<ul><li>a<p>b</p></li><li>c</li></ul><table><tr><td>d</td><td>e</td></tr><tr><td>f</td></tr></table>",
  ],
  ["end tags of what is not open", "</p></i>a</div></td>", "a"],
  [
    "an end tag in a cell of what is open around the table",
    "<div><table><tr><td>a</div>b</table>c</div>",
    "<div><table><tr><td>ab</td></tr></table>c</div>",
  ],
  ["links in links, and inline elements across boxes", "<a href='x'>a<a>b</a><b><div>c</b>d</div>", "<a>a</a><a>b</a><b><div>cd</div></b>"],
  ["menus, scripts and comments", "a<nav><p>m</nav><script>'<p>'</script><!-- c -->b", "ab"],
  [
    "characters of markup, and names with colons",
    "&lt;b&gt; &amp;amp; <o:p id='\"<'>x</o:p>",
    '&lt;b&gt; &amp;amp; <span id="&quot;&lt;">x</span>',
  ],
  [
    "a table of a layout",
    "<table><tr><td><h1>a</h1><table><tr><td>b</table></table>",
    "<div><div><div><h1>a</h1><table><tr><td>b</td></tr></table></div></div></div>",
  ],
])("markup is made well-formed: %s", (_, page, markup) => {
  const tree = pageTree(page);
  expect(typeof tree === "string" ? tree : tree.markup.replace(/ tag="[a-z\d]+"/g, "")).toBe(markup);
});

test("content is a key of pages alone", async () => {
  const text = join(folder, "a.txt");
  writeFileSync(text, "a text");
  await expect(openTexts([text], { content: "whole" })).rejects.toThrow(
    /content is "whole", but .*a\.txt is read as text, which has none: content is for html, warc, archive/,
  );
});

test.each<[keyof typeof treeLimits, string, string]>([
  ["characters", "an attribute of megabytes", `<p title="${"x".repeat(treeLimits.characters)}">${paragraph}`],
  ["elements", "elements without end", `<div>${"<b></b>".repeat(4000)}</div>`.repeat(13)],
  ["depth", "elements in each other", "<div>".repeat(200_000)],
  ["depth", "tables that never end", "<table><tr><td>".repeat(50_000)],
  ["depth", "inline elements that never end", "<span>".repeat(50_000)],
  ["siblings", "elements side by side", "<br>".repeat(200_000)],
])("too many %s: %s are read whole, with the reason", (limit, _, page) => {
  expect(pageTree(page)).toBe(limit);
  const html = `${paragraph}${page}${paragraph}`;
  const { text, whyWhole } = readPage(html);
  expect(whyWhole).toMatch(/ for a search of main content$/);
  expect(text).toBe(pageText(html));
});

test("a page on which the library fails is read whole, and told", () => {
  // Its own code goes through a list that is not there.
  const inner = vi
    .spyOn(Readability.prototype as unknown as { _getAllNodesWithTag(): unknown }, "_getAllNodesWithTag")
    .mockReturnValue(null);
  try {
    const whyWhole = "page on which the search of main content fails";
    expect(readPage(paragraph)).toEqual({ text: pageText(paragraph), whyWhole });
    expect(inner).toHaveBeenCalled();
  } finally {
    inner.mockRestore();
  }
});

test("a mistake of ours is not taken for a page on which the library fails", () => {
  const parse = vi.spyOn(Readability.prototype, "parse").mockImplementation(() => {
    throw new TypeError("Cannot read properties of null (reading 'tagName')");
  });
  try {
    expect(() => readPage(paragraph)).toThrow(TypeError);
  } finally {
    parse.mockRestore();
  }
});

/** What the library reads of a page's tree: calls for the text of an element and the characters that they gave. */
function work(html: string): number {
  const prototype = Object.getPrototypeOf(new JSDOMParser().parse("<p></p>").createElement("p"));
  const known = Object.getOwnPropertyDescriptor(prototype, "textContent") ?? {};
  let sum = 0;
  Object.defineProperty(prototype, "textContent", {
    ...known,
    get(this: Element) {
      const text = known.get?.call(this) as string;
      sum += 1 + text.length;
      return text;
    },
  });
  try {
    readPage(html);
    return sum;
  } finally {
    Object.defineProperty(prototype, "textContent", known);
  }
}

test.each<[string, (size: number) => string]>([
  ["paragraphs, deep down", (size) => "<div>".repeat(90) + paragraph.repeat(size)],
  ["deep trees side by side", (size) => `${"<div>".repeat(45)}<p>a, b c.</p>${"</div>".repeat(45)}`.repeat(size / 2)],
  ["line breaks", (size) => `<div>${"a<br><br>".repeat(size)}</div>`],
  ["cells without end tags", (size) => `<table>${"<tr><td>a, b<td>c".repeat(size)}`],
  ["classes of an element", (size) => `<div ${"class=menu ".repeat(100 * size)}>${paragraph}`],
  ["a list of classes", (size) => `<div class="${"menu ".repeat(100 * size)}">${paragraph}`],
  ["end tags of nothing", (size) => paragraph + "</div></a></td>".repeat(100 * size)],
])("work is in proportion to the page: %s", (_, pageOf) => {
  const [small, large] = [work(pageOf(60)), work(pageOf(120))];
  expect(small).toBeGreaterThan(0);
  expect(large).toBeLessThan(2.2 * small);
  expect(large).toBeLessThan(60 * treeLimits.depth * pageOf(120).length);
});

test("changed pages are read, and the library's parser finds nothing wrong in their markup", () => {
  const pages = names.map((name) => marked(name).html);
  const pieces = [
    "<",
    "</",
    ">",
    "<table><tr><td>",
    "</table>",
    "<br><br>",
    "<body hidden>",
    "<h1>",
    "</div>",
    "<a href=#x>",
    "<svg>",
    "<!--",
    '"',
    "<o:p>",
  ];
  const rng = new Rng(3);
  const log = vi.spyOn(console, "log");
  try {
    for (let round = 0; round < 150; round++) {
      let page = pages[rng.below(pages.length)] ?? "";
      for (let i = 1 + rng.below(12); i > 0; i--) {
        const at = rng.below(page.length);
        page = page.slice(0, at) + (pieces[rng.below(pieces.length)] ?? "") + page.slice(at + rng.below(2) * rng.below(200));
      }
      expect(readPage(page).text).toBeTypeOf("string");
    }
    expect(log).not.toHaveBeenCalled();
  } finally {
    log.mockRestore();
  }
});

test.each(["constructor", "toString", "__proto__", "o:p"])("a page may have a tag that is called %s", (name) => {
  const { text, whyWhole } = readPage(`<article>${paragraph}<${name} class="${name}">more</${name}></article>`);
  expect(whyWhole).toBeUndefined();
  expect(text).toContain(paragraph.replace(/<[^>]*>/g, ""));
});

test("entities that a page declares are not expanded, and nothing of a script or a style is text", () => {
  const page = `<!DOCTYPE html [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><div>${paragraph}<p>&b; &amp;lt; <script>document.write("x")</script></p></div>`;
  expect(readPage(page).text).toBe(`${paragraph.replace(/<[^>]*>/g, "")}\n\n&b; &lt;\n`);
});
