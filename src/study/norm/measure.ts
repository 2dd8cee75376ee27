// What the norm study measures: gradients at initialisation by depth, models with and without warm-up, and the time of each norm.
import { type Backend, BoundProgram } from "../../backend/index.ts";
import { median, Rng, sizeOf } from "../../base/index.ts";
import { Mixture } from "../../batches/index.ts";
import { f32, Graph, gradients, layerNorm, rmsNorm, type Tensor } from "../../graph/index.ts";
import { type BatchSize, type LlamaConfig, llamaConfig, type NormName, type NormPlacement, partNames } from "../../model/index.ts";
import type { EncodedText } from "../encoded-text.ts";
import { type Draw, gradientNorms, xavier, xavierRows } from "../gradient-norms.ts";
import type { StudyContext } from "../study.ts";
import type { Trial, Variant } from "../trial.ts";

/** Pieces of the study's tokenizer. */
export const vocabSize = 512;

/** Where the norm may stand: behind the sub-layer's sum, or before the sub-layer. */
export const placements = ["post", "pre"] as const satisfies readonly NormPlacement[];

/** Names for people. */
export const called = { post: "Post-LN", pre: "Pre-LN" } as const;

/** The Transformer that the paper analyses: LayerNorm, ReLU, sinusoids; `dim` channels, 4 · dim hidden ones. */
function transformer(placement: NormPlacement, nLayers: number, vocabSize: number, contextLength: number): LlamaConfig {
  const parts = { norm: "layer", normPlacement: placement, activation: "relu", positions: "sinusoidal" } as const;
  return llamaConfig({ vocabSize, dim: 64, nLayers, nHeads: 4, hiddenDim: 256, contextLength, ...parts });
}

// ── gradients at initialisation ──

/** Layers of the models whose gradients are measured. */
export const depths = [2, 4, 8, 16, 32];
/** The batch that gradients are measured on: sequences, and tokens of each. */
export const probe = { batch: 16, length: 64 };

/** Gradient norms of a model of so many layers. */
export interface DepthGradients {
  readonly placement: NormPlacement;
  readonly depth: number;
  /** Norms of W_2 (the second matrix of the feed-forward part), one per layer from the input on, for every seed: [seeds][depth]. */
  readonly feedForward: readonly (readonly number[])[];
  /** Norms of all the layer's parameters together, likewise. */
  readonly wholeLayer: readonly (readonly number[])[];
}

/** Gradient norms by layer at initialisation, one batch per seed. @param draws a seed and its batch of `size` */
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

// ── training with and without warm-up ──

/** Shares of the steps that the learning rate rises for. */
export const warmups = [0, 0.2];
/** Peak learning rates. */
export const learningRates = [1e-3, 2e-3, 4e-3];
/** Layers of the models that are trained. */
export const layers = 4;

/** Every placement with every warm-up at every learning rate. */
export function warmupTrials(text: EncodedText): Trial[] {
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
  return variants.flatMap((variant) =>
    warmups.flatMap((warmupShare) => learningRates.map((learningRate): Trial => ({ variant, learningRate, warmupShare }))),
  );
}

// ── RMSNorm or LayerNorm ──

/** LLaMA's model with either norm. */
export function kindTrials(text: EncodedText): Trial[] {
  return partNames.norm.map((norm): Trial => {
    const config = llamaConfig({ vocabSize, dim: 64, nLayers: 6, nHeads: 4, hiddenDim: 176, contextLength: 64, norm });
    return { variant: { name: kinds[norm].name, config, size: { batch: 4, length: 64 }, text }, learningRate: 3e-3, warmupShare: 0.1 };
  });
}

/** The norms by their part's names. */
export const kinds: Readonly<Record<NormName, { readonly name: string; apply(x: Tensor, gain: Tensor, bias: Tensor): Tensor }>> = {
  rms: { name: "RMSNorm", apply: (x, gain) => rmsNorm(x, gain, 1e-5) },
  layer: { name: "LayerNorm", apply: (x, gain, bias) => layerNorm(x, gain, bias, 1e-5) },
};

/** Milliseconds of one norm forward and backward, medians. */
export interface NormTimes {
  readonly rms: number;
  readonly layer: number;
}

/** Size of what the norms are timed on. */
export const timed = { rows: 2048, channels: 512 };

/** Times forward and gradient alone, the two in turns, so that a slow moment of the machine meets both. */
export async function timeNorms({ backend, signal, minutes }: StudyContext): Promise<NormTimes> {
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
