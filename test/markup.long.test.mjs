// Other programs beside our readers of markup, run live on public pages: PyPI's mwparserfromhell on the articles of Wikipedia's dumps, Resiliparse on pages of
// crawls. Shares of words in common are asserted; the kinds of differences are in docs/log/2026-11-28-cleaning.md. Skipped where a Python (CRIA_PYTHON) with
// them or the pages are absent.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { pageText } from "../dist/corpus/texts/html/page-text.js";
import { readPage } from "../dist/corpus/texts/html/read-page.js";
import { publicData, publicPages, pythonWith, runGolden } from "./public-texts.helper.mjs";

const folder = mkdtempSync(join(tmpdir(), "cria-markup-"));
afterAll(() => rmSync(folder, { recursive: true }));

const wiki = publicData("text/wikipedia-dump");
const withWikitext = wiki === undefined ? undefined : pythonWith("mwparserfromhell");

test.skipIf(withWikitext === undefined)("articles have the words that mwparserfromhell leaves", async () => {
  const articles = await publicPages(wiki, [{ wikitext: { keepEmptySections: true } }]);
  expect(articles.length).toBeGreaterThan(1000);
  const path = join(folder, "articles.jsonl");
  writeFileSync(path, articles.map(({ before }) => `${JSON.stringify({ text: before })}\n`).join(""));
  const theirs = lines(runGolden(withWikitext, "judge_markup.py", "wikitext", path));
  const pairs = articles.map(({ after }, i) => [theirs[i].text, after]);
  const found = compared("wikitext", pairs);
  expect(found.ofTheirs).toBeGreaterThan(0.99);
  expect(found.ofOurs).toBeGreaterThan(0.98);
  expect(found.same).toBeGreaterThan(0.9 * articles.length);
});

const crawls = ["dolma/sample-0000.warc.gz", "dolma/sample-0001.warc.gz", "whirlwind/whirlwind.warc.gz", "resiliparse/warcfile.warc.gz"]
  .map((name) => publicData(`warc/${name}`))
  .filter((path) => path !== undefined);
const withHtml = crawls.length < 4 ? undefined : pythonWith("resiliparse", "fastwarc");

test.skipIf(withHtml === undefined)("pages have most of the words that Resiliparse takes for their main content", () => {
  const pages = lines(runGolden(withHtml, "judge_markup.py", "html", ...crawls));
  expect(pages.length).toBeGreaterThan(50);
  const whole = compared(
    "html, whole pages",
    pages.map(({ html, text }) => [text, pageText(html)]),
  );
  expect(whole.ofTheirs).toBeGreaterThan(0.97);
  expect(whole.ofOurs).toBeGreaterThan(0.8);
  const main = compared(
    "html, main content",
    pages.map(({ html, text }) => [text, readPage(html).text]),
  );
  expect(main.ofTheirs).toBeGreaterThan(0.9);
  expect(main.ofOurs).toBeGreaterThan(0.85);
});

function lines(text) {
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Shares of words in common over pairs of their text and ours, and how many have the same words in the same order. */
function compared(name, pairs) {
  let [theirs, ours, common, same] = [0, 0, 0, 0];
  for (const [a, b] of pairs.map((pair) => pair.map((text) => text.match(/[\p{L}\p{M}\p{N}_]+/gu) ?? []))) {
    theirs += a.length;
    ours += b.length;
    if (a.join(" ") === b.join(" ")) same++;
    const left = new Map();
    for (const word of b) left.set(word, (left.get(word) ?? 0) + 1);
    for (const word of a) {
      const count = left.get(word) ?? 0;
      if (count > 0) common++;
      left.set(word, count - 1);
    }
  }
  const found = { ofTheirs: common / theirs, ofOurs: common / ours, same };
  console.log(`${name}: ${pairs.length} pages, ${theirs} words of theirs, ${ours} of ours`, found);
  return found;
}
