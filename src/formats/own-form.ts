// Which form a tokenizer can be written in where the form that was asked for cannot hold it.
import type { TokenizerKind } from "../tokenizer/index.ts";

/** The form that holds most tokenizers of a kind, as messages name it. */
export function ownForm(kind: TokenizerKind): string {
  return kind === "unigram" ? "tokenizer.model" : "tokenizer.json";
}
