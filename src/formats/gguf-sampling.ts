// How a model's makers would have it sampled, in a GGUF's metadata, in and out (ggml-org/llama.cpp, gguf-py/gguf/constants.py: general.sampling.*).
import { fail } from "../base/index.ts";
import type { GenerationConfig } from "./generation-config.ts";
import { shortestDecimal } from "./gguf-keys.ts";
import type { GgufValue } from "./gguf-metadata.ts";

/** The sampling that a file asks for. */
export interface ReadGgufSampling {
  readonly generation: Omit<GenerationConfig, "eosTokenIds">;
  readonly warnings: readonly string[];
}

const where = "gguf";
const prefix = "general.sampling.";

/** Their key and its type, our field, and what its numbers are. */
const rows = [
  ["temp", "f32", "temperature", "a number from 0 to 1000000", (value: number) => value >= 0 && value <= 1e6],
  ["top_k", "i32", "topK", "a whole number from 0", (value: number) => Number.isSafeInteger(value) && value >= 0],
  ["top_p", "f32", "topP", "a number above 0 and at most 1", (value: number) => value > 0 && value <= 1],
  ["min_p", "f32", "minP", "a number from 0 to 1", (value: number) => value >= 0 && value <= 1],
  ["penalty_repeat", "f32", "repetitionPenalty", "a number above 0 and at most 1000000", (value: number) => value > 0 && value <= 1e6],
] as const;

/** @throws CriaError for a number out of its range */
export function readGgufSampling(pairs: ReadonlyMap<string, GgufValue>, name: string): ReadGgufSampling {
  const generation = rows.flatMap(([key, , field, rule, holds]) => {
    const found = pairs.get(prefix + key);
    if (found === undefined) return [];
    const value = found.type === "f32" ? shortestDecimal(Number(found.value)) : found.value;
    return typeof value === "number" && holds(value)
      ? [[field, value] as const]
      : fail(where, `${name}: ${prefix}${key} is ${String(value)}, but must be ${rule}: correct the file`);
  });
  const others = [...pairs.keys()].filter((key) => key.startsWith(prefix) && !rows.some(([known]) => key === prefix + known));
  const warnings =
    others.length === 0 ? [] : [`[${where}] ${name}: it would have texts sampled by ${others.join(", ")}, which cria does not follow`];
  return { generation: Object.fromEntries(generation), warnings };
}

/** The same as metadata, and a sentence where there are settings that have no key. */
export interface GgufSampling {
  readonly pairs: readonly (readonly [string, GgufValue])[];
  readonly warnings: readonly string[];
}

/** The inverse of {@link readGgufSampling}. */
export function ggufSampling({ bosTokenId: _, ...generation }: ReadGgufSampling["generation"]): GgufSampling {
  const given = Object.entries(generation).filter(([, value]) => value !== undefined);
  const left = given.map(([field]) => field).filter((field) => !rows.some(([, , known]) => known === field));
  return {
    pairs: rows.flatMap(([key, type, field]) =>
      generation[field] === undefined ? [] : [[prefix + key, { type, value: generation[field] }]],
    ),
    warnings: left.length === 0 ? [] : [`${left.join(", ")} of the model's generation settings have no key in a GGUF and are left out`],
  };
}
