// Ids to bytes one by one: leaves specials away and does to the ends of the text what the model's decoding says.
import { utf8Bytes } from "./codec.ts";
import type { DecodeOptions, Tokenizer } from "./tokenizer.ts";

const nothing = new Uint8Array(0);
const space = 0x20;

export class ByteJoiner {
  readonly #tokenizer: Tokenizer;
  readonly #showsSpecials: boolean;
  readonly #verbatim: ReadonlySet<number>;
  /** How many spaces may still be taken off the start. */
  #strippable: number;
  /** The first byte was a space that encoding may have put there; the next byte tells. */
  #heldPrefix = false;
  #needsSeparator: boolean;
  /** Spaces that are the text's last so far and go when it ends here. */
  #heldSpaces = 0;

  constructor(tokenizer: Tokenizer, { specials = false, continued = false }: DecodeOptions) {
    this.#tokenizer = tokenizer;
    this.#showsSpecials = specials;
    this.#verbatim = new Set([...tokenizer.model.specials, ...(tokenizer.model.added ?? [])]);
    const { stripStart } = tokenizer.decoding;
    this.#strippable = continued ? 0 : stripStart === "prefix" ? 1 : stripStart;
    this.#needsSeparator = continued;
  }

  /** The bytes that this id adds. */
  next(id: number): Uint8Array {
    const isUnknown = id === this.#tokenizer.unkId;
    if (this.#tokenizer.isSpecial(id) && !isUnknown && !this.#showsSpecials) return nothing;
    const shown = isUnknown && this.#showsSpecials ? utf8Bytes(this.#tokenizer.idToPiece(id)) : this.#tokenizer.pieceBytes(id);
    const { separator, stripStart } = this.#tokenizer.decoding;
    const bytes = this.#needsSeparator ? joined(utf8Bytes(separator), shown) : shown;
    this.#needsSeparator = separator !== "";
    if (stripStart !== "prefix") return this.#withoutLastSpaces(this.#withoutFirstSpaces(bytes));
    if (this.#verbatim.has(id) && !isUnknown) this.#strippable = 0; // encoding put no space in front of it
    return this.#withoutLastSpaces(this.#withoutPrefix(bytes));
  }

  /** The bytes that the end of the text brings. */
  end(): Uint8Array {
    if (!this.#heldPrefix) return nothing;
    this.#heldPrefix = false;
    return Uint8Array.of(space);
  }

  #withoutFirstSpaces(bytes: Uint8Array): Uint8Array {
    let from = 0;
    for (; this.#strippable > 0 && bytes[from] === space; from++) this.#strippable--;
    if (from < bytes.length) this.#strippable = 0;
    return bytes.subarray(from);
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
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
