// How probable a model finds the tokens of a text that is there already.
import { check, eventsHandled } from "../base/index.ts";
import type { LanguageModel, TokenSequence } from "./generate-tokens.ts";
import { logProbabilities, type TokenLogProbability } from "./log-probabilities.ts";

/** Rows whose logits are held at once. */
const rowsAtOnce = 8;
/** Numbers of logits that are looked at between two turns of the event loop: about 2 ms. */
const logitsPerTurn = 1 << 16;

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
  return [undefined, ...(await followingLogProbabilities(sequence, Array.from(ids), { most, signal }))];
}

/** The log-probability of each of `ids` but the first, given those before it and what `sequence` has read already. */
export async function followingLogProbabilities(
  sequence: TokenSequence,
  ids: readonly number[],
  { most, signal }: { readonly most: number; readonly signal: AbortSignal | undefined },
): Promise<TokenLogProbability[]> {
  const told: TokenLogProbability[] = [];
  let seen = 0;
  for (let start = 0; start < ids.length - 1; start += rowsAtOnce) {
    const part = ids.slice(start, Math.min(start + rowsAtOnce, ids.length - 1)); // nothing is asked of what follows the last
    const rows = await sequence.nextAll?.(part, signal);
    check(rows !== undefined, "infer", () => "log-probabilities of a text need a model that gives the logits of all rows");
    for (const [i, logits] of rows.entries()) {
      told.push(logProbabilities(logits, ids[start + i + 1]!, most));
      seen += logits.length;
      if (seen < logitsPerTurn) continue;
      seen = 0;
      await eventsHandled();
    }
  }
  return told;
}
