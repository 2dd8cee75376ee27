// What this room needs of a tokenizer, and what a file of tokens must remember of it.
import { createHash } from "node:crypto";

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

/** The vocabulary with the first half of the SHA-256 of its pieces in order: equal after saving and loading, and for equal meaning of ids only. */
export function vocabularyOf(tokenizer: TextTokenizer): Vocabulary {
  const hash = createHash("sha256").update(JSON.stringify([tokenizer.kind, tokenizer.vocabSize]));
  for (let id = 0; id < tokenizer.vocabSize; id++) hash.update(JSON.stringify(tokenizer.idToPiece(id)));
  return { size: tokenizer.vocabSize, fingerprint: hash.digest("hex").slice(0, 32) };
}
