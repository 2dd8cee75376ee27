// SentencePiece's BPE as LLaMA uses it (Kudo & Richardson 2018): characters merged, spaces shown as ▁, bytes for what has no piece.
import { byteFallbackIds, byteOfFallbackPiece, decodedBytes } from "./byte-pieces.ts";
import { classCount, Space, Surrogate, unitClasses } from "./char-class.ts";
import { type Codec, replacement, type StretchStart, utf8Bytes } from "./codec.ts";
import type { IdBuffer } from "./id-buffer.ts";
import { ranksOfMerges } from "./merge-ranks.ts";
import { type MergeRule, MergeTable } from "./merge-table.ts";
import { ownDecoding, type SentencePieceModel, spaceMark } from "./model.ts";
import { type Normalise, normaliserOf } from "./normaliser.ts";
import { preTokeniserOf } from "./pre-tokeniser.ts";
import { spelledPieces } from "./spelled-pieces.ts";
import { WordCache } from "./word-cache.ts";

const spaceMarkCode = 0x2581;

/** @param ids piece → id of the whole vocabulary. @throws CriaError when byte fallback is asked for and a byte has no piece. */
export function sentencePieceCodec(model: SentencePieceModel, ids: ReadonlyMap<string, number>): Codec {
  const { unkId, escapesSpaces = true } = model;
  const words = new WordEncoder(model, ids);
  const decoding = model.decoding ?? ownDecoding(model);
  const unknown = decoding.unknown === undefined ? replacement : utf8Bytes(decoding.unknown);
  const cut = cutterOf(model, words);
  const normalise = normaliseOf(model);
  return {
    encode: (text, start, out) => {
      if (start !== "inside") words.begin(out);
      // A ▁ of the text is a space, as in the libraries that these files are of.
      const source = escapesSpaces ? text.replaceAll(spaceMark, " ") : text;
      const prefixed = !model.prefixBeforeSpace && needsPrefix(model, source, start) ? ` ${source}` : source;
      if (prefixed !== "") cut(prefixed, start, out);
    },
    encodeInvalid: (bytes, out) => words.encodeBytes(bytes, out),
    bytes: spelledPieces(model, normalise, escapesSpaces).map((piece, id) => (id === unkId ? unknown : decodedBytes(piece, decoding))),
    escapesSpaces,
    ...(normalise === undefined ? {} : { normalise }),
  };
}

/**
 * A score for every piece, with which SentencePiece makes the same ids: the model's own, or by the order of its merges.
 * @throws CriaError where no scores say what the merges say
 */
export function scoresOf(model: SentencePieceModel): readonly number[] {
  if (model.scores !== undefined) return model.scores;
  const alphabet = new Alphabet(model);
  const text = new Map([...textPieces(model)].map(([piece, id]) => [id, piece]));
  const symbolsOf = (id: number) => {
    const piece = text.get(id);
    if (piece === undefined) return undefined;
    const symbols = new Int32Array(piece.length);
    return symbols.subarray(0, alphabet.spell(piece, symbols));
  };
  const table = new MergeTable(rulesByRank(model, new Map(model.pieces.map((piece, id) => [piece, id]))));
  const ranks = ranksOfMerges(model.pieces, table, symbolsOf);
  return ranks.map((rank, id) => (rank !== undefined ? -rank : text.has(id) ? -model.merges!.length : 0));
}

type Cut = (text: string, start: StretchStart, out: IdBuffer) => void;

/** How a normalised text goes to the encoder of words: by the model's own steps, or cut where that changes no id. */
function cutterOf(model: SentencePieceModel, words: WordEncoder): Cut {
  const cache = new WordCache((word, out) => words.encode(word, out));
  if (model.preTokeniser !== undefined) {
    const preTokenise = preTokeniserOf(model.preTokeniser);
    return (text, start, out) =>
      preTokenise(text, start, (word) => {
        words.begin(out);
        cache.encode(word, out);
      });
  }
  // A run of unknowns is one unk wherever it is cut, and an unused piece is what it was put together from last: then nothing is cut.
  if (words.looksAround || model.ignoreMerges) return (text, _start, out) => words.encode(text, out);
  const isBoundary = boundaries(model);
  return (text, _start, out) => eachCut(text, isBoundary, (word) => cache.encode(word, out));
}

function normaliseOf(model: SentencePieceModel): Normalise | undefined {
  const { normaliser, escapesSpaces = true, matching = [], pieces } = model;
  const verbatim = matching.filter((rule) => rule.verbatim).map(({ id }) => pieces[id]!);
  const own = normaliser === undefined ? undefined : normaliserOf(normaliser, { verbatim, escapesSpaces });
  if (!model.prefixBeforeSpace) return own;
  return (text, start) => {
    const inner = own === undefined ? text : own(text, start);
    return inner !== "" && needsPrefix(model, inner, start) ? ` ${inner}` : inner;
  };
}

function needsPrefix({ dummyPrefix, prefixBeforeSpace }: SentencePieceModel, text: string, start: StretchStart): boolean {
  if (dummyPrefix === "never" || start === "inside" || (dummyPrefix === "first" && start === "special")) return false;
  return prefixBeforeSpace || !text.startsWith(" ");
}

/** Merges the characters of a word and writes the ids. */
class WordEncoder {
  readonly #model: SentencePieceModel;
  readonly #alphabet: Alphabet;
  readonly #table: MergeTable;
  readonly #byteIds: readonly number[] | undefined;
  readonly #wholes: ReadonlyMap<string, number> | undefined;
  readonly #unused: ReadonlySet<number>;
  /** Unused piece → the two symbols that it was found as last. */
  readonly #parts = new Map<number, readonly [left: number, right: number]>();
  #symbols = new Int32Array(256);
  #stretch = 0; // where the ids of this stretch of text begin

  constructor(model: SentencePieceModel, ids: ReadonlyMap<string, number>) {
    this.#model = model;
    this.#alphabet = new Alphabet(model);
    this.#unused = new Set(model.scores === undefined ? [] : model.unused); // only SentencePiece makes them and takes them apart
    const note = (left: number, right: number, result: number) => {
      if (this.#unused.has(result)) this.#parts.set(result, [left, right]);
    };
    const rules = model.scores ? rulesByScore(model, this.#alphabet) : rulesByRank(model, ids);
    this.#table = new MergeTable(rules, this.#unused.size > 0 ? note : undefined);
    this.#byteIds = model.byteFallback ? byteFallbackIds(ids) : undefined;
    this.#wholes = model.ignoreMerges ? new Map(textPieces(model)) : undefined;
  }

  /** Whether a word's ids depend on the words beside it. */
  get looksAround(): boolean {
    return this.#unused.size > 0 || (this.#byteIds === undefined && (this.#model.fusesUnknown ?? true));
  }

  /** A stretch begins here: an unknown does not join one in front of it. */
  begin(out: IdBuffer): void {
    this.#stretch = out.size;
    this.#parts.clear();
  }

  encode(word: string, out: IdBuffer): void {
    const whole = this.#wholes?.get((this.#model.escapesSpaces ?? true) ? word.replaceAll(" ", spaceMark) : word);
    if (whole !== undefined) {
      out.push(whole);
      return;
    }
    if (word.length > this.#symbols.length) this.#symbols = new Int32Array(word.length * 2);
    const spelt = this.#alphabet.spell(word, this.#symbols);
    const length = this.#table.merge(this.#symbols, this.#dropsUnknown ? this.#withoutUnknown(spelt) : spelt);
    for (let i = 0; i < length; i++) this.#write(this.#symbols[i]!, out);
  }

  /** Where there is neither an unknown piece nor a byte, what is unknown goes before merging, so that what stands around it can merge. */
  get #dropsUnknown(): boolean {
    return this.#byteIds === undefined && this.#model.unkId === undefined;
  }

  #withoutUnknown(length: number): number {
    const symbols = this.#symbols;
    let kept = 0;
    for (let i = 0; i < length; i++) if (this.#alphabet.isPiece(symbols[i]!)) symbols[kept++] = symbols[i]!;
    return kept;
  }

  encodeBytes(bytes: Uint8Array, out: IdBuffer): void {
    const { unkId, fusesUnknown = true } = this.#model;
    if (this.#byteIds !== undefined) for (const byte of bytes) out.push(this.#byteIds[byte]!);
    else if (unkId !== undefined && !(fusesUnknown && out.size > this.#stretch && out.at(out.size - 1) === unkId)) out.push(unkId);
  }

  #write(symbol: number, out: IdBuffer): void {
    const parts = this.#unused.size > 0 ? this.#parts.get(symbol) : undefined;
    if (parts !== undefined) for (const part of parts) this.#write(part, out);
    else if (this.#alphabet.isPiece(symbol)) out.push(symbol);
    else this.encodeBytes(utf8Bytes(this.#alphabet.character(symbol)), out);
  }
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
    if (!(model.escapesSpaces ?? true)) return;
    const mark = this.#symbols.get(spaceMarkCode);
    if (mark === undefined) this.#symbols.set(0x20, ~spaceMarkCode);
    else this.#symbols.set(0x20, mark);
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

  symbolOf(char: string): number | undefined {
    return this.#symbols.get(char.codePointAt(0)!);
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
  const apart = new Set([
    model.unkId,
    ...model.specials,
    ...(model.added ?? []),
    ...(model.merges === undefined ? [] : (model.unused ?? [])),
  ]);
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
  const symbolOf = (part: string) => pieces.get(part) ?? (isOneCharacter(part) ? alphabet.symbolOf(part) : undefined);
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
  const { escapesSpaces = true } = model;
  const classAt = (piece: string, at: number) => (escapesSpaces && piece[at] === spaceMark ? Space : classes[piece.charCodeAt(at)]!);
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
