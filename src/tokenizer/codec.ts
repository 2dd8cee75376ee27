// What the three kinds of tokenizer do differently: text to ids, ids to bytes.
import type { IdBuffer } from "./id-buffer.ts";

/** What stands before a stretch of text: nothing, a special piece, or something (bytes that are no UTF-8) that lets no space go in front. */
export type StretchStart = "text" | "special" | "inside";

export interface Codec {
  /** Appends the ids of a stretch of text as the normaliser left it. */
  encode(text: string, start: StretchStart, out: IdBuffer): void;
  /** Appends the ids of bytes that are no UTF-8. */
  encodeInvalid(bytes: Uint8Array, out: IdBuffer): void;
  /** id → the bytes it decodes to. */
  readonly bytes: readonly Uint8Array[];
  /** What is done to a stretch of text first, for models that have a normaliser. */
  readonly normalise?: (text: string, start: StretchStart) => string;
  /** Whether a ▁ in the normalised text counts as a space. */
  readonly escapesSpaces: boolean;
}

const utf8 = new TextEncoder();

/** UTF-8; a lone surrogate becomes U+FFFD. */
export function utf8Bytes(text: string): Uint8Array {
  return utf8.encode(text);
}

/** What decoding shows for an unknown: U+FFFD, the replacement character. */
export const replacement = utf8Bytes("\ufffd");
