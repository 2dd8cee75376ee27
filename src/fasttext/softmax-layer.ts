// One step of SGD on a text's cross-entropy, by hand: with the mean h of N rows x, labels' rows w and probabilities p = softmax(w · h),
// dw_k = (p_k − [k is the label]) · h and dx = Σ_k (p_k − [k is the label]) · w_k / N (fastText 0.9, model.cc and loss.cc).
import type { FastTextModel } from "./read-model.ts";

/** Learns a model's matrices in place. */
export class SoftmaxLayer {
  readonly #model: FastTextModel;
  readonly #mean: Float32Array;
  readonly #change: Float32Array;
  readonly #probabilities: Float64Array;

  constructor(model: FastTextModel) {
    this.#model = model;
    this.#mean = new Float32Array(model.settings.dim);
    this.#change = new Float32Array(model.settings.dim);
    this.#probabilities = new Float64Array(model.output.rows);
  }

  /** Takes a step on a text. @param rows of its words and n-grams; a text without any changes nothing */
  learn(rows: readonly number[], label: number, learningRate: number): void {
    if (rows.length === 0) return;
    this.#takeMean(rows);
    this.#softmax();
    const [mean, change, { dim }] = [this.#mean, this.#change.fill(0), this.#model.settings];
    const { values } = this.#model.output;
    for (let k = 0, at = 0; k < this.#probabilities.length; k++) {
      const step = learningRate * ((k === label ? 1 : 0) - this.#probabilities[k]!);
      for (let i = 0; i < dim; i++, at++) {
        change[i]! += step * values[at]!;
        values[at]! += step * mean[i]!;
      }
    }
    for (let i = 0; i < dim; i++) change[i]! /= rows.length;
    this.#addToRows(rows);
  }

  #takeMean(rows: readonly number[]): void {
    const [mean, { values }] = [this.#mean.fill(0), this.#model.input];
    const dim = mean.length;
    for (const row of rows) for (let i = 0, at = row * dim; i < dim; i++, at++) mean[i]! += values[at]!;
    for (let i = 0; i < dim; i++) mean[i]! /= rows.length;
  }

  #addToRows(rows: readonly number[]): void {
    const [change, { values }] = [this.#change, this.#model.input];
    const dim = change.length;
    for (const row of rows) for (let i = 0, at = row * dim; i < dim; i++, at++) values[at]! += change[i]!;
  }

  #softmax(): void {
    const [probabilities, mean, { values }] = [this.#probabilities, this.#mean, this.#model.output];
    const dim = mean.length;
    let largest = -Infinity;
    for (let k = 0, at = 0; k < probabilities.length; k++) {
      let score = 0;
      for (let i = 0; i < dim; i++, at++) score += values[at]! * mean[i]!;
      probabilities[k] = score;
      largest = Math.max(largest, score);
    }
    let sum = 0;
    for (let k = 0; k < probabilities.length; k++) sum += probabilities[k] = Math.exp(probabilities[k]! - largest);
    for (let k = 0; k < probabilities.length; k++) probabilities[k]! /= sum;
  }
}
