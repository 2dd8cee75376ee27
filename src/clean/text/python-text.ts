// What the rules' definitions say with Python's methods of strings, whose white space and lines are others than JavaScript's.
import { characterFlags, lineEndFlag, spaceFlag } from "./characters.ts";

/** The text without white space at its ends, as `str.strip` has it. */
export function strip(text: string): string {
  const flags = characterFlags();
  let [start, end] = [0, text.length];
  while (start < end && (flags[text.charCodeAt(start)]! & spaceFlag) !== 0) start++;
  while (end > start && (flags[text.charCodeAt(end - 1)]! & spaceFlag) !== 0) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** The lines of a text without their ends, as `str.splitlines` has them: none for "", and none behind the last end. */
export function splitLines(text: string): string[] {
  const flags = characterFlags();
  const lines: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if ((flags[unit]! & lineEndFlag) === 0) continue;
    lines.push(text.slice(start, at));
    if (unit === 0xd && text.charCodeAt(at + 1) === 0xa) at++;
    start = at + 1;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}

/** Characters of a text: code points, a lone surrogate counted as one. */
export function countCharacters(text: string): number {
  let pairs = 0;
  for (let at = 0; at + 1 < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) {
      pairs++;
      at++;
    }
  }
  return text.length - pairs;
}

/** How often a part stands in a text, without overlaps, as `str.count` has it. */
export function countOf(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  return count;
}
