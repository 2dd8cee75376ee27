// Mirostat (Basu et al. 2021, arXiv 2007.14966): candidates are chosen so that the surprise of tokens, −log₂ of their probability by the model, holds a
// target on average. Version 1 (algorithm 1) estimates from Zipf's law how many candidates that takes; version 2 (its authors' simpler form) cuts at a surprise.
import type { Sampling } from "./sampling-options.ts";
import { type Candidates, idsFrom, type Scores } from "./scores.ts";

/** The most probable tokens that Zipf's exponent is estimated from. */
const estimatedFrom = 100;

/** Follows the surprise of one text. */
export class Mirostat {
  readonly #version: 1 | 2;
  readonly #target: number;
  readonly #rate: number;
  /** The greatest surprise that is let through, in bits; twice the target at first. */
  #most: number;

  constructor({ mirostat, mirostatTau, mirostatEta }: Sampling) {
    [this.#version, this.#target, this.#rate] = [mirostat === 1 ? 1 : 2, mirostatTau, mirostatEta];
    this.#most = 2 * mirostatTau;
  }

  /** Draws a token, and learns from its surprise. @param take draws from candidates */
  next(scores: Scores, take: (candidates: Candidates) => number): number {
    const { weights, total } = scores;
    const ids = Int32Array.from(scores.inOrder(Number.MIN_VALUE));
    const surprise = (id: number) => -Math.log2(weights[id]! / total);
    const count = this.#version === 1 ? this.#count(ids, weights) : ids.findIndex((id) => surprise(id) > this.#most);
    const kept = count < 0 ? ids : ids.subarray(0, Math.max(1, count));
    scores.keep(idsFrom(weights, 0, kept));
    const id = take(scores.candidates());
    this.#most -= this.#rate * (surprise(id) - this.#target);
    return id;
  }

  /** Candidates that would surprise by `#most` at most if probabilities fell as Zipf's law has it (equation 30 of the paper). */
  #count(ids: Int32Array, weights: Float64Array): number {
    let [products, squares] = [0, 0];
    for (let i = 0; i + 1 < Math.min(estimatedFrom, ids.length); i++) {
      const step = Math.log((i + 2) / (i + 1));
      products += step * Math.log(weights[ids[i]!]! / weights[ids[i + 1]!]!);
      squares += step * step;
    }
    const exponent = squares === 0 ? 0 : products / squares;
    const over = exponent - 1;
    const share = (over * 2 ** this.#most) / (1 - ids.length ** -over);
    const count = Math.round(share ** (1 / exponent));
    return Number.isFinite(count) ? Math.min(ids.length, count) : ids.length;
  }
}
