// cria study: a claim of the paper as an experiment; its conclusion in words here, and a report with plots in a folder.
import { access, constants, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { didYouMean, UsageError } from "../base/index.ts";
import type { TextOptions } from "../corpus/index.ts";
import { atomicWrite, makeFolder } from "../files/index.ts";
import { loadPlots } from "../plot/index.ts";
import { TimeBudget } from "../raise/index.ts";
import { type NextStep, type Report, reportHtml, type Section, type Study, studies } from "../study/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { minutesFlag, stringFlag, wholeFlag } from "./flag-values.ts";
import { wrap } from "./help.ts";
import { callAgain } from "./hints.ts";
import { openBackend } from "./open-backend.ts";
import { isFolder } from "./paths.ts";
import { table } from "./plan/text.ts";
import { studyText } from "./study-text.ts";
import { optionalTextOptions, textFlags } from "./text-flags.ts";

const where = "study";
/** Columns of a section's lines in a terminal that has as many, and in the pages on the paper. */
const widest = 100;
const usualMinutes = 10;
/** Minutes below which no study has anything to compare. */
const leastMinutes = 0.5;
/** Seconds that drawing and writing the report take, about. */
const reportSeconds = 2;

/** The command `cria study`. */
export const study: Command = {
  name: "study",
  summary: "run a claim of the paper as an experiment",
  usage: `${studies.map(({ name }) => name).join("|")} [--minutes M | --steps N] [--out DIR] [--seeds N] [--text FILE]...`,
  flags: [
    {
      name: "minutes",
      type: "number",
      help: `wall-clock minutes in all; the lengths of its runs follow, and their repetitions where the machine slows down (default: ${usualMinutes})`,
    },
    {
      name: "steps",
      type: "number",
      help: "optimiser steps of the longest run, instead of --minutes: the same report on the same kind of machine",
    },
    {
      name: "out",
      type: "string",
      value: "DIR",
      help: "where report.html and report.json go, in place of those that are there, and what else a study leaves (default: the first of studies/NAME, studies/NAME-2, … that is free)",
    },
    { name: "seeds", type: "number", help: "repetitions with other random numbers (default: by the study)" },
    { name: "seed", type: "number", default: 1, help: "random seed of the first repetition" },
    {
      name: "text",
      type: "string",
      value: "FILE",
      repeat: true,
      help: "learn from this text instead of the demo's: a file, folder or pattern, or -; may be given several times",
    },
    ...textFlags,
    { name: "trace", type: "string", help: "study bpe: the text to show the algorithm on, step by step" },
  ],
  async run(args, flags, io) {
    const asked = await readAsked(args, flags);
    await loadPlots(); // what the report needs is missed before ten minutes of work
    await using text = await studyText(asked.texts, asked.reading, io);
    await using backend = await openBackend(io);
    const say = (words: string) => (io.json ? undefined : io.stdout(`${words}\n`));
    const length = asked.steps === undefined ? `${asked.minutes} min` : `${asked.steps} step${asked.steps === 1 ? "" : "s"}`;
    say(`${asked.study.title}; ${length} on ${backend.name}\n`);
    const { study, minutes, steps, seeds, trace, out: folder } = asked;
    const budget = new TimeBudget(60 * minutes, io.began);
    const secondsLeft = () => budget.left - reportSeconds;
    const { signal, progress } = io;
    const sections = await study.run({ backend, text, folder, minutes, secondsLeft, steps, seeds, trace, signal, progress });
    if (sections.length === 0 && io.signal.aborted) {
      if (await isFolder(folder)) say(`stopped before anything could be compared; what there is so far lies in ${folder}`);
      throw io.signal.reason;
    }
    const facts = {
      study: study.name,
      title: study.title,
      machine: backend.name,
      text: text.name,
      minutes,
      ...(steps && { steps }),
      seeds,
    };
    const report = { ...facts, seconds: budget.spent, stopped: io.signal.aborted, sections };
    for (const section of sections) say(sectionText(section, Number.isFinite(io.width) ? Math.min(io.width - 2, widest) : io.width));
    if (trace !== undefined) say(stepsText(sections));
    await writeReport(folder, report);
    say(
      `${report.stopped ? "stopped before everything was done; what was done is in" : "plots and tables:"} ${join(folder, "report.html")}`,
    );
    if (!report.stopped && study.next) say(nextText(study.next(folder, sections), io));
    if (io.json) io.stdout(reportJson(report));
    return 0;
  },
};

interface Asked {
  readonly study: Study;
  readonly minutes: number;
  readonly steps: number | undefined;
  readonly out: string;
  readonly seeds: readonly number[];
  readonly texts: readonly string[];
  readonly reading: TextOptions;
  readonly trace: string | undefined;
}

async function readAsked([name, ...more]: readonly string[], flags: Flags): Promise<Asked> {
  const study = pickStudy(name);
  if (more.length > 0)
    throw new UsageError(where, `"${more[0]}" follows the study's name: give each file its own --text, as in --text A --text B`);
  const steps = wholeFlag(flags, where, "steps");
  if (steps !== undefined && flags.minutes !== undefined)
    throw new UsageError(where, "--minutes and --steps both say how long the runs are: leave one out");
  const minutes = minutesFlag(flags, where, { usual: usualMinutes, least: leastMinutes });
  const seed = wholeFlag(flags, where, "seed", 0)!;
  const count = wholeFlag(flags, where, "seeds") ?? study.seeds;
  if (count > 1000) throw new UsageError(where, `--seeds is ${count} but must be at most 1000`);
  const trace = stringFlag(flags, "trace");
  if (trace !== undefined && study.name !== "bpe")
    throw new UsageError(where, `--trace is for the study bpe, not for ${study.name}: leave it out`);
  if (trace?.trim() === "") throw new UsageError(where, `--trace is "${trace}" but must have a word in it`);
  const texts = flags.text as readonly string[];
  const reading = optionalTextOptions(flags, where, texts.length > 0);
  const out = stringFlag(flags, "out") ?? (await freeFolder(join("studies", study.name)));
  await checkFolder(out);
  if (study.next !== undefined && (await isFolder(join(out, "data"))))
    throw new UsageError(
      where,
      `--out is "${out}", where an earlier study left its data and runs, which are not written over: name another folder, or leave it out`,
    );
  return {
    study,
    minutes,
    steps,
    out,
    seeds: Array.from({ length: count }, (_, i) => seed + i),
    texts,
    reading,
    trace,
  };
}

/** Checks, before ten minutes of work, that the folder, or the nearest one above it that is there, can be written in. */
async function checkFolder(out: string): Promise<void> {
  const found = await stat(out).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    const above = dirname(resolve(out));
    if (found.code !== "ENOENT" || above === resolve(out))
      throw new UsageError(where, `--out is "${out}", which cannot be a folder: name another place`);
    return checkFolder(above);
  }
  if (!found.isDirectory()) throw new UsageError(where, `--out needs the folder "${out}", which is a file: name another place`);
  await access(out, constants.W_OK).catch(() => {
    throw new UsageError(where, `--out needs to write to "${out}", which is not allowed: name another place`);
  });
}

/** Reports of the same study are there to be compared: without --out none is written over. */
async function freeFolder(usual: string): Promise<string> {
  for (let n = 1; ; n++) {
    const folder = n === 1 ? usual : `${usual}-${n}`;
    if (!(await isFolder(folder))) return folder;
  }
}

function pickStudy(name: string | undefined): Study {
  const list = studies.map(({ name, summary }) => `\n  ${name.padEnd(12)}${summary}`).join("");
  if (name === undefined) throw new UsageError(where, `name a study:${list}`);
  const found = studies.find((one) => one.name === name);
  if (found !== undefined) return found;
  const near = didYouMean(
    name,
    studies.map((one) => one.name),
  );
  throw new UsageError(where, `there is no study "${name}"${near || `: name one of${list}`}`);
}

async function writeReport(folder: string, report: Report): Promise<void> {
  await makeFolder(folder, where);
  await atomicWrite(join(folder, "report.json"), reportJson(report), where);
  await atomicWrite(join(folder, "report.html"), await reportHtml(report, commandOf(report)), where);
}

function commandOf({ study, minutes, steps, seeds }: Report): string {
  const length = steps === undefined ? `--minutes ${minutes}` : `--steps ${steps}`;
  return `cria study ${study} ${length} --seed ${seeds[0]} --seeds ${seeds.length}`;
}

function nextText({ text, runsToFit }: NextStep, io: CommandIo): string {
  return runsToFit === undefined ? text : `${text}: ${callAgain(io.caller, "plan", "--fit", runsToFit)}`;
}

function reportJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** The algorithm on a person's own text, which they want to see, not to be told of. */
function stepsText(sections: readonly Section[]): string {
  const [steps] = sections[0]?.tables ?? [];
  return steps === undefined ? "" : table(steps.title, [steps.columns, ...steps.rows.map((row) => row.map(String))]);
}

/** What a section comes to, in words: the terminal shows it, and the pages on the paper quote it. */
export function sectionText({ title, verdict, conclusion }: Section, width: number = widest): string {
  return `${title}: ${verdict.toUpperCase()}\n${wrap(conclusion, width)
    .map((line) => `  ${line}`)
    .join("\n")}\n`;
}
