// Prompts and continuations as ids, as lm-evaluation-harness encodes them (lm_eval/models, _encode_pair), so that scores are its scores.
import { check } from "../base/index.ts";
import type { TextToScore } from "../infer/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";

/** A text, or ids. */
type Text = string | readonly number[] | Uint32Array;

/**
 * A prompt and a continuation as one text, of which the tokens behind the prompt's are scored. White space at a prompt's end belongs to the
 * continuation, as pieces begin with it; the first tokens are as many as the prompt has by itself. An empty prompt is {@link prefixOf}.
 * @throws CriaError where the continuation adds no token
 */
export function textToScore(tokenizer: Tokenizer, prompt: Text, continuation: Text): TextToScore {
  const text = encodePair(tokenizer, prompt, continuation);
  check(
    text.from < text.ids.length,
    "llama",
    () => `the continuation ${JSON.stringify(continuation)} adds no token to its prompt: give a longer one`,
  );
  return text;
}

function encodePair(tokenizer: Tokenizer, prompt: Text, continuation: Text): TextToScore {
  if (prompt.length === 0) return { ids: [prefixOf(tokenizer), ...inside(tokenizer, continuation)], from: 1 };
  if (typeof prompt !== "string" || typeof continuation !== "string") {
    const before = typeof prompt === "string" ? beginning(tokenizer, prompt) : Array.from(prompt);
    return { ids: [...before, ...inside(tokenizer, continuation)], from: before.length };
  }
  const [before, whole] = [beginning(tokenizer, prompt.trimEnd()), beginning(tokenizer, prompt + continuation)];
  return before.length === 0 ? { ids: [prefixOf(tokenizer), ...whole], from: 1 } : { ids: whole, from: before.length };
}

/** A text with what the tokenizer puts in front of one, and nothing behind it. */
function beginning(tokenizer: Tokenizer, text: string): number[] {
  const ids = Array.from(tokenizer.encode(text, { template: true }));
  const after = tokenizer.model.template?.after ?? [];
  return ids.slice(0, ids.length - after.length);
}

/** A text with nothing around it. */
export function inside(tokenizer: Tokenizer, text: Text): number[] {
  return Array.from(typeof text === "string" ? tokenizer.encode(text) : text);
}

/**
 * What stands in front of a text that has no prompt: begin-of-text, else end-of-text, which many models were trained with between documents.
 * @throws CriaError where the tokenizer has neither
 */
export function prefixOf({ bosId, eosId }: Tokenizer): number {
  const prefix = bosId ?? eosId;
  check(
    prefix !== undefined,
    "llama",
    () =>
      "the tokenizer has neither a begin-of-text nor an end-of-text token, and a first token has no probability without one: give a prompt",
  );
  return prefix;
}
