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

/** The lines of a text as lists of the words or pieces that a model of n-grams learns from; those that a model cannot hold are left out. */
export function* sentencesOf(text: string, { tokenizer, normalise = true }: SentenceOptions = {}): Generator<readonly string[]> {
  const lines = text.endsWith("\n") ? text.slice(0, -1) : text;
  for (const line of lines.split("\n")) {
    const sentence = normalise ? plainText(line) : line;
    const pieces = tokenizer ? Array.from(tokenizer.encode(sentence), (id) => tokenizer.idToPiece(id)) : wordsOf(sentence);
    yield pieces.filter(isNgramWord);
  }
}

function wordsOf(text: string): readonly string[] {
  const { count, starts, ends } = new Words(text);
  return Array.from({ length: count }, (_, i) => text.slice(starts[i], ends[i]));
}
