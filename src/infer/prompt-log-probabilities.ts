// How probable a model finds the tokens of a text that is there already.
import { check } from "../base/index.ts";
import type { LanguageModel } from "./generate-tokens.ts";
import { logProbabilities, type TokenLogProbability } from "./log-probabilities.ts";

/** Rows whose logits are held at once. */
const rowsAtOnce = 64;

/**
 * The log-probability of each token of a text, given those before it. The first has none: undefined.
 * @param most how many of the most probable tokens are told beside each
 * @throws CriaError where the text has no token or does not fit the context, or the model gives no logits of all rows
 */
export async function promptLogProbabilities(
  model: LanguageModel,
  ids: ArrayLike<number>,
  most = 0,
  signal?: AbortSignal,
): Promise<readonly (TokenLogProbability | undefined)[]> {
  check(ids.length > 0, "infer", () => "a text without tokens has no log-probabilities: give one");
  using sequence = model.sequence();
  const text = Array.from(ids);
  const told: (TokenLogProbability | undefined)[] = [undefined];
  for (let start = 0; start < text.length - 1; start += rowsAtOnce) {
    const part = text.slice(start, Math.min(start + rowsAtOnce, text.length - 1)); // nothing is asked of what follows the last
    const rows = await sequence.nextAll?.(part, signal);
    check(rows !== undefined, "infer", () => "log-probabilities of a text need a model that gives the logits of all rows");
    for (const [i, logits] of rows.entries()) told.push(logProbabilities(logits, text[start + i + 1]!, most));
  }
  return told;
}
