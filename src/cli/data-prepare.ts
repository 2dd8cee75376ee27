// cria data prepare: a recipe's texts cleaned, where it says how, and made into token shards.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fail, UsageError } from "../base/index.ts";
import { checkUnused, formNames, looksLikeText, manifestName, pageContents } from "../corpus/index.ts";
import { removeFolder } from "../files/index.ts";
import { hasSteps, prepareRecipe, toldSources, writeCleaning } from "../pipeline/index.ts";
import { cleaningText } from "./cleaning-text.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { type Asked, checkPlanFlags, placesOf, running, runOnePhase, tellPlan } from "./data-phases.ts";
import { manifestJson, manifestText, onlyArgument } from "./data-text.ts";
import { booleanFlag, bytesFlag, required, stringFlag } from "./flag-values.ts";
import { callAgain } from "./hints.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { readDataRecipe } from "./recipe-kinds.ts";
import { schedulerNames } from "./scheduler-scripts.ts";
import { formsHelp, tellNotes } from "./text-flags.ts";

/** A test reads it as a recipe. */
const exampleRecipe = `\
sources:
  - name: books               # of your choice; a single source needs no name and no weight
    paths: books/*.txt        # files, folders, patterns with *, ?, {a,b} and **, relative to the recipe; addresses, hf:datasets/owner/name, npm:PACKAGE/FILES
    weight: 2                 # share of the training tokens, beside the other sources' weights
    separator: blank-lines    # text: what stands between documents; by default a file is one document
  - name: web
    paths: [web/a.jsonl.gz, web/b.csv]
    field: body               # JSON and tables: the key or column that holds the text; text by default
    weight: 1
    licence: CC-BY-4.0
    steps:                    # what is done with its documents, in this order; cria data steps lists them
      - dedupLines
      - gopherQuality: { minWords: 30 }
heldOut: 0.01                 # share of the text that training never sees; 0.01 by default
# More keys of a source:
#   format: ${formNames.join("|")}     how files are read, whatever their names end in
#   content: ${pageContents.join("|")}    pages of HTML: their main content, without menus, notes on cookies and the like, or all their text; main by default
#   newlines: lf|keep     whether CRLF and lone CR become LF; lf by default
# What is read, each also with .gz, .zst, .bz2 or .lz4, by the ending or else by the content:
${formsHelp.trimEnd().replace(/^/gm, "#   ")}
# A text file of more than 16 million characters without a separator becomes several documents, cut between paragraphs.
# Damaged records of a dump stop the command, and are passed over and counted where the source has steps, which may be an empty list.
# Of a source with few documents, stretches of them are held out, not whole ones.
`;

const where = "data prepare";

/** Turns a recipe's texts into token shards. */
export const prepareCommand: Command = {
  name: "prepare",
  summary: "texts to token shards, which cria train reads",
  usage: "RECIPE.yaml --tokenizer TOKENIZER --out DIR",
  flags: [
    {
      name: "tokenizer",
      type: "string",
      required: true,
      help: "a tokenizer's file or folder, in any form; cria tokenizer train makes one",
    },
    { name: "out", type: "string", required: true, help: "the folder to make, absent or empty" },
    {
      name: "work",
      type: "string",
      value: "DIR",
      help: "where sources with steps keep what is done, so that a stopped run goes on, and a changed recipe makes only those sources anew that changed; DIR.work by default, which goes when all is done",
    },
    { name: "threads", type: "number", help: "threads that clean; as many as the machine runs at once by default" },
    {
      name: "memory",
      type: "string",
      value: "SIZE",
      help: "memory that cleaning may take, such as 500M or 4G: it limits threads, and below 1 GB what a task holds; without it all threads run, which take 200 MB and 250 MB more for each, beside the models of steps",
    },
    {
      name: "plan",
      type: "boolean",
      help: "begin, or go on by a changed recipe: write down in --work which files the tasks read, and print the phases as a script",
    },
    {
      name: "scheduler",
      type: "string",
      value: "NAME",
      help: `with --plan: whose arrays of jobs the script is for, one of ${schedulerNames.join(", ")}; shell by default, line by line`,
    },
    { name: "machines", type: "number", help: "with --scheduler: how many share a phase, at most" },
    { name: "phase", type: "number", help: "do only this phase, from 0; those before it must be done" },
    {
      name: "shard",
      type: "string",
      value: "I/N",
      help: "with --phase: only part I of N, from 0, for several machines with one folder; env takes it from Slurm, AWS Batch or Kubernetes",
    },
  ],
  example: { title: "a recipe", text: exampleRecipe },
  async run(args, flags, io) {
    const path = onlyArgument(args, where, "RECIPE.yaml");
    const out = required(stringFlag(flags, "out"), where, "out");
    if (await isThere(join(path, manifestName)))
      throw new UsageError(where, `${path} is prepared data already: name a recipe, or see cria data stats`);
    if (await looksLikeText(path)) throw new UsageError(where, textInsteadOfRecipe(path, io));
    const recipe = await readDataRecipe(path, where, io);
    const work = stringFlag(flags, "work") ?? `${out.replace(/[\\/]+$/, "")}.work`;
    const asked = { path, recipe, out, work, memory: bytesFlag(flags, where, "memory") };
    checkPlanFlags(flags);
    if (booleanFlag(flags, "plan")) return tellPlan(asked, flags, io);
    if (flags.phase !== undefined || flags.shard !== undefined) return runOnePhase(asked, flags, io);
    return prepareAll(asked, flags, io).catch((error: unknown) => {
      if (io.signal.aborted && recipe.sources.some(hasSteps))
        io.stderr(`what is done is kept in ${asked.work}: the same command goes on from there\n`);
      throw error;
    });
  },
};

async function prepareAll(asked: Asked, flags: Flags, io: CommandIo): Promise<number> {
  const { out } = asked;
  await checkUnprepared(asked);
  await checkUnused(out);
  const tokenizer = await loadTokenizer(required(stringFlag(flags, "tokenizer"), where, "tokenizer"), io);
  const { manifest, cleaned, notes } = await prepareRecipe(asked.recipe, tokenizer, out, {
    ...placesOf(asked, io),
    ...running(flags, io),
    more: (folder, cleaned, manifest) => writeCleaning(folder, toldSources(cleaned, manifest)),
  });
  if (cleaned.length > 0 && flags.work === undefined) await removeFolder(asked.work, where);
  tellNotes(notes, io);
  io.stdout(io.json ? manifestJson(out, manifest) : `${cleaningText(toldSources(cleaned, manifest), out)}${manifestText(out, manifest)}`);
  return 0;
}

/** A run that was killed at its very end has left its work behind. */
async function checkUnprepared({ out, work }: Asked): Promise<void> {
  if (!(await isThere(join(out, manifestName)))) return;
  const left = (await isThere(work)) ? `, and remove ${work}, which is needed only until that is there` : "";
  fail(where, `${out} is prepared data already: choose another folder for more${left}`);
}

function textInsteadOfRecipe(path: string, { caller }: CommandIo): string {
  const recipe = `sources: [{ paths: ${JSON.stringify(path === "-" ? "FILE" : path)} }]`;
  return `${path} is a text, not a recipe: write a recipe that names it (${recipe}), or leave all of it to ${callAgain(caller, "train", path)}`;
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
