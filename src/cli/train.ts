// cria train: a recipe and prepared data to a run folder, or further along one that was stopped.
import { basename, extname, join, resolve } from "node:path";
import type { Backend } from "../backend/index.ts";
import { check, UsageError } from "../base/index.ts";
import { type SourceProgress, vocabularyOf } from "../batches/index.ts";
import { PreparedData } from "../corpus/index.ts";
import { parameterCount } from "../model/index.ts";
import {
  type ChangeKind,
  type Checkpoint,
  checkUnused,
  findRecipe,
  hasCheckpoints,
  latestCheckpoint,
  ownTokenizer,
  readRecipe,
  runPaths,
  settingKey,
  startRunFolder,
  type TrainSummary,
  trainRun,
  writeRecipe,
} from "../runs/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import {
  type CheckedMemory,
  type CompleteRecipe,
  checkMemory,
  completeRecipe,
  recipeChanges,
  type StepMetrics,
  settlePrecision,
  trainerOptions,
  type WholeRecipe,
} from "../train/index.ts";
import { count, describeMemory } from "./amounts.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { reportRun } from "./finish-run.ts";
import { callAgain, promptOf } from "./hints.ts";
import { trainingNote } from "./live-line.ts";
import { type LoadIo, loadTokenizer } from "./load-tokenizer.ts";
import { openBackend } from "./open-backend.ts";
import { isFile, isFolder } from "./paths.ts";
import { refuseDataRecipe } from "./recipe-kinds.ts";
import { checkOrigin, planResume, readAccepts } from "./resume-plan.ts";
import { printStopped, stoppedText } from "./stopped-text.ts";
import { areTexts, trainOnText, trainTextFlags } from "./train-text.ts";

const where = "train";

/** A test reads it as a recipe. */
const exampleRecipe = `\
data: data                    # what cria data prepare made; paths are relative to the recipe
tokenizer: tokenizer.json     # the one it was made with
model: { preset: 5M }         # or sizes: { dim: 256, nLayers: 5, nHeads: 8 }, or both
                              # and what LLaMA's relatives have: headDim, qkvBias, attentionOutputBias, ffnBias,
                              # qkNorm, slidingWindow, slidingLayers, ropeLayers, ropeScaling
steps: 2000                   # or tokens: 4_000_000
batch: 8                      # sequences per step
precision: auto               # of matrix products: float32, bfloat16, or whichever is faster here
learningRate: 1e-3            # the peak of the schedule
documentMask: false           # true: documents in a sequence do not see each other
evaluation: { every: 250 }    # steps
checkpoints: { every: 250 }   # steps
samples: { prompts: [Once upon a time], every: 250 }   # what the model writes as it learns
`;

/** The command `cria train`. */
export const train: Command = {
  name: "train",
  summary: "train a model on texts or by a recipe, or go on with a run that was stopped",
  usage: "TEXT...|RECIPE.yaml|RUN [--minutes M] [--out DIR] [--resume [--accept-changes LIST]] [--dry-run] [--set key=value]...",
  flags: [
    {
      name: "out",
      type: "string",
      value: "DIR",
      help: "the run folder (default: runs/ and the name of the recipe or text; beside an earlier run of a text runs/NAME-2, …)",
    },
    ...trainTextFlags,
    { name: "resume", type: "boolean", help: "go on from the run's newest checkpoint" },
    { name: "dry-run", type: "boolean", help: "say what would be trained and the memory that it takes, and stop" },
    {
      name: "accept-changes",
      type: "string",
      value: "LIST",
      help: "with --resume: go on although these changed since the checkpoint: recipe, data, target (what computes); logged in metrics.jsonl",
    },
    { name: "set", type: "string", repeat: true, help: "change a key of the recipe, such as learningRate=3e-4 or model.nLayers=4" },
  ],
  example: { title: "a recipe (RUN/train.yaml shows all keys that have a value)", text: exampleRecipe },
  async run(args, flags, io) {
    if (flags["accept-changes"] !== undefined && flags.resume !== true)
      throw new UsageError(where, "--accept-changes is for a run that goes on: add --resume, or leave it out");
    if (await areTexts(args, flags)) return trainOnText(args, flags, io);
    const plan = await readPlan(args, flags, io);
    const ended = await runPlan(plan, io, flags["dry-run"] === true);
    if (ended === undefined) return 0;
    const text = io.json ? asJson(plan.folder, ended) : asText(plan.folder, ended, io);
    if (ended.summary.stopped) printStopped(io, text);
    else io.stdout(text);
    return 0;
  },
};

/** What the words of the command line ask for. */
interface Plan {
  readonly folder: string;
  readonly recipe: CompleteRecipe;
  readonly tokenizer: Tokenizer;
  /** Whether the run folder stands; without a checkpoint in it the run begins with its first step. */
  readonly resume: boolean;
  /** Where a run goes on. */
  readonly checkpoint?: Checkpoint | undefined;
  /** Lines for people: what is other than it was in a run that goes on. */
  readonly changed: readonly string[];
  readonly accepts: ReadonlySet<ChangeKind>;
  /** A line for people: why it is another plan than the words alone say. */
  readonly notice?: string;
}

async function readPlan(args: readonly string[], flags: Flags, io: CommandIo): Promise<Plan> {
  const [given, ...more] = args;
  if (given === undefined || more.length > 0) {
    const problem = given === undefined ? "no path is given" : `${args.length} paths are given`;
    throw new UsageError(where, `${problem}: name texts, or one recipe, or the folder of one run to go on with`);
  }
  const settings = flags.set as readonly string[];
  const resume = flags.resume === true;
  const accepts = readAccepts(flags["accept-changes"] as string | undefined);
  if (resume && settings.some((setting) => settingKey(setting) === "tokenizer"))
    throw new UsageError(where, "--set tokenizer: a run goes on with the tokenizer in its folder: leave it out, or begin a new run");
  const isRun = await isFolder(given);
  if (isRun && !resume) throw new UsageError(where, `${given} is a folder: name a recipe, or add --resume to go on with the run in it`);
  if (isRun && flags.out !== undefined) throw new UsageError(where, `--out is ${flags.out} but the run is ${given}: leave it out`);
  const folder = isRun ? given : ((flags.out as string | undefined) ?? join("runs", basename(given, extname(given))));
  const made = await findRecipe(folder);
  const isThere = (await isFile(made.path)) || (!isRun && (await isLeftover(folder)));
  check(!resume || isThere, where, () => `${folder}: there is no run to go on with: name the folder of one`);
  if (!isRun) await refuseDataRecipe(given, where, io);
  const asked = isRun ? await readMade(folder, settings, io) : await readWhole(given, settings, io);
  const anew = { folder, ...asked, resume: false, changed: [], accepts };
  if (!resume && !(await isUnsaved(folder))) return anew;
  if (resume && (made.isBegun || (!isRun && (await isLeftover(folder)))))
    return { ...anew, notice: `${folder}: its making was cut short, so it is made again` };
  const { recipe: written } = await readMade(folder, [], { ...io, stderr: () => undefined });
  if (!resume && recipeChanges(written, { ...asked.recipe, precision: written.precision }).length > 0) return anew;
  const notice = resume ? {} : { notice: `${folder}: the run was killed before it saved anything, so it begins anew` };
  return {
    folder,
    ...asked,
    ...(await planResume(folder, written, asked.recipe, { settings, accepts })),
    resume: true,
    accepts,
    ...notice,
  };
}

/** Whether a run stands in a folder that has saved nothing yet: beginning anew is all that it can do. */
async function isUnsaved(folder: string): Promise<boolean> {
  const { recipe, checkpoints } = runPaths(folder);
  return (await isFile(recipe)) && !(await hasCheckpoints(checkpoints));
}

/** Whether a folder is there in which a run was to be made, and nothing of it is. */
async function isLeftover(folder: string): Promise<boolean> {
  return (
    (await isFolder(folder)) &&
    checkUnused(folder).then(
      () => true,
      () => false,
    )
  );
}

/** The recipe of the run in a folder, under its final name where another program ends making the folder between the look and the reading. */
async function readMade(folder: string, settings: readonly string[], io: LoadIo): Promise<Pick<Plan, "recipe" | "tokenizer">> {
  const { path, isBegun } = await findRecipe(folder);
  try {
    return await readWhole(path, settings, io);
  } catch (error) {
    if (!isBegun || (await isFile(path))) throw error;
    return readWhole(runPaths(folder).recipe, settings, io);
  }
}

async function readWhole(path: string, settings: readonly string[], io: LoadIo): Promise<Pick<Plan, "recipe" | "tokenizer">> {
  const recipe = await readRecipe(path, settings);
  const tokenizer = await loadTokenizer(recipe.tokenizer, io);
  return { recipe: completeRecipe(recipe, tokenizer.vocabSize), tokenizer };
}

interface Ended {
  readonly summary: TrainSummary;
  /** How far what is saved has walked through each source since the beginning. */
  readonly sources: readonly SourceProgress[];
  /** A prompt in the language of the text, to try the model with. */
  readonly prompt: string;
  /** The path of report.html; absent where the run was stopped, or nothing draws charts. */
  readonly report: string | undefined;
}

/** @param dryRun ends before anything is trained or written, with nothing to return */
async function runPlan(plan: Plan, io: CommandIo, dryRun: boolean): Promise<Ended | undefined> {
  const { folder, tokenizer, recipe: asked } = plan;
  const onNotice = (text: string) => io.stderr(`${text}\n`);
  if (plan.notice !== undefined) onNotice(plan.notice);
  if (!plan.resume) await checkUnused(folder);
  await using data = await PreparedData.open(asked.data, vocabularyOf(tokenizer));
  const { batch, length, seed, documentMask, threads } = asked;
  const batches = data.mixture({ batch, length, seed, documentMask });
  const beginning = batches.state;
  const { checkpoint } = plan;
  await using backend = await openBackend(io, threads === undefined ? {} : { threads });
  const origin = { target: backend.target, data: await data.fingerprints() };
  if (checkpoint) await checkOrigin(folder, checkpoint, origin, plan);
  const settled = await settlePrecision(asked, backend);
  const onMemory = (memory: CheckedMemory) => {
    if (!io.json) io.stdout(introduce(plan, settled, data, backend, memory));
  };
  if (dryRun) {
    const memory = checkMemory(backend, trainerOptions(settled, data.heldOut !== undefined));
    onMemory(memory);
    if (io.json) io.stdout(`${JSON.stringify({ run: folder, dryRun: true, ...sizesOf(settled), memory }, null, 2)}\n`);
    return undefined;
  }
  const heldOut = data.heldOut && { tokens: data.heldOut, bytes: data.heldOut.totals.bytes };
  const recipe = { ...settled, tokenizer: resolve(ownTokenizer(folder, tokenizer.model)) };
  const onReady = () => writeDown(plan, settled);
  const summary = await trainRun({
    backend,
    recipe,
    folder,
    batches,
    heldOut,
    checkpoint,
    origin,
    tokenizer,
    onMemory,
    onReady,
    onNotice,
    signal: io.signal,
    ...reports(io),
  });
  const saved = await latestCheckpoint(runPaths(folder).checkpoints);
  batches.restore(saved?.state.data ?? beginning); // it has read ahead
  const report = summary.stopped ? undefined : await reportRun(folder, data, tokenizer, backend, io);
  return { summary, sources: batches.progress, prompt: await promptOf(data, tokenizer), report };
}

/** A run that cannot begin leaves no folder, and one that cannot go on keeps its recipe. */
async function writeDown({ folder, tokenizer, resume, changed }: Plan, recipe: WholeRecipe): Promise<void> {
  if (!resume) {
    await checkUnused(folder); // once more: another one may have begun meanwhile
    await startRunFolder(folder, recipe, tokenizer.model);
  } else if (changed.length > 0)
    await writeRecipe(runPaths(folder).recipe, { ...recipe, tokenizer: resolve(ownTokenizer(folder, tokenizer.model)) });
}

function reports(io: CommandIo) {
  return {
    progress: io.progress,
    onStep: (metrics: StepMetrics) =>
      io.progress({ task: "training", done: metrics.step, total: metrics.steps, unit: "steps", note: trainingNote(metrics) }),
    onEvaluation: (step: number, evaluation: NonNullable<TrainSummary["evaluation"]>) => {
      if (!io.json) io.stdout(`step ${step}: ${describe(evaluation)}\n`);
    },
  };
}

function introduce(
  { folder, changed, checkpoint }: Plan,
  { model, steps, batch, accumulation, length, precision }: WholeRecipe,
  data: PreparedData,
  backend: Backend,
  memory: CheckedMemory,
): string {
  const parameters = count(parameterCount(model));
  const sources = data.sources.map(({ name, tokens }) => `${name} ${count(tokens.length)}`).join(", ");
  return lines([
    `${folder}: ${parameters} parameters, ${steps} steps of ${batch * accumulation} × ${length} tokens, in ${precision} on ${backend.name}`,
    `tokens: ${sources}${data.heldOut ? `; held out ${count(data.heldOut.length)}` : "; none held out"}`,
    `memory: ${describeMemory(memory)}`,
    ...changed,
    ...(checkpoint ? [goingOn(checkpoint.state.step, steps)] : []),
  ]);
}

function goingOn(step: number, steps: number): string {
  return step < steps ? `going on from step ${step}` : `all ${steps} steps are done: more of them go on, as --set steps=${2 * steps}`;
}

/** The last evaluation was told when it was made. */
function asText(folder: string, { summary, sources, prompt, report }: Ended, { caller }: CommandIo): string {
  const { step, tokens, loss, stopped, checkpoint, seconds } = summary;
  if (checkpoint === undefined && step === 0) return lines(["stopped before the first step: nothing was written"]);
  const done = `${step - summary.started} steps in ${seconds.toFixed(1)} s, ${count(tokens)} tokens since the beginning`;
  return lines([
    `trained ${done}${loss === undefined ? "" : `; loss ${loss.toFixed(3)}`}`,
    `read: ${sources.map(({ name, tokensSeen, epochs }) => `${name} ${count(tokensSeen)} tokens, ${epochs.toFixed(2)} epochs`).join("; ")}`,
    ...(stopped ? [stoppedText(caller, folder, summary)] : []),
    ...(report === undefined ? [] : [`its story in pictures: ${report}`]),
    ...(checkpoint === undefined ? [] : [`try it: ${callAgain(caller, "generate", folder, prompt)}`]),
  ]);
}

function describe({ loss, perplexity, bitsPerByte }: NonNullable<TrainSummary["evaluation"]>): string {
  return `held-out loss ${loss.toFixed(3)}, perplexity ${perplexity.toPrecision(4)}, ${bitsPerByte.toFixed(3)} bits per byte`;
}

function asJson(run: string, { summary, sources, report }: Ended): string {
  return `${JSON.stringify({ run, ...summary, sources, report }, null, 2)}\n`;
}

/** What `--dry-run --json` says of a run. */
function sizesOf({ model, steps, batch, accumulation, length, precision }: WholeRecipe) {
  return { parameters: parameterCount(model), steps, batch, accumulation, length, precision };
}

function lines(parts: readonly string[]): string {
  return parts.map((part) => `${part}\n`).join("");
}
