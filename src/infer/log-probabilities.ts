// How probable a model finds tokens: natural logarithms of softmax.
import { mostProbable } from "./scores.ts";

export interface IdLogProbability {
  readonly id: number;
  /** In nats, at most 0. */
  readonly logProbability: number;
}

/** The log-probability of a token and those of the most probable ones. */
export interface TokenLogProbability extends IdLogProbability {
  /** Most probable first, the lower id first among equals. */
  readonly top: readonly IdLogProbability[];
}

/**
 * @param logits [V]; −Infinity rules a token out
 * @param most how many of the most probable tokens are told
 * @throws CriaError when a logit is NaN or infinite, or all are ruled out
 */
export function logProbabilities(logits: Float32Array, id: number, most = 0): TokenLogProbability {
  const total = logSumExp(logits);
  const of = (token: number): IdLogProbability => ({ id: token, logProbability: logits[token]! - total });
  return { ...of(id), top: largest(logits, most).map(of) };
}

/** ln Σ exp(logit), in float64. */
export function logSumExp(logits: Float32Array): number {
  const largest = logits[mostProbable(logits)]!;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}

/** The ids of the largest values, O(V · count) at worst and O(V) as a rule. */
function largest(values: Float32Array, count: number): number[] {
  const best: number[] = [];
  for (let id = 0; id < values.length; id++) {
    if (best.length === count && (count === 0 || !(values[id]! > values[best[count - 1]!]!))) continue;
    let at = best.length;
    while (at > 0 && values[best[at - 1]!]! < values[id]!) at--;
    best.splice(at, 0, id);
    if (best.length > count) best.pop();
  }
  return best;
}
