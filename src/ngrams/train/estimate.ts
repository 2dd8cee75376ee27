// Interpolated modified Kneser-Ney smoothing (Chen & Goodman 1998; Heafield et al. 2013), as lmplz of kpu/kenlm estimates it:
//
//   p(w | context) = (c(context w) − D) / Σ c(context ·)  +  γ(context) · p(w | the context without its first word)
//
// Below single words stands the uniform distribution over all words, the unknown one included. γ is what D takes, over the same sum, and the back-off weight.
import type { NgramSink } from "../ngram-sink.ts";
import { type Discounts, discountOf, type EstimatedDiscounts, estimateDiscounts } from "./discounts.ts";
import { type Level, levelOf, wordLevel } from "./level.ts";
import { bosId, type SuffixOrder, suffixOrder } from "./suffix-order.ts";

/** What is estimated. */
export interface EstimateOptions {
  /** Numbers of the words of all sentences, their beginnings and ends among them. */
  readonly words: Uint32Array;
  /** The words by their numbers: `<unk>`, `<s>`, `</s>`, and all others. */
  readonly vocabulary: readonly string[];
  readonly order: number;
  /** N-grams that occur so often or less are pruned, by their orders, the last number for all beyond. */
  readonly prune: readonly number[];
  readonly fallback: Discounts;
}

/** What came of an order. */
export interface EstimatedOrder extends EstimatedDiscounts {
  /** N-grams in the model. */
  readonly ngrams: number;
  readonly pruned: number;
}

/** Estimates a model, and gives its n-grams. */
export function estimate({ words, vocabulary, order, prune, fallback }: EstimateOptions, sink: NgramSink): readonly EstimatedOrder[] {
  const suffixes = suffixOrder(words, vocabulary.length, order);
  const thresholds = Array.from({ length: order }, (_, i) => prune[i] ?? prune.at(-1) ?? 0);
  const sizes = [vocabulary.length, ...thresholds.slice(1).map((threshold, i) => keptNgrams(words, suffixes, i + 2, threshold))];
  sink.begin(sizes);
  const writer = new LevelWriter(words, vocabulary, sink);
  const first = wordLevel({ words, suffixes, longest: order }, vocabulary.length);
  const orders = [summary(first, fallback)];
  let [lower, probabilities] = [first, wordProbabilities(first, orders[0]!.discounts)];
  for (let n = 2; n <= order; n++) {
    const level = levelOf({ words, suffixes, order: n, longest: order, threshold: thresholds[n - 1]! });
    const found = summary(level, fallback);
    const contexts = contextsOf(level, lower, found.discounts);
    writer.write(lower, probabilities, contexts.weights);
    [lower, probabilities] = [level, probabilitiesOf({ level, lower, contexts, discounts: found.discounts, probabilities })];
    orders.push(found);
  }
  writer.write(lower, probabilities, undefined);
  return orders;
}

/** How many n-grams of two or more words stay. */
function keptNgrams(words: Uint32Array, suffixes: SuffixOrder, order: number, threshold: number): number {
  return levelOf({ words, suffixes, order, longest: order, threshold }).kept.reduce((sum, kept) => sum + kept, 0);
}

function summary(level: Level, fallback: Discounts): EstimatedOrder {
  const ngrams = level.kept.reduce((sum, kept) => sum + kept, 0);
  return { ...estimateDiscounts(level, fallback), ngrams, pruned: level.kept.length - ngrams };
}

/** `<s>` has the probability 1, so that it costs nothing where it is scored; no other word's depends on it. */
function wordProbabilities({ counts }: Level, discounts: Discounts): Float64Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const taken = counts.reduce((sum, count) => sum + discountOf(discounts, count), 0);
  const uniform = taken / total / (counts.length - 1);
  const probabilities = counts.map((count) => (count - discountOf(discounts, count)) / total + uniform);
  probabilities[bosId] = 1;
  return probabilities;
}

/** What stands behind each n-gram of the level below. */
interface Contexts {
  /** The context of each n-gram. */
  readonly indices: Uint32Array;
  /** The sum of the counts behind each context, pruned ones included. */
  readonly totals: Float64Array;
  /** γ, the weight of the shorter context: 1 where nothing is known behind one. */
  readonly weights: Float64Array;
}

function contextsOf({ positions, counts, kept }: Level, lower: Level, discounts: Discounts): Contexts {
  const indices = positions.map((position) => lower.indices[position - 1]!);
  const totals = new Float64Array(lower.counts.length);
  const weights = new Float64Array(lower.counts.length);
  for (let i = 0; i < indices.length; i++) {
    totals[indices[i]!]! += counts[i]!;
    weights[indices[i]!]! += kept[i] === 1 ? discountOf(discounts, counts[i]!) : counts[i]!;
  }
  return { indices, totals, weights: weights.map((weight, i) => (totals[i] === 0 ? 1 : weight / totals[i]!)) };
}

interface ProbabilitiesOptions {
  readonly level: Level;
  readonly lower: Level;
  readonly contexts: Contexts;
  readonly discounts: Discounts;
  /** Those of the level below. */
  readonly probabilities: Float64Array;
}

function probabilitiesOf({ level, lower, contexts, discounts, probabilities }: ProbabilitiesOptions): Float64Array {
  return level.counts.map((count, i) => {
    const context = contexts.indices[i]!;
    const shorter = probabilities[lower.indices[level.positions[i]!]!]!;
    return (count - discountOf(discounts, count)) / contexts.totals[context]! + contexts.weights[context]! * shorter;
  });
}

/** Gives one level after another to a sink. */
class LevelWriter {
  readonly #words: Uint32Array;
  readonly #vocabulary: readonly string[];
  readonly #sink: NgramSink;
  /** The numbers that the sink has for the words. */
  #ids = new Uint32Array(0);

  constructor(words: Uint32Array, vocabulary: readonly string[], sink: NgramSink) {
    [this.#words, this.#vocabulary, this.#sink] = [words, vocabulary, sink];
  }

  /** @param weights of back-off; undefined for the longest n-grams */
  write({ order, positions, kept }: Level, probabilities: Float64Array, weights: Float64Array | undefined): void {
    const valuesOf = (i: number) => [logarithm(probabilities[i]!), Math.log10(weights?.[i] ?? 1)] as const;
    if (order === 1) {
      this.#ids = Uint32Array.from(this.#vocabulary, (word, id) => this.#sink.word(word, ...valuesOf(id)));
      return;
    }
    const ids = new Uint32Array(order);
    for (let i = 0; i < positions.length; i++) {
      if (kept[i] === 0) continue;
      const start = positions[i]! + 1 - order;
      for (let k = 0; k < order; k++) ids[k] = this.#ids[this.#words[start + k]!]!;
      this.#sink.ngram(ids, ...valuesOf(i));
    }
  }
}

/** A sum that is rounded may be above 1. */
function logarithm(probability: number): number {
  return Math.min(0, Math.log10(probability));
}
