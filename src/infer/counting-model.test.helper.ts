// A model without weights whose logits follow from the whole text.
import { expect } from "vitest";
import { Rng } from "../base/index.ts";
import type { LanguageModel } from "./generate-tokens.ts";

export const vocabSize = 40;

/** Logits that follow from the whole text; with little `noise` two models are alike. */
export function logitsAfter(ids: readonly number[], noise = 0): Float32Array {
  const rng = new Rng(ids.reduce((hash, id) => (Math.imul(hash, 31) + id) | 0, 7));
  const logits = Float32Array.from({ length: vocabSize }, () => 2 * rng.normal());
  const other = new Rng(ids.length + 99);
  return noise === 0 ? logits : logits.map((logit) => logit + noise * other.normal());
}

/** A model that counts its passes and open sequences. */
export class CountingModel implements LanguageModel {
  readonly vocabSize = vocabSize;
  readonly contextLength = 60;
  readonly #noise: number;
  passes = 0;
  open = 0;

  constructor(noise = 0) {
    this.#noise = noise;
  }

  sequence(): ReturnType<LanguageModel["sequence"]> {
    return this.#sequenceOf([]);
  }

  #sequenceOf(read: readonly number[]): ReturnType<LanguageModel["sequence"]> {
    const ids = [...read];
    this.open++;
    const nextAll = async (more: ArrayLike<number>) => {
      this.passes++;
      expect(ids.length + more.length).toBeLessThanOrEqual(this.contextLength);
      return Array.from(more, (id) => {
        ids.push(id);
        return logitsAfter(ids, this.#noise);
      });
    };
    return {
      nextAll,
      next: async (more) => (await nextAll(more)).at(-1) ?? new Float32Array(),
      fork: () => this.#sequenceOf(ids),
      truncate: (length) => {
        expect(length).toBeLessThanOrEqual(ids.length);
        ids.length = length;
      },
      [Symbol.dispose]: () => {
        this.open--;
      },
    };
  }
}
