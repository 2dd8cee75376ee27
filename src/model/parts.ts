// The parts of a model by the names that a config has for them: what studies exchange, and what run folders and files of others say.
import { type ActivationFunctionName, activation, add, embedding, glu, layerNorm, type Tensor } from "../graph/index.ts";
import type { ActivationName, LlamaConfig, NormName, NormPlacement, PositionName } from "./config.ts";
import { type FeedForward, type Layer, type LlamaParts, type Norm, type Positions, paperParts } from "./llama.ts";
import { required } from "./parameters.ts";

/** What the config names; attention is chosen by who runs the model. */
export function partsOf({ norm, normPlacement, activation, positions }: LlamaConfig): Omit<LlamaParts, "attention"> {
  return {
    layer: layers[normPlacement],
    norm: norms[norm],
    positions: positionKinds[positions],
    feedForward: feedForwards[activation],
  };
}

const norms: Readonly<Record<NormName, Norm>> = {
  rms: paperParts.norm,
  layer: (x, { gain, bias }, { normEpsilon }) => layerNorm(x, gain, required(bias, "norm.bias"), normEpsilon),
};

const layers: Readonly<Record<NormPlacement, Layer>> = {
  pre: paperParts.layer,
  post: (x, { attentionNorm, attention, ffnNorm, feedForward }) => {
    const h = attentionNorm(add(x, attention(x))); // [N, C]
    return ffnNorm(add(h, feedForward(h))); // [N, C]
  },
};

const feedForwards: Readonly<Record<ActivationName, FeedForward>> = {
  relu: plain("relu"),
  gelu: plain("gelu"),
  geluTanh: plain("geluTanh"),
  swish: plain("swish"),
  glu: gated("sigmoid"),
  bilinear: gated("none"),
  reglu: gated("relu"),
  geglu: gated("gelu"),
  gegluTanh: gated("geluTanh"),
  swiglu: paperParts.feedForward,
};

const addRow = (x: Tensor, positions: Tensor, table: Tensor | undefined) => add(x, embedding(required(table, "positionTable"), positions));
const same = (x: Tensor) => x;

const positionKinds: Readonly<Record<PositionName, Positions>> = {
  rope: paperParts.positions,
  sinusoidal: { addPosition: addRow, rotate: same },
  learned: { addPosition: addRow, rotate: same },
  none: { addPosition: same, rotate: same },
};

/** W_down · act(W_up · x): two matrices. */
function plain(name: ActivationFunctionName): FeedForward {
  return (x, { up, down }, { swishBeta }) => down.apply(activation(up.apply(x), { activation: name, beta: swishBeta }));
}

/** W_down · (act(W_gate · x) ⊙ W_up · x): three matrices (Shazeer 2020, arXiv 2002.05202). */
function gated(name: ActivationFunctionName): FeedForward {
  return (x, { gate, up, down }, { swishBeta }) =>
    down.apply(glu(required(gate, "ffn.gate").apply(x), up.apply(x), { activation: name, beta: swishBeta }));
}
