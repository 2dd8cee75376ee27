// What a character is, by table: one load a UTF-16 code unit where a Unicode regular expression costs a hundred.
import { type CodePoints, characterClass, contains } from "../regex/index.ts";

/** The class of punctuation, symbols and controls. */
export const Other = 0;
/** The class of letters: \p{L}. */
export const Letter = 1;
/** The class of numbers: \p{N}. */
export const NumberClass = 2;
/** The class of white space that is neither a space nor a line end: \p{White_Space} less U+0020 and line ends. */
export const White = 3;
/** The class of line ends: \r \n. */
export const Newline = 4;
/** The class of the space: U+0020. */
export const Space = 5;
/** The class of marks: \p{M}. */
export const Mark = 6;
/** The class of halves of characters above U+FFFF, for which `classOfCodePoint` is asked. */
export const Surrogate = 7;

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
