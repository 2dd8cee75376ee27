// cria demo, what `npm start` runs: real text → tokenizer → shards → a small LLaMA trained, measured and saved → what it writes.
import { once } from "node:events";
import { basename, dirname, join } from "node:path";
import { UsageError } from "../base/index.ts";
import type { TextOptions } from "../corpus/index.ts";
import { checkTime, claimFolder, type FolderWish, isSecondChoice, TimeBudget } from "../raise/index.ts";
import type { RunningServer } from "../serve/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { type DemoSource, openDemoSources, openDemoText } from "./demo-text.ts";
import { promptsFrom } from "./finish-run.ts";
import { booleanFlag, longerMinutes, minutesFlag, wholeFlag } from "./flag-values.ts";
import { callAgain, type Hint } from "./hints.ts";
import { openBackend } from "./open-backend.ts";
import { modelOfRun, openBrowser, servePage } from "./page.ts";
import { raiseRun } from "./raise-run.ts";
import { areLasting, openOwnText } from "./run-text.ts";
import { optionalTextOptions, textFlags, textWords } from "./text-flags.ts";

const where = "demo";
/** Minutes below which a model learns from the stories alone: what it writes then reads like something, where of everything it would be a bit of each. */
const storiesBelowMinutes = 2;
const prompts = ["Once upon a time", "The king said unto", "It was a cold morning, and"];
const storyPrompts = ["Once upon a time", "It was a cold morning, and", '"Oh," said the'];

/** The command `cria demo`. */
export const demo: Command = {
  name: "demo",
  summary: "train a small LLaMA on real text, and let it write",
  usage: "[--minutes M | --steps N] [--out DIR] [--text FILE]...",
  flags: [
    { name: "minutes", type: "number", help: "wall-clock minutes in all; model and steps follow (default: 5)" },
    { name: "steps", type: "number", help: "optimiser steps, instead of --minutes: the same losses on the same kind of machine" },
    { name: "out", type: "string", value: "DIR", help: "the run folder (default: the first of runs/demo, runs/demo-2, … that is free)" },
    {
      name: "text",
      type: "string",
      value: "FILE",
      repeat: true,
      help: "train it on this text instead of the demo's: a file, folder or pattern, or -; may be given several times",
    },
    ...textFlags,
    { name: "no-open", type: "boolean", help: "open no browser: in a terminal the page's address is printed all the same" },
    { name: "seed", type: "number", default: 1, help: "random seed of the first weights and of the order of the text" },
  ],
  async run(args, flags, io) {
    const { minutes, steps, wish, texts, reading, seed } = readAsked(args, flags);
    const budget = new TimeBudget(60 * minutes, io.began);
    const isOwn = texts.length > 0;
    const storiesOnly = minutes < storiesBelowMinutes;
    const sources: readonly DemoSource[] = isOwn ? [] : (await openDemoSources(where)).slice(0, storiesOnly ? 1 : undefined);
    const bytes = sources.reduce((sum, source) => sum + source.bytes, 0);
    if (steps === undefined) checkTime(budget, bytes, where);
    await using backend = await openBackend(io);
    const folder = await claimFolder(wish);
    if (isSecondChoice(folder, wish)) io.stderr(`earlier runs stay as they are: this one goes to ${folder}\n`);
    const page = await showPage(folder, flags, io);
    await using _ = { [Symbol.asyncDispose]: async () => page?.drain() };
    const code = await raiseRun(
      {
        ...{ where, budget, seed, wish, folder, hasSteps: steps !== undefined },
        settings: steps === undefined ? [] : [`steps=${steps}`],
        openText: () => (isOwn ? openOwnText(texts, reading, folder, where, io) : openDemoText(sources, folder, where, io)),
        prompts: (data, tokenizer) => (isOwn ? promptsFrom(data, tokenizer) : Promise.resolve(storiesOnly ? storyPrompts : prompts)),
        hints: await whatElse(texts, flags, minutes, io),
      },
      backend,
      io,
    );
    if (page !== undefined && code === 0) await talkUntilStopped(page, io);
    return code;
  },
};

/** The page, where a person sits in front of a terminal. */
async function showPage(folder: string, flags: Flags, io: CommandIo): Promise<RunningServer | undefined> {
  if (io.json || !io.isTerminal) return undefined;
  const parent = dirname(folder);
  const page = await servePage({ runs: basename(parent) === "runs" ? parent : folder, findModels: async () => [modelOfRun(folder)] }, io);
  io.stdout(`watch it    ${page.url}\n`);
  if (!booleanFlag(flags, "no-open")) openBrowser(page.url, io);
  return page;
}

async function talkUntilStopped({ url }: RunningServer, { signal, stdout }: CommandIo): Promise<void> {
  stdout(`\nwrite with it at ${url}/#/talk; Ctrl-C ends this\n`);
  if (!signal.aborted) await once(signal, "abort");
}

/** A longer run on the same text, where it can be read again; and the demo's text can be exchanged for one's own. */
async function whatElse(texts: readonly string[], flags: Flags, minutes: number, { caller }: CommandIo): Promise<Hint[]> {
  const words = [...texts.flatMap((text) => ["--text", text]), ...textWords(flags), "--minutes", longerMinutes(minutes)];
  const longer: Hint[] = (await areLasting(texts)) ? [[callAgain(caller, "demo", ...words), "a bigger one, in more time"]] : [];
  return texts.length > 0 ? longer : [...longer, [callAgain(caller, "demo", "--text", "my-own.txt"), "from your own text"]];
}

interface Asked {
  readonly minutes: number;
  readonly steps: number | undefined;
  readonly wish: FolderWish;
  readonly texts: readonly string[];
  /** How the texts are read. */
  readonly reading: TextOptions;
  readonly seed: number;
}

function readAsked(args: readonly string[], flags: Flags): Asked {
  if (args.length > 0) throw new UsageError(where, `"${args[0]}" is not a flag: give files with --text FILE`);
  const { out, text, seed } = flags as { out?: string; text: readonly string[]; seed: number };
  const steps = wholeFlag(flags, where, "steps");
  if (steps !== undefined && flags.minutes !== undefined)
    throw new UsageError(where, "--minutes and --steps both say how long it trains: leave one out");
  const minutes = minutesFlag(flags, where, { usual: 5 });
  if (!(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    throw new UsageError(where, `--seed is ${seed} but must be an integer from 0 to ${2 ** 32 - 1}`);
  return {
    minutes,
    steps,
    wish: { out, usual: join("runs", "demo"), where },
    texts: text,
    reading: optionalTextOptions(flags, where, text.length > 0),
    seed,
  };
}
