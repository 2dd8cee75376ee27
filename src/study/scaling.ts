// Scaling laws by oneself (Hoffmann et al. 2022, arXiv 2203.15556): small runs, a law through them, and a larger run that it has not seen.
import { join } from "node:path";
import { CriaError } from "../base/index.ts";
import { llamaConfig, parameterCount } from "../model/index.ts";
import { fitLaw, type LawFit, lossOf, predictLoss, type RunPoint } from "../plan/index.ts";
import type { LineChart, Series } from "../plot/index.ts";
import { type EncodedText, type PreparedText, prepareText } from "./encoded-text.ts";
import { hasLearnt, Lab } from "./lab.ts";
import type { Section } from "./report.ts";
import { groupBy, mean, seedCount, spread } from "./statistics.ts";
import type { Study, StudyContext } from "./study.ts";
import type { Outcome, Trial } from "./trial.ts";
import { concluded, type Head } from "./unfinished.ts";

const hoffmann = "Hoffmann et al. 2022, arXiv 2203.15556, section 3.3 and appendix D.3";

export const scalingStudy: Study = {
  name: "scaling",
  title: "A scaling law from ten minutes of small runs",
  summary: "four sizes at three lengths, a law fitted to them, and its prediction of a larger and longer run",
  seeds: 2,
  next: (folder) => `the law by all of these runs, and the size to go on with: cria plan --fit ${runsIn(folder)}`,
  async run(context) {
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
/** Of the largest run's steps. */
const shares = [1 / 8, 1 / 4, 1 / 2];

function trialOf({ learningRate, ...model }: Size, stepShare: number, text: EncodedText): Trial {
  const config = llamaConfig({ ...model, vocabSize, contextLength: length, tiedOutput: true });
  const name = `${(parameterCount(config) / 1e6).toPrecision(2)}M`;
  return { variant: { name, config, size: { batch: 4, length }, text }, learningRate, warmupShare: 0.1, stepShare };
}

const lawHead: Head = {
  title: "A law from small runs, held against a larger one",
  claim: "The loss follows L(N, D) = E + A/N^α + B/D^β in parameters N and tokens D, so that small runs foretell larger ones.",
  source: hoffmann,
};

async function lawSection(context: StudyContext, text: PreparedText): Promise<Section[]> {
  const runs = { folder: runsIn(context.folder), data: text.data, tokenizer: text.tokenizer.model };
  using lab = new Lab({ ...context, runs });
  const small = sizes.map((size) => shares.map((share) => trialOf(size, share, text)));
  // One variant a size: it is compiled once for all lengths.
  const trials = small.flatMap((row) => row.map((trial) => ({ ...trial, variant: row[0]!.variant })));
  const held = trialOf(largest, 1, text);
  const outcomes = await lab.run({
    trials: [...trials, held],
    seeds: context.seeds,
    seconds: context.minutes * 60 * 0.97,
    leastSteps: 8,
    heldOutTokens: 32768,
  });
  return concluded(lawHead, outcomes, trials.length + 1, (whole) => describeLaw(whole, held));
}

/** A run of each seed, gathered. */
interface Point extends RunPoint {
  readonly name: string;
  /** Held-out, one a seed. */
  readonly losses: readonly number[];
}

function pointOf([trial, outcomes]: readonly [Trial, readonly Outcome[]]): Point {
  const { config, size, name } = trial.variant;
  const losses = outcomes.map(({ heldOut }) => heldOut?.loss ?? Number.NaN);
  return { name, parameters: parameterCount(config), tokens: outcomes[0]!.steps * size.batch * size.length, loss: mean(losses), losses };
}

function describeLaw(outcomes: readonly Outcome[], held: Trial): Section {
  const points = [...groupBy(outcomes, ({ trial }) => trial)].map(pointOf);
  const [runs, target] = [points.slice(0, -1), points.at(-1)!];
  const tables = [runTable(points)];
  try {
    const fit = fitLaw(runs, { seed: 1 });
    return describeFit(fit, runs, target, outcomes, tables);
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    const conclusion = `No law could be fitted to ${runs.length} runs of at most ${runs.at(-1)!.tokens} tokens, and ${held.variant.name} reached ${spread(target.losses)} nats: ${error.message}`;
    return { ...lawHead, verdict: "too short to say", conclusion, remarks: [], tables, charts: [] };
  }
}

function describeFit(fit: LawFit, runs: readonly Point[], target: Point, outcomes: readonly Outcome[], tables: Section["tables"]): Section {
  const predicted = predictLoss(fit, target, 1);
  const error = predicted.loss / target.loss - 1;
  const { low = Number.NaN, high = Number.NaN } = predicted;
  const isInside = target.loss >= low && target.loss <= high;
  const isNear = Math.abs(error) < 0.02;
  const best = Math.min(...runs.map(({ loss }) => loss));
  const [fall, foretold] = [best - target.loss, best - predicted.loss];
  // Who says that the larger run will be no better than the best small one is off by the whole fall.
  const isForetold = Math.abs(predicted.loss - target.loss) < fall / 2;
  const isShown = isNear && isInside && isForetold;
  const { E, A, B, alpha, beta } = fit.law;
  const budget = (point: Point) => point.parameters * point.tokens;
  const further = budget(target) / Math.max(...runs.map(budget));
  return {
    ...lawHead,
    verdict: !hasLearnt(outcomes)
      ? "too short to say"
      : isShown
        ? "shown"
        : isForetold || (isNear && isInside)
          ? "partly shown"
          : "not shown",
    conclusion:
      `From ${runs.length} runs the law foretells ${predicted.loss.toFixed(3)} nats a token (95 %: ${low.toFixed(3)} to ${high.toFixed(3)}) for a run of ${further.toFixed(1)} times the largest one's operations; ` +
      `it reached ${spread(target.losses)}: the prediction is off by ${(100 * error).toFixed(1)} %. ` +
      `The best of the small runs has ${best.toFixed(3)}; of the fall from there by ${fall.toFixed(3)} nats the law foretells ${foretold.toFixed(3)}. ` +
      `The law: E = ${E.toFixed(2)}, A = ${A.toPrecision(3)}, B = ${B.toPrecision(3)}, α = ${alpha.toFixed(2)}, β = ${beta.toFixed(2)}.`,
    remarks: [
      `Every length has a schedule of its own, as Hoffmann et al. found it must. ${seedCount(target.losses.length)}; the fit is to their means.`,
      ...fit.notes.map((note) => `Held fixed: ${note}.`),
      ...(isShown
        ? []
        : [
            "Runs this short are mostly warm-up, and their best learning rates differ by length, which the law does not know; exponents from so small a range of sizes are loose.",
          ]),
    ],
    tables: [...tables, lawTable(fit)],
    charts: [lawChart(fit, runs, target, predicted)],
  };
}

function runTable(points: readonly Point[]): Section["tables"][number] {
  return {
    title: "runs, the last one held out",
    columns: ["", "parameters N", "tokens D", "held-out loss, nats a token"],
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

function lawChart({ law }: LawFit, runs: readonly Point[], target: Point, predicted: ReturnType<typeof predictLoss>): LineChart {
  const most = target.tokens;
  const series = [...groupBy([...runs, target], ({ name }) => name)].flatMap(([name, group], i): Series[] => {
    const { parameters, tokens } = group[0]!;
    const first = Math.min(tokens, most / 8);
    const curve = Array.from({ length: 25 }, (_, step) => first * (most / first) ** (step / 24));
    return [
      {
        name,
        as: "dots",
        group: name,
        points: group.map((point) => ({ x: point.tokens, y: point.loss, low: Math.min(...point.losses), high: Math.max(...point.losses) })),
      },
      {
        name: i === 0 ? "the law" : "",
        as: "dashed",
        group: name,
        points: curve.map((x) => ({ x, y: lossOf(law, { parameters, tokens: x }) })),
      },
    ];
  });
  const { loss: y, low = Number.NaN, high = Number.NaN } = predicted;
  const foretold: Series = { name: "foretold, with 95 %", as: "rings", points: [{ x: most, y, low, high }] };
  return {
    kind: "lines",
    title: "loss by tokens, a colour a size",
    x: { label: "tokens D", scale: "log" },
    y: { label: "held-out loss, nats a token" },
    series: [...series, foretold],
  };
}
