// SentencePiece's BPE as LLaMA uses it (Kudo & Richardson 2018): characters merged, spaces shown as ▁, bytes for what has no piece.
import { fail } from "../base/index.ts";
import { affixedWords } from "./affixed-words.ts";
import { Alphabet, textIds } from "./alphabet.ts";
import { byteFallbackIds, decodedBytes, fallbackPieces } from "./byte-pieces.ts";
import { whiteBit } from "./char-bits.ts";
import { type Codec, type StretchStart, Utf8Scratch, utf8Bytes } from "./codec.ts";
import { eachWithoutExtraSpaces, isSpaceMark } from "./extra-spaces.ts";
import type { IdBuffer } from "./id-buffer.ts";
import { ranksOfMerges } from "./merge-ranks.ts";
import { type MergeRules, MergeTable, mergeRules, noRank, PieceRules, SymbolScratch } from "./merge-table.ts";
import { ownDecoding, type PieceLookup, type SentencePieceModel, spaceMark } from "./model.ts";
import { type Normalise, normaliserOf } from "./normaliser.ts";
import { PieceBorders } from "./piece-borders.ts";
import type { PieceTable } from "./piece-table.ts";
import { preTokeniserOf } from "./pre-tokeniser.ts";
import { spelledPieces } from "./spelled-pieces.ts";
import { UnitCache } from "./unit-cache.ts";
import { bitsAt } from "./utf8-bits.ts";
import { WordCache } from "./word-cache.ts";

const noMerges = new Int32Array(0);

/** @param ids piece → id of the whole vocabulary. @throws CriaError when byte fallback is asked for and a byte has no piece. */
export function sentencePieceCodec(model: SentencePieceModel, ids: PieceLookup): Codec {
  const { unkId, escapesSpaces = true } = model;
  const words = new WordEncoder(model, ids);
  const decoding = model.decoding ?? ownDecoding(model);
  const unknown = utf8Bytes(decoding.unknown ?? "");
  const borders = bordersOf(model, words);
  const units = borders && new UnitCache(borders.next, (bytes, from, to, out) => words.encode(bytes, from, to, out));
  const cut = isAffixed(model) ? affixedCutter(model, ids) : cutterOf(model, words, units);
  const normalise = normaliseOf(model);
  const spelled = spelledPieces(model, normalise, escapesSpaces);
  return {
    encode: (text, start, out) => {
      if (start !== "inside") words.begin(out);
      // A ▁ of the text is a space, as in the libraries that these files are of.
      const source = escapesSpaces ? text.replaceAll(spaceMark, " ") : text;
      const prefixed = !model.prefixBeforeSpace && needsPrefix(model, source.startsWith(" "), start) ? ` ${source}` : source;
      if (prefixed !== "") cut(prefixed, start, out);
    },
    ...(borders === undefined || units === undefined ? {} : utf8Encoder(model, borders, units, words)),
    encodeInvalid: (bytes, out) => words.encodeBytes(bytes, out),
    decoded: (id) => (id === unkId ? unknown : decodedBytes(spelled[id]!, decoding)),
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
  if (isAffixed(model))
    fail("tokenizer", "a prefix or suffix of pieces within words has no form with a number per piece: write a tokenizer.json");
  const alphabet = new Alphabet(model);
  const text = new Map(alphabet.textIds.map((id) => [id, utf8Bytes(model.pieces[id]!)]));
  const symbolsOf = (id: number) => {
    const bytes = text.get(id);
    if (bytes === undefined) return undefined;
    const symbols = new Int32Array(bytes.length);
    return symbols.subarray(0, alphabet.spell(bytes, 0, bytes.length, symbols));
  };
  const table = new MergeTable(
    mergeRules(model, model.merges ?? noMerges, new Map(model.pieces.map((piece, id) => [piece, id])), alphabet.pieces),
  );
  const ranks = ranksOfMerges(model.pieces, table, symbolsOf);
  return ranks.map((rank, id) => (rank !== undefined ? -rank : text.has(id) ? -(model.merges!.length >> 1) : 0));
}

type Cut = (text: string, start: StretchStart, out: IdBuffer) => void;

/** Where text may be cut; undefined where no place may be. */
function bordersOf(model: SentencePieceModel, words: WordEncoder): PieceBorders | undefined {
  // A run of unknowns is one unk wherever it is cut, what stands around an unknown that is left out merges, and an unused piece is what it was
  // put together from last: then nothing is cut.
  if (model.preTokeniser !== undefined || isAffixed(model) || words.looksAround || words.dropsUnknown || model.ignoreMerges)
    return undefined;
  const borders = new PieceBorders(model.escapesSpaces ?? true);
  words.eachPiece((bytes, from, to) => borders.add(bytes, from, to));
  return borders;
}

function isAffixed({ continuingPrefix, wordSuffix }: SentencePieceModel): boolean {
  return continuingPrefix !== undefined || wordSuffix !== undefined;
}

function affixedCutter(model: SentencePieceModel, ids: PieceLookup): Cut {
  const { preTokeniser = [], escapesSpaces = true } = model;
  const texts = new Map(textIds(model).map((id) => [model.pieces[id]!, id]));
  const cache = new WordCache(affixedWords(model, ids, texts, new MergeTable(mergeRules(model, model.merges ?? noMerges, ids))));
  const preTokenise = preTokeniserOf(preTokeniser);
  return (text, start, out) =>
    preTokenise(escapesSpaces ? text.replaceAll(" ", spaceMark) : text, start, (word) => cache.encode(word, out));
}

/** How a normalised text goes to the encoder of words: by the model's own steps, or cut where that changes no id. */
function cutterOf(model: SentencePieceModel, words: WordEncoder, units: UnitCache | undefined): Cut {
  if (model.preTokeniser !== undefined) {
    const cache = new WordCache((word, out) => words.encodeText(word, out));
    const preTokenise = preTokeniserOf(model.preTokeniser);
    return (text, start, out) =>
      preTokenise(text, start, (word) => {
        words.begin(out);
        cache.encode(word, out);
      });
  }
  if (units === undefined) return (text, _start, out) => words.encodeText(text, out);
  const scratch = new Utf8Scratch();
  return (text, _start, out) => {
    const { bytes, end } = scratch.write(text);
    units.encode(bytes, 0, end, out);
  };
}

/** Encodes UTF-8 where nothing is done to a text but that spaces come and go; nothing for other models. */
function utf8Encoder(
  model: SentencePieceModel,
  borders: PieceBorders,
  units: UnitCache,
  words: WordEncoder,
): Pick<Codec, "encodeUtf8" | "isBorder"> {
  const { escapesSpaces = true, normaliser = [], matching = [], dummyPrefix } = model;
  const [step, ...more] = normaliser;
  const stretch = new PrefixedStretch(units);
  if (step === undefined) {
    const startsWithSpace = (bytes: Uint8Array, from: number) => (escapesSpaces ? isSpace(bytes, from) : bytes[from] === 0x20);
    return {
      // White space in front of the place might be an added piece's, which takes it along.
      isBorder: (bytes, left, at) => !isSpace(bytes, left) && (bitsAt(bytes, left, at) & whiteBit) === 0 && borders.divide(bytes, left, at),
      encodeUtf8: (bytes, from, to, start, out) => {
        if (start !== "inside") words.begin(out);
        if (from < to) stretch.encode(bytes, from, to, needsPrefix(model, startsWithSpace(bytes, from), start), out);
      },
    };
  }
  const isPlain = step.type === "sentencepiece" && step.charsmap === undefined && step.removeExtraSpaces && step.dummySpace !== "back";
  const hasOthers = more.length > 0 || dummyPrefix !== "never" || matching.some((rule) => rule.verbatim) || !escapesSpaces;
  if (!isPlain || hasOthers || !spacesBeginUnits(model, words.textIds)) return {};
  return {
    // Each part loses the spaces at its ends, so that none may stand at the place.
    isBorder: (bytes, left, at) => !isSpace(bytes, left) && !isSpace(bytes, at) && borders.divide(bytes, left, at),
    encodeUtf8: (bytes, from, to, start, out) => {
      if (start !== "inside") words.begin(out);
      eachWithoutExtraSpaces(bytes, from, to, (part, first, last, isFirst) => {
        stretch.encode(part, first, last, isFirst && step.dummySpace === "front" && start !== "inside", out);
      });
    },
  };
}

function isSpace(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x20 || isSpaceMark(bytes, at);
}

/** Whether a text may be cut in front of every space that follows anything but a space. */
function spacesBeginUnits({ pieces }: SentencePieceModel, textIds: readonly number[]): boolean {
  return !textIds.some((id) => pieces[id]!.lastIndexOf(spaceMark) > 0 && /[^\u2581]\u2581/.test(pieces[id]!));
}

/** A stretch of text that may have a space put in front. */
class PrefixedStretch {
  readonly #units: UnitCache;
  #first = new Uint8Array(256);

  constructor(units: UnitCache) {
    this.#units = units;
  }

  encode(bytes: Uint8Array, from: number, to: number, hasPrefix: boolean, out: IdBuffer): void {
    if (!hasPrefix) return this.#units.encode(bytes, from, to, out);
    // The space joins the first unit, which ends where it would without.
    const stop = this.#units.next(bytes, from, to);
    const length = stop - from + 1;
    if (length + 16 > this.#first.length) this.#first = new Uint8Array(2 * length + 16);
    const first = this.#first;
    first[0] = 0x20;
    for (let i = 1; i < length; i++) first[i] = bytes[from + i - 1]!;
    this.#units.encode(first, 0, length, out);
    this.#units.encode(bytes, stop, to, out);
  }
}

function normaliseOf(model: SentencePieceModel): Normalise | undefined {
  const { normaliser, escapesSpaces = true, matching = [], pieces } = model;
  const verbatim = matching.filter((rule) => rule.verbatim).map(({ id }) => pieces[id]!);
  const own = normaliser === undefined ? undefined : normaliserOf(normaliser, { verbatim, escapesSpaces });
  if (!model.prefixBeforeSpace) return own;
  return (text, start) => {
    const inner = own === undefined ? text : own(text, start);
    return inner !== "" && needsPrefix(model, inner.startsWith(" "), start) ? ` ${inner}` : inner;
  };
}

/** @param hasSpace whether the text begins with a space */
export function needsPrefix({ dummyPrefix, prefixBeforeSpace }: SentencePieceModel, hasSpace: boolean, start: StretchStart): boolean {
  if (dummyPrefix === "never" || start === "inside" || (dummyPrefix === "first" && start === "special")) return false;
  return prefixBeforeSpace || !hasSpace;
}

/** Merges the characters of a word and writes the ids. */
class WordEncoder {
  readonly #model: SentencePieceModel;
  readonly #alphabet: Alphabet;
  readonly #table: MergeTable;
  readonly #byteIds: readonly number[] | undefined;
  readonly #wholes: PieceTable | undefined;
  readonly #unused: ReadonlySet<number>;
  /** Unused piece → the two symbols that it was found as last. */
  readonly #parts = new Map<number, readonly [left: number, right: number]>();
  readonly #scratch = new Utf8Scratch();
  readonly #symbols = new SymbolScratch();
  #stretch = 0; // where the ids of this stretch of text begin

  constructor(model: SentencePieceModel, ids: PieceLookup) {
    this.#model = model;
    this.#alphabet = new Alphabet(model);
    this.#unused = new Set(model.scores === undefined ? [] : model.unused); // only SentencePiece makes them and takes them apart
    const note = (left: number, right: number, result: number) => {
      if (this.#unused.has(result)) this.#parts.set(result, [left, right]);
    };
    const rules =
      model.scores === undefined
        ? mergeRules(model, model.merges ?? noMerges, ids, isAffixed(model) ? undefined : this.#alphabet.pieces)
        : scoreRules(model.scores, this.#alphabet);
    this.#table = new MergeTable(rules, this.#unused.size > 0 ? note : undefined);
    this.#byteIds = model.byteFallback ? byteFallbackIds(fallbackPieces(model.pieces)) : undefined;
    this.#wholes = model.ignoreMerges ? this.#alphabet.pieces : undefined;
  }

  /** The ids of the pieces that text becomes. */
  get textIds(): readonly number[] {
    return this.#alphabet.textIds;
  }

  /** Calls back with every piece that text becomes, as text has it. */
  eachPiece(each: (bytes: Uint8Array, from: number, to: number) => void): void {
    const { bytes, spans } = this.#alphabet.spelled;
    const ids = this.#alphabet.textIds;
    for (let i = 0; i < ids.length; i++) each(bytes, spans[2 * ids[i]!]!, spans[2 * ids[i]! + 1]!);
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

  encodeText(word: string, out: IdBuffer): void {
    const { bytes, end } = this.#scratch.write((this.#model.escapesSpaces ?? true) ? word.replaceAll(spaceMark, " ") : word);
    this.encode(bytes, 0, end, out);
  }

  encode(bytes: Uint8Array, from: number, to: number, out: IdBuffer): void {
    const whole = this.#wholes?.find(bytes, from, to) ?? -1;
    if (this.#alphabet.isPiece(whole)) {
      out.push(whole);
      return;
    }
    const symbols = this.#symbols.of(to - from);
    const spelt = this.#alphabet.spell(bytes, from, to, symbols);
    const length = this.#table.merge(symbols, this.dropsUnknown ? this.#withoutUnknown(symbols, spelt) : spelt);
    for (let i = 0; i < length; i++) this.#write(symbols[i]!, out);
  }

  /** Where there is neither an unknown piece nor a byte, what is unknown goes before merging, so that what stands around it can merge. */
  get dropsUnknown(): boolean {
    return this.#byteIds === undefined && this.#model.unkId === undefined;
  }

  #withoutUnknown(symbols: Int32Array, length: number): number {
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

/** Every way to put a piece together from two; pieces of one score share a rank. */
function scoreRules(scores: readonly number[], alphabet: Alphabet): MergeRules {
  const ids = alphabet.textIds;
  const ranks = new Int32Array(alphabet.pieces.symbols).fill(noRank);
  const isOrdered = ids.every((id, i) => i === 0 || scores[id]! <= scores[ids[i - 1]!]!); // most files are so
  const ordered = isOrdered ? ids : Int32Array.from(ids).sort((a, b) => scores[b]! - scores[a]!);
  let rank = 0;
  for (let i = 0; i < ordered.length; i++) {
    if (i > 0 && scores[ordered[i]!] !== scores[ordered[i - 1]!]) rank++;
    ranks[ordered[i]!] = rank;
  }
  return new PieceRules(alphabet.pieces, ranks);
}
