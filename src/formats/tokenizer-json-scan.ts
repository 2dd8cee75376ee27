// The two large members of a tokenizer.json, model.vocab and model.merges, read where they stand: as objects of JSON.parse they take most of the time
// of loading. What is not in the usual form is left to JSON.parse, which also says what is wrong.
import { decodeTexts, type Sliced, wholly } from "../base/index.ts";
import { type Merges, PieceTable } from "../tokenizer/index.ts";
import type { VocabularyMember } from "./vocabulary-ids.ts";

const utf8 = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What is read where it stands. */
export interface ScannedModel {
  /** The document with both members empty, for JSON.parse. */
  readonly rest: Uint8Array;
  readonly vocabulary: VocabularyMember;
  /** The ids of the merges' parts. */
  readonly merges: Merges;
}

const [quoteByte, backslash, colon, comma, space, zero] = [0x22, 0x5c, 0x3a, 0x2c, 0x20, 0x30];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

/**
 * The model of byte pair encoding in a tokenizer.json whose `model` has a vocabulary of pieces with ids, and behind it merges of these pieces.
 * @returns undefined for any other document
 */
export function scanTokenizerJson(bytes: Uint8Array): ScannedModel | undefined {
  return wholly(scanSliced(bytes));
}

/** Pieces or merges between two places where others may get on: less than a millisecond. */
const perSlice = 4096;

/** {@link scanTokenizerJson} in slices: a large vocabulary takes some tens of milliseconds. */
export function* scanSliced(bytes: Uint8Array): Sliced<ScannedModel | undefined> {
  const model = memberOf(bytes, skipWhite(bytes, 0), "model");
  const vocabStart = model < 0 ? -1 : memberOf(bytes, model, "vocab");
  const pieces = vocabStart < 0 ? undefined : yield* scanPieces(bytes, vocabStart);
  if (pieces === undefined) return undefined;
  const mergesStart = nextMember(bytes, pieces.end, "merges");
  const table = mergesStart < 0 ? undefined : yield* tableOf(pieces);
  const merges = table === undefined ? undefined : yield* new MergeScanner(bytes, table).scan(mergesStart);
  if (table === undefined || merges === undefined) return undefined;
  yield;
  const names = decodeTexts(pieces.bytes, pieces.spans);
  if (names === undefined) return undefined;
  const find = (piece: string) => {
    if (hasHalves(piece)) return undefined; // it would be sought as U+FFFD
    const sought = utf8.encode(piece);
    const id = table.find(sought, 0, sought.length);
    return id < 0 ? undefined : id;
  };
  const rest = joined(bytes.subarray(0, vocabStart), "{}", bytes.subarray(pieces.end, mergesStart), "[]", bytes.subarray(merges.end));
  return { rest, vocabulary: { names, ids: pieces.ids, find }, merges: merges.list };
}

/** Whether a text has half of a surrogate pair, which UTF-8 cannot hold. */
function hasHalves(text: string): boolean {
  return /[\ud800-\udfff]/u.test(text);
}

function joined(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const all = parts.map((part) => (typeof part === "string" ? utf8.encode(part) : part));
  const bytes = new Uint8Array(all.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of all) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Where the value of a member of the object at `at` begins; -1 where there is none. */
function memberOf(bytes: Uint8Array, at: number, key: string): number {
  return bytes[at] === openBrace ? keyFrom(bytes, skipWhite(bytes, at + 1), key) : -1;
}

/** Where the value of a later member of an object begins, from behind a value of it; -1 where there is none. */
function nextMember(bytes: Uint8Array, behind: number, key: string): number {
  const at = skipWhite(bytes, behind);
  return bytes[at] === comma ? keyFrom(bytes, skipWhite(bytes, at + 1), key) : -1;
}

function keyFrom(bytes: Uint8Array, from: number, key: string): number {
  for (let at = from; bytes[at] === quoteByte; ) {
    const end = endOfString(bytes, at);
    const behind = skipWhite(bytes, end);
    if (bytes[behind] !== colon) return -1;
    const value = skipWhite(bytes, behind + 1);
    if (end - at === key.length + 2 && isAscii(bytes, at + 1, key)) return value;
    const next = skipWhite(bytes, endOfValue(bytes, value));
    if (bytes[next] !== comma) return -1;
    at = skipWhite(bytes, next + 1);
  }
  return -1;
}

function isAscii(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function skipWhite(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

/** The place behind the string that begins at `at`, or the end of the bytes. */
function endOfString(bytes: Uint8Array, at: number): number {
  let end = at + 1;
  while (end < bytes.length && bytes[end] !== quoteByte) end += bytes[end] === backslash ? 2 : 1;
  return end + 1;
}

/** The place behind the value that begins at `at`, if it is one. */
function endOfValue(bytes: Uint8Array, at: number): number {
  let depth = 0;
  for (let end = at; end < bytes.length; ) {
    const byte = bytes[end]!;
    if (byte === quoteByte) {
      end = endOfString(bytes, end);
      if (depth === 0) return end;
      continue;
    }
    if (byte === openBrace || byte === openBracket) depth++;
    else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return end; // a number or a word ends here
      if (--depth === 0) return end + 1;
    } else if (byte === comma && depth === 0) return end;
    end++;
  }
  return bytes.length;
}

interface ScannedPieces {
  /** The pieces' UTF-8, one behind the other. */
  readonly bytes: Uint8Array;
  readonly spans: Int32Array;
  readonly ids: Int32Array;
  /** The place behind the object. */
  readonly end: number;
}

/** The fewest bytes of a piece with its id, `"a":0,`. */
const leastPiece = 6;

/** `{ "piece": id, … }`, whatever white space stands between. */
function* scanPieces(bytes: Uint8Array, start: number): Sliced<ScannedPieces | undefined> {
  const pieces = new Uint8Array(bytes.length - start);
  const most = Math.ceil(pieces.length / leastPiece);
  const spans = new Int32Array(2 * most);
  const ids = new Int32Array(most);
  let [count, size] = [0, 0];
  let at = start;
  for (let before = openBrace; bytes[at] === before && count < most; before = comma) {
    const string = skipWhite(bytes, at + 1);
    const end = endOfPlainString(bytes, string);
    const from = size;
    if (end > 0) for (let i = string + 1; i < end - 1; i++) pieces[size++] = bytes[i]!;
    const escaped = end > 0 ? undefined : unescaped(bytes, string);
    if (end < 0 && escaped === undefined) return undefined;
    if (escaped !== undefined) {
      pieces.set(escaped.text, size);
      size += escaped.text.length;
    }
    const behind = skipWhite(bytes, escaped?.end ?? end);
    const digits = bytes[behind] === colon ? skipWhite(bytes, behind + 1) : -1;
    const endOfId = endOfDigits(bytes, digits);
    if (size === from || endOfId < 0) return undefined;
    ids[count] = numberIn(bytes, digits, endOfId);
    spans[2 * count] = from;
    spans[2 * count + 1] = size;
    count++;
    at = skipWhite(bytes, endOfId);
    if (count % perSlice === 0) yield;
  }
  if (bytes[at] !== closeBrace) return undefined;
  return { bytes: pieces.subarray(0, size), spans: spans.subarray(0, 2 * count), ids: ids.subarray(0, count), end: at + 1 };
}

/** The place behind a string that is its characters as they stand; -1 for another one, and for what is no string. */
function endOfPlainString(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== quoteByte) return -1;
  for (let end = at + 1; end < bytes.length; end++) {
    const byte = bytes[end]!;
    if (byte === quoteByte) return end + 1;
    if (byte === backslash || byte < space) return -1;
  }
  return -1;
}

/** The UTF-8 of a string with escapes; undefined where it is none, or has half of a surrogate pair. */
function unescaped(bytes: Uint8Array, at: number): { readonly text: Uint8Array; readonly end: number } | undefined {
  if (bytes[at] !== quoteByte) return undefined;
  const end = endOfString(bytes, at);
  try {
    const text: unknown = JSON.parse(strict.decode(bytes.subarray(at, end)));
    return typeof text !== "string" || hasHalves(text) ? undefined : { text: utf8.encode(text), end };
  } catch {
    return undefined; // no JSON or no UTF-8
  }
}

/** The place behind a whole number of up to seven digits, or -1. */
function endOfDigits(bytes: Uint8Array, from: number): number {
  let end = from;
  while (isDigit(bytes[end]) && end < from + 8) end++;
  const isNumber = end > from && end < from + 8 && (bytes[from] !== zero || end === from + 1);
  return isNumber && from >= 0 ? end : -1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte < zero + 10;
}

function numberIn(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = 10 * value + bytes[i]! - zero;
  return value;
}

/** The pieces by their bytes; undefined where two have the same, or ids leave out more than they have. */
function* tableOf({ bytes, spans, ids }: ScannedPieces): Sliced<PieceTable | undefined> {
  let top = 0;
  for (let i = 0; i < ids.length; i++) top = Math.max(top, ids[i]!);
  if (top >= 2 * ids.length + 1024) return undefined;
  const table = new PieceTable(top + 1, bytes);
  for (let i = 0; i < ids.length; i++) {
    if (table.has(ids[i]!) || !table.add(ids[i]!, spans[2 * i]!, spans[2 * i + 1]!)) return undefined;
    if (i % perSlice === 0) yield;
  }
  return table;
}

/** `[ "a b", … ]` or `[ ["a", "b"], … ]`, whatever white space stands between. */
class MergeScanner {
  readonly #bytes: Uint8Array;
  readonly #table: PieceTable;

  constructor(bytes: Uint8Array, table: PieceTable) {
    this.#bytes = bytes;
    this.#table = table;
  }

  *scan(start: number): Sliced<{ readonly list: Merges; readonly end: number } | undefined> {
    const bytes = this.#bytes;
    const list = new Int32Array(2 * Math.ceil((bytes.length - start) / leastMerge));
    let size = 0;
    let at = start;
    for (let before = openBracket; bytes[at] === before && size < list.length; before = comma) {
      at = skipWhite(bytes, at + 1);
      at = bytes[at] === openBracket ? this.#pair(at, list, size) : this.#text(at, list, size);
      if (at < 0) return undefined;
      at = skipWhite(bytes, at);
      size += 2;
      if (size % perSlice === 0) yield;
    }
    return bytes[at] === closeBracket && size > 0 ? { list: list.slice(0, size), end: at + 1 } : undefined;
  }

  /** Writes the ids of `"a b"`. @returns the place behind it, or -1 */
  #text(at: number, list: Merges, size: number): number {
    const end = endOfPlainString(this.#bytes, at);
    const escaped = end > 0 ? undefined : unescaped(this.#bytes, at);
    if (end < 0 && escaped === undefined) return -1;
    const text = escaped?.text ?? this.#bytes;
    const from = escaped === undefined ? at + 1 : 0;
    const to = escaped === undefined ? end - 1 : text.length;
    let middle = from;
    while (middle < to && text[middle] !== space) middle++;
    for (let i = middle + 1; i < to; i++) if (text[i] === space) return -1;
    list[size] = this.#table.find(text, from, middle);
    list[size + 1] = this.#table.find(text, Math.min(middle + 1, to), to);
    return list[size]! < 0 || list[size + 1]! < 0 ? -1 : (escaped?.end ?? end);
  }

  /** Writes the ids of `["a", "b"]`. @returns the place behind it, or -1 */
  #pair(at: number, list: Merges, size: number): number {
    const bytes = this.#bytes;
    const left = this.#part(skipWhite(bytes, at + 1), list, size);
    const between = left < 0 ? -1 : skipWhite(bytes, left);
    const right = between >= 0 && bytes[between] === comma ? this.#part(skipWhite(bytes, between + 1), list, size + 1) : -1;
    const last = right < 0 ? -1 : skipWhite(bytes, right);
    return last >= 0 && bytes[last] === closeBracket ? last + 1 : -1;
  }

  #part(at: number, list: Merges, place: number): number {
    const end = endOfPlainString(this.#bytes, at);
    const escaped = end > 0 ? undefined : unescaped(this.#bytes, at);
    if (end < 0 && escaped === undefined) return -1;
    list[place] =
      escaped === undefined ? this.#table.find(this.#bytes, at + 1, end - 1) : this.#table.find(escaped.text, 0, escaped.text.length);
    return list[place]! < 0 ? -1 : (escaped?.end ?? end);
  }
}

/** The fewest bytes of a merge, `"a b",`. */
const leastMerge = 6;
