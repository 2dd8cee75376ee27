// What a language model of n-grams reads of a text: the numbers that it gives to words, or to the pieces of a tokenizer.
import type { NgramWords } from "../../ngrams/index.ts";
import type { Tokenizer } from "../../tokenizer/index.ts";
import { Words } from "./words.ts";

/** The model's numbers of a text's pieces, in their order. What it returns holds until it is called again. */
export type Pieces = (text: string) => ArrayLike<number>;

/** Words between white space, as Python's `str.split` has it. */
export function wordPieces(known: NgramWords): Pieces {
  return (text) => {
    const words = new Words(text);
    return Uint32Array.from({ length: words.count }, (_, i) => known.idOf(text.slice(words.starts[i], words.ends[i])));
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
