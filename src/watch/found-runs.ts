// The runs that lie in a folder, and how each stands.
import { stat } from "node:fs/promises";
import { basename, resolve, sep } from "node:path";
import { CriaError, check } from "../base/index.ts";
import { type LlamaConfig, parameterCount } from "../model/index.ts";
import { askedOf, isTraining, type RunMachine, readMachine, readRecipe, runPaths } from "../runs/index.ts";
import { type CompleteRecipe, completeRecipe } from "../train/index.ts";
import { idOf } from "./id-of.ts";
import { MadeOfFile } from "./made-of-file.ts";
import { RunMetrics } from "./run-metrics.ts";
import { walk } from "./walk.ts";

const where = "watch";
/** Folders below the one that is watched in which runs are looked for. */
const mostDepth = 3;
/** Runs that are shown at most, the newest ones. */
const mostRuns = 500;
/** The pace is that of so many last steps. */
const paceSteps = 32;

/** "training": a program computes now; "paused": one stands still because the folder asks for it; "done": all steps are made. */
export type RunState = "training" | "paused" | "stopped" | "done" | "unreadable";

/** A run as a list shows it. */
export interface RunSummary {
  /** The folder's path below the one that is watched, with slashes; "." for that itself. */
  readonly id: string;
  readonly name: string;
  readonly state: RunState;
  /** Why nothing is known of it; only where it is unreadable. */
  readonly problem?: string;
  /** Steps done, and all that it has. */
  readonly step: number;
  readonly steps: number;
  readonly tokens: number;
  /** The last step's, and the last evaluation's; absent where there was none. */
  readonly loss?: number;
  readonly bitsPerByte?: number;
  readonly tokensPerSecond?: number;
  /** Seconds to the last step at the recent pace; only while it trains. */
  readonly eta?: number;
  readonly parameters: number;
  /** What it trains on, where that was written down. */
  readonly machine?: RunMachine;
  /** The recipe's values by dotted key. */
  readonly recipe: Readonly<Record<string, string>>;
  /** Whether the recipe has prompts to write samples behind. */
  readonly hasSamples: boolean;
  /** When its metrics changed last, in milliseconds since 1970. */
  readonly changed: number;
}

/** The folders with a recipe of training in them, at most some levels below `root`, those that began or went on last first, so that runs that train beside each other keep their places. @throws CriaError when `root` cannot be read */
export async function findRuns(root: string): Promise<readonly string[]> {
  const found: { readonly folder: string; readonly begun: number }[] = [];
  await walk(resolve(root), mostDepth, async (folder) => {
    const begun = await timeOf(runPaths(folder).recipe);
    if (begun !== undefined) found.push({ folder, begun });
    return begun === undefined;
  });
  return found
    .sort((a, b) => b.begun - a.begun)
    .slice(0, mostRuns)
    .map(({ folder }) => folder);
}

/** When a file changed last; undefined where there is none. */
async function timeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.mtimeMs;
}

/** A run that is looked at again and again: what its files say is read where they have changed. */
export class WatchedRun {
  readonly folder: string;
  readonly metrics: RunMetrics;
  readonly #recipe: MadeOfFile<RecipeFacts>;
  readonly #machine: MadeOfFile<RunMachine | undefined>;

  constructor(folder: string) {
    const { recipe, metrics, machine } = runPaths(folder);
    this.folder = folder;
    this.metrics = new RunMetrics(metrics);
    this.#recipe = new MadeOfFile(recipe, async () => factsOf(await wholeRecipe(recipe)));
    this.#machine = new MadeOfFile(machine, () => readMachine(folder));
  }

  /** How the run stands. What cannot be read of it is said in the summary. @param root the folder that is watched */
  async summary(root: string): Promise<RunSummary> {
    const { folder, metrics } = this;
    const { recipe: begun, metrics: written } = runPaths(folder);
    const changed = (await timeOf(written)) ?? (await timeOf(begun)) ?? 0;
    const named = { id: idOf(root, folder), name: basename(folder), changed };
    try {
      await metrics.refresh();
      const [recipe, machine] = [await this.#recipe.get(), await this.#machine.get()];
      return { ...named, ...recipe, ...(machine && { machine }), ...(await standOf(folder, recipe.steps, metrics)) };
    } catch (error) {
      if (!(error instanceof CriaError)) throw error;
      const nothing = { step: 0, steps: 0, tokens: 0, parameters: 0, recipe: {}, hasSamples: false };
      return { ...named, ...nothing, state: "unreadable", problem: error.message.replaceAll(`${folder}${sep}`, "") };
    }
  }
}

/** What a summary has of a recipe alone. */
type RecipeFacts = Pick<RunSummary, "steps" | "parameters" | "recipe" | "hasSamples">;

async function wholeRecipe(path: string): Promise<CompleteRecipe> {
  const read = await readRecipe(path);
  const { vocabSize } = read.model;
  check(vocabSize !== undefined, where, () => `${path} names no vocabulary: it is no recipe that training wrote`);
  return completeRecipe(read, vocabSize);
}

function factsOf(recipe: CompleteRecipe): RecipeFacts {
  const { steps, model, samples } = recipe;
  return { steps, parameters: parameterCount(model), recipe: flattened(recipe), hasSamples: samples !== undefined };
}

/** What a summary has of the metrics, and of who trains now. */
async function standOf(folder: string, steps: number, metrics: RunMetrics) {
  const { steps: rows, evaluations } = metrics;
  const lastOf = (values: ArrayLike<number>) => (values.length === 0 ? undefined : values[values.length - 1]);
  const step = lastOf(rows.column("step")) ?? 0;
  const recent = rows.column("seconds").slice(-paceSteps);
  const pace = recent.reduce((sum, seconds) => sum + seconds, 0) / Math.max(1, recent.length);
  const state = await stateOf(folder, step >= steps);
  const [loss, tokensPerSecond] = [lastOf(rows.column("loss")), lastOf(rows.column("tokensPerSecond"))];
  const bitsPerByte = evaluations.at(-1)?.bitsPerByte;
  return {
    ...{ state, step, tokens: lastOf(rows.column("tokens")) ?? 0 },
    ...(loss !== undefined && Number.isFinite(loss) && { loss }),
    ...(bitsPerByte !== undefined && { bitsPerByte }),
    ...(tokensPerSecond !== undefined && { tokensPerSecond }),
    ...(state === "training" && recent.length > 0 && { eta: (steps - step) * pace }),
  };
}

async function stateOf(folder: string, isDone: boolean): Promise<RunState> {
  if (await isTraining(folder)) return (await askedOf(folder)).has("pause") ? "paused" : "training";
  return isDone ? "done" : "stopped";
}

/** What a person may compare of recipes: paths say where a folder lies, not what was trained. */
function flattened({ data: _, tokenizer: __, earlierPlans: ___, ...recipe }: CompleteRecipe): Record<string, string> {
  const rows: [string, string][] = [];
  const walk = (value: unknown, key: string) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      for (const [name, part] of Object.entries(value)) walk(part, key === "" ? name : `${key}.${name}`);
    else if (value !== undefined) rows.push([key, typeof value === "string" ? value : JSON.stringify(value)]);
  };
  walk({ ...recipe, model: recipe.model satisfies LlamaConfig }, "");
  return Object.fromEntries(rows);
}
