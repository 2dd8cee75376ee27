// What this room needs of a tokenizer, and what a file of tokens must remember of it.
import { Sha256 } from "../base/index.ts";

/** Every `Tokenizer` of the tokenizer room is one. */
export interface TextTokenizer {
  readonly kind: string;
  readonly vocabSize: number;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  encode(text: string, options: { readonly bos: boolean; readonly eos: boolean }): ArrayLike<number>;
  idToPiece(id: number): string;
}

/** What ids mean: tokens of one vocabulary are only of use to models and tokenizers with the same. */
export interface Vocabulary {
  readonly size: number;
  /** 32 hexadecimal digits. */
  readonly fingerprint: string;
}

/** Encoding many short texts one by one takes longer than hashing them. */
const piecesPerUpdate = 1024;

/** The vocabulary with the first half of the SHA-256 of its pieces in order: equal after saving and loading, and for equal meaning of ids only. */
export function vocabularyOf(tokenizer: TextTokenizer): Vocabulary {
  const hash = new Sha256().update(JSON.stringify([tokenizer.kind, tokenizer.vocabSize]));
  for (let first = 0; first < tokenizer.vocabSize; first += piecesPerUpdate) {
    const count = Math.min(piecesPerUpdate, tokenizer.vocabSize - first);
    hash.update(Array.from({ length: count }, (_, i) => JSON.stringify(tokenizer.idToPiece(first + i))).join(""));
  }
  return { size: tokenizer.vocabSize, fingerprint: hash.hexDigest().slice(0, 32) };
}
