// How a run goes on: from which checkpoint, by which recipe, and what of it is other than it was. Each change is either meant or refused.
import { didYouMean, fail, UsageError } from "../base/index.ts";
import {
  type ChangeKind,
  type Checkpoint,
  changeKinds,
  changesSince,
  checkSteps,
  kindOfChange,
  latestCheckpoint,
  type MetricsRow,
  notYetAccepted,
  type Origin,
  readMetrics,
  runPaths,
  settingKey,
} from "../runs/index.ts";
import { type CompleteRecipe, freeChanges, lastSegment, plansAfter, type RecipeChange, recipeChanges, scheduleOf } from "../train/index.ts";
import { isFile } from "./paths.ts";

const where = "train";

/** How a run goes on. */
export interface ResumePlan {
  readonly recipe: CompleteRecipe;
  /** Absent where nothing was saved yet: the run begins with its first step. */
  readonly checkpoint: Checkpoint | undefined;
  /** Lines for people, one per thing that is other than it was, with what that does. */
  readonly changed: readonly string[];
}

/** What the command line asks of a run that goes on. */
export interface ResumeWishes {
  /** What --set says. */
  readonly settings: readonly string[];
  /** What --accept-changes names. */
  readonly accepts: ReadonlySet<ChangeKind>;
}

/** @throws UsageError for what is no kind of change */
export function readAccepts(flag: string | undefined): ReadonlySet<ChangeKind> {
  const names = (flag ?? "").split(",").filter((name) => name !== "");
  for (const name of names)
    if (!(changeKinds as readonly string[]).includes(name))
      throw new UsageError(
        where,
        `--accept-changes has "${name}"${didYouMean(name, changeKinds) || `: there is ${changeKinds.join(", ")}, several with commas`}`,
      );
  return new Set(names as ChangeKind[]);
}

/**
 * @param written the recipe in the run folder
 * @param asked the same, or the recipe named instead, with --set
 * @throws CriaError for a change of the recipe that is not meant
 */
export async function planResume(
  folder: string,
  written: CompleteRecipe,
  asked: CompleteRecipe,
  wishes: ResumeWishes,
): Promise<ResumePlan> {
  const checkpoint = await latestCheckpoint(runPaths(folder).checkpoints);
  const began = withPrecision(written);
  if (checkpoint === undefined) {
    const recipe = withPrecision(asked, began);
    return { recipe, checkpoint, changed: describeChanges(folder, recipeChanges(began, recipe), freeChanges(began, recipe), wishes) };
  }
  const { step, recipe: saved } = checkpoint.state;
  checkSteps(asked, checkpoint);
  const rows = await metricsOf(folder);
  const base = withPrecision(saved);
  const isAccepted = notYetAccepted(recipeChanges(base, began), rows, step).length === 0;
  const recipe = lengthened(isAccepted ? began : base, withPrecision(asked, began), step, wishes.settings);
  const changes = notYetAccepted(recipeChanges(base, recipe), rows, step);
  const changed = describeChanges(folder, changes, freeChanges(began, recipe), wishes);
  return { recipe, checkpoint, changed: [...changed, ...(changes.some(isOfLength) ? describeRate(recipe) : [])] };
}

/** @throws CriaError for another target or other data than the checkpoint's, unless that is accepted */
export async function checkOrigin(
  folder: string,
  { state }: Checkpoint,
  origin: Origin,
  { accepts }: Pick<ResumeWishes, "accepts">,
): Promise<void> {
  const { recipe, step } = state;
  const changes = notYetAccepted(changesSince(state, { recipe, origin }), await metricsOf(folder), step);
  for (const change of changes.filter((one) => !accepts.has(kindOfChange(one)))) fail(where, refuse(folder, step, change));
}

function refuse(folder: string, step: number, { key, before, now }: RecipeChange): string {
  if (key === "target")
    return `${folder} was trained on ${before} up to step ${step} but would go on here on ${now}, which rounds otherwise: go on where there is ${before}, or with --accept-changes target`;
  const name = key.slice("data.".length);
  const what = before === undefined ? "were not there" : now === undefined ? "are gone" : `have fingerprint ${now} but had ${before}`;
  return `${folder}: the shards of "${name}" ${what} when step ${step} was trained: restore them, or go on with --accept-changes data`;
}

/**
 * A run goes on in the precision that it began with, also where another one is the faster now. Where its recipe does not say which, it began before
 * there was a choice.
 */
function withPrecision(recipe: CompleteRecipe, began?: CompleteRecipe): CompleteRecipe {
  return recipe.precision === "auto" ? { ...recipe, precision: began?.precision ?? "float32" } : recipe;
}

/** Another length keeps the first warm-up, and the rates of what is done. */
function lengthened(before: CompleteRecipe, asked: CompleteRecipe, step: number, settings: readonly string[]): CompleteRecipe {
  const told = settings.map(settingKey);
  const warmupSteps = asked.steps === before.steps || told.includes("warmupSteps") ? asked.warmupSteps : before.warmupSteps;
  if (told.some((key) => key.startsWith("earlierPlans"))) return { ...asked, warmupSteps };
  const { earlierPlans: _, ...recipe } = { ...asked, warmupSteps };
  const plans = plansAfter(step, asked.steps, scheduleOf(before));
  return plans.length === 0 ? recipe : { ...recipe, earlierPlans: plans };
}

/**
 * @param others changes that give the same numbers, which need nobody's word
 * @throws CriaError for the first change that is not meant
 */
function describeChanges(
  folder: string,
  changes: readonly RecipeChange[],
  others: readonly RecipeChange[],
  { settings, accepts }: ResumeWishes,
): string[] {
  const told = settings.map(settingKey);
  const isMeant = ({ key }: RecipeChange) =>
    accepts.has("recipe") || told.some((one) => key === one || key.startsWith(`${one}.`) || followsFrom(key, one));
  for (const change of changes) {
    const text = describe(change);
    if (change.key.startsWith("model."))
      fail(where, `the recipe changed since ${folder} was begun, ${text}: a run keeps its model, begin a new one with --out`);
    if (!isMeant(change))
      fail(
        where,
        `the recipe changed since ${folder} was begun, ${text}: restore it, or say --set ${change.key}=${change.now}, or go on with --accept-changes recipe`,
      );
  }
  const shown = [...changes, ...others].filter(({ key }) => !key.startsWith("earlierPlans")).map(describe);
  return shown.length === 0 ? [] : [`changed: ${shown.join(", ")}`];
}

function describe({ key, before, now }: RecipeChange): string {
  return `${key} from ${before ?? "nothing"} to ${now ?? "nothing"}`;
}

/** Steps may come from tokens, and the warm-up and the plans before from steps. */
function followsFrom(key: string, told: string): boolean {
  return ["steps", "tokens"].includes(told) && ["steps", "warmupSteps", "earlierPlans"].includes(key.split(".")[0]!);
}

function isOfLength({ key }: RecipeChange): boolean {
  return key === "steps" || key.startsWith("earlierPlans");
}

/** What a change of length does to the learning rate. */
function describeRate(recipe: CompleteRecipe): string[] {
  const segment = lastSegment(scheduleOf(recipe));
  if (segment === undefined) return [];
  const { step, from, warmupSteps, top } = segment;
  const rate = (value: number) => value.toPrecision(3);
  const up = warmupSteps === 0 ? "" : ` warms up again to ${rate(top)} in ${warmupSteps} ${warmupSteps === 1 ? "step" : "steps"} and`;
  const end = `${rate(recipe.learningRate * recipe.finalShare)} in step ${recipe.steps}`;
  return [`learning rate: goes on from ${rate(from)} in step ${step},${up} falls to ${end}`];
}

async function metricsOf(folder: string): Promise<readonly MetricsRow[]> {
  const { metrics } = runPaths(folder);
  return (await isFile(metrics)) ? readMetrics(metrics) : [];
}
