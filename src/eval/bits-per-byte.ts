// A loss in the units that people compare: perplexity, and bits per byte, which does not depend on the tokenizer.
import { check } from "../base/index.ts";

/** A text's size in tokens and bytes. */
export interface TextSize {
  /** Tokens that were, or would be, predicted. */
  readonly tokens: number;
  /** UTF-8 bytes of the text they stand for. */
  readonly bytes: number;
}

/** e to the loss, in tokens. */
export function perplexity(loss: number): number {
  return Math.exp(loss);
}

/**
 * loss · tokens / bytes / ln 2 (Gao et al. 2020, The Pile, arXiv 2101.00027, section 3.1). What marks documents is predicted too, and paid for,
 * but has no bytes.
 * @param loss mean over the tokens, in nats
 */
export function bitsPerByte(loss: number, { tokens, bytes }: TextSize): number {
  check(bytes > 0, "eval", () => `the text has ${bytes} bytes: bits per byte need at least one`);
  return (loss * tokens) / bytes / Math.LN2;
}
