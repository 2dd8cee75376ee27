// cria demo, what `npm start` runs: real text → tokenizer → shards → a small LLaMA trained, measured and saved → what it writes.
import { join } from "node:path";
import type { Backend } from "../backend/index.ts";
import { fail, type Precision, UsageError } from "../base/index.ts";
import { isHeldOut, type Manifest, Mixture, PreparedData, prepare, vocabularyOf } from "../data/index.ts";
import { atomicWrite, makeFolder } from "../files/index.ts";
import { Llama } from "../index.ts";
import { llamaConfig } from "../model/index.ts";
import { createTokenizer, type Tokenizer, trainTokenizer } from "../tokenizer/index.ts";
import {
  completeRecipe,
  parseRecipe,
  runPaths,
  settlePrecision,
  startRunFolder,
  type TrainSummary,
  trainRun,
  type WholeRecipe,
} from "../train/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { type Compression, compressionBaselines } from "./compression.ts";
import { type Rung, rungFor, vocabularyFor } from "./demo/choose-model.ts";
import { claimFolder, giveUpFolder, isSecondChoice } from "./demo/claim-folder.ts";
import { type CorpusSource, gatherCorpus, textCorpus } from "./demo/corpus.ts";
import { callAgain, hintLines, promptOf } from "./hints.ts";
import { trainingNote } from "./live-line.ts";
import { measureMatmul } from "./measure-matmul.ts";
import { measureStep } from "./measure-step.ts";
import { openBackend } from "./open-backend.ts";
import { packageRoot } from "./package-root.ts";
import { sparkline } from "./sparkline.ts";
import { printStopped, stoppedText } from "./stopped-text.ts";

const where = "demo";
/** Share of the documents that training never sees: more where there are few, so that there is something to measure on. */
const heldOutShare = (documents: number) => Math.min(0.3, Math.max(0.02, 20 / documents));
/** Less text than this teaches nothing and leaves nothing to measure on. */
const leastBytes = 100_000;
/** Seconds of the time asked for that are not training: everything before it, the evaluation and the samples after it. */
const besideTraining = 25;
/** What training reaches of the measured matrix speed, to choose a size by; the steps are then counted by a measurement of their own. */
const usualShare = 0.7;
/** Of the time that is left, what is planned with: machines slow down when they get warm. */
const margin = 0.92;
const prompts = ["Once upon a time", "The king said unto", "It was a cold morning, and"];

export const demo: Command = {
  name: "demo",
  summary: "raise a small LLaMA from real text, and talk",
  usage: "[--minutes M] [--out DIR] [--text FILE]...",
  flags: [
    { name: "minutes", type: "number", default: 5, help: "how long it may take; model and schedule follow" },
    { name: "out", type: "string", help: "the run folder (default: runs/demo, or runs/demo-2, … when that is in use)" },
    { name: "text", type: "string", repeat: true, help: "raise it on these UTF-8 files instead of the demo's own text" },
    { name: "seed", type: "number", default: 1, help: "random seed of the first weights and of the order of the text" },
  ],
  async run(args, flags, io) {
    const asked = readAsked(args, flags);
    const began = performance.now();
    const corpus = await openCorpus(asked, io);
    await using backend = await openBackend(io);
    const say = (text: string) => (io.json ? undefined : io.stdout(`${text}\n`));
    const folder = await claimFolder(asked.out);
    if (isSecondChoice(folder, asked.out)) io.stderr(`earlier runs stay as they are: this one goes to ${folder}\n`);
    const prepared = await leaveNothing(folder, io, () => prepareRun(asked, corpus, folder, backend, io, say));
    const summary = await trainAndSay(prepared, io, say, began);
    if (io.signal.aborted) return stopped(folder, summary, io);
    const { scores, samples } = await sayIfStopped(folder, io, async () => ({
      scores: await compare(prepared, summary, io, say),
      samples: await writeSamples(folder, backend, io, say),
    }));
    say(await whatNext(prepared, summary.steps, asked, io));
    if (io.json) io.stdout(`${JSON.stringify({ run: folder, ...summary, compression: scores, samples }, null, 2)}\n`);
    return 0;
  },
};

interface Asked {
  readonly minutes: number;
  readonly out: string | undefined;
  readonly texts: readonly string[];
  readonly seed: number;
}

function readAsked(args: readonly string[], flags: Flags): Asked {
  if (args.length > 0) throw new UsageError(where, `"${args[0]}" is not a flag: give files with --text FILE`);
  const { minutes, out, text, seed } = flags as { minutes: number; out?: string; text: readonly string[]; seed: number };
  if (!(minutes >= 0.5 && minutes <= 10080)) throw new UsageError(where, `--minutes is ${minutes} but must be from 0.5 to 10080 (a week)`);
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    throw new UsageError(where, `--seed is ${seed} but must be an integer from 0 to ${2 ** 32 - 1}`);
  return { minutes, out, texts: text, seed };
}

/** What ends before there is anything to go on with leaves no folder behind. */
async function leaveNothing<T>(folder: string, io: CommandIo, job: () => Promise<T>): Promise<T> {
  try {
    return await job();
  } catch (error) {
    await giveUpFolder(folder);
    if (io.signal.aborted) io.stderr("nothing was trained yet, so nothing is kept: start again when you like\n");
    throw error;
  }
}

interface Prepared {
  readonly folder: string;
  readonly backend: Backend;
  readonly recipe: WholeRecipe;
  readonly tokenizer: Tokenizer;
  /** FLOP/s of a large matrix product in the recipe's precision. */
  readonly matmulRate: number;
}

type Say = (text: string) => void;

async function prepareRun(
  asked: Asked,
  corpus: readonly CorpusSource[],
  folder: string,
  backend: Backend,
  io: CommandIo,
  say: Say,
): Promise<Prepared> {
  const matmulRate = await measureMatmul(backend, io.signal);
  say(`machine    ${backend.name}; matrix products ${(matmulRate / 1e9).toFixed(1)} GFLOP/s`);
  const trainSeconds = Math.max(15, asked.minutes * 60 - besideTraining);
  const flops = matmulRate * usualShare * trainSeconds;
  const { bytes, heldOut } = await writeCorpus(corpus, folder, say);
  const tokenizer = await raiseTokenizer(corpus, heldOut, vocabularyFor(flops, bytes), io);
  const manifest = await prepareData(corpus, heldOut, tokenizer, folder, io);
  say(
    `tokenizer  ${tokenizer.vocabSize} pieces, ${bytesPerToken(manifest).toFixed(2)} bytes per token; ${count(tokensOf(manifest.sources))} tokens in shards`,
  );
  const rung = rungFor(flops, tokenizer.vocabSize);
  const planned = completeRecipe(recipeOf(rung, { steps: 1, seed: asked.seed }, folder), tokenizer.vocabSize);
  const { precision } = await settlePrecision(planned, backend);
  const steps = await countSteps(rung, precision, trainSeconds, asked.seed, backend, io);
  const counted = completeRecipe(recipeOf(rung, { steps, seed: asked.seed }, folder), tokenizer.vocabSize);
  const recipe = await startRunFolder(folder, { ...counted, precision }, tokenizer.model);
  const tokens = steps * recipe.batch * recipe.length;
  say(
    `model      ${describe(rung)}; ${steps} steps of ${recipe.batch} × ${recipe.length} tokens, ${count(tokens)} in all, in ${precision}`,
  );
  const rate = precision === "float32" ? matmulRate : await measureMatmul(backend, io.signal, precision);
  return { folder, backend, recipe, tokenizer, matmulRate: rate };
}

function openCorpus({ texts }: Asked, { progress, signal }: CommandIo): Promise<readonly CorpusSource[]> {
  return texts.length > 0 ? textCorpus(texts, { progress, signal }) : gatherCorpus({ root: packageRoot, progress, signal });
}

/** The text as JSONL in the run folder, a file a source: what was learnt from stays beside what was learnt. */
async function writeCorpus(corpus: readonly CorpusSource[], folder: string, say: Say): Promise<{ bytes: number; heldOut: number }> {
  await makeFolder(join(folder, "text"), where);
  let total = 0;
  let documents = 0;
  for (const [i, source] of corpus.entries()) {
    let bytes = 0;
    const lines = async function* () {
      for await (const text of source.documents) {
        bytes += Buffer.byteLength(text);
        documents++;
        yield Buffer.from(`${JSON.stringify({ text })}\n`);
      }
    };
    await atomicWrite(textPath(folder, source, i), lines(), where);
    total += bytes;
    const share = `${(100 * source.weight).toFixed(0)} %`.padStart(5);
    say(
      `text     ${share} ${source.name.padEnd(20)} ${mega(bytes).padStart(8)}  ${source.kind.padEnd(9)} ${source.package}, ${source.licence}`,
    );
  }
  if (total < leastBytes)
    fail(where, `the text has ${total} bytes, but the demo needs at least ${leastBytes}: give it more with --text FILE`);
  return { bytes: total, heldOut: heldOutShare(documents) };
}

function textPath(folder: string, source: CorpusSource, index: number): string {
  return join(folder, "text", `${sourceName(source, index)}.jsonl`);
}

/** A file name everywhere, whatever a person's own file is called; the number keeps two apart. */
function sourceName({ name }: CorpusSource, index: number): string {
  return `${index + 1}-${name.replace(/[^A-Za-z0-9]+/g, "-").slice(-40)}`;
}

async function raiseTokenizer(
  corpus: readonly CorpusSource[],
  heldOut: number,
  vocabSize: number,
  { progress, signal }: CommandIo,
): Promise<Tokenizer> {
  const seen = async function* () {
    for (const source of corpus) for await (const text of source.documents) if (!isHeldOut(text, heldOut)) yield text;
  };
  return createTokenizer(await trainTokenizer(seen(), { kind: "sentencepiece", vocabSize, onProgress: progress, signal }));
}

function prepareData(
  corpus: readonly CorpusSource[],
  heldOut: number,
  tokenizer: Tokenizer,
  folder: string,
  { progress, signal }: CommandIo,
): Promise<Manifest> {
  const sources = corpus.map((source, i) => {
    const { weight, licence } = source;
    return { name: sourceName(source, i), paths: textPath(folder, source, i), field: "text", weight, licence };
  });
  return prepare({ sources, heldOut, boundaries: "both" }, tokenizer, join(folder, "data"), { progress, signal });
}

function recipeOf({ model, batch, learningRate }: Rung, { steps, seed }: { steps: number; seed: number }, folder: string) {
  const recipe = {
    ...{ data: join(folder, "data"), tokenizer: runPaths(folder).tokenizer, model, steps, batch, learningRate, seed },
    warmupSteps: Math.min(100, Math.ceil(steps / 10)),
    evaluation: { every: steps, tokens: 1 << 24 },
    checkpoints: { every: Math.max(50, Math.ceil(steps / 8)) },
  };
  return parseRecipe(recipe, "the demo's recipe");
}

/** So many steps as fit the time, by running some on random tokens. */
async function countSteps(
  { model, batch }: Rung,
  precision: Precision,
  seconds: number,
  seed: number,
  backend: Backend,
  io: CommandIo,
): Promise<number> {
  io.progress({ task: "measuring a training step", done: 0, unit: "steps" });
  const median = await measureStep(backend, llamaConfig(model), batch, { seed, precision, signal: io.signal });
  return Math.max(20, Math.floor((seconds * margin) / median));
}

async function trainAndSay(
  { folder, backend, recipe, tokenizer, matmulRate }: Prepared,
  io: CommandIo,
  say: Say,
  began: number,
): Promise<TrainSummary> {
  await using data = await PreparedData.open(join(folder, "data"), vocabularyOf(tokenizer));
  const { batch, length, seed } = recipe;
  const batches = new Mixture(data.sources, { batch, length, seed });
  say(`training   the first step begins ${((performance.now() - began) / 1000).toFixed(0)} s after the start`);
  const losses: number[] = [];
  const summary = await trainRun({
    ...{ backend, recipe, folder, batches, signal: io.signal, progress: io.progress },
    heldOut: data.heldOut && { tokens: data.heldOut, bytes: data.heldOut.totals.bytes },
    onStep: (metrics) => {
      losses.push(metrics.loss);
      const note = trainingNote({ ...metrics, matmulShare: metrics.flopsPerSecond / matmulRate });
      io.progress({ task: "training", done: metrics.step, total: metrics.steps, unit: "steps", note });
    },
  });
  if (losses.length > 0) say(`loss       ${losses[0]!.toFixed(2)} ${sparkline(losses, 50)} ${losses.at(-1)!.toFixed(2)}`);
  const rate = summary.tokens / summary.seconds;
  say(`trained    ${summary.step} steps, ${count(summary.tokens)} tokens in ${summary.seconds.toFixed(0)} s (${count(rate)} tokens/s)`);
  return summary;
}

function stopped(folder: string, summary: TrainSummary, io: CommandIo): number {
  const { step, steps } = summary;
  if (!io.json) printStopped(io, `${stoppedText(io.caller, folder, summary)}\n`);
  if (io.json) io.stdout(`${JSON.stringify({ run: folder, step, steps, stopped: true })}\n`);
  return 130;
}

/** Behind training, Ctrl-C loses nothing but what would have been printed. */
async function sayIfStopped<T>(folder: string, io: CommandIo, job: () => Promise<T>): Promise<T> {
  try {
    return await job();
  } catch (error) {
    if (io.signal.aborted)
      io.stderr(`the model is trained and saved in ${folder}; let it write with: ${callAgain(io.caller, "generate", folder, "")}\n`);
    throw error;
  }
}

/** Bits per byte of the held-out text, beside general compressors on the same bytes. */
async function compare(
  { folder, tokenizer }: Prepared,
  { evaluation }: TrainSummary,
  io: CommandIo,
  say: Say,
): Promise<readonly Compression[]> {
  if (!evaluation) return [];
  await using data = await PreparedData.open(join(folder, "data"), vocabularyOf(tokenizer));
  const texts: string[] = [];
  for await (const text of data.heldOutTexts()) texts.push(text);
  const bytes = new TextEncoder().encode(texts.join(""));
  const others = await compressionBaselines(bytes, io.signal);
  const { loss, perplexity, bitsPerByte } = evaluation;
  say(
    `\nheld-out text, ${count(bytes.length)} bytes that training never saw: loss ${loss.toFixed(3)}, perplexity ${perplexity.toFixed(1)}`,
  );
  const rows = [...others, { name: "this model", bitsPerByte }].sort((a, b) => b.bitsPerByte - a.bitsPerByte);
  for (const { name, bitsPerByte: bits } of rows)
    say(`  ${name.padEnd(24)} ${bits.toFixed(3)} bits per byte  ${"▇".repeat(Math.round(bits * 8))}`);
  return others;
}

async function writeSamples(folder: string, backend: Backend, io: CommandIo, say: Say): Promise<{ prompt: string; text: string }[]> {
  await using llama = await Llama.load(folder, { backend, signal: io.signal });
  const samples: { prompt: string; text: string }[] = [];
  say("\nwhat it writes:");
  for (const [seed, prompt] of prompts.entries()) {
    let text = "";
    for await (const piece of llama.generate(prompt, { temperature: 0.7, topP: 0.9, maxTokens: 80, seed, signal: io.signal }))
      text += piece;
    samples.push({ prompt, text });
    say(`\n  ${`${prompt}${text}`.trim().replaceAll("\n", "\n  ")}`);
  }
  return samples;
}

async function whatNext({ folder, tokenizer }: Prepared, steps: number, { texts }: Asked, { caller, width }: CommandIo): Promise<string> {
  await using data = await PreparedData.open(join(folder, "data"), vocabularyOf(tokenizer));
  const prompt = texts.length > 0 ? await promptOf(data, tokenizer) : prompts[0]!;
  const again = (...words: string[]) => callAgain(caller, ...words);
  return [
    `\nsaved in ${folder}, a folder that Hugging Face's tools open as it is. Next:`,
    ...hintLines(
      [
        [again("generate", folder, prompt), "let it write"],
        [again("inspect", folder), "look inside"],
        [again("train", folder, "--resume", "--set", `steps=${2 * steps}`), "train on, twice as long"],
        [again("demo", "--minutes", "30"), "a bigger one, in more time"],
        [again("demo", "--text", "my-own.txt"), "from your own text"],
      ],
      width,
    ),
  ].join("\n");
}

function describe({ name, model }: Rung): string {
  return `${name} parameters: ${model.nLayers} layers, ${model.dim} channels, ${model.nHeads} heads`;
}

function tokensOf(sources: Manifest["sources"]): number {
  return sources.reduce((sum, { tokens }) => sum + tokens, 0);
}

function bytesPerToken({ sources }: Manifest): number {
  return sources.reduce((sum, { bytes }) => sum + bytes, 0) / tokensOf(sources);
}

function mega(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

/** 950, 12.3k, 4.56M. */
function count(value: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 }).format(value);
}
