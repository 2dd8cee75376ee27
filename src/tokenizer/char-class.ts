// What a character is, by table: one load a UTF-16 code unit where a Unicode regular expression costs a hundred.

export const Other = 0; // punctuation, symbols, controls
export const Letter = 1; // \p{L}
export const NumberClass = 2; // \p{N}
export const White = 3; // \p{White_Space}, less the two below
export const Newline = 4; // \r \n
export const Space = 5; // U+0020
export const Mark = 6; // \p{M}
export const Surrogate = 7; // half of a character above U+FFFF: ask classOfCodePoint
export const classCount = 8;

let units: Uint8Array | undefined;

/** code unit → class, for all 65,536; built on first use (some 20 ms). */
export function unitClasses(): Uint8Array {
  units ??= Uint8Array.from({ length: 0x10000 }, (_, unit) => (unit >= 0xd800 && unit <= 0xdfff ? Surrogate : classify(unit)));
  return units;
}

const astral = new Map<number, number>();

/** The class of a code point above U+FFFF, remembered. */
export function classOfCodePoint(codePoint: number): number {
  let found = astral.get(codePoint);
  if (found === undefined) {
    found = classify(codePoint);
    astral.set(codePoint, found);
  }
  return found;
}

const letter = /\p{L}/u;
const number = /\p{N}/u;
const mark = /\p{M}/u;
const white = /\p{White_Space}/u;

function classify(codePoint: number): number {
  if (codePoint === 0x20) return Space;
  if (codePoint === 0x0a || codePoint === 0x0d) return Newline;
  const char = String.fromCodePoint(codePoint);
  if (letter.test(char)) return Letter;
  if (number.test(char)) return NumberClass;
  if (mark.test(char)) return Mark;
  return white.test(char) ? White : Other;
}
