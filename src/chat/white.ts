// What Python calls white space, which is not what JavaScript does: four separators and NEL are, the byte order mark is not.
const white = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** White space at the beginning of a text. */
export const leadingWhite = new RegExp(`^[${white}]+`);
/** A text of white space alone. */
export const allWhite = new RegExp(`^[${white}]+$`);
/** Global: for `matchAll` and `replace` only. */
export const whiteRuns = new RegExp(`[${white}]+`, "g");
/** Sticky: matches white space at `lastIndex`, none included. */
export const whiteHere = () => new RegExp(`[${white}]*`, "y");

/** Python's rstrip(), in time that grows with the length. */
export function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && allWhite.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}
