// What a character is, by table: one load a UTF-16 code unit where a Unicode regular expression costs a hundred.
import { type CodePoints, characterClass, contains } from "../regex/index.ts";

export const Other = 0; // punctuation, symbols, controls
export const Letter = 1; // \p{L}
export const NumberClass = 2; // \p{N}
export const White = 3; // \p{White_Space}, less the two below
export const Newline = 4; // \r \n
export const Space = 5; // U+0020
export const Mark = 6; // \p{M}
export const Surrogate = 7; // half of a character above U+FFFF: ask classOfCodePoint

let units: Uint8Array | undefined;

/** code unit → class, for all 65,536; built on first use. */
export function unitClasses(): Uint8Array {
  units ??= allUnits();
  return units;
}

function allUnits(): Uint8Array {
  const all = new Uint8Array(0x10000).fill(Other);
  for (const [unitClass, set] of classes()) for (const [first, last] of set) all.fill(unitClass, first, last + 1);
  all.fill(Surrogate, 0xd800, 0xe000);
  all[0x20] = Space;
  all[0x0a] = Newline;
  all[0x0d] = Newline;
  return all;
}

const astral = new Map<number, number>();

/** The class of a code point above U+FFFF, remembered. */
export function classOfCodePoint(codePoint: number): number {
  let found = astral.get(codePoint);
  if (found === undefined) {
    found = classes().find(([, set]) => contains(set, codePoint))?.[0] ?? Other;
    astral.set(codePoint, found);
  }
  return found;
}

let sets: readonly (readonly [number, CodePoints])[] | undefined;

/** Unicode's classes from tables of our own, so that every JavaScript engine makes the same ids. */
function classes(): readonly (readonly [number, CodePoints])[] {
  sets ??= [
    [Letter, characterClass("l")],
    [NumberClass, characterClass("n")],
    [Mark, characterClass("m")],
    [White, characterClass("whitespace")],
  ];
  return sets;
}
