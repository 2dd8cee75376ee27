// What a character is where classes overlap: bits by table, for the patterns that tell capitals from small letters, or punctuation from symbols.
import { type CodePoints, characterClass, contains } from "../regex/index.ts";
import { widthAt } from "./scan-text.ts";

export const capitalBit = 1; // \p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}
export const smallBit = 2; // \p{Ll}\p{Lm}\p{Lo}\p{M}
export const letterBit = 4; // \p{L}
export const numberBit = 8; // \p{N}
export const whiteBit = 16; // \s
export const newlineBit = 32; // \r\n
export const punctuationBit = 64; // \p{P}
export const symbolBit = 128; // \p{S}
export const markBit = 256; // \p{M}
export const cjkKana = 512; // 一-龥 and kana
export const cjk = 1024; // 一-龥, ࠀ-一 and 가-퟿

type Row = readonly [bits: number, set: () => CodePoints];

const rows: readonly Row[] = [
  ...["lu", "lt"].map((name): Row => [capitalBit | letterBit, () => characterClass(name)]),
  [smallBit | letterBit, () => characterClass("ll")],
  ...["lm", "lo"].map((name): Row => [capitalBit | smallBit | letterBit, () => characterClass(name)]),
  [capitalBit | smallBit | markBit, () => characterClass("m")],
  [numberBit, () => characterClass("n")],
  [whiteBit, () => characterClass("whitespace")],
  [
    newlineBit,
    () => [
      [0x0a, 0x0a],
      [0x0d, 0x0d],
    ],
  ],
  [punctuationBit, () => characterClass("p")],
  [symbolBit, () => characterClass("s")],
  [
    cjkKana,
    () => [
      [0x3040, 0x30ff],
      [0x4e00, 0x9fa5],
    ],
  ],
  [
    cjk,
    () => [
      [0x0800, 0x9fa5],
      [0xac00, 0xd7ff],
    ],
  ],
];

let units: Uint16Array | undefined;

/** UTF-16 unit → bits; made on first use. */
export function unitBits(): Uint16Array {
  if (units !== undefined) return units;
  units = new Uint16Array(0x10000);
  for (const [bits, set] of rows)
    for (const [first, last] of set())
      for (let unit = first, stop = Math.min(last, 0xffff); unit <= stop; unit++) units[unit] = units[unit]! | bits;
  return units;
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
    found = rows.reduce((all, [bits, set]) => (contains(set(), point) ? all | bits : all), 0);
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
