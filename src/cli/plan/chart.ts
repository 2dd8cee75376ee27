// Loss over parameters and tokens: curves of equal loss, the line of equal operations, the optima, and LLaMA's models or one's own runs.
import { parameterCount, preset } from "../../model/index.ts";
import {
  type Allocation,
  exponent,
  laws,
  type PlanReport,
  publishedRuns,
  type ScalingLaw,
  tokensForLoss,
  tokensPerParameter,
} from "../../plan/index.ts";
import type { LineChart, Point, Series } from "../../plot/index.ts";

/** Excess over E of the curves, as shares of the plan's own. */
const levels = [0.8, 0.9, 1, 1.12, 1.26] as const;
/** The same in every plan. */
const characters = { own: "△", cheapest: "◇", llama: "▲", runs: "●", plan: "○" } as const;
const lawCharacters: Readonly<Record<string, string>> = {
  [laws.hoffmann.name]: "■",
  [laws.besiroglu.name]: "◆",
  [`${tokensPerParameter} tokens per parameter`]: "□",
};
const samples = 240;
/** Share of a curve's length at which its label stands: near the end, but inside. */
const labelPlace = 0.93;

/** The chart of a plan. @param runs one's own runs, shown instead of LLaMA's models */
export function planChart(report: PlanReport, runs: readonly Allocation[] = []): LineChart {
  const { law, plan, flops, optima, serving } = report;
  const isPublished = Object.values(laws).some(({ name }) => name === law.name);
  const isPlan = serving?.cheapest !== undefined && Math.abs(serving.cheapest.parameters / plan.parameters - 1) < 1e-3;
  const dots: Series[] = [
    ...optima.toReversed().map(
      // The rule of 20 and the refit fall on nearly the same place.
      ({ law: name, ...one }, i): Series => ({
        ...{ name: `compute-optimal: ${name}`, as: i === 0 ? "rings" : "dots" },
        ...{ character: lawCharacters[name] ?? characters.own, points: [pointOf(one)] },
      }),
    ),
    ...(serving?.cheapest && !isPlan
      ? [{ name: "cheapest life", as: "dots", character: characters.cheapest, points: [pointOf(serving.cheapest)] } as const]
      : []),
    ...(isPublished ? [{ name: "LLaMA", as: "dots", character: characters.llama, points: llamaPoints() } as const] : []),
    ...(runs.length > 0
      ? [{ name: "your runs", as: "dots", character: characters.runs, points: runs.map((run) => pointOf(run)) } as const]
      : []),
    { name: isPlan ? "this plan: the cheapest life" : "this plan", as: "dots", character: characters.plan, points: [pointOf(plan)] },
  ];
  const all = dots.flatMap(({ points }) => points);
  const [xs, ys] = [spread(all.map(({ x }) => x)), spread(all.map(({ y }) => y))];
  return {
    kind: "lines",
    title: `Loss by ${law.name}`,
    x: { label: "parameters", scale: "log", domain: xs },
    y: { label: "training tokens", scale: "log", domain: ys },
    series: [...isoLosses(report, xs, ys), budgetLine(flops, xs, ys), ...dots],
  };
}

function pointOf({ parameters, tokens }: Allocation, label?: string): Point {
  return { x: parameters, y: tokens, ...(label !== undefined && { label }) };
}

function llamaPoints(): Point[] {
  return publishedRuns.flatMap((run) =>
    run.preset === undefined ? [] : [pointOf({ parameters: parameterCount(preset(run.preset)), tokens: run.tokens! }, run.preset)],
  );
}

type Domain = readonly [number, number];

/** Half a decade around. */
function spread(values: readonly number[]): Domain {
  return [Math.min(...values) / 3, Math.max(...values) * 3];
}

function isoLosses({ law, plan }: PlanReport, xs: Domain, ys: Domain): Series[] {
  const losses = levels.map((level) => law.E + level * (plan.loss - law.E));
  const digits = [2, 3, 4, 5].find((count) => new Set(losses.map((loss) => loss.toFixed(count))).size === losses.length) ?? 6;
  return losses.map((loss) => isoLoss(law, loss, loss.toFixed(digits), xs, ys));
}

function isoLoss(law: ScalingLaw, loss: number, text: string, xs: Domain, ys: Domain): Series {
  const points = along(xs, (parameters) => tokensForLoss(law, parameters, loss), ys);
  const name = `loss ${text}`;
  const labelled = Math.floor(points.length * labelPlace);
  return {
    name,
    as: "line",
    group: "loss",
    points: points.map((point, i) => (i === labelled ? { ...point, label: text } : point)),
  };
}

function budgetLine(flops: number, xs: Domain, ys: Domain): Series {
  return {
    name: `${exponent(flops)} operations`,
    as: "dashed",
    points: along(xs, (parameters) => flops / 6 / parameters, ys),
  };
}

function along([low, high]: Domain, tokensOf: (parameters: number) => number | undefined, [least, most]: Domain): Point[] {
  return Array.from({ length: samples }, (_, i) => low * (high / low) ** (i / (samples - 1)))
    .map((x) => ({ x, y: tokensOf(x) ?? Number.POSITIVE_INFINITY }))
    .filter(({ y }) => y >= least && y <= most);
}
