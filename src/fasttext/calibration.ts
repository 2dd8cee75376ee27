// Probabilities that are as often right as they say. A classifier's own are too sure of themselves, so that a logistic function of their log-odds is fitted
// on texts that it was not trained on (Platt 1999; Newton's method as Lin, Lin & Weng 2007, "A note on Platt's probabilistic outputs").
import { check } from "../base/index.ts";

/** What was said of a text, and whether it was so. */
export interface Verdict {
  /** The classifier's probability of the label. */
  readonly probability: number;
  /** Whether the text has the label. */
  readonly isSo: boolean;
}

/** The calibrated probability is 1 / (1 + exp(−slope · log-odds − intercept)). */
export interface Calibration {
  readonly slope: number;
  readonly intercept: number;
}

/** The natural logarithm of p / (1 − p), where 0 and 1 count as 1e-12 from them. */
export function logOddsOf(probability: number): number {
  const bounded = Math.min(1 - 1e-12, Math.max(1e-12, probability));
  return Math.log(bounded / (1 - bounded));
}

/** The calibrated probability of the classifier's. */
export function calibrated(probability: number, { slope, intercept }: Calibration): number {
  return 1 / (1 + Math.exp(-slope * logOddsOf(probability) - intercept));
}

/** Fits a calibration. @throws CriaError where all texts have the label, or none */
export function fitCalibration(verdicts: readonly Verdict[]): Calibration {
  const positive = verdicts.filter(({ isSo }) => isSo).length;
  const negative = verdicts.length - positive;
  check(
    positive > 0 && negative > 0,
    "fasttext",
    () => `${positive} held-out texts have the label and ${negative} have not, but calibration needs both: hold more out`,
  );
  // Platt's targets: not quite 1 and 0, so that separable texts have a finite slope.
  const [high, low] = [(positive + 1) / (positive + 2), 1 / (negative + 2)];
  const points = verdicts.map(({ probability, isSo }) => ({ x: logOddsOf(probability), target: isSo ? high : low }));
  let at: Calibration = { slope: 0, intercept: Math.log((positive + 1) / (negative + 1)) };
  let loss = lossOf(points, at);
  for (let round = 0; round < 100; round++) {
    const step = newtonStep(points, at);
    let scale = 1;
    let [next, nextLoss] = [moved(at, step, scale), lossOf(points, moved(at, step, scale))];
    while (nextLoss > loss && scale > 1e-10) {
      scale /= 2;
      next = moved(at, step, scale);
      nextLoss = lossOf(points, next);
    }
    if (!(loss - nextLoss > 1e-10 * (1 + loss))) break;
    [at, loss] = [next, nextLoss];
  }
  return at;
}

interface Point {
  readonly x: number;
  readonly target: number;
}

function moved({ slope, intercept }: Calibration, step: Calibration, scale: number): Calibration {
  return { slope: slope + scale * step.slope, intercept: intercept + scale * step.intercept };
}

/** The cross-entropy, in nats, of all points. */
function lossOf(points: readonly Point[], { slope, intercept }: Calibration): number {
  let loss = 0;
  for (const { x, target } of points) {
    const score = slope * x + intercept;
    loss += Math.max(score, 0) - target * score + Math.log1p(Math.exp(-Math.abs(score)));
  }
  return loss;
}

/** Solves the two by two system of the second derivatives, which a small ridge keeps regular. */
function newtonStep(points: readonly Point[], { slope, intercept }: Calibration): Calibration {
  let [a, b, c, da, db] = [1e-12, 0, 1e-12, 0, 0];
  for (const { x, target } of points) {
    const p = 1 / (1 + Math.exp(-slope * x - intercept));
    const weight = p * (1 - p);
    a += weight * x * x;
    b += weight * x;
    c += weight;
    da += (p - target) * x;
    db += p - target;
  }
  const determinant = a * c - b * b;
  return { slope: -(c * da - b * db) / determinant, intercept: -(a * db - b * da) / determinant };
}

/** How good probabilities are. */
export interface Quality {
  /** The share of texts whose label was the more probable one. */
  readonly accuracy: number;
  /** Cross-entropy, in nats per text. */
  readonly loss: number;
  /** Expected calibration error: the mean distance between probability and share, over ten bins weighted by their texts (Guo et al. 2017, arXiv 1706.04599). */
  readonly calibrationError: number;
}

/** How good probabilities of one label are. */
export function qualityOf(verdicts: readonly Verdict[]): Quality {
  const bins = Array.from({ length: 10 }, () => ({ said: 0, so: 0 }));
  let [right, loss] = [0, 0];
  for (const { probability, isSo } of verdicts) {
    const bin = bins[Math.min(9, Math.floor(10 * probability))]!;
    bin.said += probability;
    bin.so += isSo ? 1 : 0;
    right += probability > 0.5 === isSo ? 1 : 0;
    loss -= Math.log(Math.max(1e-12, isSo ? probability : 1 - probability));
  }
  const distance = bins.reduce((sum, { said, so }) => sum + Math.abs(said - so), 0);
  const count = verdicts.length;
  return { accuracy: right / count, loss: loss / count, calibrationError: distance / count };
}
