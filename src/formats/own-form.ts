// Which form a tokenizer can be written in where the form that was asked for cannot hold it.
import type { TokenizerModel } from "../tokenizer/index.ts";

/** The form that holds most tokenizers of a kind, as messages name it. A unigram model keeps its ids only in the form that it came from. */
export function ownForm(model: TokenizerModel): string {
  return model.kind === "unigram" && model.sums !== "float64" ? "tokenizer.model" : "tokenizer.json";
}
