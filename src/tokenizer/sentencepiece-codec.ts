// SentencePiece's BPE as LLaMA uses it (Kudo & Richardson 2018): characters merged, spaces shown as ▁, bytes for what has no piece.
import { check } from "../base/index.ts";
import { byteFallbackPiece, byteOfFallbackPiece, decodedBytes } from "./byte-pieces.ts";
import { classCount, Space, Surrogate, unitClasses } from "./char-class.ts";
import { type Codec, replacement, type StretchStart, utf8Bytes } from "./codec.ts";
import type { IdBuffer } from "./id-buffer.ts";
import { type MergeRule, MergeTable } from "./merge-table.ts";
import { ownDecoding, type SentencePieceModel, spaceMark } from "./model.ts";
import { WordCache } from "./word-cache.ts";

const spaceMarkCode = 0x2581;

/** @param ids piece → id of the whole vocabulary. @throws CriaError when byte fallback is asked for and a byte has no piece. */
export function sentencePieceCodec(model: SentencePieceModel, ids: ReadonlyMap<string, number>): Codec {
  const alphabet = new Alphabet(model);
  const table = new MergeTable(model.scores ? rulesByScore(model, alphabet) : rulesByRank(model, ids));
  const byteIds = model.byteFallback ? allByteIds(ids) : undefined;
  let symbols = new Int32Array(256);
  let stretch = 0; // where the ids of this stretch of text begin

  const encodeBytes = (bytes: Uint8Array, out: IdBuffer) => {
    if (byteIds !== undefined) for (const byte of bytes) out.push(byteIds[byte]!);
    else if (out.size === stretch || out.at(out.size - 1) !== model.unkId) out.push(model.unkId!);
  };
  const encodeWord = (word: string, out: IdBuffer) => {
    if (word.length > symbols.length) symbols = new Int32Array(word.length * 2);
    const length = table.merge(symbols, alphabet.spell(word, symbols));
    for (let i = 0; i < length; i++) {
      const symbol = symbols[i]!;
      if (alphabet.isPiece(symbol)) out.push(symbol);
      else encodeBytes(utf8Bytes(alphabet.character(symbol)), out);
    }
  };
  const cache = new WordCache(encodeWord);
  const isBoundary = boundaries(model);
  const decoding = model.decoding ?? ownDecoding(model);
  const prefixed = (text: string, start: StretchStart) => (needsPrefix(model, text, start) ? ` ${text}` : text);
  return {
    encode: (text, start, out) => {
      if (text === "") return;
      if (start !== "inside") stretch = out.size;
      const source = prefixed(text, start);
      // Without byte fallback a run of unknowns is one unk wherever it is cut, so nothing is cut.
      if (byteIds === undefined) encodeWord(source, out);
      else eachCut(source, isBoundary, (word) => cache.encode(word, out));
    },
    encodeInvalid: encodeBytes,
    bytes: spelledPieces(model).map((piece, id) => (id === model.unkId ? replacement : decodedBytes(piece, decoding))),
    ...(model.prefixBeforeSpace ? { normalise: prefixed } : {}),
  };
}

/** The pieces as decoding spells them: one that is sought in the normalised text has the normaliser's prefix and ▁, as in Hugging Face's library. */
function spelledPieces(model: SentencePieceModel): string[] {
  const pieces = [...model.pieces];
  const normalized = model.prefixBeforeSpace ? (model.matching ?? []).filter((rule) => rule.normalized) : [];
  for (const { id } of normalized) {
    const piece = pieces[id]!;
    pieces[id] = (needsPrefix(model, piece, "text") ? ` ${piece}` : piece).replaceAll(" ", spaceMark);
  }
  return pieces;
}

function needsPrefix({ dummyPrefix, prefixBeforeSpace }: SentencePieceModel, text: string, start: StretchStart): boolean {
  if (dummyPrefix === "never" || start === "inside" || (dummyPrefix === "first" && start === "special")) return false;
  return prefixBeforeSpace || !text.startsWith(" ");
}

/**
 * Characters as symbols. A piece's symbol is its id; a character that stands only inside longer pieces gets a number above all ids;
 * a character in no piece is the complement of its code point, negative, and merges with nothing.
 */
class Alphabet {
  readonly #size: number;
  readonly #symbols = new Map<number, number>();
  readonly #inner: number[] = [];

  constructor(model: SentencePieceModel) {
    this.#size = model.pieces.length;
    const pieces = textPieces(model);
    for (const [piece, id] of pieces) if (isOneCharacter(piece)) this.#symbols.set(piece.codePointAt(0)!, id);
    for (const [piece] of pieces) for (const char of piece) this.#admit(char.codePointAt(0)!);
    // A space is written ▁. A ▁ that stands in the text itself goes by its bytes, so that decoding tells the two apart.
    const space = this.#symbols.get(spaceMarkCode);
    if (space !== undefined) this.#symbols.set(0x20, space);
    if (model.byteFallback) this.#symbols.delete(spaceMarkCode);
  }

  /** Writes the word's symbols and returns how many. */
  spell(word: string, symbols: Int32Array): number {
    let count = 0;
    for (let i = 0; i < word.length; i++) {
      let code = word.codePointAt(i)!;
      if (code > 0xffff) i++;
      else if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
      symbols[count++] = this.#symbols.get(code) ?? ~code;
    }
    return count;
  }

  /** The symbol of a piece's character, before ▁ is taken out of the text's reach. */
  symbolInPiece(char: string): number | undefined {
    return this.#symbols.get(char === spaceMark ? 0x20 : char.codePointAt(0)!);
  }

  isPiece(symbol: number): boolean {
    return symbol >= 0 && symbol < this.#size;
  }

  character(symbol: number): string {
    return String.fromCodePoint(symbol < 0 ? ~symbol : this.#inner[symbol - this.#size]!);
  }

  #admit(code: number): void {
    if (this.#symbols.has(code)) return;
    this.#symbols.set(code, this.#size + this.#inner.length);
    this.#inner.push(code);
  }
}

/**
 * Pieces that text can become by merging: no bytes, and of special and added pieces only those that the vocabulary and its merges hold too. A
 * model with scores has no merges of its own, so that all of them stand apart.
 */
function* textPieces(model: SentencePieceModel): Generator<[piece: string, id: number]> {
  const apart = new Set([model.unkId, ...model.specials, ...(model.added ?? [])]);
  const inVocabulary = new Set((model.matching ?? []).filter((rule) => rule.inVocabulary).map(({ id }) => id));
  const spelled = new Set((model.merges ?? []).map(([left, right]) => model.pieces[left]! + model.pieces[right]!));
  const isMade = (piece: string, id: number) => inVocabulary.has(id) || spelled.has(piece);
  for (const [id, piece] of model.pieces.entries()) {
    if (piece !== "" && (!apart.has(id) || isMade(piece, id)) && !(model.byteFallback && byteOfFallbackPiece(piece) !== undefined))
      yield [piece, id];
  }
}

function rulesByRank(model: SentencePieceModel, ids: ReadonlyMap<string, number>): MergeRule[] {
  const { pieces } = model;
  return model.merges!.map(([left, right], rank) => ({ left, right, rank, result: ids.get(pieces[left]! + pieces[right]!)! }));
}

/** Every way to put a piece together from two; pieces of one score share a rank. */
function rulesByScore(model: SentencePieceModel, alphabet: Alphabet): MergeRule[] {
  const pieces = new Map(textPieces(model));
  const scores = model.scores!;
  const distinct = [...new Set([...pieces.values()].map((id) => scores[id]!))].sort((a, b) => b - a);
  const rankOf = new Map(distinct.map((score, rank) => [score, rank]));
  const symbolOf = (part: string) => pieces.get(part) ?? (isOneCharacter(part) ? alphabet.symbolInPiece(part) : undefined);
  const rules: MergeRule[] = [];
  for (const [piece, result] of pieces) {
    for (let cut = firstWidth(piece); cut < piece.length; cut += firstWidth(piece.slice(cut))) {
      const left = symbolOf(piece.slice(0, cut));
      const right = symbolOf(piece.slice(cut));
      if (left !== undefined && right !== undefined) rules.push({ left, right, result, rank: rankOf.get(scores[result]!)! });
    }
  }
  return rules;
}

function firstWidth(text: string): number {
  return text.codePointAt(0)! > 0xffff ? 2 : 1;
}

function isOneCharacter(piece: string): boolean {
  return piece.length === firstWidth(piece);
}

/**
 * Where text may be cut without changing any id: between two classes of characters that no piece has side by side.
 * Indexed by `class << 3 | next class`.
 */
function boundaries(model: SentencePieceModel): Uint8Array {
  const classes = unitClasses();
  const cuts = new Uint8Array(classCount * classCount).fill(1);
  const classAt = (piece: string, at: number) => (piece[at] === spaceMark ? Space : classes[piece.charCodeAt(at)]!);
  cuts[(Surrogate << 3) | Surrogate] = 0;
  for (const [piece] of textPieces(model)) {
    for (let i = 1; i < piece.length; i++) cuts[(classAt(piece, i - 1) << 3) | classAt(piece, i)] = 0;
  }
  return cuts;
}

function eachCut(text: string, isBoundary: Uint8Array, each: (word: string) => void): void {
  const classes = unitClasses();
  let start = 0;
  let before = classes[text.charCodeAt(0)]!;
  for (let i = 1; i < text.length; i++) {
    const now = classes[text.charCodeAt(i)]!;
    if (isBoundary[(before << 3) | now] === 1) {
      each(text.slice(start, i));
      start = i;
    }
    before = now;
  }
  each(text.slice(start));
}

function allByteIds(ids: ReadonlyMap<string, number>): number[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const id = ids.get(byteFallbackPiece(byte));
    check(id !== undefined, "tokenizer", () => `byte fallback needs the piece ${byteFallbackPiece(byte)}: all 256 must be there`);
    return id;
  });
}
