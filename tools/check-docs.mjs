// Holds the documents to the tree: links lead somewhere, names stand where they are said to, the two languages of docs/paper say as much, and
// pages, messages and comments keep the rules of docs-rules.mjs: every step is explained, terms are glossed, house language is kept.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as houseRules from "./docs-rules.mjs";

const here = join(dirname(fileURLToPath(import.meta.url)), "..");
const languages = ["en", "zh"];
/** Folders whose comments are held to house language. */
const codeFolders = ["bin", "src", "test", "tools", "bench", "examples"];

/**
 * What is wrong with the documents of a tree, one line per problem: the Markdown beside its package.json and all of docs/, and messages,
 * help and comments of its code.
 * @param rules what docs-rules.mjs has; a part that is left out is not checked
 */
export function checkDocs(root, { steps = {}, words = [], glosses = {}, openings, documented = false } = {}) {
  const pages = [...filesIn(root, ".md", false), ...filesIn(join(root, "docs"), ".md", true)].map((path) => readPage(root, path));
  const sources = filesIn(join(root, "src"), ".ts", true).filter((path) => !/\.test\.(?:helper\.)?ts$/.test(path));
  const code = codeFolders.flatMap((folder) =>
    [".ts", ".tsx", ".mjs"].flatMap((extension) => filesIn(join(root, folder), extension, true)),
  );
  return [
    ...pages.flatMap(checkLinks),
    ...pages.flatMap(checkExcerpts),
    ...checkLanguages(root, pages),
    ...checkSteps(root, pages, steps),
    ...checkGlosses(root, pages, glosses),
    ...pages.flatMap((page) => checkWords(page.name, page.prose.replace(/`[^`\n]*`/g, ""), words)),
    ...[...sources, ...filesIn(join(root, "bench"), ".mjs", true)].flatMap((path) =>
      checkWords(nameIn(root, path), readFileSync(path, "utf8"), words),
    ),
    ...(openings === undefined ? [] : code.flatMap((path) => checkOpenings(nameIn(root, path), readFileSync(path, "utf8"), openings))),
    ...(documented ? sources.flatMap((path) => checkExports(nameIn(root, path), readFileSync(path, "utf8"))) : []),
  ];
}

function filesIn(folder, extension, recursive) {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive }).map(String);
  return names.filter((name) => name.endsWith(extension) && !name.split(sep).includes("node_modules")).map((name) => join(folder, name));
}

/** Fenced blocks are code, not prose: what looks like a link or a heading in them is neither. */
function readPage(root, path) {
  const text = readFileSync(path, "utf8").replaceAll("\r\n", "\n");
  const fence = /^(`{3,})([^\n]*)\n([\s\S]*?)^\1 *$/gm;
  const blocks = [...text.matchAll(fence)].map(([, , language, content]) => ({ language: language.trim(), content }));
  const prose = text.replace(fence, (block) => "\n".repeat(block.split("\n").length - 1)); // lines keep their numbers
  const links = [...prose.matchAll(/\[([^\]]*)\]\(([^()\s]+)\)/g)].map(([, words, target]) => ({ words, target }));
  const headings = [...prose.matchAll(/^(#+) /gm)].map(([, marks]) => marks.length);
  return { path, name: nameIn(root, path), text, prose, blocks, links, headings };
}

/** A path below the root, written in the same way on every system. */
function nameIn(root, path) {
  return relative(root, path).split(sep).join("/");
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

function checkSteps(root, pages, steps) {
  return Object.entries(steps).flatMap(([name, wanted]) =>
    languages.flatMap((language) => {
      const page = pages.find(({ path }) => path === join(root, "docs", "paper", language, name));
      if (page === undefined) return [`docs/paper/${language}/${name} is missing: write it`];
      const lacking = wanted.filter((one) => !page.text.includes(one.both ?? one[language]));
      return lacking.map((one) => `${page.name}: lacks a step, ${one.step}: explain it, where "${one.both ?? one[language]}" stands`);
    }),
  );
}

/** A language's pages, as far as they say a term at all, explain it where they say it first. */
function checkGlosses(root, pages, glosses) {
  return Object.entries(glosses).flatMap(([language, terms]) =>
    pages
      .filter(({ path }) => dirname(path) === join(root, "docs", "paper", language))
      .flatMap(({ name, prose }) =>
        terms
          .filter(({ term, first }) => prose.includes(term) && !prose.slice(prose.indexOf(term)).startsWith(first))
          .map(({ term, first }) => `${name}: says ${term} without its gloss: write ${first} where it stands first`),
      ),
  );
}

function checkWords(name, text, words) {
  return text.split("\n").flatMap((line, i) =>
    words.flatMap(({ avoid, say }) => {
      const found = avoid.exec(line)?.[0];
      return found === undefined ? [] : [`${name}:${i + 1}: "${found}": say ${say}`];
    }),
  );
}

/** Comments begin with their subject, not with a preposition. */
function checkOpenings(name, text, avoid) {
  return beginningsOf(text).flatMap(({ line, said }) => {
    const found = avoid.exec(said)?.[0];
    return found === undefined ? [] : [`${name}:${line}: a comment begins with "${found}": begin with its subject`];
  });
}

/** Everything that a source file exports has a docstring right before it. */
function checkExports(name, text) {
  const lines = text.split("\n");
  return lines.flatMap((line, at) => {
    const exported = /^export (?:abstract |async )*(?:const|function|class|interface|type) (\w+)/.exec(line)?.[1];
    const before = lines.slice(0, at).findLast((one) => !one.startsWith("// biome-ignore "));
    if (exported === undefined || /\*\/\s*$/.test(before ?? "")) return [];
    return [`${name}:${at + 1}: "${exported}" has no docstring: say what it is, with shapes, units, ranges and errors`];
  });
}

/** What every comment begins with: those before a declaration, blocks of lines, and those behind code. */
function beginningsOf(text) {
  const lines = text.split("\n");
  const isLine = (at) => /^\s*\/\//.test(lines[at] ?? "");
  return lines.flatMap((line, at) => {
    const document = /^\s*\/\*\*\s*(.*)/.exec(line)?.[1];
    const said = document === "" ? /^\s*\*\s*(.*)/.exec(lines[at + 1] ?? "")?.[1] : document;
    const block = isLine(at) && !isLine(at - 1) ? /^\s*\/\/\s?(.*)/.exec(line)?.[1] : undefined;
    const [, code, comment] = /^(.*?\S)\s+\/\/ (.*)$/.exec(line) ?? [];
    const isBehind =
      code !== undefined && !isLine(at) && document === undefined && ['"', "`"].every((mark) => code.split(mark).length % 2 === 1);
    const behind = isBehind ? comment : undefined;
    return [said, block, behind].filter((one) => one !== undefined).map((one) => ({ line: at + 1, said: one }));
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const problems = checkDocs(here, houseRules);
  if (problems.length > 0) {
    console.error(problems.map((problem) => `[docs] ${problem}`).join("\n"));
    process.exit(1);
  }
  console.log("docs: links, names, languages, steps, words, docstrings and beginnings of comments hold");
}
