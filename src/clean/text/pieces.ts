// What a language model of n-grams reads of a text: the numbers that it gives to words, or to the pieces of a tokenizer.
import { isNgramWord, type NgramWords } from "../../ngrams/index.ts";
import type { Tokenizer } from "../../tokenizer/index.ts";
import { plainText } from "./plain-text.ts";
import { Words } from "./words.ts";

/** The model's numbers of a text's pieces, in their order. What it returns holds until it is called again. */
export type Pieces = (text: string) => ArrayLike<number>;

/** Words between white space, as Python's `str.split` has it. */
export function wordPieces(known: NgramWords): Pieces {
  return (text) => {
    const words = wordsOf(text);
    return Uint32Array.from(words, (word) => known.idOf(word));
  };
}

/** Pieces as the tokenizer's vocabulary spells them. A piece that the tokenizer does not know is unknown to the model, too. */
export function tokenizerPieces(known: NgramWords, tokenizer: Tokenizer): Pieces {
  const numbers = Uint32Array.from({ length: tokenizer.vocabSize }, (_, id) => known.idOf(tokenizer.idToPiece(id)));
  return (text) => {
    const ids = tokenizer.encode(text);
    for (let i = 0; i < ids.length; i++) ids[i] = numbers[ids[i]!]!;
    return ids;
  };
}

/** How sentences are read for training. */
export interface SentenceOptions {
  /** Words between white space when absent. */
  readonly tokenizer?: Tokenizer | undefined;
  /** Whether lines are read as CCNet's models read them. @default true */
  readonly normalise?: boolean;
}

/** The lines of a text, as models read them. */
export function linesOf(text: string, normalise = true): readonly string[] {
  const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
  return normalise ? lines.map(plainText) : lines;
}

/** A reader of texts for training: each line as the numbers of its words or pieces; those that a model cannot hold are left out. @param numberOf gives words their numbers */
export function sentenceReader(
  numberOf: (word: string) => number,
  { tokenizer, normalise = true }: SentenceOptions = {},
): (text: string) => Generator<ArrayLike<number>> {
  const numbersOf = tokenizer === undefined ? wordNumbers(numberOf) : pieceNumbers(numberOf, tokenizer);
  return function* (text) {
    for (const line of linesOf(text, normalise)) yield numbersOf(line);
  };
}

function wordNumbers(numberOf: (word: string) => number): Pieces {
  return (line) => wordsOf(line).filter(isNgramWord).map(numberOf);
}

/** Pieces that have no number yet, and those that a model cannot hold. */
const [isNew, isLeftOut] = [-1, -2];

function pieceNumbers(numberOf: (word: string) => number, tokenizer: Tokenizer): Pieces {
  const numbers = new Float64Array(tokenizer.vocabSize).fill(isNew);
  const numberAt = (id: number) => {
    if (numbers[id] === isNew) {
      const piece = tokenizer.idToPiece(id);
      numbers[id] = isNgramWord(piece) ? numberOf(piece) : isLeftOut;
    }
    return numbers[id]!;
  };
  return (line) => Array.from(tokenizer.encode(line), numberAt).filter((number) => number !== isLeftOut);
}

function wordsOf(text: string): readonly string[] {
  const { count, starts, ends } = new Words(text);
  return Array.from({ length: count }, (_, i) => text.slice(starts[i], ends[i]));
}
