// Where a text that comes in parts may be cut without changing an id, whatever follows. All of these look at the characters on both sides of the
// place alone.
import { letterBit, newlineBit, numberBit, punctuationBit, symbolBit, whiteBit } from "./char-bits.ts";
import { bitsAt } from "./utf8-bits.ts";

/** Whether the text may be cut at `at`: a whole character ends there and a whole character begins there. */
export type IsBorder = (bytes: Uint8Array, left: number, at: number, end: number) => boolean;

const apostrophe = 0x27;
const space = 0x20;

/**
 * Serves the patterns that cut a text into words by themselves (split-pattern.ts): none of them goes on from other characters to a space, from letters to
 * numbers or back, from letters to punctuation or symbols but for an apostrophe, or from a line end to a letter or a number. White space in front of
 * the line end would be cut otherwise at the end of a text (`\s+(?!\S)`).
 */
export const isWordBorder: IsBorder = (bytes, left, at, end) => {
  const before = bitsAt(bytes, left, at);
  if (bytes[at] === space) return (before & whiteBit) === 0;
  const behind = bitsAt(bytes, at, end);
  if ((before & newlineBit) !== 0) return (behind & (letterBit | numberBit)) !== 0 && !isWhiteBefore(bytes, left);
  if ((before & letterBit) !== 0) return (behind & (numberBit | punctuationBit | symbolBit)) !== 0 && bytes[at] !== apostrophe;
  return (before & numberBit) !== 0 && (behind & letterBit) !== 0;
};

function isWhiteBefore(bytes: Uint8Array, at: number): boolean {
  return at === 0 || (bitsAt(bytes, at - widthBefore(bytes, at), at) & whiteBit) !== 0;
}

/** Serves the word kind, where white space in ASCII is in no word. */
export const isWhiteBorder: IsBorder = (bytes, _left, at) => bytes[at] === space || bytes[at] === 0x0a;

/** How many bytes the character has that ends at `at`, as far as its first byte can be told; 0 at the beginning. */
export function widthBefore(bytes: Uint8Array, at: number): number {
  let left = at - 1;
  while (left > 0 && at - left < 4 && (bytes[left]! & 0xc0) === 0x80) left--;
  return left < 0 ? 0 : at - left;
}
