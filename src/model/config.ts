// The sizes and parts of a model (LLaMA, section 2 and table 2), with the literature's names. The defaults are the paper's choices.
import { check } from "../base/index.ts";
import { checkScaling, type RopeScaling } from "./rope-scaling.ts";

/** What normalises: RMSNorm (Zhang & Sennrich 2019) or LayerNorm (Ba et al. 2016). */
export type NormName = "rms" | "layer";
/** Where the norm stands: x + f(norm(x)) or norm(x + f(x)) (Xiong et al. 2020). */
export type NormPlacement = "pre" | "post";
/** Plain activations (two matrices) and the GLU family (three matrices; Shazeer 2020). */
export type ActivationName = "relu" | "gelu" | "geluTanh" | "swish" | "glu" | "bilinear" | "reglu" | "geglu" | "gegluTanh" | "swiglu";
/** How a model knows order: RoPE (Su et al. 2021), sinusoids (Vaswani et al. 2017), a learned table, or not at all. */
export type PositionName = "rope" | "sinusoidal" | "learned" | "none";
/** Which two channels of a head RoPE turns together: (i, i + d/2) as Hugging Face stores weights, or (2i, 2i + 1) as Meta does. */
export type RopePairing = "half" | "neighbours";

export interface LlamaConfig {
  readonly vocabSize: number;
  /** Width of the residual stream. */
  readonly dim: number;
  readonly nLayers: number;
  readonly nHeads: number;
  /** Heads of keys and values; fewer than `nHeads` is grouped-query attention (Ainslie et al. 2023). */
  readonly nKvHeads: number;
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
    ...sizes,
  };
  checkConfig(config);
  return config;
}

/** 2/3 · 4 · dim rounded up to a multiple (256 in the paper): the third matrix of a GLU paid for by width. */
export function feedForwardWidth(dim: number, multipleOf = 256): number {
  return multipleOf * Math.ceil(Math.trunc((2 * 4 * dim) / 3) / multipleOf);
}

/**
 * The theta for reaching `factor` times as far: NTK-aware scaling slows the slowest pair by the factor and leaves the fastest as it is
 * (bloc97 2023; Peng et al. 2023, arXiv 2309.00071, section 3.1).
 */
export function ntkTheta(config: LlamaConfig, factor: number): number {
  const d = headDim(config);
  return config.ropeTheta * factor ** (d / (d - 2));
}

/** Channels of one head. */
export function headDim(config: LlamaConfig): number {
  return config.dim / config.nHeads;
}

function checkConfig(config: LlamaConfig): void {
  const sizes = ["vocabSize", "dim", "nLayers", "nHeads", "nKvHeads", "hiddenDim", "contextLength"] as const;
  for (const name of sizes)
    check(
      Number.isSafeInteger(config[name]) && config[name] > 0,
      "model",
      () => `${name} is ${config[name]}: it must be a positive integer`,
    );
  const { dim, nHeads, nKvHeads } = config;
  check(dim % nHeads === 0, "model", () => `dim ${dim} is not a multiple of nHeads ${nHeads}: choose a dim that ${nHeads} divides`);
  check(
    nHeads % nKvHeads === 0,
    "model",
    () => `nHeads ${nHeads} is not a multiple of nKvHeads ${nKvHeads}: every group needs the same number of query heads`,
  );
  check(
    config.positions !== "rope" || (dim / nHeads) % 2 === 0,
    "model",
    () => `a head has ${dim / nHeads} channels, but RoPE turns pairs: choose dim and nHeads so that dim / nHeads is even`,
  );
  for (const [name, [least, most]] of Object.entries(numberRanges)) {
    const value = config[name as keyof typeof numberRanges];
    check(value >= least && value <= most, "model", () => `${name} is ${value}: it must be from ${least} to ${most}`);
  }
  checkScaling(config.ropeScaling, { D: headDim(config), theta: config.ropeTheta });
}
