// How bytes are written inside pieces: GPT-2's printable alphabet (byte-level kind) and SentencePiece's <0x00>…<0xFF> (byte fallback).
import { check } from "../base/index.ts";
import { Regex } from "../regex/index.ts";
import { utf8Bytes } from "./codec.ts";
import type { Decoding, PieceLookup } from "./model.ts";
import { replaceMatches } from "./text-steps.ts";

/** byte → the character that stands for it in byte-level pieces: itself where printable Latin-1, else U+0100 and up (GPT-2's `bytes_to_unicode`). */
export const byteToChar: readonly string[] = buildByteToChar();

/** byte → the unit that stands for it. */
export const byteToUnit = Uint16Array.from(byteToChar, (char) => char.charCodeAt(0));
const pieceUnits = new Uint16Array(256);

/** UTF-16 unit → the byte it stands for, or -1; all of them lie below U+0144. */
const unitToByte = new Int16Array(0x144).fill(-1);
byteToChar.forEach((char, byte) => {
  unitToByte[char.charCodeAt(0)] = byte;
});

/** A byte-level piece's bytes, or undefined when a character of it stands for no byte. */
export function byteLevelBytes(piece: string): Uint8Array | undefined {
  const bytes = new Uint8Array(piece.length);
  for (let i = 0; i < piece.length; i++) {
    const byte = byteOfUnit(piece.charCodeAt(i));
    if (byte < 0) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}

/** The byte that a UTF-16 unit of a byte-level piece stands for, or -1. */
export function byteOfUnit(unit: number): number {
  return unit < unitToByte.length ? unitToByte[unit]! : -1;
}

/** Whether every byte has a piece among these, as byte-level ones are written. */
export function hasAllBytes(pieces: readonly string[]): boolean {
  const known = new Set<string>();
  for (let id = 0; id < pieces.length; id++) if (pieces[id]!.length === 1) known.add(pieces[id]!);
  return byteToChar.every((char) => known.has(char));
}

/** Bytes as a byte-level piece. */
export function byteLevelPiece(bytes: ArrayLike<number>): string {
  if (bytes.length > pieceUnits.length) return Array.from(bytes, (byte) => byteToChar[byte]).join("");
  for (let i = 0; i < bytes.length; i++) pieceUnits[i] = byteToUnit[bytes[i]!]!;
  return Reflect.apply(String.fromCharCode, null, pieceUnits.subarray(0, bytes.length));
}

/** `<0x0A>`, SentencePiece's name of a byte. */
export function byteFallbackPiece(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}

/** The length of `<0x0A>`. */
export const fallbackLength = 6;

/** The byte a `<0x0A>` piece stands for, or undefined for any other piece. */
export function byteOfFallbackPiece(piece: string): number | undefined {
  return piece.length === fallbackLength && /^<0x[0-9A-F]{2}>$/.test(piece) ? Number.parseInt(piece.slice(3, 5), 16) : undefined;
}

/** The ids of <0x00> … <0xFF>. @throws CriaError when one is missing. */
export function byteFallbackIds(ids: PieceLookup): number[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const id = ids.get(byteFallbackPiece(byte));
    check(id !== undefined, "tokenizer", () => `byte fallback needs the piece ${byteFallbackPiece(byte)}: all 256 must be there`);
    return id;
  });
}

/** The pieces <0x00> … <0xFF> with their ids, found without a table of all pieces. */
export function fallbackPieces(pieces: readonly string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (let id = 0; id < pieces.length; id++) {
    const piece = pieces[id]!;
    if (piece.length === fallbackLength && byteOfFallbackPiece(piece) !== undefined) found.set(piece, id);
  }
  return found;
}

function buildByteToChar(): string[] {
  const isPrintable = (byte: number) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
}

/** The bytes of the text's last piece, which shows no space where a word ends. */
export function lastDecodedBytes(piece: string, decoding: Decoding): Uint8Array {
  const { wordSuffix, replace, ...others } = decoding;
  return decodedBytes(piece, { ...others, replace: wordSuffix === undefined ? replace : [...replace, [wordSuffix, ""]] });
}

/** A piece's bytes in decoding: what it writes by the model's alphabet, or its own UTF-8 (huggingface/tokenizers, decoders/). */
export function decodedBytes(piece: string, { replace, wordSuffix, bytes }: Decoding): Uint8Array {
  const replaced = replace.reduce((sofar, [from, to]) => replacedIn(sofar, from, to), piece);
  const text = wordSuffix === undefined ? replaced : replaced.replaceAll(wordSuffix, " ");
  if (bytes === "level") return byteLevelBytes(text) ?? utf8Bytes(text);
  return bytes === "fallback" && isBytePiece(text) ? Uint8Array.of(Number.parseInt(text.slice(3, 5), 16)) : utf8Bytes(text);
}

function replacedIn(piece: string, from: Decoding["replace"][number][0], to: string): string {
  return typeof from === "string"
    ? piece.includes(from)
      ? piece.replaceAll(from, () => to)
      : piece
    : replaceMatches(piece, regexOf(from), to);
}

type Expression = Exclude<Decoding["replace"][number][0], string>;

const expressions = new WeakMap<Expression, Regex>();

/** One automaton for all pieces of a vocabulary. */
function regexOf(rule: Expression): Regex {
  const regex = expressions.get(rule) ?? new Regex(rule.expression);
  expressions.set(rule, regex);
  return regex;
}

/** Whether decoding takes the piece for a byte; Hugging Face reads small hexadecimal digits too. */
export function isBytePiece(piece: string): boolean {
  return piece.length === 6 && /^<0x[0-9a-f]{2}>$/i.test(piece);
}
