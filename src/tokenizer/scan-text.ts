// What the scanners of split-pattern.ts are made of: runs of characters of one class in a stretch of a text, which ends at `end`.
import { classOfCodePoint, Letter, Mark, Newline, NumberClass, Other, Space, Surrogate, unitClasses, White } from "./char-class.ts";

/** The bit of letters. */
export const letters = 1 << Letter;
/** The bit of numbers. */
export const numbers = 1 << NumberClass;
/** The bit of line ends. */
export const newlines = 1 << Newline;
/** The bits of all white space. */
export const whites = (1 << White) | newlines | (1 << Space);
/** The bits of [^\s\p{L}\p{N}]. */
export const others = (1 << Other) | (1 << Mark); // [^\s\p{L}\p{N}]
const apostrophe = 0x27;

/** `'s|'t|'re|'ve|'m|'ll|'d`; `at` when there is none. */
export function contraction(text: string, at: number, end: number, anyCase: boolean): number {
  if (text.charCodeAt(at) !== apostrophe || at + 1 >= end) return at;
  const tail = anyCase ? text.slice(at + 1, Math.min(at + 3, end)).toLowerCase() : text.slice(at + 1, Math.min(at + 3, end));
  if ("stmd".includes(tail[0]!) || (anyCase && tail[0] === "ſ")) return at + 2;
  return tail === "re" || tail === "ve" || tail === "ll" ? at + 3 : at;
}

/** The place behind one U+0020, where something other than white space follows. */
export function afterSpace(text: string, at: number, end: number): number {
  return text.charCodeAt(at) === 0x20 && at + 1 < end && kindAt(text, at + 1, end) !== whites ? at + 1 : at;
}

/** `\s*[\r\n]+`: to the last line end of this run of white space; undefined when it has none. */
export function endOfLines(text: string, at: number, end: number): number | undefined {
  for (let i = skip(text, at, end, whites); i > at; i--) if (isNewline(text, i - 1)) return i;
  return undefined;
}

/** `\s+(?!\S)|\s+`: the run, less its last character where a word follows, which then belongs to that word. */
export function endOfWhite(text: string, at: number, end: number): number {
  const stop = skip(text, at, end, whites);
  return stop === end || stop === at + 1 ? stop : stop - 1;
}

/** Where a run of at most `most` numbers ends. */
export function upTo(text: string, at: number, end: number, most: number): number {
  let stop = at;
  for (let count = 0; count < most && stop < end && kindAt(text, stop, end) === numbers; count++) stop += widthAt(text, stop, end);
  return stop;
}

/** Whether the character is \r or \n. */
export function isNewline(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit === 0x0a || unit === 0x0d;
}

/** The place behind all characters whose class is in the set. */
export function skip(text: string, at: number, end: number, set: number): number {
  const classes = unitClasses();
  let i = at;
  while (i < end) {
    const unitClass = classes[text.charCodeAt(i)]!;
    if (unitClass === Surrogate) {
      if ((setAt(text, i, end) & set) === 0) break;
      i += widthAt(text, i, end);
    } else if (((1 << unitClass) & set) === 0) break;
    else i++;
  }
  return i;
}

/** The whole set, of the four the patterns know, that the character belongs to. */
export function kindAt(text: string, at: number, end: number): number {
  const bit = setAt(text, at, end);
  return (bit & letters) !== 0 ? letters : (bit & numbers) !== 0 ? numbers : (bit & whites) !== 0 ? whites : others;
}

function setAt(text: string, at: number, end: number): number {
  const unitClass = unitClasses()[text.charCodeAt(at)]!;
  if (unitClass !== Surrogate) return 1 << unitClass;
  return widthAt(text, at, end) === 2 ? 1 << classOfCodePoint(text.codePointAt(at)!) : 1 << Other;
}

/** UTF-16 units of the character: 2 for a surrogate pair, 1 for anything else, a lone surrogate too. */
export function widthAt(text: string, at: number, end: number): number {
  return at + 1 < end && text.codePointAt(at)! > 0xffff ? 2 : 1;
}
