// Holds the documents to the tree: links lead somewhere, names stand where they are said to, and the two languages of docs/paper say as much.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = join(dirname(fileURLToPath(import.meta.url)), "..");
const languages = ["en", "zh"];

/** What is wrong with the documents of a tree, a line each: the Markdown beside its package.json and all of docs/. */
export function checkDocs(root) {
  const pages = [...markdownIn(root, false), ...markdownIn(join(root, "docs"), true)].map((path) => readPage(root, path));
  return [...pages.flatMap(checkLinks), ...pages.flatMap(checkExcerpts), ...checkLanguages(root, pages)];
}

function markdownIn(folder, recursive) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive }).map(String);
  return names.filter((name) => name.endsWith(".md")).map((name) => join(folder, name));
}

/** Fenced blocks are code, not prose: what looks like a link or a heading in them is neither. */
function readPage(root, path) {
  const text = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
  const fence = /^(`{3,})([^\n]*)\n([\s\S]*?)^\1 *$/gm;
  const blocks = [...text.matchAll(fence)].map(([, , language, content]) => ({ language: language.trim(), content }));
  const prose = text.replace(fence, "");
  const links = [...prose.matchAll(/\[([^\]]*)\]\(([^()\s]+)\)/g)].map(([, words, target]) => ({ words, target }));
  const headings = [...prose.matchAll(/^(#+) /gm)].map(([, marks]) => marks.length);
  return { path, name: relative(root, path), blocks, links, headings };
}

function isElsewhere(target) {
  return /^[a-z]+:/.test(target) || target.startsWith("#");
}

function fileOf({ path }, { target }) {
  return resolve(dirname(path), decodeURI(target.split("#")[0]));
}

function checkLinks(page) {
  return page.links.flatMap((link) => {
    if (isElsewhere(link.target)) return [];
    const file = fileOf(page, link);
    if (!existsSync(file)) return [`${page.name}: links to ${link.target}, which is not there: mend the link`];
    const named = /^`([\w$]+)`$/.exec(link.words)?.[1];
    if (named === undefined || statSync(file).isDirectory()) return [];
    const stands = new RegExp(`(?<![\\w$])${named.replaceAll("$", "\\$")}(?![\\w$])`).test(readFileSync(file, "utf8"));
    return stands ? [] : [`${page.name}: says that \`${named}\` stands in ${link.target}, but it does not: name what is there now`];
  });
}

/** Lines of a TypeScript excerpt must be lines of a source file that the page links to. */
function checkExcerpts(page) {
  const excerpts = page.blocks.filter(({ language }) => language === "ts excerpt").flatMap(({ content }) => linesOf(content));
  if (excerpts.length === 0) return [];
  const sources = page.links.filter((link) => link.target.endsWith(".ts") && existsSync(fileOf(page, link)));
  const known = new Set(sources.flatMap((link) => linesOf(readFileSync(fileOf(page, link), "utf8"))));
  const strange = excerpts.filter((line) => !known.has(line));
  return strange.map((line) => `${page.name}: shows "${line}", which is in no source file that it links to: show what is there now`);
}

function linesOf(text) {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function checkLanguages(root, pages) {
  const folder = join(root, "docs", "paper");
  const of = (language) =>
    new Map(pages.filter(({ path }) => dirname(path) === join(folder, language)).map((page) => [basename(page.path), page]));
  const [first, second] = languages.map(of);
  const names = new Set([...first.keys(), ...second.keys()]);
  return [...names].flatMap((name) => {
    const pair = [first.get(name), second.get(name)];
    const missing = languages.filter((_, i) => pair[i] === undefined);
    if (missing.length > 0) return missing.map((language) => `docs/paper/${language}/${name} is missing: a page comes in both languages`);
    return comparePages(...pair);
  });
}

function comparePages(one, other) {
  const aspects = {
    headings: ({ headings }) => headings.map((depth) => "#".repeat(depth)),
    "links (in any order)": ({ links }) => links.map(({ target }) => target.replace(/^\.\.\/(en|zh)\//, "../")).sort(),
    "code blocks": ({ blocks }) => blocks.map(({ language, content }) => `${language}\n${content}`),
  };
  return Object.entries(aspects).flatMap(([what, read]) => {
    const [a, b] = [read(one), read(other)];
    const at = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => i).find((i) => a[i] !== b[i]);
    if (at === undefined) return [];
    const shown = (value) => (value === undefined ? "nothing" : JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value));
    return [
      `${one.name} and ${other.name}: ${what} differ at number ${at + 1}: ${shown(a[at])} here, ${shown(b[at])} there: say the same in both`,
    ];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const problems = checkDocs(here);
  if (problems.length > 0) {
    console.error(problems.map((problem) => `[docs] ${problem}`).join("\n"));
    process.exit(1);
  }
  console.log("docs: links, names and languages hold");
}
