// How a model's makers would have it sampled, in a GGUF's metadata (ggml-org/llama.cpp, gguf-py/gguf/constants.py: general.sampling.*).
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

/** Their key, our field, and what its numbers are. */
const rows = [
  ["temp", "temperature", "a number from 0 to 1000000", (value: number) => value >= 0 && value <= 1e6],
  ["top_k", "topK", "a whole number from 0", (value: number) => Number.isSafeInteger(value) && value >= 0],
  ["top_p", "topP", "a number above 0 and at most 1", (value: number) => value > 0 && value <= 1],
  ["min_p", "minP", "a number from 0 to 1", (value: number) => value >= 0 && value <= 1],
  ["penalty_repeat", "repetitionPenalty", "a number above 0 and at most 1000000", (value: number) => value > 0 && value <= 1e6],
] as const;

/** @throws CriaError for a number out of its range */
export function readGgufSampling(pairs: ReadonlyMap<string, GgufValue>, name: string): ReadGgufSampling {
  const generation = rows.flatMap(([key, field, rule, holds]) => {
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
