// Documents as one row of tokens, for what reads a text with a model.
import { joinDocuments } from "../batches/index.ts";
import type { HeldOutText } from "../eval/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";

/** Documents, one after another. */
export type Documents = AsyncIterable<string> | Iterable<string>;

/** Every document's tokens, those that the tokenizer puts around a text among them, and the bytes of all. */
export async function textSample(documents: Documents, tokenizer: Tokenizer): Promise<HeldOutText> {
  const parts: ArrayLike<number>[] = [];
  let bytes = 0;
  for await (const document of documents) {
    parts.push(tokenizer.encode(document));
    bytes += new TextEncoder().encode(document).length;
  }
  return { tokens: joinDocuments(parts), bytes };
}
