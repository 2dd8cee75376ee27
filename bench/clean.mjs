// How fast is cleaning, and what survives it? `node bench/clean.mjs [--megabytes N] [--model lid.176.ftz] [--text FILE.jsonl]`
// Every step reads the same pages by itself, then a recipe of several runs as a pipeline on one thread, from JSON Lines to clean text. Rates are per second
// of the processor's time, and per MB (10^6 bytes of UTF-8) of what the step reads. Without --text the pages are made from the novels and the sentences in
// many languages of the data folder beside the checkout: prose between menus, notices that all pages of a site have, lists, and near-copies.
import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { Rng } from "../dist/base/index.js";
import { CleanDocument, isDropped, KeyList, openStages } from "../dist/clean/index.js";
import { cleanedTexts, openJob, runPhases } from "../dist/pipeline/index.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const data = process.env.CRIA_DATA ?? join(root, "../shared/data");

export async function run(args = []) {
  const { values } = parseArgs({
    args,
    options: { megabytes: { type: "string", default: "32" }, model: { type: "string" }, text: { type: "string" } },
  });
  const bytes = 1e6 * Number(values.megabytes);
  const texts = await (values.text === undefined ? madePages(bytes) : readPages(values.text, bytes));
  if (texts.length === 0) return console.log("no data folder beside the checkout: name a file of JSON Lines by --text");
  const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
  console.log(`${texts.length} pages of ${((1000 * size) / texts.length).toFixed(1)} kB`);
  const model = values.model === undefined ? [] : [{ language: { model: resolve(values.model), languages: ["en"] } }];
  for (const entry of [...alone, ...model]) await measureStep(entry, texts, size);
  for (const steps of [[...rules], [...rules, "dedupLines"], [...rules, "dedupLines", "dedupNear"], [...model, ...rules, "dedupLines"]])
    await measurePipeline(steps, texts, size);
}

const alone = [
  ...["length", "gopherQuality", "gopherRepetition", "finewebQuality", "c4Quality", "c4Paragraphs", "codeQuality", "maskPersonal"],
  ...["dedupLines", "dedupDocuments", "dedupNear"],
];
const rules = ["length", "gopherRepetition", "c4Quality", "gopherQuality", "finewebQuality"];

const files = { read: async (path) => readFileSync(path) };
const nameOf = (entry) => (typeof entry === "string" ? entry : Object.keys(entry)[0]);

/** A step alone, on pages that nothing was asked of before; the second of two rounds counts. */
async function measureStep(entry, texts, size) {
  const [{ chain, behind }] = await openStages([entry], { files });
  const keys = new KeyList();
  let [seconds, documents, left] = [0, 0, 0];
  for (let round = 0; round < 2; round++) {
    const pages = texts.map((text) => new CleanDocument(text));
    [documents, left] = [0, 0];
    const started = process.cpuUsage();
    for (const page of pages) {
      const { outcome } = chain.apply(page);
      if (isDropped(outcome)) continue;
      documents++;
      left += outcome.text.length;
      keys.clear();
      behind?.step.addKeys(outcome, keys);
    }
    seconds = secondsSince(started);
  }
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  const stays =
    behind === undefined ? `${percent(documents / texts.length)} of pages and ${percent(left / characters)} of text stay` : "keys";
  console.log(`${nameOf(entry).padEnd(18)} ${(size / seconds).toFixed(1).padStart(7)} MB/s  ${stays}`);
}

async function measurePipeline(steps, texts, size) {
  const folder = mkdtempSync(join(tmpdir(), "cria-clean-"));
  try {
    writeFileSync(join(folder, "pages.jsonl"), texts.map((text, i) => `${JSON.stringify({ url: `https://x.org/${i}`, text })}\n`).join(""));
    const started = process.cpuUsage();
    const sources = [{ name: "pages", weight: 1, paths: "pages.jsonl", steps }];
    const { job } = await openJob(sources, { folder, work: join(folder, "work") });
    await runPhases(job, { threads: 1 });
    const seconds = secondsSince(started);
    const [{ report }] = await cleanedTexts(job);
    console.log(`${steps.map(nameOf).join(", ")}: ${(size / seconds).toFixed(1)} MB/s`);
    for (const { name, out } of report.steps)
      console.log(
        `  ${name.padEnd(18)} ${percent(out.documents / report.read.documents).padStart(7)} of pages, ${percent(out.bytes / report.read.bytes).padStart(7)} of text`,
      );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function secondsSince(started) {
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

async function readPages(path, bytes) {
  const texts = [];
  let size = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const { text } = JSON.parse(line);
    texts.push(text);
    size += Buffer.byteLength(text);
    if (size >= bytes) break;
  }
  return texts;
}

/** The same pages each time. */
function madePages(bytes) {
  const novels = join(data, "text/eltec-eng/eltec-eng.jsonl.gz");
  if (!existsSync(novels)) return [];
  const paragraphs = gunzipSync(readFileSync(novels))
    .toString()
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => JSON.parse(line).text.split("\n\n"))
    .map((paragraph) => paragraph.replaceAll("\n", " "));
  const maker = new PageMaker(paragraphs, foreignSentences());
  const texts = [];
  for (let size = 0; size < bytes; ) {
    const text = maker.next();
    texts.push(text);
    size += Buffer.byteLength(text);
  }
  return texts;
}

function foreignSentences() {
  const folder = join(data, "langid/lingua");
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => /sentences.*\.txt$/.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), "utf8").split("\n").filter(Boolean));
}

class PageMaker {
  #rng = new Rng(14);
  #paragraphs;
  #languages;
  #last = [];

  constructor(paragraphs, languages) {
    this.#paragraphs = paragraphs;
    this.#languages = languages;
  }

  next() {
    const kind = this.#rng.below(20);
    const site = this.#rng.below(400);
    const body = kind < 12 ? this.#prose() : kind < 14 ? this.#nearCopy() : kind < 17 ? this.#foreign() : this.#list();
    const menu = ["Home", "About us", `Contact site ${site}`, "Login", "Search", `© 200${site % 10} All rights reserved.`];
    return [...menu, ...body, "This site uses cookies.", "Share this:", "Twitter", "Facebook"].join("\n");
  }

  #prose() {
    this.#last = Array.from({ length: 2 + this.#rng.below(9) }, () => this.#one(this.#paragraphs));
    return this.#last;
  }

  #nearCopy() {
    return [...this.#last, this.#one(this.#paragraphs).slice(0, 80)];
  }

  #foreign() {
    if (this.#languages.length === 0) return this.#prose();
    const sentences = this.#one(this.#languages);
    return Array.from({ length: 5 + this.#rng.below(20) }, () => this.#one(sentences));
  }

  #list() {
    return Array.from({ length: 20 + this.#rng.below(80) }, (_, i) => `${i + 1}. ${this.#one(this.#paragraphs).split(" ", 4).join(" ")}`);
  }

  #one(list) {
    return list[this.#rng.below(list.length)];
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
