// cria plan: larger model or larger data? Any of a budget, a size, tokens and a loss → the rest, and what it takes.
import { access, constants, stat } from "node:fs/promises";
import { basename, dirname, extname } from "node:path";
import { CriaError, UsageError } from "../base/index.ts";
import { atomicWrite } from "../files/index.ts";
import {
  type Asked,
  askNext,
  buildReport,
  judgeFit,
  judgePrediction,
  type Machine,
  namedMachine,
  type PlanReport,
  refuted,
  type Solution,
} from "../plan/index.ts";
import { type LineChart, loadPlots } from "../plot/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { stringFlag } from "./flag-values.ts";
import { parseFlags } from "./parse.ts";
import { planFlags, readAsked } from "./plan/ask.ts";
import { planChart } from "./plan/chart.ts";
import { chartText } from "./plan/chart-text.ts";
import { type FoldersFit, fitRuns, showFit } from "./plan/fit.ts";
import { example, introduction } from "./plan/introduction.ts";
import { showReport } from "./plan/show.ts";
import { thisMachine } from "./plan/this-machine.ts";

const where = "plan";

/** The command `cria plan`. */
export const plan: Command = {
  name: where,
  summary: "weigh a larger model against more data, and say what training takes",
  usage: "[MODEL] [--preset NAME|--parameters N] [--tokens D] [--flops C|--hours H|…] [--loss L] | --fit RUNS...",
  flags: planFlags,
  async run(args, flags, io) {
    const isBare = args.length === 0 && planFlags.every(({ name }) => flags[name] === defaults[name]);
    if (!isBare) return runPlan(args, flags, io);
    if (!io.json) io.stdout(introduction(io.width));
    return runPlan([], parseFlags(where, planFlags, example).flags, io);
  },
};

/** What flags are when nothing is given. */
const defaults = parseFlags(where, planFlags, []).flags;

async function runPlan(args: readonly string[], flags: Flags, io: CommandIo): Promise<number> {
  await checkPictures(flags, io);
  const asked = await readAsked(args, flags, flags.fit === true, io);
  if (flags.fit === true) return planFromRuns(await fitRuns(args), asked, flags, io);
  await present(buildReport(asked, await openMachine(asked, io)), flags, io);
  return 0;
}

function drawsSomething(flags: Flags): boolean {
  return flags.plot === true || flags.svg !== undefined;
}

/** A person sees the fit whatever comes of the plan; a program gets the error. */
async function planFromRuns(fitted: FoldersFit, first: Asked, flags: Flags, io: CommandIo): Promise<number> {
  const { warnings, isRefuted } = judgeFit(fitted);
  const fitText = (all: readonly string[], plan?: Solution) => showFit(fitted, all, io.width, plan);
  if (isRefuted) {
    if (io.json) io.stdout(toJson({ fit: fitted, warnings: [...warnings, refuted] }));
    else io.stdout(`${refuted}${drawsSomething(flags) ? "; there is no plan to draw" : ""}\n${fitText(warnings)}`);
    return 0;
  }
  const asked = askNext(first, fitted);
  const report = await openMachine(asked, io)
    .then((machine) => buildReport(asked, machine))
    .catch((error: unknown) => {
      if (!io.json && error instanceof CriaError) io.stdout(`${fitText(warnings)}\n`);
      throw error;
    });
  const all = [...warnings, ...judgePrediction(fitted, report.plan)];
  if (!io.json) io.stdout(`${fitText(all, report.plan)}\n`);
  await present(report, flags, io, { fitted, warnings: all });
  return 0;
}

/** Prints the report and draws what is asked for. @param from one's own runs, and what is against the law that they gave */
async function present(report: PlanReport, flags: Flags, io: CommandIo, from?: { fitted: FoldersFit; warnings: string[] }): Promise<void> {
  const chart = planChart(report, from?.fitted.runs);
  const svg = stringFlag(flags, "svg");
  if (svg !== undefined) await writeSvg(svg, chart);
  if (io.json) {
    const whole = { ...report, warnings: [...(from?.warnings ?? []), ...report.warnings] };
    io.stdout(toJson({ ...(from && { fit: from.fitted }), ...whole, ...(svg && { svg }) }));
    return;
  }
  const parts = [
    showReport(report, io.width),
    ...(flags.plot === true ? [chartText(chart, Math.max(narrowestChart, Math.min(io.width, widestChart)))] : []),
  ];
  io.stdout(`${parts.join("\n")}${svg === undefined ? "" : `\nthe plot is in ${svg}\n`}`);
}

/** Widths of a chart in characters: twice as wide as high looks well. */
const [narrowestChart, widestChart] = [40, 100];

function toJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** Checks that a picture can be shown or written, before anything is measured for it. */
async function checkPictures(flags: Flags, { json }: CommandIo): Promise<void> {
  if (json && flags.plot === true)
    throw new UsageError(where, "--plot draws for people and --json prints data: leave one out, or have the picture in a file by --svg");
  const svg = stringFlag(flags, "svg");
  if (svg === undefined) return;
  const extension = extname(svg);
  if (extension !== "" && extension.toLowerCase() !== ".svg")
    throw new UsageError(where, `--svg is "${svg}" but what is written is SVG: name it ${basename(svg, extension)}.svg`);
  const folder = dirname(svg);
  const isFolder = (path: string) =>
    stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    );
  if (await isFolder(svg)) throw new UsageError(where, `--svg is "${svg}", which is a folder: name a file in it`);
  if (!(await isFolder(folder))) throw new UsageError(where, `--svg is "${svg}" but there is no folder "${folder}": make it first`);
  await access(folder, constants.W_OK).catch(() => {
    throw new UsageError(where, `--svg is "${svg}" but nothing may be written to "${folder}": name another place`);
  });
}

async function openMachine({ machine }: Asked, io: CommandIo): Promise<Machine> {
  return machine.board ? namedMachine(machine.board, machine) : thisMachine(machine, io);
}

async function writeSvg(path: string, chart: LineChart): Promise<void> {
  const { chartSvg } = await loadPlots();
  await atomicWrite(path, `${chartSvg(chart)}\n`, where);
}
