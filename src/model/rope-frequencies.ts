// The table of rotary positions (Su et al. 2021, arXiv 2104.09864) that a config asks for: a frequency per pair of channels and a factor of
// attention, whatever the scaling, so that the rest of the model knows one form.
//
// D channels of a head make D/2 pairs; pair i turns by theta^(−2i/D) radians per position where nothing is scaled. L is the length before
// scaling, s the factor by which the model reaches further.
import { type Graph, i32, ropeTurns, type Tensor } from "../graph/index.ts";
import type { LlamaConfig } from "./config.ts";
import type { DynamicScaling, Llama3Scaling, LongScaling, YarnScaling } from "./rope-scaling.ts";

/** The input "ropeTurns", i32 [2, A], that {@link ropeInputs} fills; undefined where the config's positions are not rotary. */
export function declareTurns(graph: Graph, config: LlamaConfig): Tensor | undefined {
  if (config.positions !== "rope") return undefined;
  const channels = config.ropePairing === "half" ? 2 : 1; // channels per angle
  return graph.input("ropeTurns", i32(2, config.headDim / channels));
}

/**
 * What is written to a program's input "ropeTurns" before runs whose last row stands at `longestPosition`: by name, and nothing where positions
 * are not rotary. It is the same for all runs whose {@link ropeLength} is the same, so most programs write it once.
 */
export function ropeInputs(config: LlamaConfig, longestPosition: number): ReadonlyMap<"ropeTurns", Int32Array> {
  return new Map(config.positions === "rope" ? [["ropeTurns", ropeTableFor(config, longestPosition)]] : []);
}

/**
 * What each pair turns by per position in a run whose last row stands at `longestPosition`, i32 [2, A] as `ropeTurns` has it. Pure. Only
 * the scalings "dynamic" and "longrope" look at the length, as transformers does: a run's rows are rotated by the table for the longest
 * position of the run, and keys that a cache holds keep the turn that they were written with.
 *
 * So with these two scalings, and no others, the bits of a row depend on how long its own sequence is in its run. All rows of a run share one
 * table: sequences whose {@link ropeLength} differs are run one after the other, and the parts of a prompt that is cut into several runs
 * take the table of the whole prompt. Keys of a prefix may only be taken over by a sequence that goes on from them, or whose `ropeLength`
 * is that of the run which wrote them.
 */
export function ropeTableFor(config: LlamaConfig, longestPosition: number): Int32Array {
  return ropeTurns(ropeFrequencies(config, longestPosition), config.ropePairing);
}

/**
 * Radians per position of every pair, [D/2], for a run whose last row stands at `longestPosition`: in float64; transformers' are their
 * float32 neighbours.
 */
export function ropeFrequencies(config: LlamaConfig, longestPosition: number): Float64Array {
  const { ropeScaling: scaling, ropeTheta } = config;
  const plain = plainFrequencies(ropeTheta, config.headDim);
  switch (scaling.type) {
    case "default":
      return plain;
    case "linear":
      return plain.map((frequency) => frequency / scaling.factor);
    case "dynamic":
      return plainFrequencies(dynamicTheta(config, scaling, ropeLength(config, longestPosition)), config.headDim);
    case "yarn":
      return yarnFrequencies(config, scaling, plain);
    case "longrope":
      return longFrequencies(scaling, plain, ropeLength(config, longestPosition));
    case "llama3":
      return plain.map((frequency) => llama3Frequency(scaling, frequency));
    default:
      return scaling satisfies never;
  }
}

/** What cosines and sines are multiplied by, so a score of a query and a key by its square. It does not depend on the length of a run. */
export function ropeAttention(config: LlamaConfig): number {
  const { ropeScaling: scaling, contextLength } = config;
  if (scaling.type === "yarn") return yarnAttention(scaling);
  if (scaling.type === "longrope") return longAttention(scaling, contextLength);
  return 1;
}

/**
 * The length that the frequencies of a run are made for: two runs have the same table exactly where this number is the same.
 * 0 for a scaling that does not look at the run. With "dynamic" it is the number of positions, at least L; with "longrope" L or, for every
 * longer run, L + 1.
 */
export function ropeLength({ ropeScaling: scaling }: LlamaConfig, longestPosition: number): number {
  if (scaling.type === "dynamic") return Math.max(longestPosition + 1, scaling.originalLength);
  if (scaling.type === "longrope") return scaling.originalLength + (longestPosition + 1 > scaling.originalLength ? 1 : 0);
  return 0;
}

/** theta^(−2i/D) for every pair. */
function plainFrequencies(theta: number, D: number): Float64Array {
  return Float64Array.from({ length: D / 2 }, (_, i) => theta ** ((-2 * i) / D));
}

function dynamicTheta(config: LlamaConfig, { factor, originalLength }: DynamicScaling, length: number): number {
  const D = config.headDim;
  return config.ropeTheta * ((factor * length) / originalLength - (factor - 1)) ** (D / (D - 2));
}

/** A ramp over the pairs from those that are kept to those that are slowed by the whole factor (arXiv 2309.00071, section 3.2). */
function yarnFrequencies(config: LlamaConfig, scaling: YarnScaling, plain: Float64Array): Float64Array {
  const { factor, betaFast = 32, betaSlow = 1, truncate = true } = scaling;
  const [first, last] = [pairTurning(config, scaling, betaFast), pairTurning(config, scaling, betaSlow)];
  const from = Math.max(truncate ? Math.floor(first) : first, 0);
  const to = Math.min(truncate ? Math.ceil(last) : last, config.headDim - 1);
  const width = to === from ? 0.001 : to - from; // transformers' way around a division by zero
  return plain.map((frequency, i) => {
    const slowed = Math.min(Math.max((i - from) / width, 0), 1);
    return (frequency / factor) * slowed + frequency * (1 - slowed);
  });
}

/** Which pair turns so many times within L, as a real number: where its wavelength is L / turns. */
function pairTurning(config: LlamaConfig, { originalLength }: YarnScaling, turns: number): number {
  return (config.headDim * Math.log(originalLength / (turns * 2 * Math.PI))) / (2 * Math.log(config.ropeTheta));
}

/** The factor of queries and keys that stands for a temperature of the softmax (arXiv 2309.00071, section 3.4). */
function yarnAttention({ factor, attentionFactor, mscale, mscaleAllDim }: YarnScaling): number {
  const sharpness = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  if (attentionFactor !== undefined) return attentionFactor;
  return mscale && mscaleAllDim ? sharpness(mscale) / sharpness(mscaleAllDim) : sharpness(1);
}

function longFrequencies({ originalLength, shortFactors, longFactors }: LongScaling, plain: Float64Array, length: number): Float64Array {
  const factors = length > originalLength ? longFactors : shortFactors;
  return plain.map((frequency, i) => frequency / factors[i]!);
}

function longAttention({ originalLength, factor, attentionFactor }: LongScaling, contextLength: number): number {
  const reach = factor ?? contextLength / originalLength;
  return attentionFactor ?? (reach <= 1 ? 1 : Math.sqrt(1 + Math.log(reach) / Math.log(originalLength)));
}

function llama3Frequency(scaling: Llama3Scaling, frequency: number): number {
  const { factor, originalLength, lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
  const turns = (originalLength * frequency) / (2 * Math.PI); // turns within L
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const kept = (turns - low) / (high - low);
  return ((1 - kept) * frequency) / factor + kept * frequency;
}
