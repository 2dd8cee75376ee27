// How tokens show in log-probabilities: as text where their bytes are some, and as their bytes.
import { validUpTo } from "../base/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";

/** A token's text; one that ends in the middle of a character shows its bytes, as in OpenAI's `bytes:\xe2\x80`. */
export function tokenText(tokenizer: Tokenizer, id: number): string {
  const bytes = tokenizer.pieceBytes(id);
  if (validUpTo(bytes) === bytes.length) return new TextDecoder().decode(bytes);
  return `bytes:${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}`;
}
