// RoPE's numbers in config.json, which has three places for them: rope_theta at the top, rope_scaling of transformers 4, rope_parameters of
// transformers 5 (modeling_rope_utils.py, RotaryEmbeddingConfigMixin). A rope_theta inside wins over the one at the top, and null is absent.
import { check, fail } from "../base/index.ts";
import { numberRanges } from "../model/index.ts";
import { isObject, type JsonObject, kindOf, quote } from "./json.ts";
import { checkKeys, harmless, honoured, type KeyRow, readNumber, refused } from "./json-keys.ts";

export interface RopeConfig {
  /** Base of the frequencies. */
  readonly theta: number;
  /** Positions are divided by it; 1 where nothing is scaled. */
  readonly factor: number;
}

/** The keys inside rope_parameters and rope_scaling; one that is not here is refused, for it would be a scaling that nobody computes. */
export const ropeKeys: readonly KeyRow[] = [
  honoured("rope_type", "text", '"default" or "linear"'),
  honoured("type", "text", "the same as transformers before 4.43 wrote it"),
  honoured("rope_theta", "number", "wins over the one at the top of the document"),
  honoured("factor", "number", "positions are divided by it; only linear scaling has one"),
  refused("partial_rotary_factor", "number", [1], "cria turns all channels of a head"),
  refused("attention_factor", "number", [1], "cria does not scale attention"),
  harmless("original_max_position_embeddings", "count", "it tells the length before scaling, which linear scaling does not read"),
];

const where = "config";
const defaultTheta = 10_000;

/** @throws CriaError naming the number that is out of its range, the scaling that cria does not compute, or the places that disagree. */
export function readRope(name: string, json: JsonObject): RopeConfig {
  const top = readNumber(where, name, "rope_theta", json.rope_theta ?? defaultTheta, numberRanges.ropeTheta);
  const found = ["rope_parameters", "rope_scaling"].flatMap((place) => {
    const value = json[place];
    return isObject(value) && Object.keys(value).length > 0 ? [{ place, ...readPlace(name, place, value, top) }] : [];
  });
  const [first, second] = found;
  if (first === undefined) return { theta: top, factor: 1 };
  check(
    second === undefined || (first.theta === second.theta && first.factor === second.factor),
    where,
    () => `${name}: ${[first, second!].map(describe).join(" but ")}: both name the same RoPE, remove the wrong one`,
  );
  return { theta: first.theta, factor: first.factor };
}

function describe({ place, theta, factor }: RopeConfig & { readonly place: string }): string {
  return `${place} says theta ${theta} and factor ${factor}`;
}

/** One of the two objects; a theta that it leaves out is the one at the top. */
function readPlace(name: string, place: string, rope: JsonObject, top: number): RopeConfig {
  checkInside(name, place, rope);
  const theta = readNumber(where, name, `${place}.rope_theta`, rope.rope_theta ?? top, numberRanges.ropeTheta);
  if (readType(name, place, rope) === "linear")
    return { theta, factor: readNumber(where, name, `${place}.factor`, rope.factor, numberRanges.ropeFactor) };
  check(
    (rope.factor ?? 1) === 1,
    where,
    () => `${name}: ${place}.factor is ${kindOf(rope.factor)} but its type is "default", which scales nothing: correct the file`,
  );
  return { theta, factor: 1 };
}

function readType(name: string, place: string, { rope_type: newer, type: older }: JsonObject): "default" | "linear" {
  const kind = newer ?? older ?? "default";
  check(
    kind === (older ?? kind),
    where,
    () => `${name}: ${place} has rope_type ${kindOf(newer)} but type ${kindOf(older)}: both name the same thing, remove the wrong one`,
  );
  if (kind === "default" || kind === "linear") return kind;
  return fail(
    where,
    `${name}: ${place} is of ${kindOf(kind)} but cria computes "default" and "linear" RoPE: choose a model without other scaling`,
  );
}

/** Types other than the two are named before their keys are, which no row knows. */
function checkInside(name: string, place: string, rope: JsonObject): void {
  const [layers] = Object.entries(rope).find(([, value]) => isObject(value)) ?? [];
  check(
    layers === undefined,
    where,
    () =>
      `${name}: ${place} has numbers for ${quote(layers!)} alone but cria turns all layers alike: choose a model without RoPE per layer type`,
  );
  readType(name, place, rope);
  const [unknown] = checkKeys(where, `${name}: ${place}`, rope, ropeKeys);
  check(unknown === undefined, where, () => `${name}: ${place}: ${unknown}: choose a model without it`);
}
