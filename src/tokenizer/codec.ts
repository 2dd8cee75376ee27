// What the three kinds of tokenizer do differently: text to ids, ids to bytes.
import type { IdBuffer } from "./id-buffer.ts";

/** What stands before a stretch of text: nothing, a special piece, bytes that are no UTF-8. */
export type StretchStart = "text" | "special" | "bytes";

export interface Codec {
  /** Appends the ids of a stretch of text. */
  encode(text: string, start: StretchStart, out: IdBuffer): void;
  /** Appends the ids of bytes that are no UTF-8. */
  encodeInvalid(bytes: Uint8Array, out: IdBuffer): void;
  /** id → the bytes it decodes to. */
  readonly bytes: readonly Uint8Array[];
  /** Which space decoding takes away: the one that was put in front, the one after the last word, none. */
  readonly trim: "start" | "end" | "none";
}

const utf8 = new TextEncoder();

/** UTF-8; a lone surrogate becomes U+FFFD. */
export function utf8Bytes(text: string): Uint8Array {
  return utf8.encode(text);
}

/** What decoding shows for an unknown: U+FFFD, the replacement character. */
export const replacement = utf8Bytes("\ufffd");
