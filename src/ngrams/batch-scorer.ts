// Scores many sentences faster than word by word: all n-grams of two words are looked up together, then those of three among what was found, and so on.
// Look-ups in tables of gigabytes wait for memory; together, many of them wait at the same time. Sums are those of NgramScorer to the bit.
import { NgramHash } from "./ngram-hash.ts";
import { goesOn, type NgramModel } from "./ngram-model.ts";
import type { Lookups, NgramTable } from "./ngram-table.ts";

/** Words that are looked up together: their lines of a table stay in the processor's first cache. */
const batchWords = 1 << 9;

/** What a place of the batch is: a word, `<s>`, which has no probability, or `</s>`, which ends a sentence. */
const [aWord, aBegin, anEnd] = [0, 1, 2];
/** Flags of the n-gram that ends at a place: a longer one may end with it, and one may begin with it. */
const [isExtended, isContext] = [1, 2];

/** Takes sentences, and sums up what a model says of them. */
export class BatchScorer {
  readonly #model: NgramModel;
  readonly #order: number;
  readonly #unigramBits: Int32Array;
  readonly #ids = new Int32Array(batchWords);
  readonly #kinds = new Uint8Array(batchWords);
  /** The longest n-gram that was found to end at each place: its hash, the log10 of its probability, how many words it has. */
  readonly #low = new Int32Array(batchWords);
  readonly #high = new Int32Array(batchWords);
  readonly #probabilities = new Float32Array(batchWords);
  readonly #lengths = new Uint8Array(batchWords);
  /** The log10 of back-off weights: [words of the n-gram, places]. */
  readonly #backoffs: readonly Float32Array[];
  #flags = new Uint8Array(batchWords);
  #nextFlags = new Uint8Array(batchWords);
  /** The places that are looked up together. */
  readonly #places = new Int32Array(batchWords);
  readonly #lookups = {
    low: new Int32Array(batchWords),
    high: new Int32Array(batchWords),
    places: new Int32Array(batchWords),
    size: 0,
    touched: 0,
  };
  readonly #hash = new NgramHash();
  /** Places that are taken, and those in front that have been scored and are the context of the others. */
  #size = 0;
  #scored = 0;
  #sentence = 0;
  #total = 0;

  constructor(model: NgramModel) {
    [this.#model, this.#order] = [model, model.order];
    const { unigrams } = model.parts;
    this.#unigramBits = new Int32Array(unigrams.buffer, unigrams.byteOffset, unigrams.length);
    this.#backoffs = Array.from({ length: this.#order - 1 }, () => new Float32Array(batchWords));
  }

  /** Takes a sentence. @param ids its words' numbers, without its beginning and its end */
  add(ids: ArrayLike<number>): void {
    this.#take(this.#model.bosId, aBegin);
    for (let i = 0; i < ids.length; i++) this.#take(ids[i]!, aWord);
    this.#take(this.#model.eosId, anEnd);
  }

  /** log10 of the probability of all sentences since the last call: sums of single sentences are rounded to float32 word by word, as KenLM's are. */
  finish(): number {
    this.#score();
    const total = this.#total;
    [this.#size, this.#scored, this.#total] = [0, 0, 0];
    return total;
  }

  #take(id: number, kind: number): void {
    if (this.#size === batchWords) this.#score();
    this.#ids[this.#size] = id;
    this.#kinds[this.#size++] = kind;
  }

  /** Scores what has been taken, and keeps as many places as may be the context of what follows. */
  #score(): void {
    this.#lookUpWords();
    for (const [i, table] of this.#model.parts.tables.entries()) {
      this.#chooseLookups(i + 1);
      table.findAll(this.#lookups);
      this.#takeFound(i + 2, table);
    }
    this.#sumUp();
    const kept = Math.min(this.#size, this.#order - 1);
    this.#ids.copyWithin(0, this.#size - kept, this.#size);
    this.#kinds.copyWithin(0, this.#size - kept, this.#size);
    [this.#size, this.#scored] = [kept, kept];
  }

  #lookUpWords(): void {
    const [ids, flags, bits, backoffs] = [this.#ids, this.#flags, this.#unigramBits, this.#backoffs[0]];
    const { unigrams } = this.#model.parts;
    for (let i = 0; i < this.#size; i++) {
      const at = 2 * ids[i]!;
      this.#probabilities[i] = -Math.abs(unigrams[at]!);
      this.#lengths[i] = 1;
      this.#low[i] = ids[i]!;
      this.#high[i] = 0;
      // No n-gram has words of two sentences: none that is longer ends with the beginning of one.
      flags[i] = (this.#kinds[i] !== aBegin && bits[at]! >= 0 ? isExtended : 0) | (goesOn(unigrams[at + 1]!) ? isContext : 0);
      if (backoffs !== undefined) backoffs[i] = unigrams[at + 1]!;
    }
  }

  /** An n-gram of one word more than `words` can be there where one of `words` is that it ends with, and one that it begins with. */
  #chooseLookups(words: number): void {
    const [flags, places, hash, lookups] = [this.#flags, this.#places, this.#hash, this.#lookups];
    let size = 0;
    for (let i = words; i < this.#size; i++) {
      if ((flags[i]! & isExtended) === 0 || (flags[i - 1]! & isContext) === 0) continue;
      [hash.low, hash.high] = [this.#low[i]!, this.#high[i]!];
      hash.extend(this.#ids[i - words]!);
      lookups.low[size] = this.#low[i] = hash.low;
      lookups.high[size] = this.#high[i] = hash.high;
      places[size++] = i;
    }
    lookups.size = size;
  }

  #takeFound(words: number, table: NgramTable): void {
    const { places: found, size }: Lookups = this.#lookups;
    const [next, backoffs] = [this.#nextFlags.fill(0, 0, this.#size), this.#backoffs[words - 1]];
    for (let j = 0; j < size; j++) {
      const [at, i] = [found[j]!, this.#places[j]!];
      if (at < 0) continue;
      this.#probabilities[i] = table.probability(at);
      this.#lengths[i] = words;
      if (backoffs === undefined) continue;
      backoffs[i] = table.backoff(at);
      next[i] = (table.isExtended(at) ? isExtended : 0) | (goesOn(backoffs[i]!) ? isContext : 0);
    }
    [this.#flags, this.#nextFlags] = [next, this.#flags];
  }

  #sumUp(): void {
    const longest = this.#order - 1;
    for (let i = this.#scored; i < this.#size; i++) {
      const kind = this.#kinds[i];
      if (kind === aBegin) {
        this.#sentence = 0;
        continue;
      }
      let probability = this.#probabilities[i]!;
      const known = Math.min(this.#lengths[i - 1]!, longest);
      for (let words = this.#lengths[i]!; words <= known; words++)
        probability = Math.fround(probability + this.#backoffs[words - 1]![i - 1]!);
      this.#sentence = Math.fround(this.#sentence + probability);
      if (kind === anEnd) this.#total += this.#sentence;
    }
  }
}
