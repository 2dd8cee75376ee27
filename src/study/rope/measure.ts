// What the rope study measures, of Rotary position embedding (Su et al. 2021, RoFormer, arXiv 2104.09864): scores by positions, the two forms of the
// rotation, decay with distance, and losses by position of texts longer than those trained on. Shapes: P positions, d channels of a head.
import { type Backend, BoundProgram } from "../../backend/index.ts";
import { Rng } from "../../base/index.ts";
import { f32, Graph, i32, linear, rope, ropeTurns, type Tensor } from "../../graph/index.ts";
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
} from "../../model/index.ts";
import type { EncodedText } from "../encoded-text.ts";
import { lossByPosition } from "../loss-by-position.ts";
import { deviation, groupBy, mean } from "../statistics.ts";
import type { Trial } from "../trial.ts";

// ── the score depends on m − n only ──

/** P, the positions at which scores are taken. */
export const places = 128;
/** d, the channels of a head. */
export const width = 64;

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

// ── the matrix form ──

/** Positions of the rotations that are compared. */
export const turned = [0, 1, 17, 500, 2047];

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

// ── decay with distance ──

/** The largest distance. */
export const farthest = 256;
/** Channels of the head whose decay is measured. */
export const decayWidth = 128;

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
export function selfScore(distance: number, d = decayWidth): number {
  let sum = 0;
  for (let i = 0; i < d / 2; i++) sum += Math.cos(distance * 10000 ** ((-2 * i) / d));
  return sum / (d / 2);
}

/** Root mean square of scores of independent normal queries and keys at a distance, over √d. */
export function independentScore(distance: number, rng: Rng, d = decayWidth): number {
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

// ── longer than trained on ──

/** Tokens of a training sequence. */
export const trained = 64;
/** How many times that length is read. */
export const reach = 4;
/** Positions that a point of the chart stands for. */
export const bins = 8;
/** Pieces of the study's tokenizer. */
export const vocabSize = 512;

/** How a trained model is read at `reach` times its length. */
const readings: Readonly<Record<string, (config: LlamaConfig) => Partial<LlamaConfig>>> = {
  "": () => ({}),
  ", linear scaling": () => ({ ropeScaling: { type: "linear", factor: reach } }),
  ", NTK scaling": (config) => ({ ropeTheta: ntkTheta(config, reach) }),
};

/** Names for people. */
export const called = { rope: "RoPE", sinusoidal: "sinusoids", learned: "a learned table", none: "no positions" } as const;

/** Loss of each position, by how the model was read. */
export type ByReading = ReadonlyMap<string, Float64Array>;

/** Every kind of positions, trained alike. */
export function extrapolationTrials(text: EncodedText): Trial[] {
  return partNames.positions.map((positions) => trialOf(positions, text));
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

/** Loss of each position at `reach` times the trained length, by every reading of the model. */
export async function readLong(
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
