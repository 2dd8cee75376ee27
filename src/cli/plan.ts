// cria plan: larger model or larger data? Any of a budget, a size, tokens and a loss → the rest, and what it takes.
import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { UsageError } from "../base/index.ts";
import { atomicWrite } from "../files/index.ts";
import type { LineChart } from "../plot/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { stringFlag } from "./flag-values.ts";
import { parseFlags } from "./parse.ts";
import { type Asked, planFlags, readAsked } from "./plan/ask.ts";
import { planChart } from "./plan/chart.ts";
import { chartText } from "./plan/chart-text.ts";
import { askNext, fitRuns, showFit } from "./plan/fit.ts";
import { example, introduction } from "./plan/introduction.ts";
import { type Machine, namedMachine, thisMachine } from "./plan/machine.ts";
import { buildReport } from "./plan/report.ts";
import { showReport } from "./plan/show.ts";

const where = "plan";

export const plan: Command = {
  name: where,
  summary: "weigh a larger model against more data, and say what training takes",
  usage: "[MODEL] [--preset NAME|--parameters N] [--tokens D] [--flops C|--hours H|…] [--loss L] | --fit RUN...",
  flags: planFlags,
  async run(args, flags, io) {
    const isBare = args.length === 0 && planFlags.every(({ name }) => flags[name] === defaults[name]);
    if (!isBare) return runPlan(args, flags, io);
    if (!io.json) io.stdout(introduction);
    return runPlan([], parseFlags(where, planFlags, example).flags, io);
  },
};

/** What flags are when nothing is given. */
const defaults = parseFlags(where, planFlags, []).flags;

async function runPlan(args: readonly string[], flags: Flags, io: CommandIo): Promise<number> {
  await checkPictures(flags, io);
  const first = await readAsked(args, flags, flags.fit === true);
  const fitted = flags.fit === true ? await fitRuns(args) : undefined;
  const asked = fitted ? askNext(first, fitted) : first;
  const report = buildReport(asked, await openMachine(asked, io));
  const chart = planChart(report, fitted?.runs);
  const svg = stringFlag(flags, "svg");
  if (svg !== undefined) await writeSvg(svg, chart);
  if (io.json) io.stdout(`${JSON.stringify({ ...(fitted && { fit: fitted }), ...report, ...(svg && { svg }) }, null, 2)}\n`);
  else {
    const parts = [
      ...(fitted ? [showFit(fitted, report.plan)] : []),
      showReport(report),
      ...(flags.plot === true ? [chartText(chart)] : []),
    ];
    io.stdout(`${parts.join("\n")}${svg === undefined ? "" : `\nthe plot is in ${svg}\n`}`);
  }
  return 0;
}

/** Before anything is measured that a picture could not show in the end. */
async function checkPictures(flags: Flags, { json }: CommandIo): Promise<void> {
  if (json && flags.plot === true)
    throw new UsageError(where, "--plot draws for people and --json prints data: leave one out, or have the picture in a file by --svg");
  const svg = stringFlag(flags, "svg");
  if (svg === undefined) return;
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

/** Plot is loaded only where it draws. */
async function writeSvg(path: string, chart: LineChart): Promise<void> {
  const { chartSvg } = await import("../plot/index.ts");
  await atomicWrite(path, `${chartSvg(chart)}\n`, where);
}
