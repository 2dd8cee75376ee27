// Makes a model of n-grams that come in the order of their lengths, as ARPA files list them. What KenLM does where lists are not closed, is done
// (kpu/kenlm, lm/search_hashed.cc): SRILM leaves n-grams out that are the end of longer ones; these are filled in with the probability that backing off gives.
import { check, fail } from "../base/index.ts";
import { NgramHash } from "./ngram-hash.ts";
import { missingProbability, mostOrder, NgramModel } from "./ngram-model.ts";
import type { NgramSink } from "./ngram-sink.ts";
import { NgramWords, unknownId } from "./ngram-words.ts";
import { ProbingTable } from "./probing-table.ts";

const where = "ngrams";

/** Takes n-grams, shorter ones first, and makes a model of them. */
export class ModelBuilder implements NgramSink {
  readonly words = new NgramWords();
  readonly #name: string;
  #unigrams = new Float32Array(2 << 10);
  #unigramBits = new Int32Array(this.#unigrams.buffer);
  #tables: readonly ProbingTable[] = [];
  /** Hashes of the n-gram's ends by their lengths, from two words on. */
  readonly #ends = Array.from({ length: mostOrder }, () => new NgramHash());
  readonly #contextHash = new NgramHash();

  /** @param name what messages call the model */
  constructor(name: string) {
    this.#name = name;
  }

  begin({ length: order }: readonly number[]): void {
    this.#tables = Array.from({ length: order - 1 }, (_, i) => ProbingTable.empty(i === order - 2 ? 3 : 4));
    this.#setUnigram(unknownId, missingProbability, 0);
  }

  /** @returns the word's number */
  word(word: string, probability: number, backoff: number): number {
    const id = this.words.add(word);
    if (id === undefined) return fail(where, `${this.#name}: the word "${word}" stands there twice: leave one out`);
    this.#setUnigram(id, probability, backoff);
    return id;
  }

  ngram(ids: ArrayLike<number>, probability: number, backoff: number): void {
    const order = ids.length;
    const table = this.#tables[order - 2]!;
    this.#hashEnds(ids);
    const hash = this.#ends[order]!;
    check(table.find(hash) < 0, where, () => `${this.#name}: the n-gram "${this.#show(ids, 0, order)}" stands there twice: leave one out`);
    const at = table.insert(hash);
    table.setProbability(at, probability);
    if (table.length === 4) table.setBackoff(at, backoff === 0 ? -0 : backoff);
    this.#extendEnds(ids);
    this.#markContext(ids);
  }

  /** @throws CriaError where `<s>` or `</s>` is missing */
  finish(): NgramModel {
    for (const mark of ["<s>", "</s>"])
      check(
        this.words.idOf(mark) !== unknownId,
        where,
        () => `${this.#name}: it has no ${mark}, so that it says nothing of sentences: train it with the ends of sentences`,
      );
    const unigrams = this.#unigrams.subarray(0, 2 * this.words.size);
    return new NgramModel({ words: this.words, unigrams, tables: this.#tables });
  }

  #setUnigram(id: number, probability: number, backoff: number): void {
    if (2 * id + 1 >= this.#unigrams.length) {
      const grown = new Float32Array(2 * this.#unigrams.length);
      grown.set(this.#unigrams);
      [this.#unigrams, this.#unigramBits] = [grown, new Int32Array(grown.buffer)];
    }
    this.#unigrams[2 * id] = probability;
    this.#unigramBits[2 * id]! |= 0x80000000;
    this.#unigrams[2 * id + 1] = backoff === 0 ? -0 : backoff;
  }

  #hashEnds(ids: ArrayLike<number>): void {
    const last = ids.length - 1;
    const hash = this.#contextHash;
    hash.start(ids[last]!);
    for (let length = 2; length <= ids.length; length++) {
      hash.extend(ids[last - length + 1]!);
      const end = this.#ends[length]!;
      [end.low, end.high] = [hash.low, hash.high];
    }
  }

  /** Says of the n-grams that this one ends with that a longer one is there. Those that are missing are filled in. */
  #extendEnds(ids: ArrayLike<number>): void {
    let known = ids.length - 1;
    while (known > 1 && this.#tables[known - 2]!.find(this.#ends[known]!) < 0) known--;
    let probability = this.#probabilityOf(ids, known);
    if (known === 1) this.#unigramBits[2 * ids[ids.length - 1]!]! &= 0x7fffffff;
    else this.#tables[known - 2]!.markExtended(this.#tables[known - 2]!.find(this.#ends[known]!));
    for (let length = known + 1; length < ids.length; length++) {
      const table = this.#tables[length - 2]!;
      probability = Math.fround(probability + this.#contextBackoff(ids, length));
      const at = table.insert(this.#ends[length]!);
      table.setProbability(at, probability);
      table.markExtended(at);
      table.setBackoff(at, -0);
    }
  }

  /** The probability of the n-gram's end of so many words, which is there. */
  #probabilityOf(ids: ArrayLike<number>, length: number): number {
    if (length === 1) return -Math.abs(this.#unigrams[2 * ids[ids.length - 1]!]!);
    const table = this.#tables[length - 2]!;
    return table.probability(table.find(this.#ends[length]!));
  }

  /** The back-off weight of the words before the last one of an end of so many words; 0 where the model does not know them. Something stands behind them. */
  #contextBackoff(ids: ArrayLike<number>, length: number): number {
    const at = this.#findContext(ids, ids.length - length);
    if (length === 2) return this.#goOnUnigram(ids[ids.length - 2]!);
    const table = this.#tables[length - 3]!;
    return at < 0 ? 0 : goOn(table, at);
  }

  /** Says of the n-gram without its last word that something stands behind it. */
  #markContext(ids: ArrayLike<number>): void {
    if (ids.length === 2) this.#goOnUnigram(ids[0]!);
    else {
      const at = this.#findContext(ids, 0);
      check(
        at >= 0,
        where,
        () =>
          `${this.#name}: "${this.#show(ids, 0, ids.length)}" is there but not "${this.#show(ids, 0, ids.length - 1)}", which it begins with: list both`,
      );
      goOn(this.#tables[ids.length - 3]!, at);
    }
  }

  /** Where the entry of the words from one on to the last but one lies; -1 where there is none. */
  #findContext(ids: ArrayLike<number>, from: number): number {
    const length = ids.length - 1 - from;
    if (length < 2) return -1;
    const hash = this.#contextHash;
    hash.start(ids[ids.length - 2]!);
    for (let i = ids.length - 3; i >= from; i--) hash.extend(ids[i]!);
    return this.#tables[length - 2]!.find(hash);
  }

  #goOnUnigram(id: number): number {
    const at = 2 * id + 1;
    if (this.#unigrams[at] === 0) this.#unigrams[at] = 0;
    return this.#unigrams[at]!;
  }

  #show(ids: ArrayLike<number>, from: number, to: number): string {
    return Array.from(ids)
      .slice(from, to)
      .map((id) => this.words.wordOf(id))
      .join(" ");
  }
}

/** Says of a context that something stands behind it: 0 in the place of -0. @returns its back-off weight */
function goOn(table: ProbingTable, at: number): number {
  const backoff = table.backoff(at);
  if (backoff === 0) table.setBackoff(at, 0);
  return backoff;
}
