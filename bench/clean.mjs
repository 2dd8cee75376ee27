// How fast is cleaning, and what survives it? `node bench/clean.mjs [--megabytes N] [--model lid.176.ftz] [--classifier pages.bin --label wiki] [--text FILE.jsonl]
// [--only STEP,...]`
// Every step reads the same pages by itself; then come chains of steps as pipelines on one thread, from WET files to clean text. Rates are MB (10^6 bytes of
// UTF-8) of what is read per second of the processor's time, of all threads together. Pages are those of a synthetic dump (synthetic-dump.mjs), about half of
// which are English, in files of gzip members; or those of a file of JSON Lines, from which the chains start then, too. --only measures the steps alone that it
// names, and no chain.
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CleanDocument, isDropped, KeyList, openStages } from "../dist/clean/index.js";
import { cleanedTexts, openJob, runPhases } from "../dist/pipeline/index.js";
import { hasTexts, SyntheticPages, writeDump } from "./synthetic-dump.mjs";

const options = {
  ...{ megabytes: { type: "string", default: "32" }, model: { type: "string" }, text: { type: "string" }, only: { type: "string" } },
  ...{ classifier: { type: "string" }, label: { type: "string", default: "wiki" } },
};

export async function run(args = []) {
  const { values } = parseArgs({ args, options });
  const megabytes = Number(values.megabytes);
  if (values.text === undefined && !hasTexts())
    return console.log("no data folder beside the checkout, of whose texts pages are made: name a file of JSON Lines by --text");
  const texts = await (values.text === undefined ? madePages(1e6 * megabytes) : readPages(values.text, 1e6 * megabytes));
  const size = sizeOf(texts);
  console.log(`${texts.length} pages of ${((1000 * size) / texts.length).toFixed(1)} kB`);
  const language = values.model === undefined ? [] : [{ language: { model: resolve(values.model), languages: ["en"] } }];
  const only = values.only?.split(",");
  for (const entry of [...alone, ...language])
    if (only === undefined || only.includes(nameOf(entry))) await measureStep(entry, texts, size);
  if (only !== undefined) return;
  const folder = mkdtempSync(join(tmpdir(), "cria-clean-"));
  try {
    const input = values.text === undefined ? writeFiles(folder, megabytes) : writeLines(folder, texts);
    for (const [name, steps] of chains(values)) await measureChain(name, steps, input);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const alone = [
  ...["length", "gopherQuality", "gopherRepetition", "finewebQuality", "c4Quality", "c4Paragraphs", "codeQuality", "maskPersonal"],
  ...[{ dedupLines: { keep: "first" } }, "dedupDocuments", "dedupNear"],
];

/** Chains of steps by their names; those that need a model only where it is named. */
function chains({ model, classifier, label }) {
  const rules = ["length", "gopherRepetition", "c4Quality", "gopherQuality", "finewebQuality"];
  const found = [["five rules", rules]];
  if (model === undefined) return found;
  const languageModel = resolve(model);
  const language = { language: { model: languageModel, languages: ["en"], minScore: 0.5, lineEnds: "deleted" } };
  const pages = classifier === undefined ? [] : [{ classifier: { model: resolve(classifier), label, minScore: 0.25 } }];
  return [
    ...found,
    [
      "the paper's order, without a language model",
      [{ length: { minCharacters: 300 } }, { dedupLines: { keep: "none" } }, language, ...pages],
    ],
    ["FineWeb's preset", [{ preset: "fineweb", languageModel }]],
  ];
}

const files = { read: async (path) => readFileSync(path) };
const nameOf = (entry) => (typeof entry === "string" ? entry : Object.keys(entry)[0]);
const sizeOf = (texts) => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;

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

/** A chain from files to clean text; the second of two rounds counts, in which code is compiled, but no model's words are kept. */
async function measureChain(name, steps, { folder, paths, megabytes }) {
  let [seconds, cleaned] = [0, undefined];
  for (let round = 0; round < 2; round++) {
    const started = process.cpuUsage();
    const work = join(folder, `${name} ${round}`);
    const { job, sources } = await openJob([{ name: "pages", weight: 1, paths, steps }], { folder, work });
    await runPhases(job, { threads: 1 }, sources);
    seconds = secondsSince(started);
    [cleaned] = await cleanedTexts(job);
    rmSync(work, { recursive: true });
  }
  const { report } = cleaned;
  console.log(`${name}: ${(megabytes / seconds).toFixed(1)} MB/s`);
  for (const { name, out } of report.steps)
    console.log(
      `  ${name.padEnd(18)} ${percent(out.documents / report.read.documents).padStart(7)} of pages, ${percent(out.bytes / report.read.bytes).padStart(7)} of text`,
    );
}

/** A synthetic dump of several files. */
function writeFiles(folder, megabytes) {
  const { bytes } = writeDump(folder, { megabytes, fileMegabytes: 8 });
  return { folder, paths: "*.wet.gz", megabytes: bytes / 1e6 };
}

function writeLines(folder, texts) {
  writeFileSync(join(folder, "pages.jsonl"), texts.map((text, i) => `${JSON.stringify({ url: `https://x.org/${i}`, text })}\n`).join(""));
  return { folder, paths: "pages.jsonl", megabytes: sizeOf(texts) };
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
  const pages = new SyntheticPages();
  const texts = [];
  for (let size = 0; size < bytes; size += Buffer.byteLength(texts.at(-1))) texts.push(pages.page(texts.length).text);
  return texts;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
