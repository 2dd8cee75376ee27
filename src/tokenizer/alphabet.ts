// The characters of SentencePiece's kind as symbols, and the pieces that text becomes.
import { byteOfFallbackPiece, fallbackLength } from "./byte-pieces.ts";
import { eachMerge, mergedPiece, type SentencePieceModel } from "./model.ts";
import { type PieceBytes, textBytes } from "./piece-bytes.ts";
import { PieceTable } from "./piece-table.ts";
import { pointAt, widthOf } from "./utf8-bits.ts";

const space = 0x20;
const spaceMarkCode = 0x2581;
const noMerges = new Int32Array(0);

/**
 * Characters as symbols. A piece's symbol is its id; a character that stands only inside longer pieces gets a number above all ids;
 * a character in no piece is the complement of its code point, negative, and merges with nothing.
 */
export class Alphabet {
  readonly #size: number;
  /** UTF-16 unit → its symbol + 1, 0 where it has none. */
  readonly #units = new Int32Array(0x10000);
  readonly #astral = new Map<number, number>();
  readonly #inner: number[] = [];
  /** The bytes of all pieces as text has them: with spaces. */
  readonly spelled: PieceBytes;
  /** Pieces that text becomes, and the characters inside them. */
  readonly pieces: PieceTable;
  /** The ids of the pieces that text becomes. */
  readonly textIds: readonly number[];

  constructor(model: SentencePieceModel) {
    const { pieces, escapesSpaces = true } = model;
    this.#size = pieces.length;
    this.textIds = textIds(model);
    this.spelled = textBytes(pieces, escapesSpaces);
    this.#setCharacters();
    const places = this.#admitInner(escapesSpaces);
    if (escapesSpaces) {
      if (this.#symbolOf(space) < 0) this.#set(space, ~spaceMarkCode);
      else this.#set(spaceMarkCode, this.#symbolOf(space));
    }
    this.pieces = this.#tableOf(places);
  }

  /** Gives its symbol to every character that is a piece. */
  #setCharacters(): void {
    const { bytes, spans } = this.spelled;
    for (let i = 0; i < this.textIds.length; i++) {
      const id = this.textIds[i]!;
      const from = spans[2 * id]!;
      const to = spans[2 * id + 1]!;
      if (to - from <= 4 && from < to && from + widthOf(bytes[from]!) === to) this.#set(pointAt(bytes, from), id);
    }
  }

  /** Gives symbols to characters that stand only inside longer pieces. @returns where each of them stands */
  #admitInner(escapesSpaces: boolean): number[] {
    const { bytes, spans } = this.spelled;
    const places: number[] = [];
    for (let i = 0; i < this.textIds.length; i++) {
      const to = spans[2 * this.textIds[i]! + 1]!;
      for (let at = spans[2 * this.textIds[i]!]!; at < to; at += widthOf(bytes[at]!)) {
        while (at < to && bytes[at]! < 0x80 && this.#units[bytes[at]!]! > 0) at++; // most characters are these
        if (at === to) break;
        const code = pointAt(bytes, at);
        if (this.#symbolOf(code) >= 0) continue;
        this.#set(code, this.#size + this.#inner.length);
        this.#inner.push(escapesSpaces && code === space ? spaceMarkCode : code);
        places.push(at);
      }
    }
    return places;
  }

  #tableOf(places: readonly number[]): PieceTable {
    const { bytes, spans } = this.spelled;
    const table = new PieceTable(this.#size + places.length, bytes);
    for (let i = 0; i < this.textIds.length; i++)
      table.add(this.textIds[i]!, spans[2 * this.textIds[i]!]!, spans[2 * this.textIds[i]! + 1]!);
    places.forEach((from, i) => {
      table.add(this.#size + i, from, from + widthOf(bytes[from]!));
    });
    return table;
  }

  /** Writes the symbols of `bytes[from … to)`, which are UTF-8, and returns how many. */
  spell(bytes: Uint8Array, from: number, to: number, symbols: Int32Array): number {
    let count = 0;
    for (let i = from; i < to; i += widthOf(bytes[i]!)) symbols[count++] = this.#symbolOf(pointAt(bytes, i));
    return count;
  }

  isPiece(symbol: number): boolean {
    return symbol >= 0 && symbol < this.#size;
  }

  character(symbol: number): string {
    return String.fromCodePoint(symbol < 0 ? ~symbol : this.#inner[symbol - this.#size]!);
  }

  #symbolOf(code: number): number {
    if (code > 0xffff) return this.#astral.get(code) ?? ~code;
    const symbol = this.#units[code]! - 1;
    return symbol === -1 ? ~code : symbol;
  }

  #set(code: number, symbol: number): void {
    if (code > 0xffff) this.#astral.set(code, symbol);
    else this.#units[code] = symbol + 1;
  }
}

/**
 * Pieces that text can become by merging: no bytes, and of special and added pieces only those that the vocabulary and its merges hold too. A
 * model with scores has no merges of its own, so that all of them stand apart.
 */
export function textIds(model: SentencePieceModel): number[] {
  const { pieces, merges = noMerges, unused = [], added = [], matching = [], byteFallback } = model;
  const apart = new Set([model.unkId, ...model.specials, ...added, ...(model.merges === undefined ? [] : unused)]);
  const inVocabulary = new Set(matching.filter((rule) => rule.inVocabulary).map(({ id }) => id));
  const spelled = new Set<string>();
  // Only pieces that stand apart are sought among what merges make, and few merges are as long as one of them.
  const apartPieces = new Set([...apart].map((id) => (id === undefined ? "" : pieces[id]!)));
  const lengths = new Set(Array.from(apartPieces, ({ length }) => length + (model.continuingPrefix ?? "").length));
  eachMerge(merges, (left, right) => {
    if (!lengths.has(pieces[left]!.length + pieces[right]!.length)) return;
    const piece = mergedPiece(model, left, right);
    if (apartPieces.has(piece)) spelled.add(piece);
  });
  const ids: number[] = [];
  for (let id = 0; id < pieces.length; id++) {
    const piece = pieces[id]!;
    const isText = !apart.has(id) || inVocabulary.has(id) || spelled.has(piece);
    const isByte = byteFallback && piece.length === fallbackLength && byteOfFallbackPiece(piece) !== undefined;
    if (piece !== "" && isText && !isByte) ids.push(id);
  }
  return ids;
}
