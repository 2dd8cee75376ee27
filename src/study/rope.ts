// Rotary position embedding (Su et al. 2021, RoFormer, arXiv 2104.09864) against sinusoids, a learned table and no positions at all.
// Shapes: P positions, d channels of a head.
import { type Backend, BoundProgram } from "../backend/index.ts";
import { Rng } from "../base/index.ts";
import { f32, Graph, i32, linear, rope, ropeTurns, type Tensor } from "../graph/index.ts";
import {
  constantRows,
  declareTurns,
  initialise,
  type LlamaConfig,
  llamaConfig,
  ntkTheta,
  type ParameterRow,
  type PositionName,
  partNames,
  partsOf,
  type RopePairing,
  ropeInputs,
} from "../model/index.ts";
import type { Chart, LineChart } from "../plot/index.ts";
import { type EncodedText, encodeText } from "./encoded-text.ts";
import { divergedRemark, hasLearnt, Lab } from "./lab.ts";
import { lossByPosition } from "./loss-by-position.ts";
import { type Section, verdictOf } from "./report.ts";
import { band, counted, deviation, groupBy, mean, pairedDifference, spread } from "./statistics.ts";
import type { Study, StudyContext } from "./study.ts";
import type { Outcome, Trial } from "./trial.ts";
import { concluded, type Head, inTurn } from "./unfinished.ts";

const paper = "Su et al. 2021, RoFormer, arXiv 2104.09864";

export const ropeStudy: Study = {
  name: "rope",
  title: "Rotary positions: relative by construction, and how far they reach",
  summary: "RoPE's score depends on the distance only; its matrix form; decay; texts longer than trained on",
  seeds: 3,
  async run(context) {
    const { backend } = context;
    const text = await encodeText(context, vocabSize, 4 * reach * trained);
    return inTurn(context.signal, [
      async () => [await invarianceSection(backend), await matrixSection(backend), decaySection()],
      () => extrapolationSection(context, text),
    ]);
  },
};

// ── the score depends on m − n only ──

const places = 128; // P
const width = 64; // d, one head

/** How much scores of one distance differ, in units of how much all scores differ; and the scores, [P][P]. */
export interface Invariance {
  readonly name: PositionName;
  readonly scores: readonly (readonly number[])[];
  /** Largest difference between two scores of the same distance, over the largest score. */
  readonly worst: number;
  /** Standard deviation within a distance over that of all scores: 0 for a function of the distance, near 1 for none. */
  readonly within: number;
}

/** Scores of the same query content and the same key content at every pair of positions, by the model's own parts on the backend. */
export async function measureInvariance(backend: Backend, name: PositionName): Promise<Invariance> {
  const config = llamaConfig({ vocabSize: 2, dim: width, nLayers: 1, nHeads: 1, contextLength: places, positions: name });
  const scores = await scoreMatrix(backend, config);
  const diagonals = groupBy(
    scores.flatMap((row, m) => row.map((score, n) => ({ distance: m - n, score }))),
    ({ distance }) => distance,
  );
  const groups = [...diagonals.values()].map((group) => group.map(({ score }) => score)).filter((group) => group.length > 1);
  const range = Math.max(...groups.map((group) => Math.max(...group) - Math.min(...group)));
  const all = scores.flat();
  const total = deviation(all);
  return { name, scores, worst: range / Math.max(...all.map(Math.abs)), within: total === 0 ? 0 : mean(groups.map(deviation)) / total };
}

async function scoreMatrix(backend: Backend, config: LlamaConfig): Promise<number[][]> {
  const { addPosition, rotate } = partsOf(config).positions;
  const rng = new Rng(1);
  const graph = new Graph();
  const values = new Map<string, ArrayLike<number>>();
  const input = (name: string, content: Float32Array, ...shape: number[]) => {
    values.set(name, content);
    return graph.input(name, f32(...shape));
  };
  const normal = (count: number, scale: number) => Float32Array.from({ length: count }, () => rng.normal() * scale);
  const content = normal(width, 1);
  const x = input(
    "x",
    Float32Array.from({ length: places * width }, (_, i) => content[i % width]!),
    places,
    width,
  );
  const [sinusoids] = initialise(constantRows(config), 0).values();
  const table = input("table", sinusoids ?? normal(places * width, Math.SQRT1_2), places, width);
  const [wq, wk] = ["wq", "wk"].map((name) => input(name, normal(width * width, 1 / Math.sqrt(width)), width, width)) as [Tensor, Tensor];
  const positions = graph.input("positions", i32(places));
  values.set(
    "positions",
    Int32Array.from({ length: places }, (_, i) => i),
  );
  const turns = declareTurns(graph, config);
  for (const [name, array] of ropeInputs(config, places - 1)) values.set(name, array);
  const rotated = (x: Tensor) => rotate(x, { positions, turns }, config, 0);
  const placed = addPosition(x, positions, table); // [P, d]
  const scores = graph.keep(linear(rotated(linear(placed, wq)), rotated(linear(placed, wk)))); // [P, P]
  const flat = await evaluate(backend, graph, values, scores);
  return Array.from({ length: places }, (_, m) =>
    Array.from(flat.subarray(m * places, (m + 1) * places), (score) => score / Math.sqrt(width)),
  );
}

async function evaluate(
  backend: Backend,
  graph: Graph,
  values: ReadonlyMap<string, ArrayLike<number>>,
  wanted: Tensor,
): Promise<Float32Array> {
  using program = await BoundProgram.compile(backend, graph, new Map());
  for (const [name, array] of values) await program.write(name, array);
  await program.run();
  return (await program.read(wanted)) as Float32Array;
}

async function invarianceSection(backend: Backend): Promise<Section> {
  const found: Invariance[] = [];
  for (const name of partNames.positions) found.push(await measureInvariance(backend, name));
  const [rotary, sinusoidal, learned] = found as [Invariance, Invariance, Invariance, Invariance];
  return {
    title: "The score of a query and a key depends on their distance only",
    claim: "With RoPE, ⟨q_m, k_n⟩ is a function of the contents and of m − n; adding positions to the embedding does not give that.",
    source: `${paper}, section 3.4.1`,
    verdict: rotary.worst < 1e-4 && sinusoidal.within > 0.1 && learned.within > 0.1 ? "shown" : "not shown",
    conclusion:
      `Scores of the same distance differ by at most ${rotary.worst.toExponential(1)} of the largest score with RoPE, which is float32's rounding, ` +
      `but by ${sinusoidal.worst.toFixed(2)} with sinusoids and ${learned.worst.toFixed(2)} with a table.`,
    remarks: [
      `One content at all ${places} positions, projected to queries and keys of ${width} channels by random matrices, by the model's own parts.`,
      "Two sinusoids alone do have a product that depends on their distance only; the projections in between and the cross terms with the content end that.",
    ],
    tables: [
      {
        title: "scores by positions",
        columns: [
          "positions",
          "largest difference at one distance, of the largest score",
          "std within a distance, as a share of the std of all",
        ],
        rows: found.map(({ name, worst, within }) => [called[name], worst, within]),
      },
    ],
    charts: [rotary, sinusoidal, learned].map(heat),
  };
}

/** The number of positions whose scores are drawn. */
const drawn = 48;

function heat({ name, scores }: Invariance): Chart {
  const rows = scores.slice(0, drawn).map((row) => row.slice(0, drawn).map((score) => Number(score.toPrecision(5))));
  return { kind: "heat", title: `${called[name]}: score of query m and key n`, x: "n", y: "m", value: "score", rows };
}

// ── the matrix form ──

const turned = [0, 1, 17, 500, 2047];

/** Largest difference between the op's elementwise turns and the product with the rotation matrix R_m in float64; entries are of order 1. */
export async function matrixError(backend: Backend, pairing: RopePairing): Promise<number> {
  const rng = new Rng(2);
  const x = Float32Array.from({ length: turned.length * width }, () => rng.normal());
  const graph = new Graph();
  const [input, positions] = [graph.input("x", f32(turned.length, width)), graph.input("positions", i32(turned.length))];
  const table = ropeTurns(
    Array.from({ length: width / 2 }, (_, i) => 10000 ** ((-2 * i) / width)),
    pairing,
  );
  const turns = graph.input("turns", i32(2, table.length / 2));
  const y = graph.keep(rope(input, positions, turns, { headDim: width, pairing }));
  const elementwise = await evaluate(
    backend,
    graph,
    new Map<string, ArrayLike<number>>([
      ["x", x],
      ["positions", turned],
      ["turns", table],
    ]),
    y,
  );
  const errors = turned.flatMap((m, row) => {
    const R = rotationMatrix(m, pairing);
    return R.map((line, i) => Math.abs(elementwise[row * width + i]! - line.reduce((sum, r, j) => sum + r * x[row * width + j]!, 0)));
  });
  return Math.max(...errors);
}

/** R_m [d][d]: a 2 × 2 rotation by m · 10000^(−2i/d) for each pair of channels (equation 15; Hugging Face pairs (i, i + d/2)). */
function rotationMatrix(m: number, pairing: RopePairing): number[][] {
  const R = Array.from({ length: width }, () => new Array<number>(width).fill(0));
  for (let i = 0; i < width / 2; i++) {
    const [a, b] = pairing === "half" ? [i, i + width / 2] : [2 * i, 2 * i + 1];
    const angle = m * 10000 ** ((-2 * i) / width);
    [R[a]![a], R[a]![b]] = [Math.cos(angle), -Math.sin(angle)];
    [R[b]![a], R[b]![b]] = [Math.sin(angle), Math.cos(angle)];
  }
  return R;
}

async function matrixSection(backend: Backend): Promise<Section> {
  const [half, neighbours] = [await matrixError(backend, "half"), await matrixError(backend, "neighbours")];
  const worst = Math.max(half, neighbours);
  return {
    title: "The rotation matrix, and what it costs to use it",
    claim: "R_m is block-diagonal and sparse, so it is applied elementwise: x ⊙ cos + rotate(x) ⊙ sin.",
    source: `${paper}, section 3.4.2`,
    verdict: worst < 1e-5 ? "shown" : "not shown",
    conclusion: `Both forms agree to ${worst.toExponential(1)} at positions up to ${turned.at(-1)}, with entries of order 1 and both pairings of channels.`,
    remarks: [
      `The product with the matrix takes d² = ${width ** 2} multiplications for a head of ${width} channels, the elementwise form 2d = ${2 * width}.`,
    ],
    tables: [
      {
        title: "largest difference to the product in float64",
        columns: ["channels turned together", "difference"],
        rows: [
          ["(i, i + d/2)", half],
          ["(2i, 2i + 1)", neighbours],
        ],
      },
    ],
    charts: [],
  };
}

// ── decay with distance ──

const farthest = 256;
const decayWidth = 128;

/** Mean over j of |S_j|, S_j = Σ_{i<j} e^(i·Δ·θ_i): the factor of the paper's bound on a score (equation 37). */
export function decayBound(distance: number, d = decayWidth): number {
  let [re, im, sum] = [0, 0, 0];
  for (let i = 0; i < d / 2; i++) {
    const angle = distance * 10000 ** ((-2 * i) / d);
    [re, im] = [re + Math.cos(angle), im + Math.sin(angle)];
    sum += Math.hypot(re, im);
  }
  return sum / (d / 2);
}

/** The score of a query with itself as the key: Σ cos(Δ·θ_i) over d/2, its size at no distance being 1. */
function selfScore(distance: number, d = decayWidth): number {
  let sum = 0;
  for (let i = 0; i < d / 2; i++) sum += Math.cos(distance * 10000 ** ((-2 * i) / d));
  return sum / (d / 2);
}

/** Root mean square of scores of independent normal queries and keys at a distance, over √d. */
function independentScore(distance: number, rng: Rng, d = decayWidth): number {
  const draws = 200;
  let square = 0;
  for (let draw = 0; draw < draws; draw++) {
    let score = 0;
    for (let i = 0; i < d / 2; i++) {
      const [a, b, c, e] = [rng.normal(), rng.normal(), rng.normal(), rng.normal()];
      const angle = distance * 10000 ** ((-2 * i) / d);
      score += (a * c + b * e) * Math.cos(angle) + (a * e - b * c) * Math.sin(angle);
    }
    square += (score * score) / d / draws;
  }
  return Math.sqrt(square);
}

function decaySection(): Section {
  const distances = Array.from({ length: farthest + 1 }, (_, i) => i);
  const rng = new Rng(3);
  const most = decayBound(0);
  const bound = distances.map((x) => ({ x, y: decayBound(x) / most }));
  const same = distances.map((x) => ({ x, y: selfScore(x) }));
  const independent = distances.filter((x) => x % 8 === 0).map((x) => ({ x, y: independentScore(x, rng) }));
  const level = independent.map(({ y }) => y);
  const [boundFar, sameFar] = [bound, same].map((points) => mean(points.slice(-64).map(({ y }) => y))) as [number, number];
  const decays = [boundFar, sameFar, mean(level.slice(-8))].map((size) => size < 0.5);
  return {
    title: "Decay with distance",
    claim: "RoPE has a long-term decay: the inner product of a query and a key falls with their distance.",
    source: `${paper}, sections 3.3 and 3.4.3`,
    verdict: decays.every(Boolean) ? "shown" : decays.some(Boolean) ? "partly shown" : "not shown",
    conclusion:
      `The paper's bound falls to ${(100 * boundFar).toFixed(0)} % at distances of ${farthest - 63} to ${farthest}, with waves on it; the score of a vector with itself to ` +
      `${(100 * sameFar).toFixed(0)} %. But the score of independent queries and keys does not decay at all: its size stays ${spread(level, 2)} at every distance.`,
    remarks: [
      "What decays is a bound, and the score where queries and keys point the same way. A rotation keeps a normal distribution as it is, so between independent contents nothing can decay; " +
        "models that look far away learn to use the slow pairs of channels, which hardly turn.",
    ],
    tables: [],
    charts: [
      {
        kind: "lines",
        title: `RoPE by distance, ${decayWidth} channels, relative to distance 0`,
        x: { label: "distance m − n" },
        y: { label: "relative size", domain: [0, 1.2] },
        series: [
          { name: "the paper's bound", as: "line", points: bound },
          { name: "a vector with itself", as: "line", points: same },
          { name: "independent vectors, rms", as: "dots", points: independent },
        ],
      },
    ],
  };
}

// ── longer than trained on ──

const trained = 64;
const reach = 4;
const bins = 8;
const vocabSize = 512;

/** How a trained model is read at `reach` times its length. */
const readings: Readonly<Record<string, (config: LlamaConfig) => Partial<LlamaConfig>>> = {
  "": () => ({}),
  ", linear scaling": () => ({ ropeScaling: { type: "linear", factor: reach } }),
  ", NTK scaling": (config) => ({ ropeTheta: ntkTheta(config, reach) }),
};

/** Names for people. */
const called = { rope: "RoPE", sinusoidal: "sinusoids", learned: "a learned table", none: "no positions" } as const;

/** Loss of each position, by how the model was read. */
export type ByReading = ReadonlyMap<string, Float64Array>;

const extrapolationHead: Head = {
  title: "Texts longer than those trained on",
  claim:
    "Relative positions should let a model read texts of other lengths than it saw; linear and NTK scaling are to help where plain RoPE fails.",
  source: `${paper}, section 3.3; Press et al. 2022, arXiv 2108.12409; Chen et al. 2023, arXiv 2306.15595; Peng et al. 2023, arXiv 2309.00071`,
};

async function extrapolationSection(context: StudyContext, text: EncodedText): Promise<Section[]> {
  using lab = new Lab(context);
  const trials = partNames.positions.map((positions) => trialOf(positions, text));
  const outcomes = await lab.run<ByReading>({
    trials,
    seeds: context.seeds,
    seconds: context.secondsLeft() * 0.97,
    leastSteps: 30,
    heldOutTokens: 8192,
    examine: (weights, trial) => readLong(context.backend, trial, weights, text),
  });
  return concluded(extrapolationHead, outcomes, trials.length, context, (whole) => describeExtrapolation(whole));
}

function trialOf(positions: PositionName, text: EncodedText): Trial {
  const config = llamaConfig({
    vocabSize,
    dim: 64,
    nLayers: 4,
    nHeads: 4,
    hiddenDim: 176,
    contextLength: reach * trained,
    positions,
  });
  const size = { batch: 4, length: trained };
  return { variant: { name: called[positions], config, size, text, firstWeights: besideSinusoids }, learningRate: 3e-3, warmupShare: 0.1 };
}

/** Embeddings of the size of sinusoids, as in Vaswani et al. 2017, section 3.4, so that the positions do not drown the content; the same for all. */
function besideSinusoids(rows: readonly ParameterRow[]): readonly ParameterRow[] {
  return rows.map((row) => (row.name === "embedding" ? { ...row, init: Math.SQRT1_2 } : row));
}

async function readLong(
  backend: Backend,
  { variant }: Trial,
  weights: ReadonlyMap<string, Float32Array>,
  text: EncodedText,
): Promise<ByReading> {
  const found = new Map<string, Float64Array>();
  const { config, name } = variant;
  const windows = Math.max(8, Math.min(128, Math.floor(text.heldOut.tokens.length / (reach * trained))));
  for (const [how, change] of Object.entries(readings)) {
    if (how !== "" && name !== called.rope) continue;
    const size = { batch: 4, length: reach * trained, windows };
    found.set(name + how, await lossByPosition(backend, { ...config, ...change(config) }, weights, text.heldOut.tokens, size));
  }
  return found;
}

/** Nats by which a text beyond the trained length may be worse and still be said to be read as well. */
const carried = 0.05;

/** The outcomes of those seeds that every trial was finished for, so that what is compared are pairs. */
function ofWholeSeeds(outcomes: readonly Outcome<ByReading>[]): Outcome<ByReading>[] {
  return [...groupBy(outcomes, ({ seed }) => seed).values()].filter((round) => round.every(({ found }) => found !== undefined)).flat();
}

export function describeExtrapolation(outcomes: readonly Outcome<ByReading>[]): Section {
  const whole = ofWholeSeeds(outcomes);
  const byName = groupBy(
    whole.flatMap(({ found }) => [...found!].map(([name, losses]) => ({ name, losses }))),
    ({ name }) => name,
  );
  const diverged = divergedRemark(outcomes, "such a seed is left out");
  if (whole.length === 0)
    return {
      ...extrapolationHead,
      verdict: "too short to say",
      conclusion: "No seed can be compared.",
      remarks: diverged,
      tables: [],
      charts: [],
    };
  const part = (name: string, from: number, to: number) => byName.get(name)!.map(({ losses }) => mean([...losses.subarray(from, to)]));
  const rows = [...byName.keys()].map((name) => ({
    name,
    parts: Array.from({ length: reach }, (_, i) => part(name, i * trained, (i + 1) * trained)),
  }));
  const steps = outcomes[0]!.steps;
  const inside = (name: string) => part(name, trained / 2, trained);
  const beyond = (name: string) => part(name, trained, reach * trained);
  const listed = rows.map(({ name }) => `${name} ${spread(inside(name), 2)} → ${spread(beyond(name), 2)}`).join("; ");
  const rotary = called.rope;
  // Nothing could carry over where positions bring no gain.
  const isShort = !hasLearnt(whole) || !(pairedDifference(inside(called.none), inside(rotary)).low > 0);
  const worse = pairedDifference(beyond(rotary), inside(rotary));
  const [carries, fails] = [worse.high < carried, worse.low > 0];
  const scaled = ["linear", "NTK"]
    .map((how) => `${rotary}, ${how} scaling`)
    .filter((name) => pairedDifference(beyond(rotary), beyond(name)).low > 0);
  const tableIsUsed = pairedDifference(inside(called.none), inside(called.learned)).low > 0;
  const isOpen = !carries && !fails && scaled.length === 0;
  return {
    ...extrapolationHead,
    verdict: carries && !isShort ? "shown" : verdictOf([false, scaled.length > 0], isShort || isOpen),
    conclusion:
      `Trained on ${trained} tokens and read at up to ${reach * trained}, the loss goes from the trained length's second half to what is beyond it (nats per token): ${listed}. ` +
      (isShort
        ? "RoPE's model is not yet better than the one without positions beyond chance, so that nothing can be said of how far it reaches."
        : carries
          ? "RoPE extrapolates by itself."
          : (fails
              ? "RoPE alone does not extrapolate: angles that never occurred in training are as strange to the model as positions that never occurred. "
              : "Whether RoPE alone extrapolates is not beyond chance. ") +
            (scaled.length > 0 ? `What helps without any training: ${scaled.join("; ")}.` : "Scaling does not help beyond chance.")),
    remarks: [
      `Models of 4 layers and 64 channels, ${counted(steps, "step")} of 4 × ${trained} tokens, ${counted(new Set(outcomes.map(({ seed }) => seed)).size, "seed")}; scaling is applied to the trained model as it is, without the training at the new length ` +
        "that its authors add, and squeezes also the positions that were learnt, which is why linear scaling costs in the first part.",
      `A learned table has no trained rows beyond the trained length${tableIsUsed ? "" : "; here its model is not better than the one without positions beyond chance inside it either"}. What hardly uses positions cannot be misled by them: compare each loss with that of no positions at all, which a causal model can do without to some extent.`,
      ...diverged,
    ],
    tables: extrapolationTables(rows, outcomes),
    charts: [positionChart(byName)],
  };
}

function extrapolationTables(
  rows: readonly { readonly name: string; readonly parts: readonly (readonly number[])[] }[],
  outcomes: readonly Outcome<ByReading>[],
): Section["tables"] {
  return [
    {
      title: "loss in nats per token by position, mean ± std over seeds",
      columns: ["positions", ...Array.from({ length: reach }, (_, i) => `${i * trained} to ${(i + 1) * trained - 1}`)],
      rows: rows.map(({ name, parts }) => [name, ...parts.map((values) => spread(values))]),
    },
    {
      title: "held-out loss at the trained length",
      columns: ["positions", "loss"],
      rows: [...groupBy(outcomes, ({ trial }) => trial.variant.name)].map(([name, group]) => [
        name,
        spread(group.flatMap(({ heldOut }) => heldOut?.loss ?? [])),
      ]),
    },
  ];
}

function positionChart(byName: ReadonlyMap<string, readonly { readonly losses: Float64Array }[]>): LineChart {
  const series = [...byName].map(([name, runs]) => ({
    name,
    as: name.includes(",") || name === called.none ? ("dashed" as const) : ("line" as const),
    points: Array.from({ length: (reach * trained) / bins }, (_, bin) =>
      band(
        (bin + 0.5) * bins,
        runs.map(({ losses }) => mean([...losses.subarray(bin * bins, (bin + 1) * bins)])),
      ),
    ),
  }));
  return {
    kind: "lines",
    title: `loss by position, trained on ${trained}`,
    x: { label: "position", domain: [0, reach * trained], ticks: Array.from({ length: reach + 1 }, (_, i) => i * trained) },
    y: { label: "loss, nats per token" },
    series,
    mark: { x: trained, label: "the trained length" },
  };
}
