// cria plan: larger model or larger data? Any of a budget, a size, tokens and a loss → the rest, and what it takes.
import { atomicWrite } from "../files/index.ts";
import type { LineChart } from "../plot/index.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { stringFlag } from "./flag-values.ts";
import { parseFlags } from "./parse.ts";
import { type Asked, planFlags, readAsked } from "./plan/ask.ts";
import { planChart } from "./plan/chart.ts";
import { chartText } from "./plan/chart-text.ts";
import { askNext, fitRuns, type RunsFit, showFit } from "./plan/fit.ts";
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
  const first = await readAsked(args, flags, flags.fit === true);
  const fitted = flags.fit === true ? await fitRuns(args) : undefined;
  const asked = fitted ? askNext(first, fitted) : first;
  const report = buildReport(asked, await openMachine(asked, fitted, io));
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

/** What was named; this machine for hours and for going on from one's own runs; otherwise the paper's. */
async function openMachine({ machine, budget }: Asked, fitted: RunsFit | undefined, io: CommandIo): Promise<Machine> {
  if (machine.gpu !== undefined) return namedMachine(machine.gpu, machine);
  const isHere = budget?.kind === "hours" || (fitted !== undefined && budget === undefined);
  return isHere ? thisMachine(machine, io) : namedMachine("a100-80gb", machine);
}

/** Plot is loaded only where it draws. */
async function writeSvg(path: string, chart: LineChart): Promise<void> {
  const { chartSvg } = await import("../plot/index.ts");
  await atomicWrite(path, `${chartSvg(chart)}\n`, where);
}
