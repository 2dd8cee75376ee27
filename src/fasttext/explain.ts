// Which words and n-grams spoke for a label of a text, and which against. A classifier by softmax is linear in them: with the rows x of a text's N n-grams
// and the labels' rows w, the log-odds of label a against label b are Σ x · (w_a − w_b) / N, so that each n-gram's part is told exactly.
import { check, didYouMean, fail } from "../base/index.ts";
import { FastTextClassifier } from "./classifier.ts";
import type { FastTextModel } from "./read-model.ts";
import { wordsOf } from "./white-space.ts";
import { hashOf, signedBytes } from "./word-hash.ts";
import { endOfLine, WordRows } from "./word-rows.ts";

const where = "fasttext";

/** What an n-gram said of a text. */
export interface NgramPart {
  /** The n-gram; of characters with "<" and ">" where the word begins and ends. */
  readonly ngram: string;
  readonly kind: "word" | "words" | "characters";
  /** How often it stands in the text. */
  readonly times: number;
  /** Its part of the log-odds, in nats: above 0 where it speaks for the label. */
  readonly logOdds: number;
}

/** Why a text has a label, or has it not. */
export interface Explanation {
  readonly label: string;
  /** The label that it is held against. */
  readonly against: string;
  /** The label's probability among all labels. */
  readonly probability: number;
  /** The natural logarithm of the label's probability by that of the other: the sum of all parts. */
  readonly logOdds: number;
  /** All n-grams, the strongest first, whether for or against. */
  readonly ngrams: readonly NgramPart[];
}

/** Explains texts by one model. */
export class FastTextExplainer {
  readonly #model: FastTextModel;
  readonly #classifier: FastTextClassifier;
  readonly #rows: WordRows;

  /** @throws CriaError where the model's loss is another one than softmax */
  constructor(model: FastTextModel) {
    const { loss } = model.settings;
    check(loss === 3, where, () => `the model's loss is number ${loss}, but only softmax (3) is explained: train it with -loss softmax`);
    this.#model = model;
    this.#classifier = new FastTextClassifier(model);
    this.#rows = new WordRows(model);
  }

  /**
   * Explains a label of a text.
   * @param against the other label; the most probable of the others unless given
   * @throws CriaError where a label is unknown, or the text has no n-gram that the model knows
   */
  explain(text: string, label: string, against?: string): Explanation {
    const probabilities = this.#classifier.probabilities(text) ?? fail(where, "the text has no word or n-gram that the model knows");
    const place = this.#placeOf(label);
    const other = against === undefined ? mostProbable(probabilities, place) : this.#placeOf(against);
    check(place !== other, where, () => `the label "${label}" is held against itself: name another one`);
    const difference = this.#difference(place, other);
    const uses = this.#usesOf(text);
    const total = uses.reduce((sum, { times }) => sum + times, 0);
    const ngrams = uses.map(({ row, ngram, kind, times }) => ({
      ...{ ngram, kind, times },
      logOdds: (times / total) * this.#score(row, difference),
    }));
    return {
      ...{ label, against: this.#model.labels[other]!, probability: probabilities[place]! },
      logOdds: ngrams.reduce((sum, { logOdds }) => sum + logOdds, 0),
      ngrams: ngrams.sort((a, b) => Math.abs(b.logOdds) - Math.abs(a.logOdds)),
    };
  }

  #placeOf(label: string): number {
    const { labels } = this.#model;
    const place = labels.indexOf(label);
    const known = didYouMean(label, labels) || `: it knows ${labels.slice(0, 10).join(", ")}`;
    return place >= 0 ? place : fail(where, `the model knows no label "${label}"${known}`);
  }

  #difference(place: number, other: number): Float64Array {
    const { columns, values } = this.#model.output;
    return Float64Array.from({ length: columns }, (_, i) => values[place * columns + i]! - values[other * columns + i]!);
  }

  #score(row: number, difference: Float64Array): number {
    const { columns, values } = this.#model.input;
    return difference.reduce((sum, value, i) => sum + value * values[row * columns + i]!, 0);
  }

  /** Each n-gram of the text once, with how often it stands there. Two of one bucket are told apart. */
  #usesOf(text: string): readonly Use[] {
    const words = [...wordsOf(text), endOfLine];
    const uses = new Map<string, Use>();
    const add = (row: number, ngram: string, kind: NgramPart["kind"]) => {
      const key = `${kind} ${ngram}`;
      const use = uses.get(key);
      if (use === undefined) uses.set(key, { row, ngram, kind, times: 1 });
      else use.times++;
    };
    for (const word of words) for (const { row, ngram, kind } of this.#rows.named(word)) add(row, ngram, kind);
    if (this.#model.settings.wordNgrams > 1)
      this.#rows.eachWordNgram(
        Int32Array.from(words, (word) => hashOf(signedBytes(word))),
        (row, start, end) => add(row, words.slice(start, end).join(" "), "words"),
      );
    return [...uses.values()];
  }
}

interface Use {
  readonly row: number;
  readonly ngram: string;
  readonly kind: NgramPart["kind"];
  times: number;
}

function mostProbable(probabilities: Float64Array, except: number): number {
  let most = except === 0 ? 1 : 0;
  for (const [i, probability] of probabilities.entries()) if (i !== except && probability > probabilities[most]!) most = i;
  return most;
}
