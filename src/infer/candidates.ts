// What chooses candidates by their probabilities, one step after the other.
import type { Rng } from "../base/index.ts";
import { indices, largest } from "./largest-first.ts";
import type { Sampling } from "./sampling-options.ts";
import { idsFrom, type Scores } from "./scores.ts";

/** Keeps the k most probable tokens (`topK`), by their logits: weights of different ones may be equal where the temperature is high. */
export function keepFirst(scores: Scores, { topK }: Sampling): void {
  const { kept, logits } = scores;
  scores.best(); // throws where a logit is no number
  if (topK < logits.length || scores.isPart) scores.keep(kept?.subarray(0, topK) ?? largest(logits, topK));
}

/** Keeps tokens that are nearly as probable as the most probable one (`minP`). */
export function keepProbable(scores: Scores, { minP }: Sampling): void {
  const best = scores.weights[scores.best()]!;
  scores.keep(idsFrom(scores.weights, minP * best, scores.kept ?? Int32Array.from(scores.inOrder(minP * best))));
}

/**
 * Keeps candidates until their weights together reach this share (`topP`). Tokens that weigh less than half of (1 − share) · total / V weigh less than what
 * is left out even together, so that they are never needed and only the others are put in order.
 */
export function keepShare(scores: Scores, { topP }: Sampling): void {
  const { weights, total } = scores;
  keepUntil(scores, scores.inOrder(((1 - topP) * total) / (2 * weights.length)), topP);
}

/** Keeps candidates of an order until they reach a share of the weight of all. */
function keepUntil(scores: Scores, order: Iterable<number>, share: number): Int32Array {
  const { weights, total } = scores;
  const kept: number[] = [];
  let sum = 0;
  for (const id of order) {
    kept.push(id);
    sum += weights[id]!;
    if (sum >= share * total) break;
  }
  const ids = Int32Array.from(kept);
  scores.keep(ids);
  return ids;
}

/** Keeps the tokens whose log-probability is nearest to its expectation, the negative entropy (`typicalP`). */
export function keepTypical(scores: Scores, { typicalP }: Sampling): void {
  const ids = possible(scores);
  const { weights, total } = scores;
  const logs = Float64Array.from(ids, (id) => Math.log(weights[id]! / total));
  let entropy = 0;
  for (const [i, id] of ids.entries()) entropy -= (weights[id]! / total) * logs[i]!;
  const distance = logs.map((log) => Math.abs(log + entropy));
  const nearest = ids.map((_, i) => i).sort((a, b) => distance[a]! - distance[b]! || a - b);
  const kept = keepUntil(
    scores,
    Array.from(nearest, (i) => ids[i]!),
    typicalP,
  );
  scores.keep(inOrderOf(scores, kept));
}

/** Keeps the candidates whose logits are within some of their standard deviations of the largest (`topNSigma`). Ruled-out tokens have no logit. */
export function keepWithinSigma(scores: Scores, { topNSigma }: Sampling): void {
  const { logits, kept } = scores;
  const ids = (kept ?? indices(logits.length)).filter((id) => logits[id]! > Number.NEGATIVE_INFINITY);
  let [mean, squares] = [0, 0]; // Welford's sums
  for (const [i, id] of ids.entries()) {
    const distance = logits[id]! - mean;
    mean += distance / (i + 1);
    squares += distance * (logits[id]! - mean);
  }
  const least = logits[scores.best()]! - topNSigma * Math.sqrt(squares / ids.length);
  scores.keep(
    inOrderOf(
      scores,
      ids.filter((id) => logits[id]! >= least),
    ),
  );
}

/** Leaves, with some probability, only the least probable of the candidates above a threshold, and those below it (`xtcProbability`). */
export function excludeTop(scores: Scores, { xtcProbability, xtcThreshold }: Sampling, draws: Rng): void {
  if (draws.uniform() >= xtcProbability) return;
  const { weights, total } = scores;
  const ids = Int32Array.from(scores.inOrder(Number.MIN_VALUE));
  let above = 0;
  while (above < ids.length && weights[ids[above]!]! >= xtcThreshold * total) above++;
  if (above > 1) scores.keep(ids.subarray(above - 1));
}

/** Divides logits by a temperature that the candidates' entropy chooses (`temperatureRange`), or by `temperature`. */
export function applyTemperature(scores: Scores, { temperature, temperatureRange, temperatureExponent }: Sampling): void {
  if (temperatureRange === 0) return scores.divide(temperature);
  const { probabilities } = scores.candidates();
  let entropy = 0;
  for (const probability of probabilities) entropy -= probability * Math.log(probability);
  const share = probabilities.length < 2 ? 0 : entropy / Math.log(probabilities.length);
  const least = temperature - temperatureRange;
  scores.divide(least + 2 * temperatureRange * share ** temperatureExponent);
}

/** The candidates that can come, in their order. */
function possible(scores: Scores): Int32Array {
  return idsFrom(scores.weights, Number.MIN_VALUE, scores.kept);
}

/** The ids, most probable first and the lower id first among equals. */
function inOrderOf({ logits }: Scores, ids: Int32Array): Int32Array {
  return ids.sort((a, b) => logits[b]! - logits[a]! || a - b);
}
