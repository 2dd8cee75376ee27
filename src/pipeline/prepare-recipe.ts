// All of a recipe on one machine: its sources cleaned, where they have steps, and tokens made of what stays, in a prepared folder.
import { check } from "../base/index.ts";
import type { TextTokenizer } from "../batches/index.ts";
import { type DataRecipe, type Manifest, openCorpus, prepareCorpus } from "../corpus/index.ts";
import { openRecipeJob } from "./clean-recipe.ts";
import { type CleanedTexts, cleanedTexts } from "./cleaned.ts";
import type { OpenJobOptions } from "./open-job.ts";
import type { SourceReport } from "./report.ts";
import { type RunOptions, runPhases } from "./run-phases.ts";
import { TokenPhase, type TokenPhaseOptions } from "./tokens.ts";

const where = "data";

/** What a preparation made. */
export interface PreparedRecipe {
  readonly manifest: Manifest;
  /** What was done source by source; empty where no source has steps. */
  readonly cleaned: readonly CleanedTexts[];
  /** Sentences for people. */
  readonly notes: readonly string[];
}

/** Where a recipe's files and those on the way are, and how the work runs. */
export interface PrepareRecipeOptions extends OpenJobOptions, TokenPhaseOptions, Pick<RunOptions, "memory"> {
  /** Writes other files into the folder before it appears, where sources were cleaned. */
  readonly more?: (folder: string, cleaned: readonly CleanedTexts[], manifest: Manifest) => Promise<void>;
}

/**
 * Does what is not done yet of a recipe's cleaning and its tokens, and makes the prepared folder. What was done stays in the folder of intermediate files.
 * @throws CriaError as `openJob`, `runPhases` and `prepareCorpus` do; the signal's reason when it aborts
 */
export async function prepareRecipe(
  recipe: DataRecipe,
  tokenizer: TextTokenizer,
  outDir: string,
  options: PrepareRecipeOptions,
): Promise<PreparedRecipe> {
  const opened = await openRecipeJob(recipe, options);
  if (opened === undefined) return prepareAtOnce(recipe, tokenizer, outDir, options);
  const { job, sources, notes } = opened;
  await runPhases(job, options, sources);
  const cleaned = await cleanedTexts(job, sources);
  for (const { name, report } of cleaned) checkSomeStay(name, report);
  await using tokens = await TokenPhase.open(recipe, opened, tokenizer, options);
  await tokens.run();
  const manifest = await tokens.join(outDir, async (folder, manifest) => options.more?.(folder, cleaned, manifest));
  return { manifest, cleaned, notes: [...notes, ...(await tokens.notes())] };
}

/** Reasons that an error tells of a source without documents. */
const mostReasons = 3;

/** @throws CriaError where no document of a source is left, telling why the most of them went, or what its reader found instead of documents */
function checkSomeStay(name: string, { read, kept, steps, notes }: SourceReport): void {
  const reasons = steps.flatMap((step) =>
    Object.entries(step.reasons).map(([reason, { documents: count }]) => ({ what: `${step.name}.${reason} dropped`, count })),
  );
  const most = (list: readonly { readonly what: string; readonly count: number }[], told: (what: string, count: number) => string) =>
    [...list]
      .sort((a, b) => b.count - a.count)
      .slice(0, mostReasons)
      .map(({ what, count }) => told(what, count))
      .join(", ");
  const found = notes.map(({ kind, what, place, count }) => ({ what: `${kind}: ${what}, first at ${place}`, count }));
  check(read.documents > 0, where, () => {
    const instead = most(found, (what, count) => `${count} ${what}`);
    return `source "${name}": its files hold no document${instead && ` (${instead})`}: change its paths or its format`;
  });
  check(
    kept.documents > 0,
    where,
    () =>
      `source "${name}": none of its ${read.documents} ${read.documents === 1 ? "document" : "documents"} stays: ${most(reasons, (what, count) => `${what} ${count}`)}: change its steps or its paths (cria data try shows a document's way)`,
  );
}

async function prepareAtOnce(
  recipe: DataRecipe,
  tokenizer: TextTokenizer,
  outDir: string,
  { folder, signal, progress }: PrepareRecipeOptions,
): Promise<PreparedRecipe> {
  await using corpus = await openCorpus(recipe, { folder, signal, progress });
  const manifest = await prepareCorpus(corpus, tokenizer, outDir, { signal, progress });
  return { manifest, cleaned: [], notes: await corpus.notes() };
}
