// The sizes and parts of a model (LLaMA, section 2 and table 2), with the literature's names. The defaults are the paper's choices.
import { check } from "../base/index.ts";
import { checkScaling, type RopeScaling } from "./rope-scaling.ts";

/** The activations of a feed-forward layer with two matrices. */
export const plainActivations = ["relu", "gelu", "geluTanh", "swish"] as const;
/** The GLU family, whose feed-forward layers have three matrices (Shazeer 2020). */
export const gatedActivations = ["glu", "bilinear", "reglu", "geglu", "gegluTanh", "swiglu"] as const;

/** What the parts of a model are called in configs and recipes. */
export const partNames = {
  /** What normalises: RMSNorm (Zhang & Sennrich 2019) or LayerNorm (Ba et al. 2016). */
  norm: ["rms", "layer"],
  /** Where the norm stands: x + f(norm(x)) or norm(x + f(x)) (Xiong et al. 2020). */
  normPlacement: ["pre", "post"],
  activation: [...plainActivations, ...gatedActivations],
  /** How a model knows order: RoPE (Su et al. 2021), sinusoids (Vaswani et al. 2017), a learned table, or not at all. */
  positions: ["rope", "sinusoidal", "learned", "none"],
  /** Which two channels of a head RoPE turns together: (i, i + d/2) as Hugging Face stores weights, or (2i, 2i + 1) as Meta does. */
  ropePairing: ["half", "neighbours"],
} as const;

/** The name of a norm. */
export type NormName = (typeof partNames.norm)[number];
/** Whether norms stand before or behind attention and feed-forward layers. */
export type NormPlacement = (typeof partNames.normPlacement)[number];
/** The name of the activation of feed-forward layers. */
export type ActivationName = (typeof partNames.activation)[number];
/** The name of the way in which rows know their positions. */
export type PositionName = (typeof partNames.positions)[number];
/** Which channels of a head RoPE rotates together: (i, i + d/2), or (2i, 2i + 1). */
export type RopePairing = (typeof partNames.ropePairing)[number];

/** Whether a feed-forward layer with this activation has a gate, a third matrix. */
export function isGated(activation: ActivationName): boolean {
  return gatedActivations.some((name) => name === activation);
}

/** Everything that a model's shape and parts follow from. */
export interface LlamaConfig {
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly dim: number;
  readonly nLayers: number;
  readonly nHeads: number;
  /** Heads of keys and values; fewer than `nHeads` is grouped-query attention (Ainslie et al. 2023). */
  readonly nKvHeads: number;
  /** Channels of one head; dim / nHeads in LLaMA. */
  readonly headDim: number;
  /** Width of the feed-forward layer: 2/3 · 4 · dim rounded up for the GLU family. */
  readonly hiddenDim: number;
  readonly contextLength: number;
  readonly normEpsilon: number;
  /** Base of RoPE's frequencies. */
  readonly ropeTheta: number;
  /** How RoPE's frequencies are changed to reach beyond the trained length; not at all in LLaMA. */
  readonly ropeScaling: RopeScaling;
  readonly ropePairing: RopePairing;
  /** The output projection is the embedding table. */
  readonly tiedOutput: boolean;
  readonly norm: NormName;
  readonly normPlacement: NormPlacement;
  readonly activation: ActivationName;
  /** β of Swish_β(x) = x·σ(βx); only the Swish activations read it. */
  readonly swishBeta: number;
  readonly positions: PositionName;
  /** Whether the projections to queries, keys and values have biases (Qwen2); none of the paper's linear layers has. */
  readonly qkvBias: boolean;
  /** Whether the projection of attention's output has a bias. */
  readonly attentionOutputBias: boolean;
  /** Whether the linear layers of the feed-forward layer have biases. */
  readonly ffnBias: boolean;
  /** Whether each head's queries and keys are normalised by RMSNorm, before RoPE turns them (Qwen3, arXiv 2505.09388). */
  readonly qkNorm: boolean;
  /** The most keys that a row attends, its own among them (Mistral 7B, Jiang et al. 2023, arXiv 2310.06825); all before it by default. */
  readonly slidingWindow?: number;
  /** Layer by layer, whether the sliding window holds there; in all layers by default. */
  readonly slidingLayers?: readonly boolean[];
  /** Layer by layer, whether RoPE turns queries and keys there (SmolLM3 leaves it out in some); in all layers by default. */
  readonly ropeLayers?: readonly boolean[];
}

/** What must be said; the rest follows the paper. */
export type LlamaSizes = Pick<LlamaConfig, "vocabSize" | "dim" | "nLayers" | "nHeads"> & Partial<LlamaConfig>;

/** Least and most of the numbers that are no sizes: far beyond any model's, and within what float32 computes with. */
export const numberRanges = {
  normEpsilon: [1e-30, 1],
  ropeTheta: [1e-3, 1e15],
  swishBeta: [1e-6, 1e6],
} as const satisfies Partial<Record<keyof LlamaConfig, readonly [number, number]>>;

/** A whole config from its sizes. @throws CriaError when sizes do not divide or a number is out of its range. */
export function llamaConfig(sizes: LlamaSizes): LlamaConfig {
  const config: LlamaConfig = {
    nKvHeads: sizes.nHeads,
    headDim: sizes.dim / sizes.nHeads,
    hiddenDim: feedForwardWidth(sizes.dim),
    contextLength: 2048,
    normEpsilon: 1e-5,
    ropeTheta: 10000,
    ropeScaling: { type: "default" },
    ropePairing: "half",
    tiedOutput: false,
    norm: "rms",
    normPlacement: "pre",
    activation: "swiglu",
    swishBeta: 1,
    positions: "rope",
    qkvBias: false,
    attentionOutputBias: false,
    ffnBias: false,
    qkNorm: false,
    ...sizes,
  };
  checkConfig(config);
  return config;
}

/**
 * 2/3 · 4 · dim rounded up to a multiple (256 in the paper): the third matrix of a GLU paid for by width.
 * @param multiplier what that width is multiplied by before it is rounded, in LLaMA 2's largest size and LLaMA 3
 */
export function feedForwardWidth(dim: number, multipleOf = 256, multiplier = 1): number {
  return multipleOf * Math.ceil(Math.trunc(multiplier * Math.trunc((2 * 4 * dim) / 3)) / multipleOf);
}

/**
 * The theta for reaching `factor` times as far: NTK-aware scaling slows the slowest pair by the factor and leaves the fastest as it is
 * (bloc97 2023; Peng et al. 2023, arXiv 2309.00071, section 3.1).
 */
export function ntkTheta(config: LlamaConfig, factor: number): number {
  const d = config.headDim;
  return config.ropeTheta * factor ** (d / (d - 2));
}

/** The most keys that a row attends in this layer; undefined where there is no window. */
export function windowOf({ slidingWindow, slidingLayers }: LlamaConfig, layer: number): number | undefined {
  return slidingLayers?.[layer] === false ? undefined : slidingWindow;
}

function checkConfig(config: LlamaConfig): void {
  const { dim, nHeads, nKvHeads, headDim, slidingWindow } = config;
  for (const name of ["vocabSize", "dim", "nLayers", "nHeads", "nKvHeads", "hiddenDim", "contextLength"] as const)
    checkSize(name, config[name]);
  check(
    Number.isInteger(headDim) || headDim !== dim / nHeads,
    "model",
    () => `dim ${dim} is not a multiple of nHeads ${nHeads}: choose a dim that ${nHeads} divides, or give headDim`,
  );
  checkSize("headDim", headDim);
  if (slidingWindow !== undefined) checkSize("slidingWindow", slidingWindow);
  check(
    nHeads % nKvHeads === 0,
    "model",
    () => `nHeads ${nHeads} is not a multiple of nKvHeads ${nKvHeads}: every group needs the same number of query heads`,
  );
  check(
    config.positions !== "rope" || headDim % 2 === 0,
    "model",
    () => `a head has ${headDim} channels, but RoPE turns pairs: choose dim and nHeads so that dim / nHeads is even, or an even headDim`,
  );
  checkLayerLists(config);
  for (const [name, [least, most]] of Object.entries(numberRanges)) {
    const value = config[name as keyof typeof numberRanges];
    check(value >= least && value <= most, "model", () => `${name} is ${value}: it must be from ${least} to ${most}`);
  }
  checkScaling(config.ropeScaling, { D: headDim, theta: config.ropeTheta });
}

function checkSize(name: string, size: number): void {
  check(Number.isSafeInteger(size) && size > 0, "model", () => `${name} is ${size}: it must be a positive integer`);
}

/** What is said layer by layer is said of every layer, and of a part that the model has. */
function checkLayerLists(config: LlamaConfig): void {
  const lists = [
    { name: "slidingLayers", needs: "slidingWindow", isThere: config.slidingWindow !== undefined },
    { name: "ropeLayers", needs: "positions: rope", isThere: config.positions === "rope" },
  ] as const;
  for (const { name, needs, isThere } of lists) {
    const length = config[name]?.length;
    if (length === undefined) continue;
    check(
      length === config.nLayers,
      "model",
      () => `${name} lists ${length} layers but nLayers is ${config.nLayers}: give a value for every layer`,
    );
    check(isThere, "model", () => `${name} is given without ${needs}, whose layers it lists: give that too, or leave ${name} out`);
  }
}
