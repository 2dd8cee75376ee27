// How probable a model finds tokens: natural logarithms of softmax.
import { largest } from "./largest-first.ts";
import { mostProbable } from "./scores.ts";

/** A token and its log-probability. */
export interface IdLogProbability {
  readonly id: number;
  /** The natural logarithm of the token's probability, in nats; at most 0. */
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
  return { ...of(id), top: Array.from(largest(logits, most), of) };
}

/** ln Σ exp(logit), in float64. */
export function logSumExp(logits: Float32Array): number {
  const largest = logits[mostProbable(logits)]!;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}
