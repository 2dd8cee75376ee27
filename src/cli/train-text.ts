// cria train TEXT…: no recipe, but texts and some minutes. The recipe that follows from them stays in the run folder.
import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { UsageError } from "../base/index.ts";
import { looksLikeText, manifestName } from "../corpus/index.ts";
import { claimFolder, type FolderWish, isSecondChoice, TimeBudget } from "../raise/index.ts";
import { applySettings, settingKey } from "../runs/index.ts";
import type { CommandIo, FlagRow, Flags } from "./command.ts";
import { promptsFrom } from "./finish-run.ts";
import { longerMinutes, minutesFlag, stringFlag } from "./flag-values.ts";
import { callAgain, type Hint } from "./hints.ts";
import { openBackend } from "./open-backend.ts";
import { raiseRun } from "./raise-run.ts";
import { areLasting, openOwnText } from "./run-text.ts";
import { textFlags, textOptions, textWords } from "./text-flags.ts";

const where = "train";
const usualMinutes = 5;

/** Flags that only texts have. */
export const trainTextFlags: readonly FlagRow[] = [
  { name: "minutes", type: "number", help: `texts: wall-clock minutes in all; model and steps follow (${usualMinutes} unless given)` },
  ...textFlags.map((row) => ({ ...row, help: `texts: ${row.help}` })),
];

/**
 * Whether the words name texts, and not a recipe or a run.
 * @throws UsageError for words that cannot be meant, and for flags that do not go with what they name
 */
export async function areTexts(args: readonly string[], flags: Flags): Promise<boolean> {
  if (flags.resume !== true) await refusePrepared(args);
  const given = flags.resume !== true && (args.length > 1 || (args.length === 1 && !isRecipe(args[0]!) && (await looksLikeText(args[0]!))));
  if (!given) {
    const lone = trainTextFlags.find(({ name }) => flags[name] !== undefined);
    if (lone !== undefined)
      throw new UsageError(
        where,
        `--${lone.name} is for texts, but ${args.length === 0 ? "none is named" : `${args[0]} is ${flags.resume === true ? "a run" : "taken for a recipe or a run, by its name or by what it holds"}`}: leave it out${flags.resume === true ? "" : ", or name the texts themselves"}`,
      );
    return false;
  }
  const recipe = args.find(isRecipe);
  if (recipe !== undefined) throw new UsageError(where, `${recipe} is a recipe, but other paths are named beside it: name it alone`);
  if (flags["dry-run"] === true)
    throw new UsageError(where, "--dry-run is for recipes: what a text's run will be is measured while it begins");
  return true;
}

async function refusePrepared(paths: readonly string[]): Promise<void> {
  for (const path of paths)
    if (await isThere(join(path, manifestName)))
      throw new UsageError(where, `${path} is prepared data, not text: name a recipe that says "data: ${path}"`);
}

function isRecipe(path: string): boolean {
  return /\.ya?ml$/i.test(path);
}

/** @returns the exit code */
export async function trainOnText(paths: readonly string[], flags: Flags, io: CommandIo): Promise<number> {
  const settings = flags.set as readonly string[];
  const decided = settings.map(settingKey).find((key) => ["data", "tokenizer", "model.vocabSize"].includes(key));
  if (decided !== undefined)
    throw new UsageError(where, `--set ${decided}: it follows from the text: name a recipe instead of a text to say it yourself`);
  const hasSteps = settings.map(settingKey).some(isLength);
  const minutes = readMinutes(flags, hasSteps);
  const reading = textOptions(flags, where);
  const wish: FolderWish = { out: stringFlag(flags, "out"), usual: join("runs", nameOf(paths[0]!)), where };
  await using backend = await openBackend(io, threadsOf(settings));
  const folder = await claimFolder(wish);
  if (isSecondChoice(folder, wish)) io.stderr(`earlier runs stay as they are: this one goes to ${folder}\n`);
  const request = {
    ...{ where, hasSteps, settings, wish, folder, seed: 1 },
    budget: new TimeBudget(60 * minutes, io.began),
    openText: () => openOwnText(paths, reading, folder, where, io),
    prompts: promptsFrom,
    hints: (await areLasting(paths)) ? [longerRun(paths, flags, minutes, io)] : [],
  };
  return await raiseRun(request, backend, io);
}

/** The same texts and settings with more than these minutes; a folder of its own follows from the texts. */
function longerRun(paths: readonly string[], flags: Flags, minutes: number, { caller }: CommandIo): Hint {
  const settings = (flags.set as readonly string[]).filter((one) => !isLength(settingKey(one))).flatMap((one) => ["--set", one]);
  const words = [...paths, ...textWords(flags), ...settings, "--minutes", longerMinutes(minutes)];
  return [callAgain(caller, "train", ...words), "a bigger one, in more time"];
}

function isLength(key: string): boolean {
  return key === "steps" || key === "tokens";
}

/** The backend is there before the recipe is. */
function threadsOf(settings: readonly string[]): { readonly threads?: number } {
  const { threads } = applySettings({}, settings) as { readonly threads?: unknown };
  return typeof threads === "number" ? { threads } : {};
}

function readMinutes(flags: Flags, hasSteps: boolean): number {
  if (flags.minutes !== undefined && hasSteps)
    throw new UsageError(where, "--minutes and --set both say how long it trains: leave out the one, or steps and tokens from the other");
  return minutesFlag(flags, where, { usual: usualMinutes });
}

/** What a run is called after: the file or folder, or the folder that a pattern begins with. */
function nameOf(path: string): string {
  if (path === "-" || /^\/(?:dev|proc)\//.test(path)) return "stdin";
  const parts = path.split(/[\\/]/);
  const pattern = parts.findIndex((part) => /[*?{]/.test(part));
  const named = basename(resolve(pattern < 0 ? path : parts.slice(0, pattern).join("/") || "."));
  return named.replace(/^\.+|(?:\.[A-Za-z0-9]{1,5})+$/g, "") || "text";
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
