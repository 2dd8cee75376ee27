// Reads test/goldens/llama, what PyTorch says of small models, for the tests of every room. Formulas as in test/goldens/llama.py.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type LlamaConfig, llamaConfig } from "./config.ts";

/** A parameter of a golden: the formula's inputs, three values and a sum to check it by, and the gradient at the initial weights. */
export interface GoldenParameter {
  /** Hugging Face's name. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly scale: number;
  readonly first: readonly number[];
  readonly sum: number;
  /** The gradient of `loss`, in the shape's order. */
  readonly gradient: Float32Array;
}

/** AdamW on the same batch: decay on two-dimensional parameters only; the lists have one entry per step. */
export interface GoldenTraining {
  readonly steps: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
  readonly peakLearningRate: number;
  readonly minLearningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly maxGradientNorm: number;
  /** The losses before each step's update. */
  readonly losses: readonly number[];
  /** The norms before clipping. */
  readonly gradientNorms: readonly number[];
  readonly learningRates: readonly number[];
}

/** Greedy continuation without a cache. */
export interface GoldenGeneration {
  readonly prompt: readonly number[];
  readonly tokens: readonly number[];
  /** Logit of each token less the runner-up's. */
  readonly margins: readonly number[];
}

export interface Golden {
  readonly name: string;
  readonly config: LlamaConfig;
  /** [B][T] */
  readonly tokens: readonly (readonly number[])[];
  /** [B][T]; -1 is left out of the loss. */
  readonly targets: readonly (readonly number[])[];
  /** [B, T, vocabSize], flat. */
  readonly logits: Float32Array;
  /** Mean over the targets that are not -1, in nats. */
  readonly loss: number;
  /** The parameters in the order that the weight formula numbers them. */
  readonly parameters: readonly GoldenParameter[];
  readonly training: GoldenTraining;
  readonly generation: GoldenGeneration;
}

/** All goldens, by name. */
export function loadGoldens(): Golden[] {
  const folder = new URL("../../test/goldens/llama/", import.meta.url);
  return readdirSync(fileURLToPath(folder))
    .filter((file) => file.endsWith(".golden.json"))
    .sort()
    .map((file) => decode(JSON.parse(readFileSync(new URL(file, folder), "utf8")) as Stored));
}

/** The initial weights by Hugging Face name, computed: float32(offset + (hash / 2^32 - 0.5) · 2 · scale). */
export function goldenWeights(golden: {
  readonly parameters: readonly Pick<GoldenParameter, "name" | "shape" | "offset" | "scale">[];
}): Map<string, Float32Array> {
  return new Map(
    golden.parameters.map(({ name, shape, offset, scale }, p) => {
      const size = shape.reduce((product, n) => product * n, 1);
      return [name, Float32Array.from({ length: size }, (_, j) => offset + (hash(p, j) / 2 ** 32 - 0.5) * 2 * scale)];
    }),
  );
}

/** Element j of parameter p to 32 bits. */
function hash(p: number, j: number): number {
  let h = (Math.imul(p, 0x9e3779b1) + Math.imul(j, 0x85ebca77)) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return (h ^ (h >>> 15)) >>> 0;
}

/** The file's form: as {@link Golden}, with arrays of float32 as base64 of little-endian bytes. */
type Stored = Omit<Golden, "logits" | "parameters"> & {
  readonly logits: string;
  readonly parameters: readonly (Omit<GoldenParameter, "gradient"> & { readonly gradient: string })[];
};

function decode(stored: Stored): Golden {
  return {
    ...stored,
    config: llamaConfig(stored.config),
    logits: floats(stored.logits),
    parameters: stored.parameters.map((row) => ({ ...row, gradient: floats(row.gradient) })),
  };
}

function floats(base64: string): Float32Array {
  const bytes = Buffer.from(base64, "base64");
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}
