// The scaling study's findings in words, tables and charts.
import { type LawFit, lossOf, type ScalingLaw } from "../../plan/index.ts";
import type { LineChart, Series } from "../../plot/index.ts";
import type { Section } from "../report.ts";
import { groupBy } from "../statistics.ts";
import type { Head } from "../unfinished.ts";
import { counted, divergedRemark, spread } from "../words.ts";
import { type LawFindings, learnt, type Point, type Prediction, type TooShort } from "./judge.ts";

const hoffmann = "Hoffmann et al. 2022, arXiv 2203.15556, section 3.3 and appendix D.3";

/** Claim and source of the study's section. */
export const lawHead: Head = {
  title: "A law from small runs, tested on a larger one",
  claim: "The loss follows L(N, D) = E + A/N^α + B/D^β in parameters N and tokens D, so that small runs predict larger ones.",
  source: hoffmann,
};

/** The section about the law and its prediction. */
export function tellLaw(found: LawFindings): Section {
  const { outcome } = found;
  return "because" in outcome ? tellTooShort(found, outcome) : tellPrediction(found, outcome);
}

function tellTooShort({ held, target, verdict, points, unigramLoss, diverged }: LawFindings, why: TooShort): Section {
  return {
    ...lawHead,
    verdict,
    conclusion: `${held} parameters on ${target.tokens.toLocaleString("en")} tokens reached ${spread(target.losses)} nats; no law is compared with that: ${reasonOf(why, unigramLoss)}`,
    remarks: tellDiverged(diverged),
    tables: [runTable(points)],
    charts: [lossChart(points)],
  };
}

function reasonOf(why: TooShort, unigramLoss: number): string {
  if (why.because === "the larger run diverged") return "its loss diverged (NaN).";
  if (why.because === "a small run is as good") return `the best of the small runs is as good, with ${why.best.toFixed(3)}.`;
  if (why.because === "no law can be fitted") return why.message;
  return `${counted(why.idle, "run")} of ${why.of} ended less than ${learnt} nats below the unigram baseline (${unigramLoss.toFixed(2)}), and have learnt nothing that a law could be about.`;
}

function tellDiverged(diverged: LawFindings["diverged"]): string[] {
  return divergedRemark(diverged, "left out of the law and of the means");
}

function tellPrediction({ verdict, target, points, diverged }: LawFindings, prediction: Prediction): Section {
  const { fit, runs, predicted, error, best, fall, predictedFall, further } = prediction;
  const { E, A, B, alpha, beta } = fit.law;
  return {
    ...lawHead,
    verdict,
    conclusion:
      `From ${counted(runs.length, "run")} the law predicts ${predicted.loss.toFixed(3)} nats per token (95 %: ${predicted.low.toFixed(3)} to ${predicted.high.toFixed(3)}) for a run of ${further.toFixed(1)} times the largest one's operations; ` +
      `it reached ${spread(target.losses)}: the prediction is off by ${(100 * error).toFixed(1)} %. ` +
      `The best of the small runs has ${best.toFixed(3)}; of the fall from there by ${fall.toFixed(3)} nats the law predicts ${predictedFall.toFixed(3)}. ` +
      `The law: E = ${E.toFixed(2)}, A = ${A.toPrecision(3)}, B = ${B.toPrecision(3)}, α = ${alpha.toFixed(2)}, β = ${beta.toFixed(2)}.`,
    remarks: [
      `Every length has a schedule of its own, as Hoffmann et al. found it must. ${counted(target.losses.length, "seed")}; the fit is to their means.`,
      ...tellDiverged(diverged),
      ...fit.notes.map((note) => `Held fixed: ${note}.`),
      ...(verdict === "shown"
        ? []
        : [
            "The best learning rate differs by length, which the law does not know, and the first few hundred steps of a run follow no such law; exponents from so small a range of sizes are loose.",
          ]),
    ],
    tables: [runTable(points), lawTable(fit)],
    charts: [lossChart([...runs, target], fit.law, predicted)],
  };
}

function runTable(points: readonly Point[]): Section["tables"][number] {
  return {
    title: "runs, the last one held out",
    columns: ["", "parameters N", "tokens D", "held-out loss, nats per token"],
    rows: points.map(({ name, parameters, tokens, losses }) => [name, parameters, tokens, spread(losses)]),
  };
}

function lawTable({ law, intervals }: LawFit): Section["tables"][number] {
  const names = ["E", "A", "B", "alpha", "beta"] as const;
  const interval = (name: (typeof names)[number]) => {
    const found = intervals[name];
    return found === undefined ? "held fixed" : `${found.low.toPrecision(3)} to ${found.high.toPrecision(3)}`;
  };
  return { title: "the law", columns: ["", "value", "95 %"], rows: names.map((name) => [name, law[name], interval(name)]) };
}

/** @param predicted by the law, of the last run; without a law the runs alone are shown */
function lossChart(points: readonly Point[], law?: ScalingLaw, predicted?: Prediction["predicted"]): LineChart {
  const groups = [...groupBy(points, ({ name }) => name)];
  const target = points.at(-1)!;
  const dots = groups.map(
    ([name, group]): Series => ({
      ...{ name, as: "dots", group: name },
      points: group.map(({ tokens, loss, losses }) => ({ x: tokens, y: loss, low: Math.min(...losses), high: Math.max(...losses) })),
    }),
  );
  const curves =
    law === undefined ? [] : groups.map(([name, group], i) => lawCurve(law, group[0]!, target.tokens, i === 0 ? "the law" : "", name));
  const { loss: y, low = Number.NaN, high = Number.NaN } = predicted ?? { loss: Number.NaN };
  const rings: Series = { name: "predicted, with 95 %", as: "rings", points: [{ x: target.tokens, y, low, high }] };
  return {
    kind: "lines",
    title: "loss by tokens, a colour per size",
    x: { label: "tokens D", scale: "log" },
    y: { label: "held-out loss, nats per token" },
    series: [...dots, ...curves, ...(predicted ? [rings] : [])],
  };
}

function lawCurve(law: ScalingLaw, { parameters, tokens }: Point, most: number, name: string, group: string): Series {
  const first = Math.min(tokens, most / 8);
  const along = Array.from({ length: 25 }, (_, step) => first * (most / first) ** (step / 24));
  return { name, as: "dashed", group, points: along.map((x) => ({ x, y: lossOf(law, { parameters, tokens: x }) })) };
}
