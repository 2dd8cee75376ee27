// A tokenizer as plain data: what training makes, files hold and createTokenizer takes. An id is an index into `pieces`.
import { check, fail } from "../base/index.ts";
import type { NormaliserStep } from "./normaliser.ts";
import type { PieceMatching } from "./piece-matcher.ts";
import type { PreTokeniserStep } from "./pre-tokeniser.ts";
import type { SplitName } from "./split-pattern.ts";

/** The kinds of tokenizers. */
export type TokenizerKind = "word" | "sentencepiece" | "unigram" | "bytes";

/** Ids of the two pieces that become one; the result is the piece their strings spell. */
export type Merge = readonly [left: number, right: number];

/**
 * A list of merges, the first of the highest priority: the ids of each merge's left and right piece, in turn. Vocabularies have 100,000 merges and
 * more, which as arrays of their own would take most of the time of loading.
 */
export type Merges = Int32Array;

/** Pairs as a list of merges. */
export function mergeList(pairs: readonly Merge[]): Merges {
  return Int32Array.from(pairs.flat());
}

/** A list of merges as pairs. */
export function mergePairs(merges: Merges): Merge[] {
  return Array.from({ length: merges.length >> 1 }, (_, rank) => [merges[2 * rank]!, merges[2 * rank + 1]!]);
}

/** Calls back with every merge of a list; the rank is its place. */
export function eachMerge(merges: Merges, each: (left: number, right: number, rank: number) => void): void {
  for (let i = 0; i < merges.length; i += 2) each(merges[i]!, merges[i + 1]!, i >> 1);
}

/** Ids in front of and behind a text, as the model was trained: for most LLaMAs the begin-of-text id in front, for some nothing. */
export interface TextTemplate {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** How pieces become text (Hugging Face's `decoder`, huggingface/tokenizers, decoders/): first every piece by itself, then the ends of the text. */
export interface Decoding {
  /** What is replaced in every piece, one rule after another: strings, or the matches of expressions in Oniguruma's syntax. */
  readonly replace: readonly (readonly [from: string | { readonly expression: string }, to: string])[];
  /** How a piece says that a word ends: shows as a space in every piece but the last, where it shows as nothing (BPEDecoder). */
  readonly wordSuffix?: string;
  /** How a piece writes bytes: `<0x0A>` (SentencePiece), GPT-2's printable alphabet, or not at all. */
  readonly bytes: "fallback" | "level" | "none";
  /** What stands between two pieces. */
  readonly separator: "" | " ";
  /**
   * Spaces taken off the start, at most so many. "prefix": one, where encoding had put it there, so not in front of another space. "each": one
   * of every piece until there is text.
   */
  readonly stripStart: number | "prefix" | "each";
  /** Spaces taken off the end, at most so many. */
  readonly stripEnd: number;
  /** What an unknown shows as where special pieces are left out. Absent: nothing, as they do. */
  readonly unknown?: string;
  /**
   * How often U+FFFD shows for bytes that are no UTF-8. "subpart": once for every maximal subpart (Unicode 3.9); "byte": once for every byte that
   * begins no character (SentencePiece); "run": for every byte of the run of byte pieces (huggingface/tokenizers' ByteFallback). Absent: "subpart".
   */
  readonly invalid?: "subpart" | "byte" | "run";
  /** SentencePiece's compiled rules, which rewrite the whole text at last. */
  readonly charsmap?: Uint8Array;
}

interface ModelBase {
  /** Ids are the indices, 0 … vocabSize − 1; no piece twice. */
  readonly pieces: readonly string[];
  /** Control pieces: never made from text unless `parseSpecial` asks for it, left out of decoded text. The roles below are among them. */
  readonly specials: readonly number[];
  /** Pieces matched verbatim in any text, before all else ("user defined"). */
  readonly added?: readonly number[];
  /** How special and added pieces are found in a text, for those that are not simply found verbatim. */
  readonly matching?: readonly PieceMatching[];
  /** What goes around a text where `EncodeOptions.template` asks for it. Absent: nothing. */
  readonly template?: TextTemplate;
  /** How pieces become text. Absent: in the kind's own way, {@link ownDecoding}. */
  readonly decoding?: Decoding;
  readonly unkId?: number;
  readonly bosId?: number;
  readonly eosId?: number;
  readonly padId?: number;
  /** Pieces that no text becomes and that stand in no text: SentencePiece's unused ones, and ids that a file leaves out. */
  readonly unused?: readonly number[];
}

/** How text becomes the characters that pieces are made of. */
interface TextRules {
  /** What is done to a text first, in this order. Absent: nothing but what the kind does. */
  readonly normaliser?: readonly NormaliserStep[];
  /** How the normalised text is cut into words, in this order. Absent: as the kind does. */
  readonly preTokeniser?: readonly PreTokeniserStep[];
}

/** The textbook form: words are cut at white space and end in `</w>`, which is a symbol of its own. Unknown characters become `unkId`. */
export interface WordModel extends ModelBase {
  readonly kind: "word";
  readonly unkId: number;
  readonly merges: Merges;
}

/** LLaMA's form: U+2581 (▁) stands for the space. Either `merges` or `scores` is given. */
export interface SentencePieceModel extends ModelBase, TextRules {
  readonly kind: "sentencepiece";
  /** May be absent where all 256 bytes have pieces and `byteFallback` is true: then nothing is unknown. */
  readonly unkId?: number;
  readonly merges?: Merges;
  /** One number per piece: the adjacent pair whose concatenation has the highest score merges first, the leftmost among equals. */
  readonly scores?: readonly number[];
  /** Characters without a piece become the pieces <0x00> … <0xFF> of their UTF-8 bytes; otherwise `unkId`, one for a whole run. */
  readonly byteFallback: boolean;
  /** False: every unknown character is an `unkId` by itself, or is left out where there is none. @default true */
  readonly fusesUnknown?: boolean;
  /** False: pieces write a space as it is. A ▁ is a character like others then. @default true */
  readonly escapesSpaces?: boolean;
  /** A word that is a piece is taken as that piece, whatever the merges say. @default false */
  readonly ignoreMerges?: boolean;
  /** How characters and pieces begin that do not begin a word (`##`); a merge leaves it out between its two parts. */
  readonly continuingPrefix?: string;
  /** How characters and pieces end that end a word (`</w>`). */
  readonly wordSuffix?: string;
  /** Where a space goes in front: each stretch of text between special pieces, only the first, or none. */
  readonly dummyPrefix: "each" | "first" | "never";
  /**
   * False: no space goes in front of text that begins with one (Hugging Face's Metaspace). Then "x" and " x" become the same ids, which
   * decode to "x"; every other number of leading spaces comes back.
   */
  readonly prefixBeforeSpace: boolean;
}

/** SentencePiece's unigram language model (Kudo 2018): of all ways to put a text together from pieces the one with the highest sum of scores. */
export interface UnigramModel extends ModelBase, TextRules {
  readonly kind: "unigram";
  readonly unkId: number;
  /** The logarithm of every piece's probability. */
  readonly scores: readonly number[];
  /** What sums are rounded to: SentencePiece's are float32, those of huggingface/tokenizers float64. @default "float32" */
  readonly sums?: "float32" | "float64";
  /** Pieces that are nearly always taken where they stand in a text, whatever their scores. */
  readonly userDefined?: readonly number[];
  /** The meaning is that in {@link SentencePieceModel}. */
  readonly byteFallback: boolean;
  /** Nothing is merged here. */
  readonly merges?: never;
  /** @default true */
  readonly escapesSpaces?: boolean;
}

/** Byte-level form: text is cut by a pattern, pieces are bytes written in GPT-2's printable alphabet. All 256 bytes have a piece. */
export interface BytesModel extends ModelBase, TextRules {
  readonly kind: "bytes";
  /** Absent: a pair whose bytes together are a piece merges, the piece of the lowest id first (tiktoken's ranks). */
  readonly merges?: Merges;
  /** Absent: the text is one word. Of several each cuts the words of the one before. It stands beside no `preTokeniser`. */
  readonly pattern?: SplitName | readonly SplitName[];
  /** Every \p{N} stands alone; what lies between is cut by the pattern. */
  readonly splitDigits: boolean;
  /** A word that is a piece is taken as that piece, whatever the merges say (LLaMA 3). */
  readonly ignoreMerges: boolean;
  /** Bytes that have no piece are left out of a text before anything merges (SmolLM2 has 21, which no text of its training had). Absent: all 256 have one. */
  readonly lacksBytes?: boolean;
}

/** A tokenizer of any kind as data. */
export type TokenizerModel = WordModel | SentencePieceModel | UnigramModel | BytesModel;

/** How an id is spelt that a file leaves out; it stands among `unused`. */
export function unusedPiece(id: number): string {
  return `<|unused_${id}|>`;
}

/** The mark behind the last character of a word in the textbook kind. */
export const endOfWord = "</w>";
/** The character ▁ by which pieces write a space. */
export const spaceMark = "\u2581";

/** How a kind's pieces become text where its model does not say. */
export function ownDecoding(model: TokenizerModel): Decoding {
  const plain: Decoding = { replace: [], bytes: "none", separator: "", stripStart: 0, stripEnd: 0 };
  if (model.kind === "bytes") return { ...plain, bytes: "level" };
  if (model.kind === "word") return { ...plain, stripEnd: 1, unknown: "\ufffd" };
  const inPieces: Decoding = { ...plain, replace: [[spaceMark, " "]], ...(model.byteFallback ? byteFallbackOf(model) : {}) };
  if (model.kind === "unigram") return inPieces;
  const { dummyPrefix, prefixBeforeSpace } = model;
  return { ...inPieces, stripStart: dummyPrefix === "never" ? 0 : prefixBeforeSpace ? 1 : "prefix" };
}

/** Files with scores are SentencePiece's, files with merges huggingface/tokenizers'. */
function byteFallbackOf({ merges }: SentencePieceModel | UnigramModel): Pick<Decoding, "bytes" | "invalid"> {
  return { bytes: "fallback", invalid: merges === undefined ? "byte" : "run" };
}

/** piece → id. @throws CriaError when a piece comes twice. */
export function pieceIds({ pieces }: TokenizerModel): Map<string, number> {
  const ids = new Map<string, number>();
  for (let id = 0; id < pieces.length; id++) ids.set(pieces[id]!, id);
  if (ids.size < pieces.length) refuseTwice(pieces);
  return ids;
}

/** Looks up ids by their pieces. */
export type PieceLookup = Pick<ReadonlyMap<string, number>, "get">;

/**
 * piece → id, in a table that is made when the first piece is sought: encoding and decoding seek none.
 * @throws CriaError when a piece comes twice.
 */
export function pieceLookup(model: TokenizerModel): PieceLookup {
  if (new Set(model.pieces).size < model.pieces.length) refuseTwice(model.pieces);
  let ids: ReadonlyMap<string, number> | undefined;
  return {
    get: (piece) => {
      ids ??= pieceIds(model);
      return ids.get(piece);
    },
  };
}

function refuseTwice(pieces: readonly string[]): never {
  const known = new Map<string, number>();
  const second = pieces.findIndex((piece, id) => {
    const isKnown = known.has(piece);
    if (!isKnown) known.set(piece, id);
    return isKnown;
  });
  const piece = pieces[second]!;
  return fail("tokenizer", `piece ${JSON.stringify(piece)} has the ids ${known.get(piece)} and ${second}: ids must be unique`);
}

/** @throws CriaError unless ids are in range; that merges spell known pieces is for those to check who look these up. */
export function checkModel(model: TokenizerModel): void {
  const size = model.pieces.length;
  check(size > 0, "tokenizer", () => "the vocabulary is empty: a tokenizer needs pieces");
  const { before = [], after = [] } = model.template ?? {};
  const roles = [model.unkId, model.bosId, model.eosId, model.padId];
  const listed = [model.specials, model.added, model.unused, (model.matching ?? []).map(({ id }) => id), before, after];
  for (const id of [...roles, ...listed.flatMap((ids) => ids ?? [])])
    check(id === undefined || isId(id, size), "tokenizer", () => `special id ${id} is outside the ${size} pieces`);
  if (model.kind === "unigram") return checkScores(model, model.scores);
  if (model.kind === "sentencepiece") checkSentencePiece(model);
  checkMerges(model.merges, size);
}

function checkMerges(merges: Merges | undefined, size: number): void {
  if (merges === undefined) return;
  check(merges instanceof Int32Array, "tokenizer", () => "merges must be an Int32Array of pairs of ids: make it by mergeList");
  check(merges.length % 2 === 0, "tokenizer", () => `the list of merges has ${merges.length} ids: a merge is two`);
  eachMerge(merges, (left, right, rank) => {
    if (!isId(left, size) || !isId(right, size)) fail("tokenizer", `merge ${rank} (${left} ${right}) is outside the ${size} pieces`);
  });
}

/** How the piece is spelt that two pieces become. */
export function mergedPiece(model: TokenizerModel, left: number, right: number): string {
  const prefix = model.kind === "sentencepiece" ? (model.continuingPrefix ?? "") : "";
  return model.pieces[left]! + model.pieces[right]!.slice(prefix.length);
}

/** @throws CriaError where pieces have a prefix or suffix by their place in a word: from a piece alone it does not show which of its letters these are */
export function checkNoAffix(model: TokenizerModel, done: string): void {
  if (model.kind !== "sentencepiece") return;
  const affix = model.continuingPrefix ?? model.wordSuffix;
  check(
    affix === undefined,
    "tokenizer",
    () => `a vocabulary whose pieces say by ${JSON.stringify(affix)} where in a word they stand cannot be ${done}: train a new one`,
  );
}

function checkSentencePiece(model: SentencePieceModel): void {
  const { merges, scores, unkId, byteFallback, fusesUnknown = true } = model;
  const knowsAll = unkId !== undefined || byteFallback || !fusesUnknown;
  check(knowsAll, "tokenizer", () => "neither an unknown piece nor byte fallback: characters without a piece would be lost; name one");
  check(
    (merges === undefined) !== (scores === undefined),
    "tokenizer",
    () => "a sentencepiece model has either merges or scores: give one",
  );
  if (scores !== undefined) checkScores(model, scores);
  const hasAffix = model.continuingPrefix !== undefined || model.wordSuffix !== undefined;
  check(!hasAffix || merges !== undefined, "tokenizer", () => "a prefix or suffix of pieces within words goes with merges: give them");
}

function checkScores({ pieces }: TokenizerModel, scores: readonly number[]): void {
  check(scores.length === pieces.length, "tokenizer", () => `${scores.length} scores for ${pieces.length} pieces: there must be one each`);
  check(!scores.some(Number.isNaN), "tokenizer", () => "a score is not a number: the file is damaged");
}

function isId(id: number, size: number): boolean {
  return Number.isInteger(id) && id >= 0 && id < size;
}
