// Training a tokenizer: count words, learn merges, number the pieces. What the kinds do differently, each has a `BpeTrainer` for.
import { CriaError, check, type OnProgress } from "../base/index.ts";
import type { BpeTrainer } from "./bpe-trainer.ts";
import type { Learner } from "./learn-merges.ts";
import type { Merge, TokenizerModel } from "./model.ts";
import { Pace } from "./pace.ts";
import { type TieRule, tieRules } from "./tie-rules.ts";
import { type BytesTrainOptions, bytesTrainer } from "./train-bytes.ts";
import { type SentencePieceTrainOptions, sentencePieceTrainer } from "./train-sentencepiece.ts";
import { type WordTrainOptions, wordTrainer } from "./train-word.ts";
import { type WordCounts, type WordRules, WordTable, wordCutter } from "./words/index.ts";

/** Options of a training: those of its kind, and the size of the vocabulary. */
export type TrainOptions = (WordTrainOptions | SentencePieceTrainOptions | BytesTrainOptions) & {
  /** All pieces together: special ones, bytes, characters, merges. */
  readonly vocabSize: number;
  /** Stop after so many merges, even if the vocabulary is smaller then. */
  readonly maxMerges?: number;
  /** A corpus with fewer different pieces gets a smaller vocabulary, instead of an error. @default false */
  readonly mayBeSmaller?: boolean;
  /** Which of two equally frequent pairs merges first. @default "shorter-piece" */
  readonly ties?: TieRule;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
};

/**
 * Learns merges from a corpus: the most frequent adjacent pair, again and again, until the vocabulary has `vocabSize` pieces or
 * `maxMerges` merges were made. Equally frequent pairs are merged in the order of `ties`, by content alone, so that neither the order of the
 * documents nor the machine matters.
 *
 * @param corpus documents, or parts of one cut at line ends: a word never reaches across two.
 * @throws CriaError for options out of range, a corpus without words, or one too small for the vocabulary (it says what it could give) that
 *   may not be smaller;
 *   the signal's reason when aborted.
 */
export async function trainTokenizer(corpus: Iterable<string> | AsyncIterable<string>, options: TrainOptions): Promise<TokenizerModel> {
  const rules = trainingRules(options);
  check(typeof corpus !== "string", "tokenizer", () => "the corpus is one text, whose characters would be documents: give a list of texts");
  return trainOnWords(await countWords(corpus, rules, new Pace(options.signal), options.onProgress), options);
}

/**
 * The same from words that were counted before, by {@link trainingRules} of the same options.
 * @param onRead is called when the words were read for the last time, before merges are learned of them, and perhaps again
 */
export async function trainOnWords(counts: WordCounts, options: TrainOptions, onRead = () => {}): Promise<TokenizerModel> {
  trainingRules(options); // refuses what is out of range
  const trainer = trainerOf(options);
  const pace = new Pace(options.signal);
  const alphabet = await trainer.layOut(counts, onRead);
  onRead();
  check(alphabet.words.counts.length > 0, "tokenizer", () => "the corpus has no words: give it some text");
  const fixed = trainer.reserved.length;
  checkRoom(options, fixed, alphabet.pieces.length);
  const learner = trainer.learner(alphabet);
  const merges = await learn(learner, fixed, options, pace);
  return trainer.finish(learner.pieces, merges);
}

/** How training with these options cuts texts into words. @throws CriaError for options out of range */
export function trainingRules(options: TrainOptions): WordRules {
  checkSize("vocabSize", options.vocabSize);
  if (options.maxMerges !== undefined) checkSize("maxMerges", options.maxMerges);
  const { ties } = options;
  const isKnown = ties === undefined || tieRules.includes(ties);
  check(isKnown, "tokenizer", () => `unknown rule for ties ${JSON.stringify(ties)}: one of ${tieRules.join(", ")}`);
  return trainerOf(options).rules;
}

function trainerOf(options: TrainOptions): BpeTrainer {
  const { ties = "shorter-piece" } = options;
  switch (options.kind) {
    case "word":
      return wordTrainer(options, ties);
    case "sentencepiece":
      return sentencePieceTrainer(options, ties);
    case "bytes":
      return bytesTrainer(options, ties);
    default:
      throw unknownKind(options satisfies never);
  }
}

function unknownKind(options: { readonly kind?: unknown }): CriaError {
  return new CriaError("tokenizer", `unknown kind ${JSON.stringify(options.kind)}: one of word, sentencepiece, bytes`);
}

function checkSize(name: string, value: number): void {
  const isSize = Number.isInteger(value) && value >= 0 && value < 2 ** 23;
  check(isSize, "tokenizer", () => `${name} must be a whole number below ${2 ** 23}, but it is ${value}`);
}

function checkRoom({ kind, vocabSize }: TrainOptions, fixed: number, alphabet: number): void {
  const parts = {
    word: `${fixed} special pieces and ${alphabet} characters`,
    sentencepiece: `${fixed} special and byte pieces and ${alphabet} characters`,
    bytes: `${fixed} special pieces and ${alphabet} bytes`,
  }[kind];
  check(
    vocabSize >= fixed + alphabet,
    "tokenizer",
    () => `a vocabulary of ${vocabSize} has no room for ${parts}: ask for at least ${fixed + alphabet}`,
  );
}

async function countWords(
  corpus: Iterable<string> | AsyncIterable<string>,
  rules: WordRules,
  pace: Pace,
  onProgress: OnProgress | undefined,
): Promise<WordTable> {
  const cut = wordCutter(rules);
  const counter = new WordTable();
  let done = 0;
  for await (const text of corpus) {
    cut(text, counter);
    done += text.length;
    if (!pace.isDue) continue;
    onProgress?.({ task: "counting words", done, unit: "characters", note: `${counter.size} words` });
    await pace.rest();
  }
  return counter;
}

async function learn(learner: Learner, fixed: number, options: TrainOptions, pace: Pace): Promise<Merge[]> {
  const { vocabSize, maxMerges = Number.POSITIVE_INFINITY, mayBeSmaller = false, onProgress } = options;
  const wanted = vocabSize - fixed;
  const total = Math.min(maxMerges, wanted - learner.pieces.length);
  const merges: Merge[] = [];
  const report = () =>
    onProgress?.({ task: "learning merges", done: merges.length, total: Math.max(total, merges.length), unit: "merges" });
  while (learner.pieces.length < wanted && merges.length < maxMerges) {
    const merge = learner.next();
    if (merge === undefined && mayBeSmaller) break;
    if (merge === undefined) return tooSmall(vocabSize, fixed + learner.pieces.length);
    merges.push(merge);
    if (!pace.isDue) continue;
    report();
    await pace.rest();
  }
  report();
  return merges;
}

function tooSmall(asked: number, possible: number): never {
  throw new CriaError(
    "tokenizer",
    `the corpus is too small for a vocabulary of ${asked}: it gives at most ${possible} pieces; ask for less or add text`,
  );
}
