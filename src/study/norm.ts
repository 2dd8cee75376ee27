// Where the norm stands (Xiong et al. 2020, arXiv 2002.04745), and which one it is (Zhang & Sennrich 2019, arXiv 1910.07467).
import { type Backend, BoundProgram } from "../backend/index.ts";
import { median, Rng, sizeOf } from "../base/index.ts";
import { Mixture } from "../batches/index.ts";
import { f32, Graph, gradients, layerNorm, rmsNorm, type Tensor } from "../graph/index.ts";
import { type BatchSize, type LlamaConfig, llamaConfig, type NormName, type NormPlacement, partNames } from "../model/index.ts";
import type { LineChart, Series } from "../plot/index.ts";
import { type EncodedText, encodeText } from "./encoded-text.ts";
import { type Draw, gradientNorms, xavier, xavierRows } from "./gradient-norms.ts";
import { asFrequencies, divergedRemark, hasLearnt, Lab, lossOf } from "./lab.ts";
import { type Section, verdictOf } from "./report.ts";
import { band, counted, groupBy, mean, pairedDifference, powerLaw, spread, told } from "./statistics.ts";
import type { Study, StudyContext } from "./study.ts";
import type { Outcome, Trial, Variant } from "./trial.ts";
import { concluded, type Head, inTurn } from "./unfinished.ts";

const xiong = "Xiong et al. 2020, arXiv 2002.04745";
const zhang = "Zhang & Sennrich 2019, arXiv 1910.07467";

export const normStudy: Study = {
  name: "norm",
  title: "Normalisation: before or after the sub-layer, RMSNorm or LayerNorm",
  summary: "gradients at initialisation by depth; training with and without warm-up; RMSNorm against LayerNorm",
  seeds: 3,
  async run(context) {
    const text = await encodeText(context, vocabSize, 256);
    return inTurn(context.signal, [
      () => initialSection(context, text),
      () => warmupSection(context, text),
      () => kindSection(context, text),
    ]);
  },
};

const placements = ["post", "pre"] as const satisfies readonly NormPlacement[];
const called = { post: "Post-LN", pre: "Pre-LN" } as const;

/** The Transformer that the paper analyses: LayerNorm, ReLU, sinusoids; `dim` channels, 4 · dim hidden ones. */
function transformer(placement: NormPlacement, nLayers: number, vocabSize: number, contextLength: number): LlamaConfig {
  const parts = { norm: "layer", normPlacement: placement, activation: "relu", positions: "sinusoidal" } as const;
  return llamaConfig({ vocabSize, dim: 64, nLayers, nHeads: 4, hiddenDim: 256, contextLength, ...parts });
}

// ── gradients at initialisation ──

const depths = [2, 4, 8, 16, 32];
const probe = { batch: 16, length: 64 };

export interface DepthGradients {
  readonly placement: NormPlacement;
  readonly depth: number;
  /** Norms of W_2 (the second matrix of the feed-forward part), one per layer from the input on, for every seed: [seeds][depth]. */
  readonly feedForward: readonly (readonly number[])[];
  /** Norms of all the layer's parameters together, likewise. */
  readonly wholeLayer: readonly (readonly number[])[];
}

export async function depthGradients(
  backend: Backend,
  placement: NormPlacement,
  depth: number,
  draws: readonly Draw[],
  size: BatchSize = probe,
): Promise<DepthGradients> {
  const config = transformer(placement, depth, vocabSize, size.length);
  const found = await gradientNorms(backend, config, xavierRows(config), size, draws);
  const layers = Array.from({ length: depth }, (_, i) => i);
  const whole = (norms: ReadonlyMap<string, number>, layer: number) =>
    Math.hypot(...[...norms].filter(([name]) => name.startsWith(`layers.${layer}.`)).map(([, norm]) => norm));
  return {
    ...{ placement, depth },
    feedForward: found.map((norms) => layers.map((i) => norms.get(`layers.${i}.ffn.down`)!)),
    wholeLayer: found.map((norms) => layers.map((i) => whole(norms, i))),
  };
}

/** A batch of the text for every seed. */
export async function drawsOf(text: EncodedText, seeds: readonly number[], size: BatchSize = probe): Promise<Draw[]> {
  const draw = async (seed: number) => {
    const batches = new Mixture([{ name: "text", weight: 1, tokens: text.tokens }], { ...size, seed });
    return { seed, batch: await batches.next() };
  };
  return Promise.all(seeds.map(draw));
}

async function initialSection({ backend, seeds, signal, progress }: StudyContext, text: EncodedText): Promise<Section[]> {
  const draws = await drawsOf(text, seeds);
  const found: DepthGradients[] = [];
  const jobs = placements.flatMap((placement) => depths.map((depth) => ({ placement, depth })));
  for (const [done, { placement, depth }] of jobs.entries()) {
    if (signal.aborted) return [];
    progress({
      task: "gradients at initialisation",
      done,
      total: jobs.length,
      unit: "models",
      note: `${called[placement]}, ${depth} layers`,
    });
    found.push(await depthGradients(backend, placement, depth, draws));
  }
  return [describeInitial(found)];
}

/** Exponents p of |gradient of the last layer's W_2| ∝ L^p, one per seed, from four layers on: the 1 in 1 + L/2 weighs less there. */
export function lastLayerExponents(found: readonly DepthGradients[], placement: NormPlacement): number[] {
  const deep = found.filter((one) => one.placement === placement && one.depth >= fittedFrom);
  return deep[0]!.feedForward.map(
    (_, seed) => powerLaw(deep.map(({ depth, feedForward }) => ({ x: depth, y: feedForward[seed]!.at(-1)! }))).exponent,
  );
}

const fittedFrom = 4;

function lastLayer(found: readonly DepthGradients[], placement: NormPlacement) {
  return found
    .filter((one) => one.placement === placement)
    .map(({ depth, feedForward }) =>
      band(
        depth,
        feedForward.map((norms) => norms.at(-1)!),
      ),
    );
}

export function describeInitial(found: readonly DepthGradients[]): Section {
  const [post, pre] = placements.map((placement) => lastLayerExponents(found, placement)) as [number[], number[]];
  const deepest = Math.max(...found.map(({ depth }) => depth));
  const at = (placement: NormPlacement) => found.find((one) => one.placement === placement && one.depth === deepest)!.feedForward;
  const growth = (placement: NormPlacement) => at(placement).map((norms) => norms.at(-1)! / norms[0]!);
  const apart = at("post").map((norms, seed) => norms.at(-1)! / at("pre")[seed]!.at(-1)!);
  const seen = [Math.abs(mean(post)) < 0.15, Math.abs(mean(pre) + 0.5) < 0.15, mean(apart) > 1];
  return {
    title: "Gradients at initialisation",
    claim:
      "With Post-LN the expected gradients of the parameters near the output are large, O(d·sqrt(ln d)), whatever the depth L; with Pre-LN they are O(d·sqrt(ln d / L)).",
    source: `${xiong}, theorem 1 and figure 3`,
    verdict: verdictOf(seen, false),
    conclusion:
      `The norm of the last layer's gradient goes with L^(${spread(post, 2)}) for Post-LN (theory: 0) and with L^(${spread(pre, 2)}) for Pre-LN (theory: −0.5), ` +
      `${fittedFrom} to ${deepest} layers; at ${deepest} layers Post-LN's is ${spread(apart, 1)} times Pre-LN's. ` +
      `The last layer's is ${spread(growth("post"), 2)} of the first layer's there with Post-LN and ${spread(growth("pre"), 2)} with Pre-LN.`,
    remarks: [
      `Feed-forward W_2, LayerNorm, ReLU, sinusoids, 64 channels and 256 hidden ones, Xavier's first weights and embeddings of unit variance as in the paper's analysis; ` +
        `${probe.batch} × ${probe.length} tokens of the text, ${counted(found[0]!.feedForward.length, "seed")}. The theory's line is fitted in height only.`,
      mean(growth("post")) > 1.2
        ? "As in the paper's figure 3, Post-LN's gradients grow towards the output."
        : "Unlike the paper's figure 3, Post-LN's gradients do not grow towards the output. That figure is of a wider model with sentences in two languages; the theorem says nothing of lower layers.",
      "The theorem is about the last layer. In LLaMA's and GPT-2's recipe the matrices that write to the stream begin smaller, by 1/sqrt(2L), which changes these laws.",
    ],
    tables: [
      {
        title: "gradient norm of the last layer's W_2, mean over seeds",
        columns: ["layers", ...placements.map((placement) => called[placement])],
        rows: depths.map((depth, i) => [depth, ...placements.map((placement) => lastLayer(found, placement)[i]!.y)]),
      },
    ],
    charts: [depthChart(found), ...placements.map((placement) => layerChart(found, placement))],
  };
}

function depthChart(found: readonly DepthGradients[]): LineChart {
  const series = placements.flatMap((placement): Series[] => {
    const measured = lastLayer(found, placement);
    const exponent = placement === "post" ? 0 : -0.5;
    const height = Math.exp(mean(measured.map(({ x, y }) => Math.log(y / x ** exponent))));
    const theory = measured.map(({ x }) => ({ x, y: height * x ** exponent }));
    const law = placement === "post" ? "constant" : "1/sqrt(L)";
    return [
      { name: called[placement], as: "dots", group: placement, points: measured },
      { name: `theory: ${law}`, as: "dashed", group: placement, points: theory },
    ];
  });
  return {
    kind: "lines",
    title: "gradient norm of the last layer's W_2 at initialisation",
    x: { label: "layers L", scale: "log", ticks: depths },
    y: { label: "norm", scale: "log" },
    series,
  };
}

function layerChart(found: readonly DepthGradients[], placement: NormPlacement): LineChart {
  const series = found
    .filter((one) => one.placement === placement)
    .map(({ depth, wholeLayer }): Series => {
      const points = Array.from({ length: depth }, (_, i) =>
        band(
          i + 1,
          wholeLayer.map((norms) => norms[i]!),
        ),
      );
      return { name: `${depth} layers`, as: "line", points };
    });
  return {
    kind: "lines",
    title: `${called[placement]}: gradient norm of each layer's parameters`,
    x: { label: "layer" },
    y: { label: "norm", scale: "log" },
    series,
  };
}

// ── training with and without warm-up ──

const vocabSize = 512;
const warmups = [0, 0.2];
const learningRates = [1e-3, 2e-3, 4e-3];
const layers = 4;

const warmupHead: Head = {
  title: "Training with and without warm-up",
  claim: "Post-LN needs a learning-rate warm-up and is sensitive to it; with Pre-LN the warm-up can go.",
  source: `${xiong}, sections 3.1 and 4`,
};

async function warmupSection(context: StudyContext, text: EncodedText): Promise<Section[]> {
  using lab = new Lab(context);
  const variants = placements.map((placement): Variant => {
    const config = transformer(placement, layers, vocabSize, 64);
    const adamw = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 0 };
    return {
      name: called[placement],
      config,
      size: { batch: 4, length: 64 },
      text,
      firstWeights: xavier,
      adamw,
      clipNorm: Number.POSITIVE_INFINITY,
    };
  });
  const trials = variants.flatMap((variant) =>
    warmups.flatMap((warmupShare) => learningRates.map((learningRate): Trial => ({ variant, learningRate, warmupShare }))),
  );
  const outcomes = await lab.run({
    trials,
    seeds: context.seeds,
    seconds: context.secondsLeft() * 0.7,
    leastSteps: 30,
    heldOutTokens: 4096,
  });
  return concluded(warmupHead, outcomes, trials.length, context, (whole) => describeWarmup(whole, text));
}

interface WarmupFound {
  readonly postNeedsIt: boolean;
  readonly preDoesWithout: boolean;
  readonly postFailsAnyway: boolean;
  readonly preFailsAnyway: boolean;
  readonly preGains: boolean;
}

/** Why half of the claim, or all of it, may not be seen. */
function missing({ postNeedsIt, preDoesWithout, postFailsAnyway, preFailsAnyway, preGains }: WarmupFound): string[] {
  return [
    ...(preDoesWithout
      ? []
      : [
          preFailsAnyway
            ? "Pre-LN fails with the warm-up too: some of these rates are too high for it."
            : preGains
              ? "Pre-LN is better with the warm-up too: at these rates, and in so few steps, it does not do without."
              : "That Pre-LN does without the warm-up is not beyond chance here: its seeds are too far apart.",
        ]),
    ...(postNeedsIt
      ? []
      : [
          postFailsAnyway
            ? "Post-LN fails with the warm-up too: these rates are too high for it, or the warm-up is too short in so few steps."
            : "That Post-LN needs the warm-up is not beyond chance here: so short a training of so small a model is more forgiving than the paper's, of wider models and 100,000 steps and more.",
        ]),
  ];
}

interface Cell {
  readonly name: string;
  readonly warmup: number;
  readonly learningRate: number;
  /** Held-out losses, one per seed; NaN where a run diverged. */
  readonly losses: readonly number[];
  /** The same with the frequencies' loss in place of what is no number or above it. */
  readonly counted: readonly number[];
  /** The number of seeds that hardly ended better than the unigram baseline. */
  readonly failed: number;
}

/** Nats that a warm-up must gain to be needed; what is less is left out of account. */
const worthIt = 0.05;
/** Nats below the unigram baseline from which on a run has learnt something. */
const stalled = 0.1;

export function describeWarmup(outcomes: readonly Outcome[], { unigramLoss }: Pick<EncodedText, "unigramLoss">): Section {
  const cells = cellsOf(outcomes, unigramLoss);
  const pick = (name: string, warmup: number) => cells.filter((cell) => cell.name === name && cell.warmup === warmup);
  const failures = (name: string, warmup: number) => pick(name, warmup).reduce((sum, cell) => sum + cell.failed, 0);
  const runs = (learningRates.length * outcomes.length) / cells.length;
  const pairs = (name: string) =>
    learningRates.map((_, i) => [0, warmups[1]!].map((warmup) => pick(name, warmup)[i]!.counted) as [number[], number[]]);
  const gains = (name: string) => pairs(name).map(([none, warm]) => pairedDifference(none, warm));
  const [post, pre] = [called.post, called.pre];
  const found = {
    postNeedsIt: gains(post).some(({ low }) => low > worthIt),
    preDoesWithout: failures(pre, 0) === 0 && gains(pre).every(({ high }) => high < worthIt),
    postFailsAnyway: failures(post, warmups[1]!) > 0,
    preFailsAnyway: failures(pre, warmups[1]!) > 0,
    preGains: gains(pre).some(({ mean: gain }) => gain > worthIt),
  };
  const failed = (name: string) => `${name} ${failures(name, 0)} of ${runs} without warm-up and ${failures(name, warmups[1]!)} with it`;
  const gained = (name: string) =>
    pairs(name)
      .map(
        ([none, warm], i) =>
          `${spread(
            none.map((loss, seed) => loss - warm[seed]!),
            2,
          )} at ${learningRates[i]}`,
      )
      .join(", ");
  const isShort = !hasLearnt(outcomes) || runs <= learningRates.length;
  return {
    ...warmupHead,
    verdict: verdictOf([found.postNeedsIt, found.preDoesWithout], isShort),
    conclusion:
      `Runs that ended no more than ${stalled} nats below the unigram baseline (${unigramLoss.toFixed(2)}), or diverged: ${failed(post)}; ${failed(pre)}. ` +
      `What the warm-up gained in nats: ${post} ${gained(post)}; ${pre} ${gained(pre)}.`,
    remarks: [
      `${counted(layers, "layer")}, ${counted(outcomes[0]!.steps, "step")} of 4 × 64 tokens, Adam (0.9, 0.98) without clipping as in the paper, warm-up a fifth of the steps, then half a cosine to a tenth; ${counted(runs / learningRates.length, "seed")}. ` +
        "In what the warm-up gained, a run above the unigram baseline counts as if it had reached it.",
      ...(isShort ? [] : missing(found)),
    ],
    tables: [
      {
        title: "held-out loss in nats per token, mean ± std over seeds",
        columns: ["", "warm-up", ...learningRates.map((rate) => `rate ${rate}`)],
        rows: placements.flatMap((placement) =>
          warmups.map((warmup) => [
            called[placement],
            warmup === 0 ? "none" : `${100 * warmup} %`,
            ...pick(called[placement], warmup).map(({ losses }) => (losses.every(Number.isFinite) ? spread(losses) : "diverged (NaN)")),
          ]),
        ),
      },
    ],
    charts: [rateChart(cells, unigramLoss), courseChart(outcomes)],
  };
}

function cellsOf(outcomes: readonly Outcome[], unigramLoss: number): Cell[] {
  const groups = groupBy(outcomes, ({ trial }) => trial);
  return [...groups].map(([{ variant, warmupShare, learningRate }, group]) => {
    const losses = group.map(({ heldOut }) => heldOut?.loss ?? Number.NaN);
    return {
      ...{ name: variant.name, warmup: warmupShare, learningRate, losses },
      counted: losses.map((loss) => (loss < unigramLoss ? loss : unigramLoss)),
      failed: losses.filter((loss) => !(loss < unigramLoss - stalled)).length,
    };
  });
}

function rateChart(cells: readonly Cell[], unigramLoss: number): LineChart {
  const lines = [...groupBy(cells, ({ name, warmup }) => `${name}, ${warmup === 0 ? "no warm-up" : "warm-up"}`)];
  const series = lines.map(([name, group]): Series => {
    const points = group.map(({ learningRate, losses }) => band(learningRate, losses));
    return { name, as: group[0]!.warmup === 0 ? "dashed" : "line", group: group[0]!.name, points };
  });
  const frequencies: Series = { name: "unigram baseline", as: "dashed", points: learningRates.map((x) => ({ x, y: unigramLoss })) };
  return {
    kind: "lines",
    title: "held-out loss by learning rate",
    x: { label: "peak learning rate", scale: "log", ticks: learningRates },
    y: { label: "loss, nats per token" },
    series: [...series, frequencies],
  };
}

/** The first seed's losses at the highest learning rate, smoothed: whoever fails, fails there. */
function courseChart(outcomes: readonly Outcome[]): LineChart {
  const highest = learningRates.at(-1)!;
  const chosen = outcomes.filter(({ trial, seed }) => trial.learningRate === highest && seed === outcomes[0]!.seed);
  const series = chosen.map(
    ({ trial, losses }): Series => ({
      name: `${trial.variant.name}, ${trial.warmupShare === 0 ? "no warm-up" : "warm-up"}`,
      as: trial.warmupShare === 0 ? "dashed" : "line",
      group: trial.variant.name,
      points: smoothed(losses),
    }),
  );
  return {
    kind: "lines",
    title: `training loss at a rate of ${highest}`,
    x: { label: "step" },
    y: { label: "loss, nats per token" },
    series,
  };
}

/** Means of at most 100 equal parts. */
function smoothed(losses: readonly number[]): { x: number; y: number }[] {
  const cells = Math.min(100, losses.length);
  return Array.from({ length: cells }, (_, i) => {
    const [from, to] = [Math.floor((i * losses.length) / cells), Math.floor(((i + 1) * losses.length) / cells)];
    return { x: (from + to + 1) / 2, y: mean(losses.slice(from, to)) };
  });
}

// ── RMSNorm or LayerNorm ──

const kindHead: Head = {
  title: "RMSNorm against LayerNorm",
  claim: "Leaving out the mean costs no quality and takes less time: 7 % to 64 % less for the whole model in the paper's implementations.",
  source: `${zhang}, section 6`,
};

async function kindSection(context: StudyContext, text: EncodedText): Promise<Section[]> {
  const times = await timeNorms(context);
  using lab = new Lab(context);
  // That a difference is small takes more runs than that one is large: twice as many.
  const seeds = [...context.seeds, ...context.seeds.map((seed) => seed + context.seeds.length)];
  const trials = partNames.norm.map((norm): Trial => {
    const config = llamaConfig({ vocabSize, dim: 64, nLayers: 6, nHeads: 4, hiddenDim: 176, contextLength: 64, norm });
    return { variant: { name: kinds[norm].name, config, size: { batch: 4, length: 64 }, text }, learningRate: 3e-3, warmupShare: 0.1 };
  });
  const outcomes = await lab.run({
    trials,
    seeds,
    seconds: context.secondsLeft() * 0.95,
    leastSteps: 30,
    heldOutTokens: 8192,
  });
  return concluded(kindHead, outcomes, trials.length, { ...context, seeds }, (whole) => describeKinds(whole, times));
}

const kinds: Readonly<Record<NormName, { readonly name: string; apply(x: Tensor, gain: Tensor, bias: Tensor): Tensor }>> = {
  rms: { name: "RMSNorm", apply: (x, gain) => rmsNorm(x, gain, 1e-5) },
  layer: { name: "LayerNorm", apply: (x, gain, bias) => layerNorm(x, gain, bias, 1e-5) },
};

interface NormTimes {
  /** Milliseconds of one norm forward and backward, median. */
  readonly rms: number;
  readonly layer: number;
}

const timed = { rows: 2048, channels: 512 };

/** Forward and gradient alone, the two in turns, so that a slow moment of the machine meets both. */
async function timeNorms({ backend, signal, minutes }: StudyContext): Promise<NormTimes> {
  const rounds = Math.max(3, Math.min(40, Math.round(4 * minutes)));
  using rms = await normProgram(backend, "rms");
  using layer = await normProgram(backend, "layer");
  const programs = { rms, layer };
  const times = { rms: [] as number[], layer: [] as number[] };
  for (let round = 0; round < rounds + 2 && !signal.aborted; round++)
    for (const kind of partNames.norm) {
      const before = performance.now();
      for (let i = 0; i < 5; i++) await programs[kind].run();
      times[kind].push((performance.now() - before) / 5);
    }
  return { rms: median(times.rms.slice(2)), layer: median(times.layer.slice(2)) };
}

/** The norm forward and backward, its inputs filled with normal numbers. */
async function normProgram(backend: Backend, kind: NormName): Promise<BoundProgram> {
  const graph = new Graph();
  const { rows, channels } = timed;
  const [x, gain, bias, dy] = [
    graph.input("x", f32(rows, channels)),
    graph.input("gain", f32(channels)),
    graph.input("bias", f32(channels)),
    graph.input("dy", f32(rows, channels)),
  ] as const;
  const y = kinds[kind].apply(x, gain, bias);
  graph.keep(y);
  for (const gradient of gradients(new Map([[y, dy]]), [x, gain]).values()) graph.keep(gradient);
  const program = await BoundProgram.compile(backend, graph, new Map());
  const rng = new Rng(1);
  for (const { name, shape } of [x, gain, bias, dy])
    await program.write(
      name,
      Float32Array.from({ length: sizeOf(shape) }, () => rng.normal()),
    );
  return program;
}

/** Nats: a hundredth of the loss, more or less. */
const noCost = 0.03;

export function describeKinds(outcomes: readonly Outcome[], times: NormTimes): Section {
  const losses = (kind: NormName) => outcomes.filter(({ trial }) => trial.variant.name === kinds[kind].name).map(lossOf);
  const [rms, layer] = [losses("rms"), losses("layer")];
  const cost = pairedDifference(rms, layer);
  const ratio = times.rms / times.layer;
  return {
    ...kindHead,
    verdict: verdictOf([cost.high < noCost, ratio < 0.98], !hasLearnt(outcomes) || rms.length < 2),
    conclusion:
      `Held-out loss ${spread(rms)} with RMSNorm and ${spread(layer)} with LayerNorm over ${counted(rms.length, "seed")}: RMSNorm costs ${told(cost)}, where less than ${noCost} counts as nothing; ` +
      `the norm alone, forward and backward over ${timed.rows} × ${timed.channels} numbers, takes ${ratio.toFixed(2)} of LayerNorm's time (${times.rms.toFixed(2)} against ${times.layer.toFixed(2)} ms).`,
    remarks: [
      `LLaMA's model with 6 layers and 64 channels, ${counted(outcomes[0]!.steps, "step")} of 4 × 64 tokens. Both norms read and write as much memory; what RMSNorm saves is arithmetic and one pass over a row. ` +
        "In a whole step the norms are a few per cent, so the gain there is smaller than in frameworks that run each operation by itself.",
      ...divergedRemark(outcomes, asFrequencies),
    ],
    tables: [
      {
        title: "by seed",
        columns: ["seed", "RMSNorm", "LayerNorm"],
        rows: rms.map((loss, i) => [outcomes.filter(({ trial }) => trial.variant.name === kinds.rms.name)[i]!.seed, loss, layer[i]!]),
      },
    ],
    charts: [
      {
        kind: "ranges",
        title: "held-out loss: a dot per seed, a line for their mean",
        x: { label: "loss, nats per token" },
        rows: [
          { name: kinds.rms.name, values: rms },
          { name: kinds.layer.name, values: layer },
        ],
      },
    ],
  };
}
