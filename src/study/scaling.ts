// Scaling laws by oneself (Hoffmann et al. 2022, arXiv 2203.15556): small runs, a law through them, and a larger run that it has not seen.
import { join } from "node:path";
import { CriaError, check } from "../base/index.ts";
import { llamaConfig, parameterCount } from "../model/index.ts";
import { fitLaw, type LawFit, lossOf, predictLoss, type RunPoint, type ScalingLaw } from "../plan/index.ts";
import type { LineChart, Series } from "../plot/index.ts";
import { type EncodedText, type PreparedText, prepareText } from "./encoded-text.ts";
import { divergedRemark, Lab } from "./lab.ts";
import type { Section } from "./report.ts";
import { counted, groupBy, mean, spread } from "./statistics.ts";
import type { Study, StudyContext } from "./study.ts";
import type { Outcome, Trial } from "./trial.ts";
import { concluded, type Head } from "./unfinished.ts";

const hoffmann = "Hoffmann et al. 2022, arXiv 2203.15556, section 3.3 and appendix D.3";

export const scalingStudy: Study = {
  name: "scaling",
  title: "A scaling law from small runs",
  summary: "four sizes at three lengths, a law fitted to them, and its prediction of a larger and longer run",
  seeds: 2,
  next: (folder, [section]) =>
    section?.verdict === "shown" || section?.verdict === "partly shown"
      ? { text: "the law by all of these runs, and the size to go on with", runsToFit: runsIn(folder) }
      : { text: `the runs are in ${runsIn(folder)}; longer ones are needed for a law to go on with` },
  async run(context) {
    const { steps } = context;
    check(
      steps === undefined || steps >= leastSteps,
      "study",
      () => `steps is ${steps} but scaling needs at least ${leastSteps}, or its runs would not differ in length: raise it`,
    );
    await using text = await prepareText(context, vocabSize, 256);
    return await lawSection(context, text);
  },
};

function runsIn(folder: string): string {
  return join(folder, "runs");
}

const vocabSize = 512;
const length = 64;

interface Size {
  readonly dim: number;
  readonly nLayers: number;
  readonly nHeads: number;
  readonly hiddenDim: number;
  /** Smaller models bear larger ones. */
  readonly learningRate: number;
}

/** Each has about twice the parameters of the one before. */
const sizes: readonly Size[] = [
  { dim: 32, nLayers: 2, nHeads: 2, hiddenDim: 88, learningRate: 8e-3 },
  { dim: 48, nLayers: 3, nHeads: 3, hiddenDim: 128, learningRate: 6e-3 },
  { dim: 64, nLayers: 4, nHeads: 4, hiddenDim: 176, learningRate: 4e-3 },
  { dim: 96, nLayers: 4, nHeads: 4, hiddenDim: 256, learningRate: 3e-3 },
];
const largest: Size = { dim: 128, nLayers: 5, nHeads: 4, hiddenDim: 344, learningRate: 2.5e-3 };
/** Shares of the largest run's steps. */
const shares = [1 / 8, 1 / 4, 1 / 2];
/** The shortest runs then have one. */
const leastSteps = 8;

function trialOf({ learningRate, ...model }: Size, stepShare: number, text: EncodedText): Trial {
  const config = llamaConfig({ ...model, vocabSize, contextLength: length, tiedOutput: true });
  const name = `${(parameterCount(config) / 1e6).toPrecision(2)}M`;
  return { variant: { name, config, size: { batch: 4, length }, text }, learningRate, warmupShare: 0.1, stepShare };
}

const lawHead: Head = {
  title: "A law from small runs, tested on a larger one",
  claim: "The loss follows L(N, D) = E + A/N^α + B/D^β in parameters N and tokens D, so that small runs predict larger ones.",
  source: hoffmann,
};

async function lawSection(context: StudyContext, text: PreparedText): Promise<Section[]> {
  const runs = { folder: runsIn(context.folder), data: text.data, tokenizer: text.tokenizer.model };
  using lab = new Lab({ ...context, runs });
  const small = sizes.map((size) => shares.map((share) => trialOf(size, share, text)));
  // One variant per size: it is compiled once for all lengths.
  const trials = small.flatMap((row) => row.map((trial) => ({ ...trial, variant: row[0]!.variant })));
  const held = trialOf(largest, 1, text);
  const outcomes = await lab.run({
    trials: [...trials, held],
    seeds: context.seeds,
    seconds: context.secondsLeft() * 0.97,
    leastSteps: 10 * leastSteps,
    heldOutTokens: 32768,
  });
  return concluded(lawHead, outcomes, trials.length + 1, context, (whole) => describeLaw(whole, held));
}

/** A run of each seed, gathered. */
interface Point extends RunPoint {
  readonly name: string;
  /** Held-out losses, one per seed. */
  readonly losses: readonly number[];
}

function pointOf([trial, outcomes]: readonly [Trial, readonly Outcome[]]): Point {
  const { config, size, name } = trial.variant;
  const losses = outcomes.flatMap(({ heldOut }) => heldOut?.loss ?? []); // the mean of none is NaN
  return { name, parameters: parameterCount(config), tokens: outcomes[0]!.steps * size.batch * size.length, loss: mean(losses), losses };
}

/** @param held the trial that the law has not seen, the last one of a round */
export function describeLaw(outcomes: readonly Outcome[], held: Trial): Section {
  const points = [...groupBy(outcomes, ({ trial }) => trial)].map(pointOf);
  const [runs, target] = [points.slice(0, -1).filter(({ loss }) => Number.isFinite(loss)), points.at(-1)!];
  const tables = [runTable(points)];
  const diverged = divergedRemark(outcomes, "left out of the law and of the means");
  const tooShort = (why: string): Section => {
    const conclusion = `${held.variant.name} parameters on ${target.tokens.toLocaleString("en")} tokens reached ${spread(target.losses)} nats; no law is compared with that: ${why}`;
    return { ...lawHead, verdict: "too short to say", conclusion, remarks: diverged, tables, charts: [lossChart(points)] };
  };
  const { unigramLoss } = held.variant.text;
  const idle = runs.filter(({ loss }) => !(loss < unigramLoss - learnt)).length;
  const best = Math.min(...runs.map(({ loss }) => loss));
  if (!Number.isFinite(target.loss)) return tooShort("its loss diverged (NaN).");
  if (idle > 0)
    return tooShort(
      `${counted(idle, "run")} of ${runs.length} ended less than ${learnt} nats below the unigram baseline (${unigramLoss.toFixed(2)}), and have learnt nothing that a law could be about.`,
    );
  if (target.loss >= best) return tooShort(`the best of the small runs is as good, with ${best.toFixed(3)}.`);
  try {
    return describeFit(fitLaw(runs, { seed: 1 }), runs, target, best, { tables, diverged });
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    return tooShort(error.message);
  }
}

/** Nats below the unigram baseline from which on a run has learnt something of the text's order. */
const learnt = 0.3;

interface Beside {
  readonly tables: Section["tables"];
  readonly diverged: readonly string[];
}

function describeFit(fit: LawFit, runs: readonly Point[], target: Point, best: number, { tables, diverged }: Beside): Section {
  const predicted = predictLoss(fit, target, 1);
  const error = predicted.loss / target.loss - 1;
  const { low = Number.NaN, high = Number.NaN } = predicted;
  const isInside = target.loss >= low && target.loss <= high;
  const isNear = Math.abs(error) < 0.02;
  const [fall, predictedFall] = [best - target.loss, best - predicted.loss];
  // Who says that the larger run will be no better than the best small one is off by the whole fall.
  const isFallPredicted = Math.abs(predicted.loss - target.loss) < fall / 2;
  const isShown = isNear && isInside && isFallPredicted;
  const { E, A, B, alpha, beta } = fit.law;
  const budget = (point: Point) => point.parameters * point.tokens;
  const further = budget(target) / Math.max(...runs.map(budget));
  return {
    ...lawHead,
    verdict: isShown ? "shown" : isFallPredicted || (isNear && isInside) ? "partly shown" : "not shown",
    conclusion:
      `From ${counted(runs.length, "run")} the law predicts ${predicted.loss.toFixed(3)} nats per token (95 %: ${low.toFixed(3)} to ${high.toFixed(3)}) for a run of ${further.toFixed(1)} times the largest one's operations; ` +
      `it reached ${spread(target.losses)}: the prediction is off by ${(100 * error).toFixed(1)} %. ` +
      `The best of the small runs has ${best.toFixed(3)}; of the fall from there by ${fall.toFixed(3)} nats the law predicts ${predictedFall.toFixed(3)}. ` +
      `The law: E = ${E.toFixed(2)}, A = ${A.toPrecision(3)}, B = ${B.toPrecision(3)}, α = ${alpha.toFixed(2)}, β = ${beta.toFixed(2)}.`,
    remarks: [
      `Every length has a schedule of its own, as Hoffmann et al. found it must. ${counted(target.losses.length, "seed")}; the fit is to their means.`,
      ...diverged,
      ...fit.notes.map((note) => `Held fixed: ${note}.`),
      ...(isShown
        ? []
        : [
            "The best learning rate differs by length, which the law does not know, and the first few hundred steps of a run follow no such law; exponents from so small a range of sizes are loose.",
          ]),
    ],
    tables: [...tables, lawTable(fit)],
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
function lossChart(points: readonly Point[], law?: ScalingLaw, predicted?: ReturnType<typeof predictLoss>): LineChart {
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
