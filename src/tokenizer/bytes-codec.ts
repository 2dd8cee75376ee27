// Byte-level BPE (Radford et al. 2019): words cut by a pattern, their UTF-8 bytes merged. Lossless on any bytes.
import { check, type Sliced, wholly } from "../base/index.ts";
import { ByteBorders } from "./byte-borders.ts";
import { byteOfUnit, decodedBytes } from "./byte-pieces.ts";
import { type Codec, Utf8Scratch } from "./codec.ts";
import type { IdBuffer } from "./id-buffer.ts";
import { ranksOfMerges } from "./merge-ranks.ts";
import { MergeTable, makeMergeRules, mergeRules, PieceRules, SymbolScratch } from "./merge-table.ts";
import { type BytesModel, type Merges, mergeList, ownDecoding, type PieceLookup } from "./model.ts";
import { normaliserOf } from "./normaliser.ts";
import { levelBytes } from "./piece-bytes.ts";
import { PieceTable } from "./piece-table.ts";
import { type PreTokenise, preTokeniserOf } from "./pre-tokeniser.ts";
import { nextUnitOf } from "./scan-bytes.ts";
import { spelledPieces } from "./spelled-pieces.ts";
import { eachWord } from "./split-bytes.ts";
import { splitsOf } from "./split-pattern.ts";
import { isWordBorder } from "./stream-borders.ts";
import { type EncodeUnit, type NextUnit, UnitCache } from "./unit-cache.ts";
import { WordCache } from "./word-cache.ts";

/** @param ids piece → id of the whole vocabulary. @throws CriaError when a byte has no piece and the model does not say so. */
export function bytesCodec(model: BytesModel, ids: PieceLookup): Codec {
  return wholly(makeBytesCodec(model, ids));
}

/** {@link bytesCodec} in slices: a large vocabulary takes some tens of milliseconds. */
export function* makeBytesCodec(model: BytesModel, ids: PieceLookup): Sliced<Codec> {
  const borders = new ByteBorders();
  const pieces = yield* pieceTable(model, borders);
  const rules = model.merges === undefined ? new PieceRules(pieces) : yield* makeMergeRules(model, model.merges, ids, pieces);
  const merges = new MergeTable(rules);
  yield;
  const words = new ByteWords(model, { borders, pieces, merges });
  const cache = new WordCache((word, out) => words.encodeText(word, out));
  const each = wordsOf(model);
  const normalise = model.normaliser === undefined ? undefined : normaliserOf(model.normaliser);
  const decoding = model.decoding ?? ownDecoding(model);
  const spelled = spelledPieces(model, normalise, false);
  const nextUnit = normalise === undefined ? unitsOf(model) : undefined;
  const encodeUnit: EncodeUnit = (bytes, from, to, out) => words.encode(bytes, from, to, out);
  const units = nextUnit === undefined ? undefined : new UnitCache(nextUnit, encodeUnit, false);
  return {
    encode: (text, start, out) => each(text, start, (word) => cache.encode(word, out)),
    ...(units === undefined
      ? {}
      : { isBorder: isWordBorder, encodeUtf8: (bytes, from, to, _start, out) => units.encode(bytes, from, to, out) }),
    encodeInvalid: (bytes, out) => words.encodeInvalid(bytes, out),
    decoded: (id) => decodedBytes(spelled[id]!, decoding),
    escapesSpaces: false,
    ...(normalise === undefined ? {} : { normalise }),
  };
}

/** Merges the bytes of a word and writes the ids. */
class ByteWords {
  /** The id of each byte's piece; -1 where it has none. */
  readonly #byteIds: Int32Array;
  readonly #lacksBytes: boolean;
  readonly #pieces: PieceTable;
  readonly #merges: MergeTable;
  readonly #takesWholes: boolean;
  /** What lies between places where long words may be cut. */
  readonly #parts: UnitCache;
  readonly #scratch = new Utf8Scratch();
  readonly #symbols = new SymbolScratch();

  constructor(model: BytesModel, { borders, pieces, merges }: { borders: ByteBorders; pieces: PieceTable; merges: MergeTable }) {
    this.#byteIds = byteIdsOf(model);
    this.#lacksBytes = this.#byteIds.includes(-1);
    this.#pieces = pieces;
    this.#parts = new UnitCache(borders.next, (bytes, from, to, out) => this.#merge(bytes, from, to, out));
    this.#merges = merges;
    this.#takesWholes = model.ignoreMerges;
  }

  encodeText(word: string, out: IdBuffer): void {
    const { bytes, end } = this.#scratch.write(word);
    this.encode(bytes, 0, end, out);
  }

  /** A word, `bytes[from … to)`, which is UTF-8. */
  encode(bytes: Uint8Array, from: number, to: number, out: IdBuffer): void {
    if (this.#lacksBytes) {
      const known = this.#known(bytes.subarray(from, to));
      this.#encode(known, 0, known.length, out);
    } else this.#encode(bytes, from, to, out);
  }

  #encode(bytes: Uint8Array, from: number, to: number, out: IdBuffer): void {
    if (this.#takesWhole(bytes, from, to, out)) return;
    if (to - from > shortWord) this.#parts.encode(bytes, from, to, out);
    else this.#merge(bytes, from, to, out);
  }

  encodeInvalid(invalid: Uint8Array, out: IdBuffer): void {
    const bytes = this.#lacksBytes ? this.#known(invalid) : invalid;
    if (!this.#takesWhole(bytes, 0, bytes.length, out)) this.#merge(bytes, 0, bytes.length, out);
  }

  /** The bytes that have a piece. */
  #known(bytes: Uint8Array): Uint8Array {
    return bytes.every((byte) => this.#byteIds[byte]! >= 0) ? bytes : bytes.filter((byte) => this.#byteIds[byte]! >= 0);
  }

  #takesWhole(bytes: Uint8Array, from: number, to: number, out: IdBuffer): boolean {
    const whole = this.#takesWholes ? this.#pieces.find(bytes, from, to) : -1;
    if (whole >= 0) out.push(whole);
    return whole >= 0;
  }

  #merge(bytes: Uint8Array, from: number, to: number, out: IdBuffer): void {
    const length = to - from;
    const symbols = this.#symbols.of(length);
    for (let i = 0; i < length; i++) symbols[i] = this.#byteIds[bytes[from + i]!]!;
    const merged = this.#merges.merge(symbols, length);
    for (let i = 0; i < merged; i++) out.push(symbols[i]!);
  }
}

/** Words of so many bytes are merged as they are. */
const shortWord = 16;

/** byte → the id of its piece; -1 where the model says that it lacks bytes. */
function byteIdsOf({ pieces, lacksBytes = false }: BytesModel): Int32Array {
  const ids = new Int32Array(256).fill(-1);
  for (let id = 0; id < pieces.length; id++) {
    const byte = pieces[id]!.length === 1 ? byteOfUnit(pieces[id]!.charCodeAt(0)) : -1;
    if (byte >= 0) ids[byte] = id;
  }
  const missing = ids.indexOf(-1);
  check(missing < 0 || lacksBytes, "tokenizer", () => `byte ${missing} has no piece: all 256 are needed`);
  return ids;
}

/** Pieces between two places where others may get on: less than a millisecond. */
const piecesPerSlice = 4096;

/** Where ranks say what merges, pieces that stand apart are not among the pieces that text becomes. */
function* pieceTable({ pieces, merges, specials, added = [], unused = [] }: BytesModel, borders = new ByteBorders()): Sliced<PieceTable> {
  const apart = new Set(merges === undefined ? [...specials, ...added, ...unused] : []);
  const { bytes, spans } = levelBytes(pieces);
  const table = new PieceTable(pieces.length, bytes);
  for (let id = 0; id < pieces.length; id++) {
    if (id % piecesPerSlice === 0) yield;
    if (apart.has(id)) continue;
    table.add(id, spans[2 * id]!, spans[2 * id + 1]!);
    borders.add(bytes, spans[2 * id]!, spans[2 * id + 1]!);
  }
  return table;
}

/** The scanner on bytes, for models whose pattern has one. */
function unitsOf({ pattern, splitDigits, preTokeniser }: BytesModel): NextUnit | undefined {
  if (preTokeniser !== undefined || splitDigits) return undefined;
  const [name, ...more] = typeof pattern === "string" ? [pattern] : (pattern ?? []);
  return name === undefined || more.length > 0 ? undefined : nextUnitOf(name);
}

/** The model's merges; where it has ranks every split of every piece, in the order of the pieces, as transformers converts tiktoken's files. */
export function mergesOf(model: BytesModel): Merges {
  if (model.merges !== undefined) return model.merges;
  const rules = pairsByRank(model).sort((a, b) => a.rank - b.rank || a.left - b.left || a.right - b.right);
  return mergeList(rules.map(({ left, right }) => [left, right]));
}

/**
 * How many pieces, from id 0 on, are ranks as tiktoken has them: the pair whose join has the lowest id merges first.
 * @throws CriaError where the model's merges say something else
 */
export function countRanks(model: BytesModel): number {
  const { pieces, specials, added = [], unused = [], merges } = model;
  const apart = new Set([...specials, ...added, ...unused]);
  const count = pieces.length - apart.size;
  const early = [...apart].find((id) => id < count);
  check(
    early === undefined,
    "tokenizer",
    () => `the special piece ${early} has an id below ${count}: ranks come before all special pieces`,
  );
  if (merges === undefined) return count;
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const symbolsOf = (id: number) => (id < count ? Int32Array.from(pieces[id]!, (char) => ids.get(char)!) : undefined);
  const ranks = ranksOfMerges(pieces, new MergeTable(mergeRules(model, merges, ids, wholly(pieceTable(model)))), symbolsOf);
  let last = -1;
  ranks.forEach((rank, id) => {
    const isWhole = model.ignoreMerges || id >= count || pieces[id]!.length === 1;
    check(
      rank !== undefined || isWhole,
      "tokenizer",
      () => `no merges make the piece ${id}, but tiktoken takes it where it is a word: ranks cannot say this`,
    );
    if (rank === undefined) return;
    check(rank > last, "tokenizer", () => `the piece ${id} is merged before a piece of a lower id: ranks that are ids cannot say this`);
    last = rank;
  });
  return count;
}

function wordsOf({ pattern, splitDigits, preTokeniser }: BytesModel): PreTokenise {
  if (preTokeniser !== undefined) return preTokeniserOf(preTokeniser);
  const splits = splitsOf(pattern, splitDigits);
  return (text, _start, each) => eachWord(text, splits, each);
}

interface RankedPair {
  readonly left: number;
  readonly right: number;
  readonly rank: number;
}

/** Every way to put a piece together from two; a piece's id is its rank. Pieces that stand apart are in no pair. */
function pairsByRank({ pieces, specials, added = [], unused = [] }: BytesModel): RankedPair[] {
  const apart = new Set([...specials, ...added, ...unused]);
  const ranks = new Map([...pieces.entries()].filter(([id]) => !apart.has(id)).map(([id, piece]) => [piece, id]));
  const rules: RankedPair[] = [];
  for (const [piece, result] of ranks)
    for (let cut = 1; cut < piece.length; cut++) {
      const left = ranks.get(piece.slice(0, cut));
      const right = left === undefined ? undefined : ranks.get(piece.slice(cut));
      if (left !== undefined && right !== undefined) rules.push({ left, right, rank: result });
    }
  return rules;
}
