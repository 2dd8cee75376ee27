// RoPE's numbers in config.json, which has three places for them: rope_theta at the top, rope_scaling of transformers 4, rope_parameters of
// transformers 5 (modeling_rope_utils.py, RotaryEmbeddingConfigMixin). A rope_theta inside wins over the one at the top, an
// original_max_position_embeddings at the top over the one inside, and null is absent.
import { check, fail } from "../base/index.ts";
import { type LlamaConfig, numberRanges, type RopeScaling, scalingRanges } from "../model/index.ts";
import { isObject, type JsonObject, kindOf, quote } from "./json.ts";
import { checkKeys, honoured, type KeyRow, readNumber, refused } from "./json-keys.ts";

/** RoPE as a config.json has it. */
export interface RopeConfig {
  /** Base of the frequencies. */
  readonly theta: number;
  readonly scaling: RopeScaling;
  /** Positions that the model is made for. */
  readonly contextLength: number;
}

/** The keys inside rope_parameters and rope_scaling; one that is not here is refused, for it would be a scaling that nobody computes. */
export const ropeKeys: readonly KeyRow[] = [
  honoured("rope_type", "text", "the scaling: one of the types below"),
  honoured("type", "text", "the same as transformers before 4.43 wrote it"),
  honoured("rope_theta", "number", "wins over the one at the top of the document"),
  honoured("factor", "number", "how much further the model reaches"),
  honoured("original_max_position_embeddings", "count", "the length before scaling; max_position_embeddings by default"),
  honoured("attention_factor", "number", "what queries and keys are multiplied by"),
  honoured("beta_fast", "number", "turns within the original length above which YaRN keeps a pair; 32 by default"),
  honoured("beta_slow", "number", "turns within the original length below which YaRN slows a pair by the whole factor; 1 by default"),
  honoured("mscale", "number", "YaRN's attention factor follows from it and mscale_all_dim, where neither of them is 0"),
  honoured("mscale_all_dim", "number", "see mscale"),
  honoured("truncate", "flag", "whether YaRN's bounds are rounded to whole pairs; true by default"),
  honoured("short_factor", "numbers", "longrope's divisors up to the original length"),
  honoured("long_factor", "numbers", "longrope's divisors beyond the original length"),
  honoured("low_freq_factor", "number", "turns within the original length below which llama3 slows a pair by the whole factor"),
  honoured("high_freq_factor", "number", "turns within the original length above which llama3 keeps a pair"),
  refused("partial_rotary_factor", "number", [1], "cria turns all channels of a head"),
];

/** What a scaling has beside its type: our name → transformers' key. */
const keys = {
  factor: "factor",
  originalLength: "original_max_position_embeddings",
  attentionFactor: "attention_factor",
  betaFast: "beta_fast",
  betaSlow: "beta_slow",
  mscale: "mscale",
  mscaleAllDim: "mscale_all_dim",
  truncate: "truncate",
  shortFactors: "short_factor",
  longFactors: "long_factor",
  lowFrequencyFactor: "low_freq_factor",
  highFrequencyFactor: "high_freq_factor",
} as const;

/** Which of these a type reads. */
const read: Readonly<Record<RopeScaling["type"], readonly (keyof typeof keys)[]>> = {
  default: [],
  linear: ["factor"],
  dynamic: ["factor"],
  yarn: ["factor", "originalLength", "attentionFactor", "betaFast", "betaSlow", "mscale", "mscaleAllDim", "truncate"],
  longrope: ["factor", "originalLength", "attentionFactor", "shortFactors", "longFactors"],
  llama3: ["factor", "originalLength", "lowFrequencyFactor", "highFrequencyFactor"],
};

/** Keys that any type may have: transformers passes over an original length where a type does not read it. */
const commonKeys: readonly string[] = ["rope_type", "type", "rope_theta", keys.originalLength, "partial_rotary_factor"];

const where = "config";
/** The theta of most classes where a file says none. */
export const usualTheta = 10_000;

/**
 * @param usual what the model's class has where no key says the theta, and the length it reaches
 * @throws CriaError naming the number that is out of its range, the scaling that cria does not compute, or the places that disagree.
 */
export function readRope(name: string, json: JsonObject, usual: { readonly maxPositions: number; readonly theta: number }): RopeConfig {
  const { maxPositions } = usual;
  const theta = readNumber(where, name, "rope_theta", json.rope_theta ?? usual.theta, numberRanges.ropeTheta);
  const top = { name, theta, maxPositions, originalLength: json.original_max_position_embeddings };
  const found = ["rope_parameters", "rope_scaling"].flatMap((place) => {
    const value = json[place];
    return isObject(value) && Object.keys(value).length > 0 ? [{ place, rope: readPlace(top, place, value) }] : [];
  });
  const [first = { place: "", rope: { theta, scaling: { type: "default" as const } } }, second] = found;
  check(
    second === undefined || describe(first.rope) === describe(second.rope),
    where,
    () =>
      `${name}: ${[first, second!].map(({ place, rope }) => `${place} says ${describe(rope)}`).join(" but ")}: both name the same RoPE, remove the wrong one`,
  );
  return { ...first.rope, contextLength: contextOf(first.rope.scaling, maxPositions) };
}

/** The key max_position_embeddings for a config. @throws CriaError where a file cannot say the context of a dynamic scaling. */
export function maxPositionsOf({ ropeScaling: scaling, contextLength }: LlamaConfig): number {
  if (scaling.type !== "dynamic") return contextLength;
  const context = contextOf(scaling, scaling.originalLength);
  check(
    context === contextLength,
    where,
    () =>
      `contextLength is ${contextLength}, but config.json can only say ${context} with "dynamic" scaling by ${scaling.factor} from ${scaling.originalLength}: choose that`,
  );
  return scaling.originalLength;
}

/** The keys of a config's RoPE, as transformers 4 wrote and transformers 5 reads them. */
export function writeRope({ ropeTheta, ropeScaling: scaling }: LlamaConfig): JsonObject {
  if (scaling.type === "default") return { rope_theta: ropeTheta };
  const values: Readonly<Record<string, unknown>> = { ...scaling };
  const written = read[scaling.type].filter((field) => values[field] !== undefined).map((field) => [keys[field], values[field]]);
  return { rope_theta: ropeTheta, rope_scaling: { rope_type: scaling.type, ...Object.fromEntries(written) } };
}

/** What the document says around the place that is read. */
interface Top {
  readonly name: string;
  readonly theta: number;
  readonly maxPositions: number;
  readonly originalLength: unknown;
}

type Place = Omit<RopeConfig, "contextLength">;

function describe({ theta, scaling }: Place): string {
  return `theta ${theta} and ${JSON.stringify(scaling)}`;
}

/** A dynamic scaling's max_position_embeddings is the length before scaling, as transformers reads it; the others' is the one they reach. */
function contextOf(scaling: RopeScaling, maxPositions: number): number {
  if (scaling.type !== "dynamic") return maxPositions;
  return Math.min(Math.max(maxPositions, Math.floor(maxPositions * scaling.factor)), scalingRanges.originalLength[1]);
}

/** One of the two objects: numbers for all layers, or the same numbers for each type of layer. */
function readPlace(top: Top, place: string, rope: JsonObject): Place {
  const layers = Object.entries(rope).filter(([, value]) => isObject(value)) as [string, JsonObject][];
  const [first, ...others] = layers.map(([layer, inside]) => ({ layer, rope: readFlat(top, `${place}.${layer}`, inside) }));
  if (first === undefined) return readFlat(top, place, rope);
  check(
    layers.length === Object.keys(rope).length,
    where,
    () =>
      `${top.name}: ${place} has numbers for ${quote(first.layer)} beside others but cria turns all layers alike: choose a model without RoPE per layer type`,
  );
  const other = others.find((one) => describe(one.rope) !== describe(first.rope));
  check(
    other === undefined,
    where,
    () =>
      `${top.name}: ${place} says ${describe(first.rope)} for ${quote(first.layer)} but ${describe(other!.rope)} for ${quote(other!.layer)}, and cria turns all layers alike: choose a model without RoPE per layer type`,
  );
  return first.rope;
}

/** A theta that the object leaves out is the one at the top. */
function readFlat(top: Top, place: string, rope: JsonObject): Place {
  const { name } = top;
  const type = readType(name, place, rope);
  const [unknown] = checkKeys(where, `${name}: ${place}`, rope, ropeKeys);
  check(unknown === undefined, where, () => `${name}: ${place}: ${unknown}: choose a model without it`);
  checkForeign(name, place, type, rope);
  const theta = readNumber(where, name, `${place}.rope_theta`, rope.rope_theta ?? top.theta, numberRanges.ropeTheta);
  return { theta, scaling: readScaling(top, place, type, rope) };
}

function readType(name: string, place: string, { rope_type: newer, type: older }: JsonObject): RopeScaling["type"] {
  const kind = newer ?? older ?? "default";
  check(
    kind === (older ?? kind),
    where,
    () => `${name}: ${place} has rope_type ${kindOf(newer)} but type ${kindOf(older)}: both name the same thing, remove the wrong one`,
  );
  const known = Object.keys(read) as RopeScaling["type"][];
  return (
    known.find((type) => type === kind) ??
    fail(
      where,
      `${name}: ${place} is of ${kindOf(kind)} but cria computes ${known.map(quote).join(", ")}: choose a model without other scaling`,
    )
  );
}

/** A number of another type would be a scaling that the file means and nobody computes, unless it scales nothing. */
function checkForeign(name: string, place: string, type: RopeScaling["type"], rope: JsonObject): void {
  const own = [...commonKeys, ...read[type].map((field) => keys[field])];
  const isNeutral = (key: string, value: unknown) => value === null || (value === 1 && (key === "factor" || key === "attention_factor"));
  const foreign = Object.entries(rope).find(([key, value]) => !own.includes(key) && !isNeutral(key, value));
  check(
    foreign === undefined,
    where,
    () =>
      `${name}: ${place}.${foreign![0]} is ${kindOf(foreign![1])} but its type is ${quote(type)}, which has no such number: correct the file`,
  );
}

function readScaling({ name, maxPositions, originalLength }: Top, place: string, type: RopeScaling["type"], rope: JsonObject): RopeScaling {
  const number = (field: keyof typeof scalingRanges, value = rope[keys[field]]) =>
    readNumber(where, name, `${place}.${keys[field]}`, value, scalingRanges[field]);
  const optional = (field: keyof typeof scalingRanges) => ((rope[keys[field]] ?? null) === null ? undefined : number(field));
  const original = () => number("originalLength", originalLength ?? rope[keys.originalLength] ?? maxPositions);
  switch (type) {
    case "default":
      return { type };
    case "linear":
      return { type, factor: number("factor") };
    case "dynamic":
      return { type, factor: number("factor"), originalLength: number("originalLength", maxPositions) };
    case "yarn":
      return {
        ...{ type, factor: optional("factor") ?? maxPositions / original(), originalLength: original() },
        ...{ betaFast: optional("betaFast"), betaSlow: optional("betaSlow"), attentionFactor: optional("attentionFactor") },
        ...{ mscale: optional("mscale"), mscaleAllDim: optional("mscaleAllDim") },
        ...(typeof rope.truncate === "boolean" && { truncate: rope.truncate }),
      };
    case "longrope":
      return {
        ...{ type, originalLength: original(), factor: optional("factor"), attentionFactor: optional("attentionFactor") },
        ...{ shortFactors: readFactors(name, place, rope, "short_factor"), longFactors: readFactors(name, place, rope, "long_factor") },
      };
    case "llama3": {
      const frequencyFactors = { lowFrequencyFactor: number("lowFrequencyFactor"), highFrequencyFactor: number("highFrequencyFactor") };
      return { type, factor: number("factor"), originalLength: original(), ...frequencyFactors };
    }
    default:
      return type satisfies never;
  }
}

function readFactors(name: string, place: string, rope: JsonObject, key: string): readonly number[] {
  const factors = rope[key];
  check(
    Array.isArray(factors),
    where,
    () => `${name}: ${place}.${key} is ${kindOf(factors)} but "longrope" needs a list: correct the file`,
  );
  return factors;
}
