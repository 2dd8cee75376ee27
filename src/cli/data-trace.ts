// cria data trace: the documents that the tokens of a training step came from.
import { join, relative, resolve } from "node:path";
import { check, UsageError } from "../base/index.ts";
import { isElsewhere, PreparedData, type TracedSpan, traceWindow } from "../corpus/index.ts";
import { findRecipe, latestCheckpoint, readRecipe, runPaths } from "../runs/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { TrainRecipe } from "../train/index.ts";
import type { Command, CommandIo } from "./command.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { isFile } from "./paths.ts";
import { ownRecipeName } from "./run-text.ts";

const where = "data trace";
/** Tokens of a document that are shown, and characters of them. */
const [shownTokens, shownCharacters] = [40, 60];

/** Tells the documents of a step's tokens, window by window. */
export const traceCommand: Command = {
  name: "trace",
  summary: "the documents that the tokens of a training step came from",
  usage: "RUN STEP",
  flags: [],
  async run(args, _, io) {
    const [folder, stepText, ...more] = args;
    if (folder === undefined || stepText === undefined || more.length > 0)
      throw new UsageError(where, "name the folder of a run and a step of it, from 1");
    const { path } = await findRecipe(folder);
    const recipe = await readRecipe(path);
    const step = checkedStep(stepText, recipe);
    await using data = await PreparedData.open(recipe.data);
    await checkData(folder, recipe, data);
    const tokenizer = await loadTokenizer(recipe.tokenizer, io);
    const placeOf = await placesOf(folder);
    const windows = (await traceStep(data, tokenizer, recipe, step, io)).map(({ source, documents }) => ({
      source,
      documents: documents.map((span) => ({ ...span, place: placeOf(span.origin.document) })),
    }));
    if (io.json) io.stdout(`${JSON.stringify({ run: folder, step, data: recipe.data, windows })}\n`);
    else io.stdout(`step ${step} of ${folder}: ${windows.length} windows of ${recipe.length} tokens\n${windows.map(windowText).join("")}`);
    return 0;
  },
};

function checkedStep(text: string, { steps = 0 }: TrainRecipe): number {
  const step = Number(text);
  if (!(Number.isSafeInteger(step) && step >= 1 && step <= steps))
    throw new UsageError(where, `STEP is "${text}", but the run has steps 1 to ${steps}: name one of these`);
  return step;
}

/** The run's checkpoint knows the shards that it was trained on, and how many windows it has drawn. */
async function checkData(folder: string, { batch, accumulation }: TrainRecipe, data: PreparedData): Promise<void> {
  const checkpoint = await latestCheckpoint(runPaths(folder).checkpoints);
  if (checkpoint === undefined) return;
  const { origin, step, data: position } = checkpoint.state;
  const now = await data.fingerprints();
  for (const [source, before] of Object.entries(origin?.data ?? {}))
    check(
      now[source] === before,
      where,
      () =>
        `${folder} was trained on other shards of "${source}" than ${data.folder} has (${before}, now ${now[source] ?? "none"}): put those back`,
    );
  const drawn = drawnIn(position);
  check(
    drawn === undefined || drawn === step * batch * accumulation,
    where,
    () =>
      `${folder} has drawn ${drawn} windows in ${step} steps, but its recipe has ${batch * accumulation} per step: their number was changed on the way, so that a step's place is not known`,
  );
}

function drawnIn(position: unknown): number | undefined {
  const { sources } = position as { readonly sources?: readonly { readonly drawn: number }[] };
  return sources?.reduce((sum, { drawn }) => sum + drawn, 0);
}

/** How documents are found from the working folder: paths of a run that wrote the recipe of its data itself start from the run's folder. */
async function placesOf(folder: string): Promise<(document: string) => string> {
  if (!(await isFile(join(folder, ownRecipeName)))) return (document) => document;
  return (document) => (isElsewhere(document) ? document : relative(process.cwd(), resolve(folder, document)));
}

/** A span with the beginning of its document's text. */
interface ReadSpan extends TracedSpan {
  readonly text: string;
}

/** A span and where its document is. */
interface ToldSpan extends ReadSpan {
  readonly place: string;
}

interface Window<Span> {
  readonly source: string;
  readonly documents: readonly Span[];
}

async function traceStep(
  data: PreparedData,
  tokenizer: Tokenizer,
  { batch, accumulation, length = 0, seed, documentMask }: TrainRecipe,
  step: number,
  io: CommandIo,
): Promise<readonly Window<ReadSpan>[]> {
  const mixture = data.mixture({ batch, length, seed, documentMask });
  for (let passed = 0; passed < (step - 1) * accumulation; passed++) mixture.nextWindows();
  const windows = Array.from({ length: accumulation }, () => mixture.nextWindows()).flat();
  const told: Window<ReadSpan>[] = [];
  for (const window of windows) {
    io.signal.throwIfAborted();
    const tokens = data.sources.find(({ name }) => name === window.source)?.tokens;
    const documents: ReadSpan[] = [];
    for (const span of await traceWindow(data, window, length)) {
      const ids = await tokens?.read(span.first - span.from, Math.min(shownTokens, span.length));
      documents.push({ ...span, text: beginning(tokenizer.decode([...(ids ?? [])])) });
    }
    told.push({ source: window.source, documents });
  }
  return told;
}

function beginning(text: string): string {
  const line = text.trim().replace(/\s+/g, " ");
  return line.length > shownCharacters ? `${[...line].slice(0, shownCharacters - 1).join("")}…` : line;
}

function windowText({ source, documents }: Window<ToldSpan>, index: number): string {
  return `window ${index}, of ${source}\n${documents.map(spanText).join("")}`;
}

function spanText({ shard, document, from, count, length, byte, origin, place, text }: ToldSpan): string {
  const told = [place, origin.url, origin.title && `"${origin.title}"`, origin.at > 0 && `from character ${origin.at}`];
  return `  ${shard} document ${document}, tokens ${from} to ${from + count - 1} of ${length}, byte ${byte}: ${told.filter(Boolean).join(", ")}\n    ${text}\n`;
}
