// RoPE's scaling in a GGUF: by keys, as llama.cpp reads them (src/llama-model.cpp, src/llama-context.cpp), or by tensors of divisors, one per
// pair of channels.
import { check, sameShape, showShape } from "../base/index.ts";
import { type LlamaConfig, type RopeScaling, ropeAttention, ropeFrequencies } from "../model/index.ts";
import type { GgufKeys } from "./gguf-keys.ts";
import type { TensorFile } from "./tensor-file.ts";

const where = "gguf";
/** The divisors of Llama 3.1 and its descendants, which no key of the file names. */
const divisors = "rope_freqs.weight";
/** Divisors of longrope, up to the original length and beyond it. */
const [shortDivisors, longDivisors] = ["rope_factors_short.weight", "rope_factors_long.weight"] as const;

/** Tensors that say the scaling and are no parameters. */
export function isRopeTensor(name: string): boolean {
  return name === divisors || name === shortDivisors || name === longDivisors;
}

/**
 * @param plain the config without its scaling.
 * @throws CriaError for a scaling that cria does not compute, or whose tensors are missing or damaged
 */
export async function readGgufScaling(keys: GgufKeys, tensors: TensorFile, plain: LlamaConfig): Promise<RopeScaling> {
  const type = keys.text("rope.scaling.type") ?? "linear";
  checkTensors(tensors, type);
  const attention = keys.number("rope.scaling.attn_factor") ?? 1;
  if (type === "yarn") return readYarn(keys, attention, plain);
  if (type === "longrope") {
    const [shortFactors, longFactors] = [
      await readDivisors(tensors, shortDivisors, plain),
      await readDivisors(tensors, longDivisors, plain),
    ];
    return { type, originalLength: originalLength(keys, plain), shortFactors, longFactors, attentionFactor: attention };
  }
  if (type !== "none" && type !== "linear")
    return keys.fail("rope.scaling.type", type, "cria does not compute, only none, linear, yarn and longrope: choose another model");
  if (attention !== 1)
    return keys.fail("rope.scaling.attn_factor", attention, "cria has with yarn and longrope alone: choose another model");
  const factor = type === "none" ? 1 : factorOf(keys);
  if (tensors.tensors.has(divisors)) return byDivisors(await readDivisors(tensors, divisors, plain), factor, plain);
  return factor === 1 ? { type: "default" } : { type: "linear", factor };
}

/** Tensors that the type does not read would be a scaling which the file means and nobody computes. */
function checkTensors({ name, tensors }: TensorFile, type: string): void {
  const read = type === "longrope" ? [shortDivisors, longDivisors] : type === "yarn" ? [] : [divisors];
  const foreign = [divisors, shortDivisors, longDivisors].find((tensor) => tensors.has(tensor) && !read.includes(tensor));
  check(
    foreign === undefined,
    where,
    () => `${name}: it has the tensor ${foreign}, but its scaling is of the type ${type}, which has none of that name: convert it again`,
  );
}

/** 0 stands for no scaling. */
function factorOf(keys: GgufKeys): number {
  return (keys.number("rope.scaling.factor") ?? keys.number("rope.scale_linear")) || 1;
}

function originalLength(keys: GgufKeys, { contextLength }: LlamaConfig): number {
  return keys.whole("rope.scaling.original_context_length") ?? contextLength;
}

/** @param attention a further factor of what YaRN multiplies queries and keys by */
function readYarn(keys: GgufKeys, attention: number, plain: LlamaConfig): RopeScaling {
  const logMultiplier = keys.number("rope.scaling.yarn_log_multiplier") || undefined;
  const scaling: RopeScaling = {
    ...{ type: "yarn", factor: factorOf(keys), originalLength: originalLength(keys, plain) },
    ...{ betaFast: keys.number("rope.scaling.yarn_beta_fast"), betaSlow: keys.number("rope.scaling.yarn_beta_slow") },
    attentionFactor: keys.number("rope.scaling.yarn_attn_factor"),
    ...(logMultiplier !== undefined && { mscale: 1, mscaleAllDim: logMultiplier }),
  };
  if (attention === 1) return scaling;
  return { ...scaling, attentionFactor: attention * ropeAttention({ ...plain, ropeScaling: scaling }) };
}

async function readDivisors(tensors: TensorFile, name: string, { headDim }: LlamaConfig): Promise<readonly number[]> {
  const shape = [headDim / 2];
  const found = tensors.info(name).shape;
  check(
    sameShape(found, shape),
    where,
    () => `${tensors.name}: ${name} is ${showShape(found)}, but a head has ${headDim / 2} pairs: it is damaged`,
  );
  return Array.from(await tensors.readFloat32(name));
}

/**
 * Divisors that are Llama 3.1's become its scaling, so that other formats can say it; others stand as they are, the same up to the original
 * length and beyond.
 */
function byDivisors(given: readonly number[], factor: number, plain: LlamaConfig): RopeScaling {
  const all = given.map((divisor) => divisor * factor);
  if (all.every((divisor) => divisor === 1)) return { type: "default" };
  const { contextLength } = plain;
  return (
    llama3Of(all, plain) ?? { type: "longrope", originalLength: contextLength, shortFactors: all, longFactors: all, attentionFactor: 1 }
  );
}

/** How far divisors may be from a formula's that were computed in float32. */
const tolerance = 1e-5;
/** Turns within the original length between which all models of Llama 3.1's kind go over from the whole factor to none. */
const [lowFrequencyFactor, highFrequencyFactor] = [1, 4];

/** The scaling of Llama 3.1 that has these divisors, where there is one: a pair between the two bounds says the original length. */
function llama3Of(divisors: readonly number[], plain: LlamaConfig): RopeScaling | undefined {
  const factor = Math.max(...divisors);
  const between = divisors.findIndex((divisor) => divisor > 1 && divisor < factor);
  if (between < 0) return undefined;
  const frequencies = ropeFrequencies(plain, 0);
  const kept = (1 / divisors[between]! - 1 / factor) / (1 - 1 / factor);
  const turns = lowFrequencyFactor + kept * (highFrequencyFactor - lowFrequencyFactor);
  const length = Math.round((2 * Math.PI * turns) / frequencies[between]!);
  const ropeScaling: RopeScaling = { type: "llama3", factor, originalLength: length, lowFrequencyFactor, highFrequencyFactor };
  const scaled = ropeFrequencies({ ...plain, ropeScaling }, 0);
  return divisors.every((divisor, i) => Math.abs((scaled[i]! * divisor) / frequencies[i]! - 1) < tolerance) ? ropeScaling : undefined;
}
