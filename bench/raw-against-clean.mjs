// What is cleaning worth? Models of one size learn from public inputs as they come, or from the same inputs cleaned in the manner of recipes/llama.yaml, as
// many tokens of each, with several seeds; then both predict clean text of documents that neither saw, in bits per byte.
//
//   node bench/raw-against-clean.mjs --model lid.176.ftz [--minutes 5] [--seeds 3] [--together 2] [--out raw-against-clean] [--data DIR]
//
// Every model has one thread, and --together of them are trained at a time. The number of steps is what fits the minutes here, measured once with as many at
// a time, and is the same for all. One tokenizer, learned from the cleaned text, serves both: a tokenizer of raw text would give some of its pieces to markup,
// so that the models would differ in more than what they read. Stopped anywhere, the same command goes on; OUT/result.json and OUT/table.md are the result.
import { spawn } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { memoryTokens } from "../dist/batches/index.js";
import { HeldModel } from "../dist/convert/index.js";
import { openCorpus, parseDataRecipe, prepareCorpus } from "../dist/corpus/index.js";
import { beginRun, resumeRun } from "../dist/entries/train.js";
import { openCpuBackend } from "../dist/host/index.js";
import { openAnyTokenizer, openModel } from "../dist/load/index.js";
import { cleanRecipe } from "../dist/pipeline/index.js";
import { HeldOutPassages } from "./raw-against-clean/held-out.mjs";
import { takeInputs } from "./raw-against-clean/inputs.mjs";
import { cleanRecipeOf, rawRecipeOf, sourceNames, weights } from "./raw-against-clean/sources.mjs";

const here = fileURLToPath(import.meta.url);
const root = fileURLToPath(new URL("..", import.meta.url));
const kinds = ["raw", "clean"];
const vocabulary = 4096;
/** The size that `cria train TEXT` takes for some minutes of one or two cores. */
const model = { dim: 192, nLayers: 5, nHeads: 6, hiddenDim: 512, contextLength: 256 };
const learning = { batch: 4, learningRate: 2e-3, threads: 1 };
/** Characters of held-out text per source, at most. */
const heldCharacters = 100_000;
/** Share of the time that is planned with: compiling and measuring take the rest. */
const margin = 0.93;

async function main(args) {
  const asked = parse(args);
  mkdirSync(asked.out, { recursive: true });
  await once(join(asked.out, "prepared.json"), () => prepareAll(asked));
  const plan = await once(join(asked.out, "plan.json"), () => planRuns(asked));
  for (const key of ["minutes", "together"])
    if (plan[key] !== asked[key])
      throw new Error(`[bench] ${asked.out} was begun with --${key} ${plan[key]}, not ${asked[key]}: ask for that, or name another --out`);
  const seeds = Array.from({ length: asked.seeds }, (_, i) => i + 1);
  await inTurns(
    seeds.flatMap((seed) => kinds.map((kind) => ["train", asked.out, kind, String(seed)])),
    asked.together,
  );
  tell(asked, plan, seeds);
}

function parse(args) {
  const names = ["model", "minutes", "seeds", "together", "out", "data"];
  const { values } = parseArgs({ args, options: Object.fromEntries(names.map((name) => [name, { type: "string" }])) });
  const { model: languages, out = "raw-against-clean", data = process.env.CRIA_DATA ?? join(root, "../shared/data") } = values;
  if (languages === undefined) throw new Error("[bench] --model is not given: name fastText's model of languages, lid.176.ftz");
  const [minutes, seeds, together] = ["minutes", "seeds", "together"].map((name, i) => Number(values[name] ?? [5, 3, 2][i]));
  if (!(minutes > 0 && seeds >= 1 && together >= 1)) throw new Error("[bench] --minutes, --seeds and --together are numbers above 0");
  return { languages, out, data, minutes, seeds, together };
}

/** What a file holds, or what is made now and written there, whole. */
async function once(path, make) {
  if (existsSync(path)) return JSON.parse(readFileSync(path, "utf8"));
  const made = await make();
  writeWhole(path, `${JSON.stringify(made, null, 1)}\n`);
  return made;
}

function writeWhole(path, text) {
  writeFileSync(`${path}.begun`, text);
  renameSync(`${path}.begun`, path);
}

/** Inputs, both corpora, the tokenizer and the held-out text, in a folder that is begun anew where it was left unfinished. */
async function prepareAll({ out, data, languages }) {
  for (const name of ["inputs", "work", "tokenizer.json", "data", "held"]) rmSync(join(out, name), { recursive: true, force: true });
  const folder = join(out, "inputs");
  console.log("taking the inputs apart");
  await takeInputs({ data, root, folder });
  const corpora = {};
  for (const [name, recipe] of [
    ["raw", rawRecipeOf("train")],
    ["clean", cleanRecipeOf("train", languages)],
    ["held", cleanRecipeOf("held", languages)],
  ]) {
    console.log(`cleaning: ${name}`);
    corpora[name] = await cleanRecipe(parseDataRecipe(absolute(recipe, folder)), { work: join(out, "work", name) });
  }
  const filesOf = ({ cleaned }) => cleaned.flatMap(({ files }) => files);
  const [tokenizer, cleanText] = [join(out, "tokenizer.json"), join(out, "work", "clean.jsonl")];
  for (const file of filesOf(corpora.clean)) appendFileSync(cleanText, readFileSync(file));
  const learned = ["--kind", "sentencepiece", "--vocab-size", String(vocabulary), "--out", tokenizer, cleanText];
  await child([join(root, "dist/cli/main.js"), "tokenizer", "train", ...learned]);
  const held = await heldOutText(out, corpora, filesOf);
  const sizes = {};
  for (const kind of kinds) {
    const corpus = await openCorpus(corpora[kind].recipe);
    const { sources } = await prepareCorpus(corpus, await openAnyTokenizer(tokenizer), join(out, "data", kind));
    await corpus[Symbol.asyncDispose]();
    sizes[kind] = Object.fromEntries(sources.map(({ name, documents, bytes, tokens }) => [name, { documents, bytes, tokens }]));
  }
  rmSync(join(out, "work"), { recursive: true });
  return { sizes, held };
}

/** Paths of sources and of models, whatever folder they start from. */
function absolute(recipe, folder) {
  return { ...recipe, sources: recipe.sources.map((source) => ({ ...source, paths: join(folder, source.paths) })) };
}

async function heldOutText(out, { raw, clean, held }, filesOf) {
  const passages = new HeldOutPassages();
  for (const { name, files } of held.cleaned) await passages.add(name, [...files]);
  for (const corpus of [raw, clean]) await passages.compare(filesOf(corpus), { format: "jsonl" });
  mkdirSync(join(out, "held"));
  return Object.fromEntries(
    sourceNames.map((name) => {
      const { text, ...counts } = passages.textOf(name, heldCharacters);
      writeFileSync(join(out, "held", `${name}.txt`), text);
      return [name, { ...counts, bytes: Buffer.byteLength(text) }];
    }),
  );
}

/** Steps that fit the minutes where so many models are trained at a time, by the slowest of them. */
async function planRuns({ out, minutes, together }) {
  const seconds = Math.min(20, 6 * minutes);
  const timed = join(out, "timed");
  rmSync(timed, { recursive: true, force: true });
  mkdirSync(timed);
  const jobs = Array.from({ length: together }, (_, i) => ["time", out, kinds[i % 2], String(i), String(seconds)]);
  await inTurns(jobs, together);
  const times = jobs.map((_, i) => JSON.parse(readFileSync(join(timed, `${i}.json`), "utf8")).stepSeconds);
  rmSync(timed, { recursive: true });
  return { minutes, together, steps: Math.max(1, Math.floor((60 * minutes * margin) / Math.max(...times))), stepSeconds: times };
}

/** Jobs in processes of their own, so many at a time. */
async function inTurns(jobs, together) {
  const queue = jobs[Symbol.iterator]();
  const work = async () => {
    for (const job of queue) await child([here, ...job]);
  };
  await Promise.all(Array.from({ length: together }, work));
}

function child(words) {
  return new Promise((resolve, reject) => {
    const started = spawn(process.execPath, words, { stdio: ["ignore", "inherit", "inherit"] });
    started.on("error", reject);
    started.on("close", (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`[bench] ${words.slice(1, 5).join(" ")} ended with ${code ?? signal}`)),
    );
  });
}

function recipeOf(out, kind, seed, steps) {
  const data = { data: join(out, "data", kind), tokenizer: join(out, "tokenizer.json") };
  return { ...data, model, ...learning, steps, seed, checkpoints: { every: 200 } };
}

/** Measures the seconds of a step, the first ones left out. */
async function time([out, kind, number, seconds]) {
  const folder = join(out, "timed", `run-${number}`);
  const stop = new AbortController();
  const times = [];
  const began = performance.now();
  const onStep = (step) => {
    times.push(step.seconds);
    if (performance.now() - began > 1000 * Number(seconds) && times.length > 10) stop.abort(new Error("timed"));
  };
  await beginRun(recipeOf(out, kind, 1, 1_000_000), folder, { signal: stop.signal, onStep });
  const counted = times.slice(5);
  writeFileSync(
    join(out, "timed", `${number}.json`),
    JSON.stringify({ stepSeconds: counted.reduce((sum, one) => sum + one, 0) / counted.length }),
  );
}

/** Trains a model, or goes on with it, and measures it on the held-out text of each source. */
async function train([out, kind, seed]) {
  const folder = join(out, "runs", `${kind}-${seed}`);
  const path = join(folder, "bits.json");
  if (existsSync(path)) return;
  mkdirSync(join(out, "runs"), { recursive: true });
  const { steps } = JSON.parse(readFileSync(join(out, "plan.json"), "utf8"));
  const began = performance.now();
  const isBegun = existsSync(join(folder, "train.yaml"));
  if (!isBegun) rmSync(folder, { recursive: true, force: true });
  const summary = isBegun ? await resumeRun(folder) : await beginRun(recipeOf(out, kind, Number(seed), steps), folder);
  const sources = await measure(folder, out);
  const [bits, bytes] = ["bits", "bytes"].map((key) => sourceNames.reduce((sum, name) => sum + sources[name][key], 0));
  const seconds = (performance.now() - began) / 1000;
  writeWhole(path, `${JSON.stringify({ kind, seed: Number(seed), steps, loss: summary.loss, seconds, sources, all: bits / bytes })}\n`);
  console.log(`${kind}, seed ${seed}: ${(bits / bytes).toFixed(4)} bits per byte after ${steps} steps (${seconds.toFixed(0)} s)`);
}

async function measure(folder, out) {
  const backend = await openCpuBackend({ threads: learning.threads });
  const tokenizer = await openAnyTokenizer(join(out, "tokenizer.json"));
  const opened = await openModel(folder);
  const held = await HeldModel.load(backend, { config: opened.config, weights: opened.weights });
  const found = {};
  for (const name of sourceNames) {
    const text = readFileSync(join(out, "held", `${name}.txt`), "utf8");
    const bytes = Buffer.byteLength(text);
    const tokens = memoryTokens(Int32Array.from(tokenizer.encode(text)));
    const { bitsPerByte } = await held.evaluate({ tokens, bytes });
    found[name] = { bitsPerByte, bits: bitsPerByte * bytes, bytes };
  }
  held.dispose();
  await opened[Symbol.asyncDispose]();
  await backend.dispose();
  return found;
}

/** The mean over the seeds with their standard deviation, per source and of all text. */
function tell({ out }, plan, seeds) {
  const { sizes, held } = JSON.parse(readFileSync(join(out, "prepared.json"), "utf8"));
  const runs = seeds.flatMap((seed) =>
    kinds.map((kind) => JSON.parse(readFileSync(join(out, "runs", `${kind}-${seed}`, "bits.json"), "utf8"))),
  );
  const row = (name, bytes, of) => {
    const cells = kinds.map((kind) => spread(runs.filter((one) => one.kind === kind).map(of)));
    const gain = 1 - cells[1].mean / cells[0].mean;
    return `| ${name} | ${(bytes / 1000).toFixed(0)} | ${cells.map(cell).join(" | ")} | ${(100 * gain).toFixed(1)} % |`;
  };
  const lines = [
    "| held-out text | kB | raw | cleaned | fewer bits |",
    "|---|---|---|---|---|",
    ...sourceNames.map((name) => row(name, held[name].bytes, (one) => one.sources[name].bitsPerByte)),
    row(
      "all",
      sourceNames.reduce((sum, name) => sum + held[name].bytes, 0),
      (one) => one.all,
    ),
  ];
  const about = `${cpus()[0]?.model.trim()}, Node ${process.versions.node}; ${plan.steps} steps of ${learning.batch} × ${model.contextLength} tokens, ${seeds.length} seeds, ${plan.together} at a time`;
  const text = `${about}\n\n${lines.join("\n")}\n\n${corporaTable(sizes, plan).join("\n")}\n`;
  writeWhole(join(out, "table.md"), text);
  writeWhole(join(out, "result.json"), `${JSON.stringify({ plan, sizes, held, runs }, null, 1)}\n`);
  console.log(`\n${text}`);
}

/** What each corpus has of each source, and how often a model went through it. */
function corporaTable(sizes, { steps }) {
  const all = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const epochs = (kind, name) => (steps * learning.batch * model.contextLength * weights[name]) / all / sizes[kind][name].tokens;
  const cells = (kind, name) => {
    const { documents, bytes, tokens } = sizes[kind][name];
    return `${documents} | ${(bytes / 1e6).toFixed(2)} | ${(tokens / 1000).toFixed(0)} | ${epochs(kind, name).toFixed(2)}`;
  };
  return [
    "| source | share | raw: documents | MB | thousand tokens | epochs | cleaned: documents | MB | thousand tokens | epochs |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...sourceNames.map((name) => `| ${name} | ${weights[name]} % | ${cells("raw", name)} | ${cells("clean", name)} |`),
  ];
}

/** The standard deviation is that of a sample. */
function spread(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : Number.NaN };
}

function cell({ mean, deviation }) {
  return Number.isNaN(deviation) ? mean.toFixed(3) : `${mean.toFixed(3)} ± ${deviation.toFixed(3)}`;
}

const [job, ...words] = process.argv.slice(2);
if (job === "time") await time(words);
else if (job === "train") await train(words);
else await main(process.argv.slice(2));
