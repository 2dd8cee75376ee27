// The scanners of split-pattern.ts and split-cased.ts for the patterns that cut a text into words by themselves, on UTF-8 instead of strings: the
// fast way of encoding, and of counting words for training. The others go by strings; the tests hold the two against each other.
import { capitalBit, letterBit, newlineBit, numberBit, smallBit, unitBits, whiteBit } from "./char-bits.ts";
import type { SplitName } from "./split-pattern.ts";
import type { NextUnit } from "./unit-cache.ts";
import { bitsAt, skipBits, skipOthers, widthOf } from "./utf8-bits.ts";

const space = 0x20;
const apostrophe = 0x27;
const slash = 0x2f;
const known = whiteBit | letterBit | numberBit;

/** The scanner of a named pattern; undefined for those that only cut the words of others. */
export function nextUnitOf(pattern: SplitName): NextUnit | undefined {
  unitBits(); // the table is made now, so that the first text need not wait for it
  switch (pattern) {
    case "gpt2":
      return nextGpt2;
    case "llama3":
      return (bytes, at, end) => nextLlama3(bytes, at, end, 3);
    case "qwen2":
      return (bytes, at, end) => nextLlama3(bytes, at, end, 1);
    case "o200k":
      return (bytes, at, end) => nextCased(bytes, at, end, 3, true);
    case "tekken":
      return (bytes, at, end) => nextCased(bytes, at, end, 1, false);
    default:
      return undefined;
  }
}

function nextGpt2(bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at]!;
  if (byte === apostrophe) {
    const contracted = contraction(bytes, at, end, false);
    if (contracted > at) return contracted;
  }
  const first = byte === space && at + 1 < end ? at + 1 : at;
  const letters = endOfLetters(bytes, first, end);
  if (letters > first) return letters;
  const bits = bitsAt(bytes, first, end);
  if ((bits & whiteBit) !== 0) return endOfWhite(bytes, at, end);
  if ((bits & numberBit) !== 0) return skipBits(bytes, first, end, numberBit);
  return skipOthers(bytes, first, end, known);
}

/** @param digits how many \p{N} may stand in one word */
function nextLlama3(bytes: Uint8Array, at: number, end: number, digits: number): number {
  const byte = bytes[at]!;
  if (byte === apostrophe) {
    const contracted = contraction(bytes, at, end, true);
    if (contracted > at) return contracted;
  }
  const letters = endOfLetters(bytes, at, end);
  if (letters > at) return letters;
  const bits = bitsAt(bytes, at, end);
  if ((bits & numberBit) !== 0) return group(bytes, at, end, digits);
  const second = at + widthOf(byte);
  const word = (bits & newlineBit) === 0 ? endOfLetters(bytes, second, end) : second;
  if (word > second) return word;
  return endOfOthers(bytes, at, end) ?? endOfWhite(bytes, at, end, true);
}

/** The position behind all letters; most words are of ASCII alone, for which no table is needed. */
function endOfLetters(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && ((bytes[i]! | 0x20) - 0x61) >>> 0 < 26) i++;
  return i === end || bytes[i]! < 0x80 ? i : skipBits(bytes, i, end, letterBit);
}

/** ` ?[^\s\p{L}\p{N}]+[\r\n]*`; undefined where it does not match. */
function endOfOthers(bytes: Uint8Array, at: number, end: number): number | undefined {
  const first = bytes[at] === space && at + 1 < end ? at + 1 : at;
  if ((bitsAt(bytes, first, end) & known) !== 0) return undefined;
  return skipBits(bytes, skipOthers(bytes, first, end, known), end, newlineBit);
}

/** @param digits how many \p{N} may stand in one word */
function nextCased(bytes: Uint8Array, at: number, end: number, digits: number, hasContractions: boolean): number {
  const bits = bitsAt(bytes, at, end);
  const word = casedWord(bytes, at, end, bits);
  if (word >= 0) return hasContractions && bytes[word] === apostrophe ? contraction(bytes, word, end, true) : word;
  if ((bits & numberBit) !== 0) return group(bytes, at, end, digits);
  const first = bytes[at] === space && at + 1 < end ? at + 1 : at;
  if ((bitsAt(bytes, first, end) & known) !== 0) return endOfWhite(bytes, at, end, true);
  let stop = skipOthers(bytes, first, end, known);
  while (stop < end && (bytes[stop] === slash || (bitsAt(bytes, stop, end) & newlineBit) !== 0)) stop++;
  return stop;
}

/** `[^\r\n\p{L}\p{N}]?`, then capitals and at least one small letter; else that, then at least one capital. A character in front need not be there. -1 for none. */
function casedWord(bytes: Uint8Array, at: number, end: number, bits: number): number {
  const hasFront = (bits & (newlineBit | letterBit | numberBit)) === 0;
  const second = hasFront ? at + widthOf(bytes[at]!) : at;
  const small = endOfAsciiSmall(bytes, second, end);
  if (small > second && (small === end || bytes[small]! < 0x80)) return small;
  let word = endOfSmall(bytes, second, end);
  if (word < 0 && hasFront) word = endOfSmall(bytes, at, end);
  if (word < 0) word = endOfCapitals(bytes, second, end);
  if (word < 0 && hasFront) word = endOfCapitals(bytes, at, end);
  return word;
}

/** The position behind a to z: what most words are made of. */
function endOfAsciiSmall(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end && bytes[i]! >= 0x61 && bytes[i]! <= 0x7a) i++;
  return i;
}

/** `[capitals]*[small]+`: where no small letter follows the capitals, the last of them that is of both classes is the small one. */
function endOfSmall(bytes: Uint8Array, at: number, end: number): number {
  let lastBoth = -1;
  let i = at;
  let bits = bitsAt(bytes, i, end);
  while ((bits & capitalBit) !== 0) {
    i += widthOf(bytes[i]!);
    if ((bits & smallBit) !== 0) lastBoth = i;
    bits = bitsAt(bytes, i, end);
  }
  return (bits & smallBit) !== 0 ? skipBits(bytes, i, end, smallBit) : lastBoth;
}

/** `[capitals]+[small]*` */
function endOfCapitals(bytes: Uint8Array, at: number, end: number): number {
  const stop = skipBits(bytes, at, end, capitalBit);
  return stop === at ? -1 : skipBits(bytes, stop, end, smallBit);
}

/** `'s|'t|'re|'ve|'m|'ll|'d` at an apostrophe; `at` when there is none. */
function contraction(bytes: Uint8Array, at: number, end: number, anyCase: boolean): number {
  const first = at + 1 < end ? lower(bytes[at + 1]!, anyCase) : 0;
  const second = at + 2 < end ? lower(bytes[at + 2]!, anyCase) : 0;
  if (first === 0x73 || first === 0x74 || first === 0x6d || first === 0x64) return at + 2; // s t m d
  if (anyCase && first === 0xc5 && bytes[at + 2] === 0xbf) return at + 3; // ſ
  const isLong = ((first === 0x72 || first === 0x76) && second === 0x65) || (first === 0x6c && second === 0x6c); // re ve ll
  return isLong ? at + 3 : at;
}

function lower(byte: number, anyCase: boolean): number {
  return anyCase && byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

/**
 * `\s+(?!\S)|\s+`: the run, less its last character where a word follows, which then belongs to that word.
 * @param toLine `\s*[\r\n]+` goes before: to the last line end of the run, where it has one
 */
function endOfWhite(bytes: Uint8Array, at: number, end: number, toLine = false): number {
  const stop = skipBits(bytes, at, end, whiteBit);
  for (let i = stop; toLine && i > at; i--) if (bytes[i - 1] === 0x0a || bytes[i - 1] === 0x0d) return i;
  if (stop === end || stop === at + widthOf(bytes[at]!)) return stop;
  let last = stop - 1;
  while ((bytes[last]! & 0xc0) === 0x80) last--;
  return last;
}

function group(bytes: Uint8Array, at: number, end: number, most: number): number {
  let stop = at;
  for (let count = 0; count < most && (bitsAt(bytes, stop, end) & numberBit) !== 0; count++) stop += widthOf(bytes[stop]!);
  return stop;
}
