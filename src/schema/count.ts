// Counts in a recipe, as the documentation writes them: YAML reads 4_000_000 and 4k as texts, this reads them as numbers.
import { z } from "zod";
import { ambiguousLength, parseQuantity } from "../base/index.ts";

interface Range {
  readonly least?: number;
  readonly most?: number;
}

/** A whole number in any way that `parseQuantity` reads: 2000, 4_000_000, 4k, 7B, 1e6. */
export function count({ least = 1, most = Number.MAX_SAFE_INTEGER }: Range = {}) {
  return z.preprocess(asNumber, z.int().min(least).max(most));
}

/** A {@link count} of tokens that belong together, of pieces or of channels: "8k" may mean 8000 or 8192 there, and is refused naming both. */
export function lengthCount() {
  return z.preprocess((value, context) => {
    const doubt = typeof value === "string" ? ambiguousLength(value) : undefined;
    if (doubt === undefined) return asNumber(value);
    context.issues.push({ code: "custom", message: doubt, input: value });
    return z.NEVER;
  }, z.int().min(1).max(Number.MAX_SAFE_INTEGER));
}

function asNumber(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const number = parseQuantity(value);
  return Number.isNaN(number) ? value : number;
}
