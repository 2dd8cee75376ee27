// How tokens show in log-probabilities: as text where their bytes are some, and as their bytes.

import { validUpTo } from "../../base/index.ts";
import type { Tokenizer } from "../../tokenizer/index.ts";
import type { LoggedToken } from "../generation.ts";

/** A token's text; one that ends in the middle of a character shows its bytes, as in OpenAI's `bytes:\xe2\x80`. */
export function tokenText(tokenizer: Tokenizer, id: number): string {
  const bytes = tokenizer.pieceBytes(id);
  if (validUpTo(bytes) === bytes.length) return new TextDecoder().decode(bytes);
  return `bytes:${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}`;
}

/** A token of a chat's `logprobs.content`. */
export function chatToken(tokenizer: Tokenizer, { id, told }: LoggedToken): unknown {
  const one = (token: number, logprob: number) => ({
    token: tokenText(tokenizer, token),
    logprob,
    bytes: [...tokenizer.pieceBytes(token)],
  });
  return {
    ...one(id, told?.logProbability ?? 0),
    top_logprobs: (told?.top ?? []).map((top) => one(top.id, top.logProbability)),
  };
}
