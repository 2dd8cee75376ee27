// What a study may exchange, one row a choice, keyed by the config's names: the model itself never asks which it has.
import {
  type ActivationFunctionName,
  activation,
  add,
  embedding,
  glu,
  layerNorm,
  linear,
  rmsNorm,
  rope,
  type Tensor,
} from "../graph/index.ts";
import { type ActivationName, headDim, type LlamaConfig, type NormName, type NormPlacement, type PositionName } from "./config.ts";
import type { FeedForwardParameters, NormParameters } from "./parameters.ts";

export interface Norm {
  readonly hasBias: boolean;
  apply(x: Tensor, weights: NormParameters<Tensor>, epsilon: number): Tensor;
}

export const norms: Readonly<Record<NormName, Norm>> = {
  rms: { hasBias: false, apply: (x, { gain }, epsilon) => rmsNorm(x, gain, epsilon) },
  layer: { hasBias: true, apply: (x, { gain, bias }, epsilon) => layerNorm(x, gain, bias!, epsilon) },
};

export interface Placement {
  /** The stream itself is never normalised, so the output is. */
  readonly hasFinalNorm: boolean;
  residual(x: Tensor, norm: (x: Tensor) => Tensor, f: (x: Tensor) => Tensor): Tensor;
}

export const placements: Readonly<Record<NormPlacement, Placement>> = {
  pre: { hasFinalNorm: true, residual: (x, norm, f) => add(x, f(norm(x))) },
  post: { hasFinalNorm: false, residual: (x, norm, f) => norm(add(x, f(x))) },
};

export interface FeedForward {
  readonly hasGate: boolean;
  /** x [N, C] → the hidden channels [N, F]. */
  hidden(x: Tensor, weights: FeedForwardParameters<Tensor>, beta: number): Tensor;
}

export const feedForwards: Readonly<Record<ActivationName, FeedForward>> = {
  relu: plain("relu"),
  gelu: plain("gelu"),
  geluTanh: plain("geluTanh"),
  swish: plain("swish"),
  glu: gated("sigmoid"),
  bilinear: gated("none"),
  reglu: gated("relu"),
  geglu: gated("gelu"),
  gegluTanh: gated("geluTanh"),
  swiglu: gated("swish"),
};

export interface Positions {
  /** A table [contextLength, C] whose row is added to the embedding, and what fills it; trained where it is "normal". */
  readonly table?: "normal" | "sinusoids";
  enter(x: Tensor, table: Tensor | undefined, positions: Tensor): Tensor;
  /** On queries and keys, [N, heads · D]. */
  turn(x: Tensor, positions: Tensor, config: LlamaConfig): Tensor;
}

const addRow = (x: Tensor, table: Tensor | undefined, positions: Tensor) => add(x, embedding(table!, positions));
const same = (x: Tensor) => x;

export const positionKinds: Readonly<Record<PositionName, Positions>> = {
  rope: { enter: same, turn: turnHeads },
  sinusoidal: { table: "sinusoids", enter: addRow, turn: same },
  learned: { table: "normal", enter: addRow, turn: same },
  none: { enter: same, turn: same },
};

/** W_down · act(W_up · x): two matrices. */
function plain(name: ActivationFunctionName): FeedForward {
  return { hasGate: false, hidden: (x, { up }, beta) => activation(linear(x, up), { activation: name, beta }) };
}

/** W_down · (act(W_gate · x) ⊙ W_up · x): three matrices (Shazeer 2020, arXiv 2002.05202). */
function gated(name: ActivationFunctionName): FeedForward {
  return { hasGate: true, hidden: (x, { gate, up }, beta) => glu(linear(x, gate!), linear(x, up), { activation: name, beta }) };
}

function turnHeads(x: Tensor, positions: Tensor, config: LlamaConfig): Tensor {
  return rope(x, positions, { headDim: headDim(config), theta: config.ropeTheta, factor: config.ropeFactor, pairing: config.ropePairing });
}
