// Texts as vectors: what a model's last layer makes of them, behind the final norm, of all tokens or of the last.
import { check } from "../base/index.ts";
import { atOnce } from "./at-once.ts";
import type { SequenceOptions } from "./sequence.ts";
import type { SequenceQueue } from "./sequence-queue.ts";

/** Ways in which a text's tokens become one vector. */
export const poolings = ["mean", "last"] as const;
/** "mean" of all its tokens, those that the tokenizer puts around it among them, or the "last" token's. */
export type Pooling = (typeof poolings)[number];

/** How texts become vectors. */
export interface EmbedOptions extends SequenceOptions {
  /** @default "mean" */
  readonly pooling?: Pooling;
  /** Whether vectors have length 1, so that their product is the cosine of their angle. @default true */
  readonly normalise?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** Texts that are read at the same time, and tokens of each whose vectors are held at once. */
const [textsAtOnce, rowsAtOnce] = [8, 512];

/**
 * A vector [C] for each text.
 * @throws CriaError naming a text that has no token or more than the context holds, before anything is computed; the signal's reason
 */
export async function embedTexts(
  model: SequenceQueue,
  texts: readonly ArrayLike<number>[],
  { pooling = "mean", normalise = true, signal, cacheSalt }: EmbedOptions = {},
): Promise<Float32Array[]> {
  check(
    poolings.includes(pooling),
    "infer",
    () => `pooling is ${JSON.stringify(pooling)} but must be ${poolings.map((name) => `"${name}"`).join(" or ")}`,
  );
  const { contextLength } = model;
  for (const [i, { length }] of texts.entries()) {
    check(length > 0, "infer", () => `text ${i} has no token: leave it out`);
    check(
      length <= contextLength,
      "infer",
      () => `text ${i} has ${length} tokens but the context holds ${contextLength}: shorten it, or embed parts of it`,
    );
  }
  return atOnce(texts, textsAtOnce, async (ids) => {
    using sequence = model.sequence({ cacheSalt });
    const rows = pooling === "mean" ? "all" : "last";
    let sum: Float64Array | undefined;
    for (let start = 0; start < ids.length; start += rowsAtOnce) {
      const part = Array.from({ length: Math.min(rowsAtOnce, ids.length - start) }, (_, i) => ids[start + i]!);
      const [{ hidden }] = await model.run([{ sequence, ids: part, logits: "none", hidden: { output: "final", rows } }] as const, signal);
      if (hidden instanceof Float32Array) sum = Float64Array.from(hidden);
      else sum = added(sum, hidden);
    }
    return scaled(sum ?? new Float64Array(), pooling === "mean" ? 1 / ids.length : 1, normalise);
  });
}

function added(sum: Float64Array | undefined, rows: readonly Float32Array[]): Float64Array {
  const total = sum ?? new Float64Array(rows[0]?.length ?? 0);
  for (const row of rows) for (let c = 0; c < row.length; c++) total[c]! += row[c]!;
  return total;
}

/** A vector of zeros has no direction, and stays one. */
function scaled(vector: Float64Array, factor: number, normalise: boolean): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  const scale = normalise ? (length > 0 ? 1 / length : 0) : factor;
  return Float32Array.from(vector, (x) => x * scale);
}
