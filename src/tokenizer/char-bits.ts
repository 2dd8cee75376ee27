// What a character is where classes overlap: bits by table, for the patterns that tell capitals from small letters, or punctuation from symbols.
import { categoryOf, eachCategory } from "../regex/index.ts";
import { widthAt } from "./scan-text.ts";

/** The bit of capitals: \p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}. */
export const capitalBit = 1;
/** The bit of small letters: \p{Ll}\p{Lm}\p{Lo}\p{M}. */
export const smallBit = 2;
/** The bit of letters: \p{L}. */
export const letterBit = 4;
/** The bit of numbers: \p{N}. */
export const numberBit = 8;
/** The bit of white space: \s. */
export const whiteBit = 16;
/** The bit of line ends: \r\n. */
export const newlineBit = 32;
/** The bit of punctuation: \p{P}. */
export const punctuationBit = 64;
/** The bit of symbols: \p{S}. */
export const symbolBit = 128;
/** The bit of marks: \p{M}. */
export const markBit = 256;
/** The bit of ideographs and kana: 一-龥 and kana. */
export const cjkKana = 512;
/** The bit of ideographs, kana and Hangul, in the ranges of a published expression: 一-龥, ࠀ-一 and 가-퟿. */
export const cjk = 1024;

/** General category → bits. */
const categoryBits: Readonly<Record<string, number>> = {
  ...{ Lu: capitalBit | letterBit, Lt: capitalBit | letterBit, Ll: smallBit | letterBit },
  ...{ Lm: capitalBit | smallBit | letterBit, Lo: capitalBit | smallBit | letterBit },
  ...ofEach("Mn Mc Me", capitalBit | smallBit | markBit),
  ...ofEach("Nd Nl No", numberBit),
  ...ofEach("Pc Pd Ps Pe Pi Pf Po", punctuationBit),
  ...ofEach("Sm Sc Sk So", symbolBit),
  ...ofEach("Zs Zl Zp", whiteBit),
};

function ofEach(categories: string, bits: number): Record<string, number> {
  return Object.fromEntries(categories.split(" ").map((category) => [category, bits]));
}

/** What characters have beside the bits of their categories; all of them are below U+10000. */
const extraBits: readonly (readonly [bits: number, first: number, last: number])[] = [
  [whiteBit, 0x09, 0x0d],
  [whiteBit, 0x85, 0x85],
  [newlineBit, 0x0a, 0x0a],
  [newlineBit, 0x0d, 0x0d],
  [cjkKana, 0x3040, 0x30ff],
  [cjkKana, 0x4e00, 0x9fa5],
  [cjk, 0x0800, 0x9fa5],
  [cjk, 0xac00, 0xd7ff],
];

let units: Uint16Array | undefined;

/** UTF-16 unit → bits; made on first use. */
export function unitBits(): Uint16Array {
  if (units !== undefined) return units;
  const all = new Uint16Array(0x10000);
  eachCategory((category, first, last) => {
    if (first <= 0xffff) all.fill(categoryBits[category] ?? 0, first, last + 1);
  });
  for (const [bits, first, last] of extraBits) for (let unit = first; unit <= last; unit++) all[unit] = all[unit]! | bits;
  units = all;
  return all;
}

const astral = new Map<number, number>();

/** The bits of the character at a position; 0 where none is. */
export function bitsAt(text: string, at: number, end: number): number {
  if (at >= end) return 0;
  const unit = text.charCodeAt(at);
  if (unit < 0xd800 || unit > 0xdbff || widthAt(text, at, end) === 1) return (units ?? unitBits())[unit] ?? 0;
  return bitsOfPoint(text.codePointAt(at) ?? 0);
}

/** The bits of a character above U+FFFF. */
export function bitsOfPoint(point: number): number {
  let found = astral.get(point);
  if (found === undefined) {
    found = categoryBits[categoryOf(point)] ?? 0;
    astral.set(point, found);
  }
  return found;
}

/** The position behind all characters that have one of the bits. */
export function skipBits(text: string, at: number, end: number, bits: number): number {
  const table = units ?? unitBits();
  let i = at;
  while (i < end) {
    const unit = text.charCodeAt(i);
    const isHigh = unit >= 0xd800 && unit <= 0xdbff;
    if (((isHigh ? bitsAt(text, i, end) : (table[unit] ?? 0)) & bits) === 0) break;
    i += isHigh ? widthAt(text, i, end) : 1;
  }
  return i;
}
