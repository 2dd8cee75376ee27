// What the three kinds of tokenizer do differently: text to ids, ids to bytes.
import type { IdBuffer } from "./id-buffer.ts";

/** What stands before a stretch of text: nothing, a special piece, or something (bytes that are no UTF-8, a prefix) that lets no space go in front. */
export type StretchStart = "text" | "special" | "inside";

export interface Codec {
  /** Appends the ids of a stretch of text. */
  encode(text: string, start: StretchStart, out: IdBuffer): void;
  /** Appends the ids of bytes that are no UTF-8. */
  encodeInvalid(bytes: Uint8Array, out: IdBuffer): void;
  /** id → the bytes it decodes to. */
  readonly bytes: readonly Uint8Array[];
  /**
   * A stretch as its normaliser leaves it, for models that have one: pieces with `normalized` are then sought in that text, and what lies
   * between them is encoded with the start "inside".
   */
  readonly normalise?: (text: string, start: StretchStart) => string;
}

const utf8 = new TextEncoder();

/** UTF-8; a lone surrogate becomes U+FFFD. */
export function utf8Bytes(text: string): Uint8Array {
  return utf8.encode(text);
}

/** What decoding shows for an unknown: U+FFFD, the replacement character. */
export const replacement = utf8Bytes("\ufffd");
