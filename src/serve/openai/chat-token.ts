// A token of a chat's log-probabilities.
import type { Tokenizer } from "../../tokenizer/index.ts";
import type { LoggedToken } from "../generation.ts";
import { tokenText } from "../token-text.ts";

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
