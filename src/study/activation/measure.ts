// What the activation study measures: the functions' values and slopes, models of equal parameters, and their training.
import { type ActivationFunctionName, activationFunctions } from "../../graph/index.ts";
import {
  type ActivationName,
  isGated,
  type LlamaConfig,
  llamaConfig,
  type ParameterRow,
  parameterCount,
  parameterRows,
} from "../../model/index.ts";
import type { EncodedText } from "../encoded-text.ts";
import type { Trial } from "../trial.ts";

// ── the functions ──

/** An activation, and β where it is Swish. */
export interface Curve {
  readonly name: string;
  readonly activation: ActivationFunctionName;
  readonly beta: number;
}

/** The functions that are drawn. */
export const curves: readonly Curve[] = [
  { name: "ReLU", activation: "relu", beta: 1 },
  { name: "GELU", activation: "gelu", beta: 1 },
  { name: "Swish, β = 0.1", activation: "swish", beta: 0.1 },
  { name: "Swish, β = 1", activation: "swish", beta: 1 },
  { name: "Swish, β = 10", activation: "swish", beta: 10 },
];
/** Not drawn: a straight line to the eye. */
export const flatSwish: Curve = { name: "Swish, β = 0.01", activation: "swish", beta: 0.01 };
/** The functions that something is said of. */
export const [relu, gelu, , swish, steepSwish] = curves as readonly [Curve, Curve, Curve, Curve, Curve];

/** Places from −5 to 5, a power of two apart, so that 0 is among them. */
export const xs = Array.from({ length: 1281 }, (_, i) => (i - 640) / 128);

/** f(x). */
export function value({ activation, beta }: Curve, x: number): number {
  return activationFunctions[activation].value(x, beta);
}

/** f′(x). */
export function slope({ activation, beta }: Curve, x: number): number {
  return activationFunctions[activation].slope(x, beta);
}

/** Where the function is least, to the grid. */
export function lowest(curve: Curve): { x: number; y: number } {
  return xs.map((x) => ({ x, y: value(curve, x) })).reduce((least, point) => (point.y < least.y ? point : least));
}

/** Largest difference of two functions over {@link xs}. */
export function largestDifference(f: (x: number) => number, g: (x: number) => number): number {
  return Math.max(...xs.map((x) => Math.abs(f(x) - g(x))));
}

/** Largest difference between a slope and the central difference quotient of the values, away from ReLU's corner. */
export function slopeError(curve: Curve): number {
  const h = 1e-5;
  const quotient = (x: number) => (value(curve, x + h) - value(curve, x - h)) / (2 * h);
  return Math.max(...xs.filter((x) => Math.abs(x) > h).map((x) => Math.abs(slope(curve, x) - quotient(x))));
}

// ── equal parameters ──

/** Pieces of the study's tokenizer. */
export const vocabSize = 512;
/** Channels of every model. */
export const dim = 96;
/** Tokens of a training sequence. */
export const length = 64;

/** A feed-forward layer that is compared: its activation, and β where it is Swish. */
export interface Contestant {
  readonly name: string;
  readonly activation: ActivationName;
  readonly beta?: number;
}

/** The layers of Shazeer's table 1, and Swish with two more β. */
export const contestants: readonly Contestant[] = [
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

/** The number of parameters of each contestant's model. */
export const parameterCounts = (): number[] => contestants.map((one) => parameterCount(configOf(one)));

/** A contestant's feed-forward layer in numbers. */
export interface FeedForward {
  readonly name: string;
  readonly matrices: number;
  readonly hiddenDim: number;
  /** Parameters of one layer, and of the whole model. */
  readonly ofLayer: number;
  readonly ofModel: number;
}

/** The feed-forward layer of a contestant's model in numbers. */
export function feedForwardOf(one: Contestant): FeedForward {
  const config = configOf(one);
  const matrices = parameterRows(config).filter(({ name }) => name.startsWith("layers.0.ffn."));
  const ofLayer = matrices.reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0);
  return { name: one.name, matrices: matrices.length, hiddenDim: config.hiddenDim, ofLayer, ofModel: parameterCount(config) };
}

// ── losses ──

/** Every contestant, trained alike. */
export function lossTrials(text: EncodedText): Trial[] {
  return contestants.map((one): Trial => {
    const variant = { name: one.name, config: configOf(one), size: { batch: 4, length }, text, firstWeights: byInputs };
    return { variant, learningRate: 3e-3, warmupShare: 0.1 };
  });
}

/**
 * Gate and up matrices by the number of their inputs, as in the paper's T5: what goes into the activation then has size 1, as in a model of
 * LLaMA's width, where the usual 0.02 is about 1/sqrt(d). Here 0.02 would make it 0.2, where all that is smooth is nearly a straight line.
 */
function byInputs(rows: readonly ParameterRow[]): readonly ParameterRow[] {
  return rows.map((row) => (/\.ffn\.(gate|up)$/.test(row.name) ? { ...row, init: 1 / Math.sqrt(row.shape[1]!) } : row));
}
