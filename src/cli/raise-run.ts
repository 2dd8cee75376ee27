// What `cria demo` and `cria train TEXT` share: a text and some minutes become a trained model, told step by step, with a report and what to do next.
import { join } from "node:path";
import type { Backend } from "../backend/index.ts";
import { fail } from "../base/index.ts";
import { vocabularyOf } from "../batches/index.ts";
import { type Manifest, PreparedData } from "../corpus/index.ts";
import { parameterCount } from "../model/index.ts";
import {
  betterBefore,
  type Compression,
  checkTime,
  dropEmptyText,
  type FolderWish,
  giveUpFolder,
  meansFor,
  measureMatmul,
  type PlannedRun,
  planRun,
  raiseTokenizer,
  type Sample,
  surveyText,
  type TimeBudget,
  trainInTime,
  trainingSeconds,
  writingSeconds,
} from "../raise/index.ts";
import { type EvaluationRow, isStepRow, readMetrics, runPaths, type SamplesRow, startRunFolder, type TrainSummary } from "../runs/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { CheckedMemory, StepMetrics, WholeRecipe } from "../train/index.ts";
import { count, describeMemory } from "./amounts.ts";
import type { CommandIo } from "./command.ts";
import { compressHeldOut, reportOrNote, writeSamples } from "./finish-run.ts";
import { callAgain, type Hint, hintLines } from "./hints.ts";
import { trainingNote } from "./live-line.ts";
import type { RunText } from "./run-text.ts";
import { sparkline } from "./sparkline.ts";
import { printStopped, stoppedText } from "./stopped-text.ts";
import { tellNotes } from "./text-flags.ts";

/** What a text is to be raised to a model with. */
export interface RaiseRequest {
  /** Who asks, for messages. */
  readonly where: string;
  readonly budget: TimeBudget;
  /** Whether the recipe's steps are as asked, so that the time plays no part. */
  readonly hasSteps: boolean;
  readonly seed: number;
  readonly settings: readonly string[];
  readonly wish: FolderWish;
  /** Claimed by the wish. */
  readonly folder: string;
  /** Gathers the text, and tells about it where it takes long. */
  openText(): Promise<RunText>;
  /** Beginnings to go on from, such as the first words of held-out documents. */
  prompts(data: PreparedData, tokenizer: Tokenizer): Promise<readonly string[]>;
  /** What to do next besides letting the model write, looking into it and training on. */
  readonly hints: readonly Hint[];
}

/** Prompts that the model writes behind while it is trained. */
const shownPrompts = 2;
/** Characters of what it writes then, on a line. */
const shownCharacters = 100;

/** Bytes of text: less teaches nothing and leaves nothing to measure on. */
const leastBytes = 10_000;

type Say = (text: string) => void;

/** Prints lines for people, and none where the result is JSON. */
function sayTo(io: CommandIo): Say {
  return (text) => (io.json ? undefined : io.stdout(`${text}\n`));
}

/** @returns the exit code */
export async function raiseRun(request: RaiseRequest, backend: Backend, io: CommandIo): Promise<number> {
  const say = sayTo(io);
  const prepared = await leaveNothing(request, io, () => prepareRun(request, backend, io));
  const { folder } = request;
  await using data = await PreparedData.open(join(folder, "data"), vocabularyOf(prepared.tokenizer));
  const summary = await trainAndSay(request, prepared, data, backend, io);
  if (io.signal.aborted) return stopped(folder, summary, io);
  const { prompts } = prepared;
  const samples = await sayIfStopped(folder, io, async () => {
    compare(prepared, summary, say);
    say("\nwhat it writes:");
    const onSample = ({ prompt, text }: Sample) => say(`\n  ${`${prompt}${text}`.trim().replaceAll("\n", "\n  ")}`);
    return writeSamples(folder, prompts, { backend, seconds: writingSeconds, signal: io.signal }, onSample);
  });
  const { texts, compression } = prepared;
  const better = betterBefore(await readMetrics(runPaths(folder).metrics));
  const isWorthwhile = better === undefined && prepared.bound !== "text";
  const notes = better === undefined ? [] : [byHeart(better)];
  const report = await reportOrNote(folder, { machine: backend.name, texts, samples, compression, notes }, io);
  for (const note of notes) say(`\n${note}`);
  say(whatNext(request, { ...summary, report }, prompts[0] ?? "", isWorthwhile, io));
  if (io.json) io.stdout(`${JSON.stringify({ run: folder, ...summary, compression, samples, report }, null, 2)}\n`);
  return 0;
}

/** What ends before there is anything to go on with leaves no folder behind. */
async function leaveNothing<T>({ folder, wish }: RaiseRequest, io: CommandIo, job: () => Promise<T>): Promise<T> {
  try {
    return await job();
  } catch (error) {
    await giveUpFolder(folder, wish);
    if (io.signal.aborted) io.stderr("nothing was trained yet, so nothing is kept: start again when you like\n");
    throw error;
  }
}

interface Prepared extends Omit<PlannedRun, "recipe"> {
  readonly recipe: WholeRecipe;
  readonly tokenizer: Tokenizer;
  readonly texts: readonly string[];
  /** What the model goes on from, while it is trained and afterwards. */
  readonly prompts: readonly string[];
  /** Bytes of the held-out text that {@link compression} is about. */
  readonly heldOutBytes: number;
  readonly compression: readonly Compression[];
  /** FLOP/s of a large matrix product in the recipe's precision. */
  readonly matmulRate: number;
}

async function prepareRun(request: RaiseRequest, backend: Backend, io: CommandIo): Promise<Prepared> {
  const say = sayTo(io);
  const { folder, budget, where, seed, settings, hasSteps } = request;
  await using text = await request.openText();
  if (!hasSteps) checkTime(budget, text.textBytes, where);
  const survey = await surveyText(text.all("reading the text"));
  if (survey.bytes < leastBytes)
    fail(where, `the text has ${survey.bytes} bytes, but a model needs at least ${leastBytes}, some five pages: give it more`);
  if (!hasSteps && survey.bytes > text.textBytes) checkTime(budget, survey.bytes, where); // packed tighter than usual
  const float = await measureMatmul(backend, io.signal);
  say(`machine    ${backend.name}; matrix products ${(float / 1e9).toFixed(1)} GFLOP/s`);
  for (const line of text.lines) say(`text       ${line}`);
  tellNotes(await text.notes(), io);
  const means = meansFor(float, Math.max(0, budget.left - writingSeconds), survey.bytes);
  const tokenizer = await raiseTokenizer(text.training("counting words"), survey, means, io);
  const manifest = await text.prepare(tokenizer, join(folder, "data"));
  say(
    `tokenizer  ${tokenizer.model.kind}, ${tokenizer.vocabSize} pieces, ${bytesPerToken(manifest).toFixed(2)} bytes per token; ${count(tokensOf(manifest.sources))} tokens in shards`,
  );
  // The held-out text is compressed before training, so that how long it takes is known when the steps are counted.
  const { heldOutBytes, compression, prompts } = await lookAtPrepared(request, tokenizer, io);
  const seconds = () => (hasSteps ? Number.POSITIVE_INFINITY : trainingSeconds(budget, where));
  const { signal, progress } = io;
  const planned = await planRun(
    { backend, folder, seed, settings, prompts: prompts.slice(0, shownPrompts), signal, progress },
    means,
    { tokenizer, manifest },
    seconds,
  );
  const recipe = await startRunFolder(folder, planned.recipe, tokenizer.model);
  await dropEmptyText(folder);
  const { precision } = recipe;
  say(`model      ${describeModel(recipe)}; ${describeSteps(planned)}`);
  const matmulRate = precision === "float32" ? float : await measureMatmul(backend, signal, precision);
  return { ...planned, recipe, tokenizer, texts: text.lines.map((line) => line.trim()), prompts, heldOutBytes, compression, matmulRate };
}

async function lookAtPrepared({ folder, prompts }: RaiseRequest, tokenizer: Tokenizer, { signal }: CommandIo) {
  await using data = await PreparedData.open(join(folder, "data"), vocabularyOf(tokenizer));
  const { bytes: heldOutBytes, compression } = await compressHeldOut(data, signal);
  return { heldOutBytes, compression, prompts: await prompts(data, tokenizer) };
}

async function trainAndSay(
  request: RaiseRequest,
  { recipe, tokenizer, matmulRate, mostSteps, evaluationSeconds }: Prepared,
  data: PreparedData,
  backend: Backend,
  io: CommandIo,
): Promise<TrainSummary> {
  const say = sayTo(io);
  const { folder, budget, hasSteps } = request;
  const { signal, progress } = io;
  let isCounted = false;
  const job = {
    onMemory: (memory: CheckedMemory) => {
      isCounted = true;
      say(`memory     ${describeMemory(memory)}`);
      say(`training   the first step begins ${budget.spent.toFixed(0)} s after the start`);
    },
    ...{ backend, recipe, folder, tokenizer, matmulRate, signal, progress, mostSteps, evaluationSeconds, sources: data.sources },
    onSamples: ({ step, samples: [first] }: SamplesRow) => {
      if (first !== undefined && step < recipe.steps) say(`step ${step}`.padEnd(11) + onOneLine(`${first.prompt}${first.text}`));
    },
    onNotice: (text: string) => say(`note       ${text}`),
    heldOut: data.heldOut && { tokens: data.heldOut, bytes: data.heldOut.totals.bytes },
    origin: { target: backend.target, data: await data.fingerprints() },
    secondsLeft: hasSteps ? undefined : () => budget.left - writingSeconds,
    onStep: (metrics: StepMetrics) => {
      const note = trainingNote({ ...metrics, matmulShare: metrics.flopsPerSecond / matmulRate });
      progress({ task: "training", done: metrics.step, total: metrics.steps, unit: "steps", note });
    },
    onReplan: (step: number, before: number, now: number) => {
      const change = now < before ? "slower" : "faster";
      say(`replanned  ${now} steps instead of ${before}: at step ${step} the machine is ${change} than when they were counted`);
    },
  };
  const summary = await trainInTime(job).catch(async (error: unknown) => {
    if (!isCounted) await giveUpFolder(folder, request.wish); // too little memory: there is nothing to go on with
    throw error;
  });
  if (summary.stopped && summary.checkpoint === undefined && summary.step === 0) return summary;
  const losses = (await readMetrics(runPaths(folder).metrics)).filter(isStepRow).map(({ loss }) => loss);
  if (losses.length > 0) say(`loss       ${losses[0]!.toFixed(2)} ${sparkline(losses, 50)} ${losses.at(-1)!.toFixed(2)}`);
  const rate = summary.tokens / summary.seconds;
  say(`trained    ${summary.step} steps, ${count(summary.tokens)} tokens in ${summary.seconds.toFixed(0)} s (${count(rate)} tokens/s)`);
  return summary;
}

function onOneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= shownCharacters ? line : `${line.slice(0, shownCharacters)}…`;
}

function stopped(folder: string, summary: TrainSummary, io: CommandIo): number {
  const { step, steps } = summary;
  if (!io.json) printStopped(io, `${stoppedText(io.caller, folder, summary)}\n`);
  if (io.json) io.stdout(`${JSON.stringify({ run: folder, step, steps, stopped: true })}\n`);
  return 130;
}

/** Ctrl-C after training loses nothing but what would have been printed. */
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
function compare({ heldOutBytes, compression }: Prepared, { evaluation }: TrainSummary, say: Say): void {
  if (!evaluation) return;
  const { loss, perplexity, bitsPerByte } = evaluation;
  say(
    `\nheld-out text, ${count(heldOutBytes)} bytes that training never saw: loss ${loss.toFixed(3)}, perplexity ${perplexity.toFixed(1)}`,
  );
  const rows = [...compression, { name: "this model", bitsPerByte }].sort((a, b) => b.bitsPerByte - a.bitsPerByte);
  for (const { name, bitsPerByte: bits } of rows)
    say(`  ${name.padEnd(24)} ${bits.toFixed(3)} bits per byte  ${"▇".repeat(Math.round(bits * 8))}`);
}

function byHeart({ step, heldOutLoss }: EvaluationRow): string {
  return `held-out loss was lower before, ${heldOutLoss.toFixed(3)} at step ${step}: the model learns its text by heart, and more text would help, not more steps`;
}

/** @param isWorthwhile whether more steps on the same text may help */
function whatNext(
  { folder, hints }: RaiseRequest,
  { steps, report = "" }: Pick<TrainSummary, "steps"> & { readonly report: string | undefined },
  prompt: string,
  isWorthwhile: boolean,
  { caller, width }: CommandIo,
): string {
  const again = (...words: string[]) => callAgain(caller, ...words);
  const rows: Hint[] = [
    [again("generate", folder, prompt), "let it write"],
    [again("inspect", folder), "look inside"],
    ...(isWorthwhile
      ? [[again("train", folder, "--resume", "--set", `steps=${2 * steps}`), "train on, twice as long"] as const, ...hints]
      : []),
  ];
  const saved = `saved in ${folder}, a folder that Hugging Face's tools open as it is${report && `; its report is ${report}`}`;
  return [`\n${saved}. Next:`, ...hintLines(rows, width)].join("\n");
}

function describeModel({ model }: WholeRecipe): string {
  return `${(parameterCount(model) / 1e6).toPrecision(2)}M parameters: ${model.nLayers} layers, ${model.dim} channels, ${model.nHeads} heads`;
}

function describeSteps({ recipe, bound }: PlannedRun): string {
  const { steps, batch, accumulation, length, precision } = recipe;
  const tokens = steps * batch * accumulation * length;
  const why = bound === "text" ? "; more passes over so little text would only learn it by heart" : "";
  return `${steps} steps of ${batch * accumulation} × ${length} tokens, ${count(tokens)} in all, in ${precision}${why}`;
}

function tokensOf(sources: Manifest["sources"]): number {
  return sources.reduce((sum, { tokens }) => sum + tokens, 0);
}

function bytesPerToken({ sources }: Manifest): number {
  return sources.reduce((sum, { bytes }) => sum + bytes, 0) / tokensOf(sources);
}
