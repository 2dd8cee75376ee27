// How fast is the step perplexity with a model of Wikipedia's size? `node bench/ngrams-large.mjs [--ngrams N] [--megabytes N] [--file FILE]
// [--wet FILE --language lid.176.ftz] TEXT.jsonl.gz`
// A model of a half of the texts' pieces is filled up with random n-grams, two words to five in CCNet's proportions, so that every look-up goes to memory as
// in a real one. Pages of that half, whose n-grams are all in the model (the most look-ups that there can be), and of the other half are measured.
// With `--wet`, a file of WET becomes clean English text, in the order of the steps in CCNet and with the rules first, with the model and without it. The model stays in
// `--file`. Rates are per second of the processor's time.
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { float16Bits, Rng } from "../dist/base/index.js";
import { CleanDocument, linesOf, sentenceReader, stepRows } from "../dist/clean/index.js";
import { readTokenizerJson, tokenizerJson } from "../dist/formats/index.js";
import { BatchScorer, ModelBuilder, NgramTrainer, readPacked } from "../dist/ngrams/index.js";
import { fingerprintOf, lineOf, linesFor, lineWords } from "../dist/ngrams/line-table.js";
import { packedMagic, packedNumbersAt, partsOf } from "../dist/ngrams/packed-form.js";
import { cleanedTexts, filesFrom, openJob, runPhases } from "../dist/pipeline/index.js";
import { createTokenizer, trainTokenizer } from "../dist/tokenizer/index.js";

/** The share of the n-grams that each order has, from two words on: those of a large text without what occurs once. */
const shares = [0.08, 0.23, 0.33, 0.36];
const pageCharacters = 4000;

export async function run(args = []) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ngrams: { type: "string", default: "150000000" },
      megabytes: { type: "string", default: "4" },
      file: { type: "string", default: "large.ngrams" },
      wet: { type: "string" },
      language: { type: "string" },
    },
  });
  if (values.wet !== undefined) return measureChains(values);
  const books = gunzipSync(readFileSync(positionals[0])).toString().trim().split("\n");
  const pages = books.flatMap((book) => cutPages(JSON.parse(book).text));
  const [seen, unseen] = [pages.filter((_, i) => i % 2 === 0), pages.filter((_, i) => i % 2 === 1)];
  if (!existsSync(values.file)) await makeModel(values.file, Number(values.ngrams), seen);
  const bytes = timed("loading", statSync(values.file).size, () => readShared(values.file));
  const model = timed("opening", bytes.length, () => readPacked("large", bytes));
  console.log(`${model.counts.map((count) => count.toLocaleString("en-US")).join(", ")} n-grams in ${(bytes.length / 1e6).toFixed(0)} MB`);
  const row = stepRows.find(({ name }) => name === "perplexity");
  const step = await row.open(row.parameters.parse({ model: "large" }), { read: async () => bytes });
  for (const [name, all] of [
    ["n-grams that are known", seen],
    ["n-grams of another half", unseen],
  ])
    measure(name, takeBytes(all, 1e6 * Number(values.megabytes)), { model, step });
}

const rules = [
  "gopherRepetition",
  "gopherQuality",
  { c4Quality: { minWords: 3, minSentences: 5, lineEnds: [], dropsEllipses: false } },
  "finewebQuality",
];

/** WET to clean English text. The model is read once per run, whatever the run's size: that time is told by itself. */
async function measureChains({ wet, file, language }) {
  const loading = process.cpuUsage();
  readPacked("large", await filesFrom(".").read(resolve(file)));
  const { user: reading, system: copying } = process.cpuUsage(loading);
  console.log(`loading: ${((reading + copying) / 1e6).toFixed(2)} s`);
  const front = [{ length: { minCharacters: 300 } }, { language: { model: resolve(language), languages: ["en"], minScore: 0.5 } }];
  const perplexity = { perplexity: { model: resolve(file) } };
  for (const steps of [
    [...front, ...rules],
    [...front, ...rules, perplexity],
    [...front, perplexity, ...rules],
  ]) {
    const work = mkdtempSync(join(tmpdir(), "cria-ngrams-"));
    try {
      const sources = [{ name: "crawl", weight: 1, paths: resolve(wet), steps }];
      const { job } = await openJob(sources, { folder: work, work: join(work, "work") });
      const started = process.cpuUsage();
      await runPhases(job, { threads: 1 });
      const { user, system } = process.cpuUsage(started);
      const [{ report }] = await cleanedTexts(job);
      const { read } = report;
      const left = report.steps.map(({ name, out }) => `${name} ${((100 * out.bytes) / read.bytes).toFixed(0)} %`).join(", ");
      const microseconds = user + system - (steps.includes(perplexity) ? reading + copying : 0);
      console.log(`${(read.bytes / microseconds).toFixed(2)} MB/s, ${(microseconds / read.bytes).toFixed(3)} s per MB: ${left}`);
    } finally {
      rmSync(work, { recursive: true });
    }
  }
}

function measure(name, texts, { model, step }) {
  console.log(name);
  const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const documents = texts.map((text) => new CleanDocument(text));
  timed("  the step", size, () => documents.forEach((document) => step.apply(document)));
  const tokenizer = createTokenizer(tokenizerOf(model));
  timed("  normalising", size, () => texts.forEach((text) => linesOf(text)));
  const lines = texts.flatMap((text) => linesOf(text));
  const ids = timed("  cutting into pieces", size, () => lines.map((line) => tokenizer.encode(line)));
  const numbers = Array.from({ length: tokenizer.vocabSize }, (_, id) => model.words.idOf(tokenizer.idToPiece(id)));
  const sentences = ids.map((list) => Uint32Array.from(list, (id) => numbers[id]));
  const pieces = sentences.reduce((sum, { length }) => sum + length + 1, 0);
  const [batch, scorer] = [new BatchScorer(model), model.scorer()];
  timed("  look-ups, word by word", size, () => sentences.forEach((list) => scorer.score(list)));
  timed("  look-ups, together", size, () => {
    for (const list of sentences) batch.add(list);
    batch.finish();
  });
  let lookups = 0;
  for (const table of model.parts.tables) {
    const { findAll } = table;
    table.findAll = (asked) => {
      lookups += asked.size;
      return findAll.call(table, asked);
    };
  }
  for (const list of sentences) batch.add(list);
  batch.finish();
  for (const table of model.parts.tables) delete table.findAll;
  console.log(`  ${(size / pieces).toFixed(2)} bytes and ${(lookups / pieces).toFixed(2)} look-ups per piece`);
}

function tokenizerOf({ parts }) {
  return readTokenizerJson(parts.tokenizer);
}

async function makeModel(file, ngrams, pages) {
  async function* lines() {
    for (const page of pages) yield* linesOf(page);
  }
  const tokenizer = createTokenizer(await trainTokenizer(lines(), { kind: "sentencepiece", vocabSize: 32_000, mayBeSmaller: true }));
  const trainer = new NgramTrainer({ order: 5 });
  const sentences = sentenceReader((word) => trainer.idOf(word), { tokenizer });
  for (const page of pages) for (const sentence of sentences(page)) trainer.addIds(sentence);
  const builder = new ModelBuilder("real");
  trainer.train(builder);
  writeModel(file, builder.finish(), { tokenizer: Buffer.from(JSON.stringify(tokenizerJson(tokenizer.model))), ngrams });
}

/** A file in the compact form, whose tables hold the n-grams of a model, and random ones. */
function writeModel(file, model, { tokenizer, ngrams }) {
  const { words, unigrams, tables } = model.parts;
  const texts = Buffer.from(Array.from({ length: words.size }, (_, id) => `${words.wordOf(id)}\0`).join(""));
  const counts = [words.size, ...tables.map(({ size }, i) => Math.max(size, Math.floor(shares[i] * ngrams)))];
  const parts = partsOf({ counts, textBytes: texts.length, tokenizerBytes: tokenizer.length });
  const head = new Uint8Array(parts.tables[0]);
  head.set(Buffer.from(packedMagic));
  new Float64Array(head.buffer, packedNumbersAt, 9).set([5, words.size, texts.length, tokenizer.length, 0, ...counts.slice(1)]);
  head.set(texts, parts.texts);
  head.set(tokenizer, parts.tokenizer);
  new Float32Array(head.buffer, parts.unigrams, unigrams.length).set(unigrams);
  const out = openSync(file, "w");
  writeSync(out, head);
  for (const [i, table] of tables.entries()) writeAll(out, tableBytes(table, counts[i + 1], i === tables.length - 1));
  closeSync(out);
}

function tableBytes(table, count, isLongest) {
  const { lines, spare } = linesFor(count);
  const bits = new Int32Array((lines + spare) * lineWords);
  const floats = new Float32Array(bits.buffer);
  const place = (line, fingerprint) => {
    let at = line * lineWords;
    while (bits[at] !== 0) at += 2;
    bits[at] = fingerprint;
    return at + 1;
  };
  for (const entry of table.entries()) {
    const at = place(lineOf(entry.low, entry.high, lines), fingerprintOf(entry.low));
    const probability = table.probability(entry.at);
    if (isLongest) floats[at] = probability;
    else
      bits[at] = (table.isExtended(entry.at) ? 0 : 0x80000000) | (float16Bits(-probability) << 16) | float16Bits(table.backoff(entry.at));
  }
  const rng = new Rng(count);
  for (let left = count - table.size; left > 0; left--) floats[place(rng.below(lines), 1 + rng.below(2 ** 31 - 2))] = -2;
  return new Uint8Array(bits.buffer);
}

/** Node writes and reads at most 2 GiB at once. */
const mostBytes = 1 << 30;

function writeAll(out, bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(out, bytes, at, Math.min(mostBytes, bytes.length - at));
}

/** All of a file, in memory that threads can share. */
function readShared(path) {
  const bytes = new Uint8Array(new SharedArrayBuffer(statSync(path).size));
  const file = openSync(path, "r");
  for (let at = 0; at < bytes.length; ) at += readSync(file, bytes, at, Math.min(mostBytes, bytes.length - at), at);
  closeSync(file);
  return bytes;
}

function cutPages(text) {
  const pages = [];
  for (let at = 0; at < text.length; at += pageCharacters) pages.push(text.slice(at, at + pageCharacters));
  return pages;
}

function takeBytes(texts, bytes) {
  let taken = 0;
  return texts.filter((text) => {
    taken += text.length;
    return taken <= bytes;
  });
}

function timed(name, bytes, work) {
  const started = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(started);
  const seconds = (user + system) / 1e6;
  console.log(`${name}: ${seconds.toFixed(2)} s, ${(bytes / seconds / 1e6).toFixed(2)} MB/s`);
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run(process.argv.slice(2));
