// Ids to bytes one by one: leaves out special pieces and does to the ends of the text what the model's decoding says.
import { byteMender } from "./byte-mender.ts";
import { lastDecodedBytes } from "./byte-pieces.ts";
import { utf8Bytes } from "./codec.ts";
import { TextRewriter } from "./text-rewriter.ts";
import type { StreamDecodeOptions, Tokenizer } from "./tokenizer.ts";

const nothing = new Uint8Array(0);
const noIds: ReadonlySet<number> = new Set();
const space = 0x20;

/** Joins the bytes of ids as they come, as one text. */
export class ByteJoiner {
  readonly #tokenizer: Tokenizer;
  readonly #showsSpecials: boolean;
  readonly #shown: ReadonlySet<number>;
  readonly #verbatim: ReadonlySet<number>;
  readonly #mender: ReturnType<typeof byteMender>;
  readonly #rewriter: TextRewriter | undefined;
  /** How many spaces may still be taken off the start. */
  #strippable: number;
  /** The first byte was a space that encoding may have put there; the next byte tells. */
  #heldPrefix = false;
  #needsSeparator: boolean;
  /** Spaces that are the text's last so far and go when it ends here. */
  #heldSpaces = 0;

  /** The last id so far, where the text's last piece is spelt otherwise. */
  #lastId: number | undefined;

  /** @param mends whether bytes that are no UTF-8 become U+FFFD as the decoding has it; otherwise they come as they are */
  constructor(tokenizer: Tokenizer, { specials = false, continued = false, shown = noIds }: StreamDecodeOptions, mends: boolean) {
    this.#tokenizer = tokenizer;
    this.#showsSpecials = specials;
    this.#shown = shown;
    this.#verbatim = new Set([...tokenizer.model.specials, ...(tokenizer.model.added ?? [])]);
    this.#mender = mends ? byteMender(tokenizer.decoding) : undefined;
    const { stripStart, charsmap } = tokenizer.decoding;
    this.#rewriter = mends && charsmap !== undefined ? new TextRewriter(charsmap) : undefined;
    this.#strippable = continued ? 0 : typeof stripStart === "number" ? stripStart : 1;
    this.#needsSeparator = continued;
  }

  /** The bytes that this id adds. */
  next(id: number): Uint8Array {
    const isShown =
      this.#showsSpecials || this.#shown.has(id) || (id === this.#tokenizer.unkId && this.#tokenizer.decoding.unknown !== undefined);
    if (!isShown && this.#tokenizer.isSpecial(id)) return nothing;
    const bytes = this.#tokenizer.decoding.wordSuffix === undefined ? this.#placed(id) : this.#delayed(id);
    return this.#rewriter === undefined ? bytes : this.#rewriter.add(bytes, false);
  }

  /** Holds the piece before, which is certain now not to be the last one. */
  #delayed(id: number): Uint8Array {
    const before = this.#lastId;
    this.#tokenizer.idToPiece(id); // throws for an id outside of the vocabulary
    this.#lastId = id;
    return before === undefined ? nothing : this.#placed(before);
  }

  #placed(id: number, isLast = false): Uint8Array {
    const isUnknown = id === this.#tokenizer.unkId;
    const shown =
      isUnknown && this.#showsSpecials
        ? utf8Bytes(this.#tokenizer.idToPiece(id))
        : isLast && !isUnknown
          ? lastDecodedBytes(this.#tokenizer.idToPiece(id), this.#tokenizer.decoding)
          : this.#tokenizer.pieceBytes(id);
    const isByte = this.#mender !== undefined && this.#tokenizer.isByte(id);
    if (isByte) return this.#placeBytes(this.#mender!.add(shown));
    const before = this.#endOfRun();
    const isKept = isUnknown && this.#tokenizer.decoding.unknown !== undefined;
    return joined(before, this.#place(shown, isKept, this.#verbatim.has(id) && !isUnknown));
  }

  /** Whether from here on every piece adds the bytes of its own and no more, as long as runs of byte pieces are UTF-8. */
  get isPlain(): boolean {
    const { separator, stripEnd, wordSuffix } = this.#tokenizer.decoding;
    const isOpen = this.#heldPrefix || (this.#mender?.isOpen ?? false);
    return (
      this.#strippable === 0 && !isOpen && separator === "" && stripEnd === 0 && wordSuffix === undefined && this.#rewriter === undefined
    );
  }

  /** The bytes that the end of the text brings. */
  end(): Uint8Array {
    const delayed = this.#lastId === undefined ? nothing : this.#placed(this.#lastId, true);
    const last = joined(delayed, this.#endOfRun());
    const prefix = this.#heldPrefix ? Uint8Array.of(space) : nothing;
    this.#heldPrefix = false;
    const bytes = joined(last, prefix);
    return this.#rewriter === undefined ? bytes : this.#rewriter.add(bytes, true);
  }

  #endOfRun(): Uint8Array {
    return this.#mender?.isOpen ? this.#placeBytes(this.#mender.end()) : nothing;
  }

  /** SentencePiece takes a ▁ off the start, and no byte that is a space. */
  #placeBytes(text: Uint8Array): Uint8Array {
    return text.length === 0 ? nothing : this.#place(text, this.#tokenizer.decoding.invalid === "byte", false);
  }

  /** @param isKept whether spaces at the start of the piece stay. @param isVerbatim whether encoding put no space in front of the piece */
  #place(text: Uint8Array, isKept: boolean, isVerbatim: boolean): Uint8Array {
    const { separator, stripStart } = this.#tokenizer.decoding;
    const bytes = this.#needsSeparator ? joined(utf8Bytes(separator), text) : text;
    this.#needsSeparator = separator !== "";
    if (stripStart === "each") return this.#withoutLastSpaces(this.#withoutEachSpace(bytes, isKept));
    if (stripStart !== "prefix") return this.#withoutLastSpaces(this.#withoutFirstSpaces(bytes, isKept));
    if (isVerbatim) this.#strippable = 0;
    return this.#withoutLastSpaces(this.#withoutPrefix(bytes));
  }

  #withoutFirstSpaces(bytes: Uint8Array, isKept: boolean): Uint8Array {
    let from = 0;
    for (; !isKept && this.#strippable > 0 && bytes[from] === space; from++) this.#strippable--;
    if (from < bytes.length) this.#strippable = 0;
    return bytes.subarray(from);
  }

  #withoutEachSpace(bytes: Uint8Array, isKept: boolean): Uint8Array {
    const rest = !isKept && this.#strippable > 0 && bytes[0] === space ? bytes.subarray(1) : bytes;
    if (rest.length > 0) this.#strippable = 0;
    return rest;
  }

  /** A space in front of another one, or alone, is the text's own. */
  #withoutPrefix(bytes: Uint8Array): Uint8Array {
    if (bytes.length === 0 || (this.#strippable === 0 && !this.#heldPrefix)) return bytes;
    const all = this.#heldPrefix ? joined(Uint8Array.of(space), bytes) : bytes;
    this.#strippable = 0;
    this.#heldPrefix = all.length === 1 && all[0] === space;
    if (this.#heldPrefix) return nothing;
    return all[0] === space && all[1] !== space ? all.subarray(1) : all;
  }

  #withoutLastSpaces(bytes: Uint8Array): Uint8Array {
    const { stripEnd } = this.#tokenizer.decoding;
    if (stripEnd === 0) return bytes;
    const all = joined(new Uint8Array(this.#heldSpaces).fill(space), bytes);
    let end = all.length;
    while (all.length - end < stripEnd && all[end - 1] === space) end--;
    this.#heldSpaces = all.length - end;
    return all.subarray(0, end);
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
