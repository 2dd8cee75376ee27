// The feed-forward layer's activation: plain ones and the GLU family at equal parameters (Shazeer 2020, arXiv 2002.05202).
import { type ActivationFunctionName, activationFunctions } from "../graph/index.ts";
import {
  type ActivationName,
  isGated,
  type LlamaConfig,
  llamaConfig,
  type ParameterRow,
  parameterCount,
  parameterRows,
} from "../model/index.ts";
import type { LineChart, Series } from "../plot/index.ts";
import { type EncodedText, encodeText } from "./encoded-text.ts";
import { asFrequencies, divergedRemark, hasLearnt, Lab, lossOf } from "./lab.ts";
import { type Section, verdictOf } from "./report.ts";
import { counted, groupBy, mean, pairedDifference, spread, told } from "./statistics.ts";
import type { Study, StudyContext } from "./study.ts";
import type { Outcome, Trial } from "./trial.ts";
import { concluded, type Head, inTurn } from "./unfinished.ts";

const shazeer = "Shazeer 2020, arXiv 2002.05202";

export const activationStudy: Study = {
  name: "activation",
  title: "Activations: plain ones and the GLU family at equal parameters",
  summary: "ReLU, GELU, Swish, GLU, Bilinear, ReGLU, GEGLU, SwiGLU: curves, the 2/3 rule in numbers, losses over seeds",
  seeds: 3,
  async run(context) {
    const text = await encodeText(context, vocabSize, 256);
    return inTurn(context.signal, [async () => [curveSection(), parameterSection()], () => lossSection(context, text)]);
  },
};

// ── the functions ──

interface Curve {
  readonly name: string;
  readonly activation: ActivationFunctionName;
  readonly beta: number;
}

const curves: readonly Curve[] = [
  { name: "ReLU", activation: "relu", beta: 1 },
  { name: "GELU", activation: "gelu", beta: 1 },
  { name: "Swish, β = 0.1", activation: "swish", beta: 0.1 },
  { name: "Swish, β = 1", activation: "swish", beta: 1 },
  { name: "Swish, β = 10", activation: "swish", beta: 10 },
];
/** Not drawn: a straight line to the eye. */
const flatSwish: Curve = { name: "Swish, β = 0.01", activation: "swish", beta: 0.01 };
const [relu, gelu, , swish, steepSwish] = curves as readonly [Curve, Curve, Curve, Curve, Curve];

/** Places from −5 to 5, a power of two apart, so that 0 is among them. */
const xs = Array.from({ length: 1281 }, (_, i) => (i - 640) / 128);

function value({ activation, beta }: Curve, x: number): number {
  return activationFunctions[activation].value(x, beta);
}

function slope({ activation, beta }: Curve, x: number): number {
  return activationFunctions[activation].slope(x, beta);
}

/** Where the function is least, to the grid. */
export function lowest(curve: Curve): { x: number; y: number } {
  return xs.map((x) => ({ x, y: value(curve, x) })).reduce((least, point) => (point.y < least.y ? point : least));
}

function largestDifference(f: (x: number) => number, g: (x: number) => number): number {
  return Math.max(...xs.map((x) => Math.abs(f(x) - g(x))));
}

/** Largest difference between a slope and the central difference quotient of the values, away from ReLU's corner. */
export function slopeError(curve: Curve): number {
  const h = 1e-5;
  const quotient = (x: number) => (value(curve, x + h) - value(curve, x - h)) / (2 * h);
  return Math.max(...xs.filter((x) => Math.abs(x) > h).map((x) => Math.abs(slope(curve, x) - quotient(x))));
}

function curveSection(): Section {
  const [g, s] = [lowest(gelu), lowest(swish)];
  const toRelu = largestDifference(
    (x) => value(steepSwish, x),
    (x) => value(relu, x),
  );
  const toTanh = largestDifference(
    (x) => value(gelu, x),
    (x) => activationFunctions.geluTanh.value(x, 1),
  );
  const toLine = largestDifference(
    (x) => value(flatSwish, x),
    (x) => x / 2,
  );
  const worst = Math.max(...curves.map(slopeError));
  return {
    title: "The functions and their derivatives",
    claim:
      "GELU(x) = x·Φ(x) and Swish_β(x) = x·σ(βx) are smooth and dip below zero; with β from 0 to infinity Swish goes from x/2 to ReLU.",
    source: "Hendrycks & Gimpel 2016, arXiv 1606.08415; Ramachandran et al. 2017, arXiv 1710.05941",
    verdict: worst < 1e-6 && toRelu < 0.03 && toLine < 0.07 ? "shown" : "not shown",
    conclusion:
      `GELU is least at x = ${g.x.toFixed(2)} with ${g.y.toFixed(3)}, Swish (β = 1, SiLU) at ${s.x.toFixed(2)} with ${s.y.toFixed(3)}; Swish with β = 10 is within ${toRelu.toFixed(3)} of ReLU, with β = ${flatSwish.beta} within ${toLine.toFixed(3)} of x/2; ` +
      `GELU's tanh form is within ${toTanh.toExponential(1)} of the exact one. Slopes agree with difference quotients to ${worst.toExponential(1)}.`,
    remarks: ["ReLU's slope is 0 for all negative inputs: what falls there learns nothing. The others have a slope almost everywhere."],
    tables: [],
    charts: [curveChart("the functions", "f(x)", value), curveChart("their derivatives", "f′(x)", slope)],
  };
}

function curveChart(title: string, label: string, f: (curve: Curve, x: number) => number): LineChart {
  const shown = xs.filter((_, i) => i % 16 === 0);
  const lineOf = (curve: Curve): Series => ({
    name: curve.name,
    as: curve === relu ? "dashed" : "line", // The curve lies on that of Swish with a large β.
    points: shown.map((x) => ({ x, y: f(curve, x) })),
  });
  const series = [...curves.filter((curve) => curve !== relu), relu].map(lineOf);
  return { kind: "lines", title, x: { label: "x" }, y: { label }, series };
}

// ── equal parameters ──

const vocabSize = 512;
const dim = 96;
const length = 64;

interface Contestant {
  readonly name: string;
  readonly activation: ActivationName;
  readonly beta?: number;
}

const contestants: readonly Contestant[] = [
  { name: "ReLU", activation: "relu" },
  { name: "GELU", activation: "gelu" },
  { name: "Swish, β = 0.5", activation: "swish", beta: 0.5 },
  { name: "Swish, β = 1", activation: "swish" },
  { name: "Swish, β = 2", activation: "swish", beta: 2 },
  { name: "GLU (sigmoid)", activation: "glu" },
  { name: "Bilinear", activation: "bilinear" },
  { name: "ReGLU", activation: "reglu" },
  { name: "GEGLU", activation: "geglu" },
  { name: "SwiGLU", activation: "swiglu" },
];

/** A plain layer has two matrices with 4d hidden channels; a gated one has three, and 2/3 of that. */
export function configOf({ activation, beta = 1 }: Contestant): LlamaConfig {
  const hiddenDim = isGated(activation) ? (4 * dim * 2) / 3 : 4 * dim;
  return llamaConfig({
    vocabSize,
    dim,
    nLayers: 3,
    nHeads: 4,
    hiddenDim,
    contextLength: length,
    tiedOutput: true,
    activation,
    swishBeta: beta,
  });
}

export const parameterCounts = (): number[] => contestants.map((one) => parameterCount(configOf(one)));

function feedForwardRow(one: Contestant): (string | number)[] {
  const config = configOf(one);
  const matrices = parameterRows(config).filter(({ name }) => name.startsWith("layers.0.ffn."));
  const parameters = matrices.reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0);
  return [one.name, matrices.length, config.hiddenDim, parameters, parameterCount(config)];
}

function parameterSection(): Section {
  const counts = parameterCounts();
  const isEqual = new Set(counts).size === 1;
  const [plain, gated] = [4 * dim, (8 * dim) / 3];
  return {
    title: "The 2/3 rule",
    claim: "A gated layer has three matrices instead of two; with 2/3 of the hidden channels its parameters and operations stay the same.",
    source: `${shazeer}, section 2; LLaMA, section 2.2`,
    verdict: isEqual ? "shown" : "not shown",
    conclusion: `2 · ${dim} · ${plain} = 3 · ${dim} · ${gated} = ${(2 * dim * plain).toLocaleString("en")} parameters per layer; all ${contestants.length} models here have ${counts[0]!.toLocaleString("en")} in all.`,
    remarks: [
      "LLaMA rounds 2/3 · 4d up to a multiple of 256, which suits the hardware and costs a few parameters: 11,008 instead of 10,922.67 at d = 4,096.",
    ],
    tables: [
      {
        title: "feed-forward layers",
        columns: ["", "matrices", "hidden channels", "parameters per layer", "of the model"],
        rows: contestants.map(feedForwardRow),
      },
    ],
    charts: [],
  };
}

// ── losses ──

const lossHead: Head = {
  title: "Losses at equal parameters",
  claim: "The GLU variants beat ReLU, GELU and Swish; GEGLU and SwiGLU are the best: 1.942 and 1.944 against ReLU's 1.997 log-perplexity.",
  source: `${shazeer}, table 1`,
};

async function lossSection(context: StudyContext, text: EncodedText): Promise<Section[]> {
  using lab = new Lab(context);
  const trials = contestants.map((one): Trial => {
    const variant = { name: one.name, config: configOf(one), size: { batch: 4, length }, text, firstWeights: byInputs };
    return { variant, learningRate: 3e-3, warmupShare: 0.1 };
  });
  const outcomes = await lab.run({
    trials,
    seeds: context.seeds,
    seconds: context.secondsLeft() * 0.97,
    leastSteps: 30,
    heldOutTokens: 16384,
  });
  return concluded(lossHead, outcomes, trials.length, context, (whole) => describeLosses(whole));
}

/**
 * Gate and up matrices by the number of their inputs, as in the paper's T5: what goes into the activation then has size 1, as in a model of
 * LLaMA's width, where the usual 0.02 is about 1/sqrt(d). Here 0.02 would make it 0.2, where all that is smooth is nearly a straight line.
 */
function byInputs(rows: readonly ParameterRow[]): readonly ParameterRow[] {
  return rows.map((row) => (/\.ffn\.(gate|up)$/.test(row.name) ? { ...row, init: 1 / Math.sqrt(row.shape[1]!) } : row));
}

/** Where the order is not that of the claim. @param ranked best first */
function exceptions(ranked: readonly Contestant[]): string[] {
  const bestPlain = ranked.findIndex(({ activation }) => !isGated(activation));
  const behind = ranked.slice(bestPlain).filter(({ activation }) => isGated(activation));
  const names = behind.map(({ name }) => name).join(", ");
  const [first] = ranked;
  return [
    ...(behind.length > 0 ? [`${names} ${behind.length > 1 ? "are" : "is"} behind ${ranked[bestPlain]!.name}`] : []),
    ...(["geglu", "swiglu"].includes(first!.activation) ? [] : ["neither GEGLU nor SwiGLU is the best"]),
  ];
}

export function describeLosses(outcomes: readonly Outcome[]): Section {
  const seeds = [...groupBy(outcomes, ({ seed }) => seed).values()];
  const lossesOf = (name: string) => seeds.map((round) => lossOf(round.find(({ trial }) => trial.variant.name === name)!));
  const family = (gated: boolean) => {
    const members = contestants.filter((one) => isGated(one.activation) === gated).map(({ name }) => lossesOf(name));
    return seeds.map((_, i) => mean(members.map((losses) => losses[i]!)));
  };
  const [plain, gated] = [family(false), family(true)];
  const gain = pairedDifference(plain, gated);
  const ranked = [...contestants].sort((a, b) => mean(lossesOf(a.name)) - mean(lossesOf(b.name)));
  const [best, last] = [ranked[0]!, ranked.at(-1)!];
  const unlike = exceptions(ranked);
  const isShort = !hasLearnt(outcomes) || seeds.length < 2;
  return {
    ...lossHead,
    // What may be chance is not shown, and one seed does not tell chance.
    verdict: gain.low > 0 ? verdictOf([true, unlike.length === 0], isShort) : verdictOf([false], isShort),
    conclusion:
      `The five gated layers reach ${spread(gated)} nats per token, the five plain ones ${spread(plain)} over ${counted(seeds.length, "seed")}: ` +
      `the gates gain ${told(gain)}. Best is ${best.name} (${spread(lossesOf(best.name))}), last ${last.name} (${spread(lossesOf(last.name))}); ` +
      `SwiGLU has ${spread(lossesOf("SwiGLU"))}, ReLU ${spread(lossesOf("ReLU"))}.` +
      (unlike.length === 0 ? "" : ` Unlike the paper: ${unlike.join("; ")}.`),
    remarks: [
      `Models of 3 layers and ${dim} channels, ${counted(outcomes[0]!.steps, "step")} of 4 × ${length} tokens, the same order of the text and learning rate for all, first weights by the same rule: what goes into an activation has size 1.`,
      ...divergedRemark(outcomes, asFrequencies),
      "The paper's differences are 1 to 3 % of the loss, after 65,536 steps of far larger batches. In so short a training of so small a model the speed of the first learning weighs most, and their order need not be the paper's.",
    ],
    tables: [
      {
        title: "held-out loss in nats per token, best first",
        columns: ["", "mean ± std", ...seeds.map((round) => `seed ${round[0]!.seed}`)],
        rows: ranked.map(({ name }) => [name, spread(lossesOf(name)), ...lossesOf(name)]),
      },
    ],
    charts: [
      {
        kind: "ranges",
        title: "held-out loss: a dot per seed, a line for their mean",
        x: { label: "loss, nats per token" },
        rows: ranked.map(({ name }) => ({ name, values: lossesOf(name) })),
      },
    ],
  };
}
