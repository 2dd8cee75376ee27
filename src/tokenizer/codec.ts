// What the kinds of tokenizer do differently: text to ids, ids to bytes.
import type { IdBuffer } from "./id-buffer.ts";
import type { IsBorder } from "./stream-borders.ts";

/** What stands before a stretch of text: nothing, a special piece, or something (bytes that are no UTF-8) that lets no space go in front. */
export type StretchStart = "text" | "special" | "inside";

/** How one kind of tokenizer encodes and decodes a stretch of text. */
export interface Codec {
  /** Appends the ids of a stretch of text as the normaliser left it. */
  encode(text: string, start: StretchStart, out: IdBuffer): void;
  /**
   * Appends the ids of a stretch of text before any normaliser, `bytes[from … to)`, which are UTF-8. Absent where the model needs the text as a
   * string.
   */
  encodeUtf8?(bytes: Uint8Array, from: number, to: number, start: StretchStart, out: IdBuffer): void;
  /** Where a text may be cut whatever follows, if its second part then begins "inside". Absent where ids may hang on the whole text. */
  readonly isBorder?: IsBorder;
  /** Appends the ids of bytes that are no UTF-8. */
  encodeInvalid(bytes: Uint8Array, out: IdBuffer): void;
  /** The bytes that an id of the vocabulary decodes to. */
  decoded(id: number): Uint8Array;
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

/** Bytes of text that are used again for the next one, so that short texts make no garbage. */
export class Utf8Scratch {
  #bytes = new Uint8Array(1 << 10);

  /** The text as UTF-8, `bytes[0 … end)`, with room behind it for scanners that read ahead where the text is short; good until the next call. */
  write(text: string): { readonly bytes: Uint8Array; readonly end: number } {
    const most = 3 * text.length + readAhead;
    if (most > mostKept) {
      const bytes = utf8.encode(text);
      return { bytes, end: bytes.length };
    }
    if (most > this.#bytes.length) this.#bytes = new Uint8Array(2 * most);
    return { bytes: this.#bytes, end: utf8.encodeInto(text, this.#bytes).written };
  }
}

const readAhead = 16;
const mostKept = 1 << 18;

/** What decoding shows for an unknown: U+FFFD, the replacement character. */
export const replacement = utf8Bytes("\ufffd");
