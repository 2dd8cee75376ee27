// Small steps over a text, as Rust's strings and huggingface/tokenizers have them.
import type { Regex } from "../regex/index.ts";

/** Every character by itself, so that a Σ at the end of a word becomes σ. */
export function lowercase(text: string): string {
  return Array.from(text, (char) => char.toLowerCase()).join("");
}

/** The text with U+FFFD for every lone surrogate, which UTF-8 cannot hold. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/** A text of nothing stays one, whatever the expression finds in it. */
export function replaceMatches(text: string, expression: Regex, to: string): string {
  if (text === "") return "";
  const parts: string[] = [];
  let done = 0;
  for (const { start, end } of expression.matches(text)) {
    parts.push(text.slice(done, start), to);
    done = end;
  }
  return parts.join("") + text.slice(done);
}
