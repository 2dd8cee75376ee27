// Public texts of many kinds as documents, from the folder that CRIA_DATA names or shared/data beside the checkout, and other programs that judge what is
// made of them: a Python (CRIA_PYTHON, else python3) with the packages that a test names.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CleanDocument, isDropped, openStages } from "../dist/clean/index.js";
import { openTexts } from "../dist/corpus/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const shared = [process.env.CRIA_DATA ?? "", join(root, "../shared/data")].find((folder) => folder !== "" && existsSync(folder));

/** The path of public data; undefined where it is absent. */
export function publicData(name) {
  const path = join(shared ?? "", name);
  return shared !== undefined && existsSync(path) ? path : undefined;
}

/** A Python that has all of these packages; undefined where there is none, so that a test is skipped. */
export function pythonWith(...packages) {
  const python = process.env.CRIA_PYTHON ?? "python3";
  return spawnSync(python, ["-c", `import ${packages.join(", ")}`]).status === 0 ? python : undefined;
}

/** Runs a script of test/goldens. @returns what it printed */
export function runGolden(python, script, ...args) {
  const { status, stdout, stderr } = spawnSync(python, [join(root, "test/goldens", script), ...args], { maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`${script} failed: ${stderr}`);
  return stdout.toString();
}

/** The novels of ELTeC, whole. */
export async function novels() {
  return documentsOf([publicData("text/eltec-eng")]);
}

/** A text in pieces of whole paragraphs, each of so many characters and more. */
export function piecesOf(text, characters = 4000) {
  const pieces = [];
  let piece = "";
  for (const line of text.split("\n")) {
    piece += `${line}\n`;
    if (piece.length < characters) continue;
    pieces.push(piece);
    piece = "";
  }
  return piece === "" ? pieces : [...pieces, piece];
}

/** Some 4,000 documents: articles, chapters, pages, questions, sentences in 75 languages; no two have the same text. */
export async function publicDocuments() {
  const articles = await documentsOf([publicData("text/wikipedia-dump")], ["wikitext"]);
  const chapters = (await novels()).flatMap((novel) => piecesOf(novel)).filter((_, i) => i % 16 === 0);
  const pages = await documentsOf(
    ["warc/dolma", "warc/whirlwind", "warc/resiliparse", "text/cc-jsonl", "text/stackexchange"].map(publicData),
  );
  const more = ["text/wikitext-2/valid.txt", "text/tinystories-samples"].map(publicData);
  const stories = (await documentsOf(more)).flatMap((text) => piecesOf(text, 2000));
  const texts = [...articles, ...chapters, ...pages, ...stories, ...sentences().map(({ lines }) => lines.slice(0, 40).join("\n"))];
  return [...new Set(texts)];
}

/** lingua's sentences by language. */
export function sentences() {
  const folder = publicData("langid/lingua");
  return readdirSync(folder)
    .map((language) => ({ language, path: join(folder, language, "testdata/sentences.txt") }))
    .filter(({ path }) => existsSync(path))
    .map(({ language, path }) => ({ language, lines: readFileSync(path, "utf8").trim().split("\n") }));
}

/** What the files under a path hold, before and behind steps; what these drop is "" behind them. */
export async function publicPages(path, steps) {
  return pagesOf([path], steps);
}

async function documentsOf(paths, steps = []) {
  return (await pagesOf(paths, steps)).map(({ after }) => after).filter((text) => text !== "");
}

async function pagesOf(paths, steps) {
  const found = [];
  const [stage] = await openStages(steps);
  const texts = await openTexts(paths);
  try {
    for await (const { text, facts } of texts.placedDocuments({ onNote: () => {} })) {
      const { outcome } = stage.chain.apply(new CleanDocument(text, facts));
      found.push({ before: text, after: isDropped(outcome) ? "" : outcome.text });
    }
  } finally {
    await texts[Symbol.asyncDispose]();
  }
  return found;
}
