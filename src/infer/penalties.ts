// What changes logits by the text so far: penalties for tokens that stand in it already, and for going on with a repetition. Each says which tokens it
// changes, and by what number.
import type { Sampling } from "./sampling-options.ts";
import { countsOf, type TextSoFar } from "./text-so-far.ts";

/** A change of logits: a number per token that it is for, and what that does with the logit. */
export interface Penalty {
  readonly values: ReadonlyMap<number, number>;
  readonly change: (logit: number, value: number) => number;
  /** Whether no logit becomes larger, so that what is left of the largest ones can be seen without the others. */
  readonly onlyLowers: boolean;
}

/** Adds a bias to each token that has one. */
export function biasPenalty({ logitBias }: Sampling): Penalty {
  return { values: logitBias, change: (logit, bias) => logit + bias, onlyLowers: [...logitBias.values()].every((bias) => bias <= 0) };
}

/** Divides positive logits of seen tokens and multiplies negative ones. */
export function repetitionPenaltyOf({ repetitionPenalty, penaltyLast }: Sampling, text: TextSoFar): Penalty {
  const values = penaltyLast === 0 ? text.counts : countsOf(text.ids.slice(-penaltyLast));
  const change = (logit: number) => (logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty);
  return { values, change, onlyLowers: repetitionPenalty >= 1 };
}

/** Subtracts from the logits of written tokens: once, and once per time. */
export function countPenalty({ frequencyPenalty, presencePenalty, penaltyLast }: Sampling, text: TextSoFar): Penalty {
  const { ids, promptLength } = text;
  const values = penaltyLast === 0 ? text.written : countsOf(ids.slice(Math.max(promptLength, ids.length - penaltyLast)));
  const change = (logit: number, count: number) => logit - count * frequencyPenalty - presencePenalty;
  return { values, change, onlyLowers: frequencyPenalty >= 0 && presencePenalty >= 0 };
}

/** Subtracts from the logits of tokens that would go on with a repetition of the text's end. */
export function dryPenalty(sampling: Sampling, text: TextSoFar, breakers: ReadonlySet<number>): Penalty {
  const { dryMultiplier, dryBase, dryAllowedLength, dryLast } = sampling;
  const ids = dryLast === 0 ? text.ids : text.ids.slice(-dryLast);
  const change = (logit: number, length: number) => logit - dryMultiplier * dryBase ** (length - dryAllowedLength);
  return { values: repetitions(ids, breakers, dryAllowedLength), change, onlyLowers: true };
}

/**
 * How long a repetition of the text's end stands before each earlier place of a token, at most, where it is at least `least` tokens long. A repetition
 * does not reach across a breaker, and a breaker lengthens none. Time: O(length of the text), by the lengths of common ends (Gusfield's Z algorithm
 * over the reversed text).
 */
function repetitions(ids: readonly number[], breakers: ReadonlySet<number>, least: number): Map<number, number> {
  const found = new Map<number, number>();
  const last = ids.length - 1;
  let most = 0; // tokens of the end without a breaker
  while (most <= last && !breakers.has(ids[last - most]!)) most++;
  if (most < least) return found;
  const common = new Int32Array(ids.length); // common[k]: tokens that the text and the text without its last k have in common at their ends
  let [left, right] = [0, 0];
  for (let k = 1; k <= last; k++) {
    let length = k < right ? Math.min(right - k, common[k - left]!) : 0;
    while (k + length <= last && ids[last - length] === ids[last - k - length]) length++;
    common[k] = length;
    if (k + length > right) [left, right] = [k, k + length];
    const repeated = Math.min(length, most);
    const next = ids[last - k + 1]!;
    if (repeated >= least && !breakers.has(next)) found.set(next, Math.max(repeated, found.get(next) ?? 0));
  }
  return found;
}
