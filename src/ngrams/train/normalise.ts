// The first half of interpolated modified Kneser-Ney smoothing (Chen & Goodman 1998; Heafield et al. 2013), as lmplz of kpu/kenlm estimates it:
//
//   p(w | context) = u(w | context)  +  γ(context) · p(w | the context without its first word)
//   u(w | context) = (c(context w) − D) / Σ c(context ·)        γ(context) = what D takes, and what is pruned, over the same sum
//
// N-grams come by their contexts, and go on in suffix order with u and γ. The γ of contexts, which are their back-off weights, come in suffix order by themselves.
import type { Sliced } from "../../base/index.ts";
import { type RecordCursor, type RecordWriter, sliceRecords } from "../records/record.ts";
import type { RecordSorter } from "../records/record-sorter.ts";
import { unknownWord } from "./adjust-counts.ts";
import { type Discounts, discountOf } from "./discounts.ts";

/** Where the n-grams of an order go. */
export interface NormalisedTo {
  /** N-grams in suffix order, with u and γ. */
  readonly bySuffix: RecordSorter;
  /** Contexts with their γ. */
  readonly weights: RecordWriter;
}

/** Normalises the n-grams of one order. */
export function* normalise(
  byContext: RecordCursor,
  discounts: Discounts,
  to: NormalisedTo,
  onRecords: (records: number) => void,
): Sliced<void> {
  const context = new Context(byContext.key.length, discounts, to);
  for (let i = 1; byContext.next(); i++) {
    context.take(byContext.key, byContext.count);
    if (i % sliceRecords !== 0) continue;
    onRecords(sliceRecords);
    yield;
  }
  context.end();
  to.weights.finish();
}

/** What stands behind one context. */
class Context {
  readonly #discounts: Discounts;
  readonly #to: NormalisedTo;
  readonly #context: Uint32Array;
  readonly #ngram: Uint32Array;
  readonly #values = new Float64Array(2);
  readonly #weight = new Float64Array(1);
  #words = new Uint32Array(1 << 8);
  #counts = new Float64Array(1 << 8);
  #size = 0;
  #pruned = 0;

  constructor(order: number, discounts: Discounts, to: NormalisedTo) {
    [this.#discounts, this.#to] = [discounts, to];
    [this.#context, this.#ngram] = [new Uint32Array(order - 1), new Uint32Array(order)];
  }

  take(key: Uint32Array, count: number): void {
    const length = this.#context.length;
    for (let i = 0; i < length; i++)
      if (key[i] !== this.#context[i]) {
        this.end();
        this.#context.set(key.subarray(0, length));
        break;
      }
    if (key[length] === unknownWord) this.#pruned += count;
    else this.#push(key[length]!, count);
  }

  /** Gives what stands behind the context. One behind which all n-grams are pruned has the weight 1, which needs no record. */
  end(): void {
    if (this.#size > 0) this.#give();
    this.#size = this.#pruned = 0;
  }

  #push(word: number, count: number): void {
    if (this.#size === this.#words.length) {
      const [words, counts] = [new Uint32Array(2 * this.#size), new Float64Array(2 * this.#size)];
      words.set(this.#words);
      counts.set(this.#counts);
      [this.#words, this.#counts] = [words, counts];
    }
    this.#words[this.#size] = word;
    this.#counts[this.#size++] = count;
  }

  #give(): void {
    let [total, taken] = [this.#pruned, this.#pruned];
    for (let i = 0; i < this.#size; i++) {
      total += this.#counts[i]!;
      taken += discountOf(this.#discounts, this.#counts[i]!);
    }
    this.#weight[0] = this.#values[1] = taken / total;
    this.#to.weights.add(this.#context, 0, this.#weight);
    this.#ngram.set(this.#context, 1);
    for (let i = 0; i < this.#size; i++) {
      const count = this.#counts[i]!;
      this.#ngram[0] = this.#words[i]!;
      this.#values[0] = (count - discountOf(this.#discounts, count)) / total;
      this.#to.bySuffix.add(this.#ngram, 0, this.#values);
    }
  }
}
