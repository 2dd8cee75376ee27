// A language model of n-grams with back-off (Katz 1987; as ARPA files have it): the probability of a word is that of the longest n-gram which ends with it
// and which the model has, times the back-off weights of the longer contexts that have been given up. Sums are rounded to float32 word by word, so that
// scores are KenLM's (Heafield 2011) to the bit.
import { NgramHash } from "./ngram-hash.ts";
import type { NgramTable } from "./ngram-table.ts";
import { type NgramWords, unknownId } from "./ngram-words.ts";

/** The longest n-grams that a model may have. */
export const mostOrder = 6;

/** log10 of the probability of an unknown word where a model has none, as in KenLM. */
export const missingProbability = -100;

/** What a model says of one word of a sentence. */
export interface WordScore {
  /** log10 of the word's probability behind the words before it. */
  readonly logProbability: number;
  /** Words of the longest n-gram that was found, the word itself included. */
  readonly length: number;
  readonly isUnknown: boolean;
}

/** Whether a sentence is scored with its beginning `<s>` as a context, and with its end `</s>` as a word. */
export interface ScoreOptions {
  /** @default true */
  readonly bos?: boolean;
  /** @default true */
  readonly eos?: boolean;
}

/** What a model is made of. */
export interface NgramModelParts {
  readonly words: NgramWords;
  /** [words, 2]: log10 of the probability, with a sign bit as in {@link NgramTable}, and of the back-off weight. */
  readonly unigrams: Float32Array;
  /** The n-grams of two words, of three, and so on; the last table has no back-off weights. */
  readonly tables: readonly NgramTable[];
  /** The tokenizer whose pieces the words are, as a tokenizer.json, where the file has one. */
  readonly tokenizer?: Uint8Array | undefined;
}

/** A model that is ready for sentences. */
export class NgramModel {
  readonly words: NgramWords;
  readonly bosId: number;
  readonly eosId: number;
  /** What it is made of, which scorers read. */
  readonly parts: NgramModelParts;

  constructor(parts: NgramModelParts) {
    this.parts = parts;
    this.words = parts.words;
    [this.bosId, this.eosId] = [this.words.idOf("<s>"), this.words.idOf("</s>")];
  }

  /** Words of the longest n-grams. */
  get order(): number {
    return this.parts.tables.length + 1;
  }

  /** Whether the model itself says how probable unknown words are; else they have 10^-100, as in KenLM. */
  get hasUnknown(): boolean {
    return Math.abs(this.parts.unigrams[0]!) !== -missingProbability;
  }

  /** How many n-grams there are of each order, unigrams first. */
  get counts(): readonly number[] {
    return [this.words.size, ...this.parts.tables.map(({ size }) => size)];
  }

  /** Bytes of the tables. */
  get bytes(): number {
    return this.parts.tables.reduce((sum, { bytes }) => sum + bytes, this.parts.unigrams.byteLength);
  }

  /** What reads sentences word by word. Any number of them read at the same time. */
  scorer(): NgramScorer {
    return new NgramScorer(this, this.parts);
  }

  /** log10 of the probability of a sentence, whose words stand between ASCII's white space. */
  score(sentence: string, options: ScoreOptions = {}): number {
    let sum = 0;
    for (const { logProbability } of this.wordScores(sentence, options)) sum = Math.fround(sum + logProbability);
    return sum;
  }

  /** What the model says of each word of a sentence, and of its end. */
  wordScores(sentence: string, { bos = true, eos = true }: ScoreOptions = {}): readonly WordScore[] {
    const scorer = this.scorer();
    scorer.begin(bos);
    const ids = sentence.split(/[\0\t\n\r ]+/).flatMap((word) => (word === "" ? [] : [this.words.idOf(word)]));
    const scores = ids.map((id) => ({ logProbability: scorer.next(id), length: scorer.length, isUnknown: id === unknownId }));
    return eos ? [...scores, { logProbability: scorer.next(this.eosId), length: scorer.length, isUnknown: false }] : scores;
  }
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Whether some n-gram goes on behind a context: a weight of log10 -0 says that none does. */
export function goesOn(backoff: number): boolean {
  if (backoff !== 0) return true;
  scratch[0] = backoff;
  return scratchBits[0] === 0;
}

/** Reads the words of a sentence one after another, and keeps as much of them as the next word's probability may depend on. */
export class NgramScorer {
  /** Words of the n-gram that was found last. */
  length = 0;
  readonly #model: NgramModel;
  readonly #unigrams: Float32Array;
  readonly #unigramBits: Int32Array;
  readonly #tables: readonly NgramTable[];
  readonly #hash = new NgramHash();
  /** The last words, the newest first. */
  readonly #context: Int32Array;
  /** How many of them count. */
  #contextLength = 0;
  /** Back-off weights of the context by its length, and those of the next one. */
  #backoffs: Float32Array;
  #nextBackoffs: Float32Array;

  constructor(model: NgramModel, { unigrams, tables }: NgramModelParts) {
    this.#model = model;
    this.#unigrams = unigrams;
    this.#unigramBits = new Int32Array(unigrams.buffer, unigrams.byteOffset, unigrams.length);
    this.#tables = tables;
    this.#context = new Int32Array(model.order);
    this.#backoffs = new Float32Array(model.order);
    this.#nextBackoffs = new Float32Array(model.order);
  }

  /** Begins a sentence, or, without `<s>`, a text whose beginning is not known. */
  begin(bos = true): void {
    this.#contextLength = bos ? Math.min(1, this.#tables.length) : 0;
    this.#context[0] = this.#model.bosId;
    this.#backoffs[0] = this.#unigrams[2 * this.#model.bosId + 1]!;
  }

  /** log10 of the probability of a whole sentence with its end. @param ids its words' numbers */
  score(ids: ArrayLike<number>): number {
    this.begin();
    let sum = 0;
    for (let i = 0; i < ids.length; i++) sum = Math.fround(sum + this.next(ids[i]!));
    return Math.fround(sum + this.next(this.#model.eosId));
  }

  /** log10 of the probability of a word behind those before. @param id its number, which may be `unknownId` */
  next(id: number): number {
    const [backoffs, nextBackoffs] = [this.#backoffs, this.#nextBackoffs];
    const contextLength = this.#contextLength;
    let probability = this.#longest(id);
    for (let i = this.length - 1; i < contextLength; i++) probability = Math.fround(probability + backoffs[i]!);
    this.#context.copyWithin(1, 0, this.#context.length - 1);
    this.#context[0] = id;
    [this.#backoffs, this.#nextBackoffs] = [nextBackoffs, backoffs];
    return probability;
  }

  /** log10 of the probability of the longest n-gram that ends with a word; sets its length, and the weights and the length of the next context. */
  #longest(id: number): number {
    const [tables, hash, nextBackoffs] = [this.#tables, this.#hash, this.#nextBackoffs];
    const contextLength = this.#contextLength;
    let probability = -Math.abs(this.#unigrams[2 * id]!);
    let isExtended = this.#unigramBits[2 * id]! >= 0;
    nextBackoffs[0] = this.#unigrams[2 * id + 1]!;
    this.length = 1;
    this.#contextLength = tables.length > 0 && goesOn(nextBackoffs[0]) ? 1 : 0;
    hash.start(id);
    for (let words = 0; words < contextLength && isExtended; words++) {
      const table = tables[words]!;
      hash.extend(this.#context[words]!);
      const at = table.find(hash);
      if (at < 0) break;
      probability = table.probability(at);
      this.length = words + 2;
      if (words + 1 === tables.length) break;
      isExtended = table.isExtended(at);
      nextBackoffs[words + 1] = table.backoff(at);
      if (goesOn(nextBackoffs[words + 1]!)) this.#contextLength = words + 2;
    }
    return probability;
  }
}
