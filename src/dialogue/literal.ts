// A text of a call's form in which white space may be more or less than the template writes: as a part of a grammar, and as what a parser looks for.
import { type Expression, repeat, sequence, set, text } from "../grammar/index.ts";
import { codePoints } from "../regex/index.ts";

const spaces = set(
  codePoints([
    [9, 10],
    [32, 32],
  ]),
);
const isSpace = /[ \t\n\r]/;

/** White space of a form in a grammar: as much as is usual, so that a model cannot write it without end. */
export const someSpace: Expression = repeat(spaces, 0, 8);

/** Pieces without white space, by whether white space may stand in front of each; a last one that is empty is white space at the end. */
function piecesOf(literal: string): readonly { readonly text: string; readonly isSpaced: boolean }[] {
  return literal
    .split(/([ \t\n\r]+)/)
    .map((piece, i, all) => ({ text: piece, isSpaced: i > 0 && isSpace.test(all[i - 1] ?? ""), isGap: i % 2 === 1 }))
    .filter(({ isGap }) => !isGap);
}

/** The texts of a literal. */
export function literalText(literal: string): Expression {
  return sequence(...piecesOf(literal).flatMap((piece) => [...(piece.isSpaced ? [someSpace] : []), text(piece.text)]));
}

/** The same as a pattern of ECMA-262. */
export function literalPattern(literal: string): string {
  return piecesOf(literal)
    .map((piece) => (piece.isSpaced ? "[ \\t\\n\\r]*" : "") + escaped(piece.text))
    .join("");
}

/** A text as a pattern that finds it. */
export function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Where a literal that begins at a place of a text ends; undefined where it does not stand there, "cut" where the text ends before it is certain. */
export function endOfLiteral(literal: string, from: string, start: number): number | "cut" | undefined {
  let at = start;
  for (const piece of piecesOf(literal)) {
    if (piece.isSpaced) at = behindSpace(from, at);
    const rest = from.slice(at, at + piece.text.length);
    if (rest.length < piece.text.length) return piece.text.startsWith(rest) ? "cut" : undefined;
    if (rest !== piece.text) return undefined;
    at += piece.text.length;
  }
  return at;
}

/** The same for the first of several literals that stands there, where none could stand there with more text. */
export function endOfAny(literals: readonly string[], from: string, start: number): number | "cut" | undefined {
  const ends = literals.map((literal) => endOfLiteral(literal, from, start));
  return ends.find((end) => typeof end === "number") ?? ends.find((end) => end === "cut");
}

/** The first place from `at` on that is no white space. */
export function behindSpace(from: string, at: number): number {
  let end = at;
  while (end < from.length && isSpace.test(from[end]!)) end++;
  return end;
}

/** The place behind the last character that is no white space. */
export function withoutLastSpace(from: string): number {
  let end = from.length;
  while (end > 0 && isSpace.test(from[end - 1]!)) end--;
  return end;
}
