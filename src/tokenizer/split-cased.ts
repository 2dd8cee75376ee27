// Scanners of the patterns whose classes overlap: o200k and tekken, which cut between small letters and capitals, and the steps of DeepSeek's chains.
import {
  bitsAt,
  capitalBit,
  letterBit,
  markBit,
  newlineBit,
  numberBit,
  punctuationBit,
  skipBits,
  smallBit,
  symbolBit,
  whiteBit,
} from "./char-bits.ts";
import { afterSpace, contraction, endOfLines, endOfWhite, widthAt } from "./scan-text.ts";
import type { NextWord } from "./split-pattern.ts";

const slash = 0x2f;

/** @param digits how many \p{N} may stand in one word */
export function nextCased(text: string, at: number, end: number, digits: number, hasContractions: boolean): number {
  const word = casedWord(text, at, end);
  if (word !== undefined) return hasContractions ? contraction(text, word, end, true) : word;
  if ((bitsAt(text, at, end) & numberBit) !== 0) return group(text, at, end, numberBit, digits);
  const first = afterSpace(text, at, end);
  if (isOther(text, first, end)) {
    let stop = first;
    while (isOther(text, stop, end)) stop += widthAt(text, stop, end);
    while (stop < end && (text.charCodeAt(stop) === slash || (bitsAt(text, stop, end) & newlineBit) !== 0)) stop++;
    return stop;
  }
  return endOfLines(text, at, end) ?? endOfWhite(text, at, end);
}

/** `[^\s\p{L}\p{N}]` */
function isOther(text: string, at: number, end: number): boolean {
  return at < end && (bitsAt(text, at, end) & (whiteBit | letterBit | numberBit)) === 0;
}

/** `[^\r\n\p{L}\p{N}]?`, then capitals and at least one small letter; else that, then at least one capital. A character in front need not be there. */
function casedWord(text: string, at: number, end: number): number | undefined {
  const hasFront = (bitsAt(text, at, end) & (newlineBit | letterBit | numberBit)) === 0;
  const second = hasFront ? at + widthAt(text, at, end) : at;
  return (
    endOfSmall(text, second, end) ??
    (hasFront ? endOfSmall(text, at, end) : undefined) ??
    endOfCapitals(text, second, end) ??
    (hasFront ? endOfCapitals(text, at, end) : undefined)
  );
}

/** `[capitals]*[small]+`: where no small letter follows the capitals, the last of them that is of both classes is the small one. */
function endOfSmall(text: string, at: number, end: number): number | undefined {
  let lastBoth: number | undefined;
  let i = at;
  for (let bits = bitsAt(text, i, end); (bits & capitalBit) !== 0; bits = bitsAt(text, i, end)) {
    i += widthAt(text, i, end);
    if ((bits & smallBit) !== 0) lastBoth = i;
  }
  return (bitsAt(text, i, end) & smallBit) !== 0 ? skipBits(text, i, end, smallBit) : lastBoth;
}

/** `[capitals]+[small]*` */
function endOfCapitals(text: string, at: number, end: number): number | undefined {
  const stop = skipBits(text, at, end, capitalBit);
  return stop === at ? undefined : skipBits(text, stop, end, smallBit);
}

/** The main step of DeepSeek-V3's chain. What no alternative has, such as controls, is a word too, up to the next match. */
export function nextDeepseek3(text: string, at: number, end: number): number {
  const found = deepseekMatch(text, at, end);
  if (found !== undefined) return found;
  let stop = at;
  do stop += widthAt(text, stop, end);
  while (stop < end && deepseekMatch(text, stop, end) === undefined);
  return stop;
}

const signs = punctuationBit | symbolBit;

function deepseekMatch(text: string, at: number, end: number): number | undefined {
  if (isAsciiSign(text.charCodeAt(at)) && at + 1 < end && isAsciiLetter(text.charCodeAt(at + 1))) {
    let stop = at + 1;
    while (stop < end && isAsciiLetter(text.charCodeAt(stop))) stop++;
    return stop;
  }
  const wordBits = letterBit | markBit;
  const bits = bitsAt(text, at, end);
  const hasFront = (bits & (newlineBit | letterBit | signs)) === 0;
  const second = hasFront ? at + widthAt(text, at, end) : at;
  if ((bitsAt(text, second, end) & wordBits) !== 0) return skipBits(text, second, end, wordBits);
  if ((bits & wordBits) !== 0) return skipBits(text, at, end, wordBits);
  const first = text.charCodeAt(at) === 0x20 && (bitsAt(text, at + 1, end) & signs) !== 0 ? at + 1 : at;
  if ((bitsAt(text, first, end) & signs) !== 0) return skipBits(text, skipBits(text, first, end, signs), end, newlineBit);
  if ((bits & whiteBit) === 0) return undefined;
  return endOfLines(text, at, end) ?? endOfWhite(text, at, end);
}

function isAsciiSign(unit: number): boolean {
  return (
    (unit >= 0x21 && unit <= 0x2f) || (unit >= 0x3a && unit <= 0x40) || (unit >= 0x5b && unit <= 0x60) || (unit >= 0x7b && unit <= 0x7e)
  );
}

function isAsciiLetter(unit: number): boolean {
  return (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
}

function group(text: string, at: number, end: number, bits: number, most: number): number {
  let stop = at;
  for (let count = 0; count < most && (bitsAt(text, stop, end) & bits) !== 0; count++) stop += widthAt(text, stop, end);
  return stop;
}

/** Cuts before the next match, or behind the match that begins here. */
function byMatch(match: (text: string, at: number, end: number) => number): NextWord {
  return (text, at, end) => {
    const found = match(text, at, end);
    if (found > at) return found;
    let stop = at + widthAt(text, at, end);
    while (stop < end && match(text, stop, end) === stop) stop += widthAt(text, stop, end);
    return stop;
  };
}

/** `[…]` */
export function bySingles(bits: number): NextWord {
  return byGroups(bits, 1);
}

/** `[…]{1,most}` */
export function byGroups(bits: number, most: number): NextWord {
  return byMatch((text, at, end) => group(text, at, end, bits, most));
}

/** `[…]+` */
export function byRuns(bits: number): NextWord {
  return byMatch((text, at, end) => skipBits(text, at, end, bits));
}

/** `\s?[…]+` */
export function byMarkedRuns(bits: number): NextWord {
  return byMatch((text, at, end) => {
    const first = (bitsAt(text, at, end) & whiteBit) !== 0 ? at + 1 : at;
    const stop = skipBits(text, first, end, bits);
    return stop > first ? stop : at;
  });
}
