// How byte-level tokenizers cut text into words before any merge. The published regular expressions, and a scanner by hand for each:
// the scanners are what runs, the expressions are their judges in the tests and what tokenizer.json holds.
import { fail } from "../base/index.ts";
import { classOfCodePoint, Letter, Mark, Newline, NumberClass, Other, Space, Surrogate, unitClasses, White } from "./char-class.ts";

export type SplitName = "gpt2" | "llama3";

/** Finds the end of the word that begins at `at`, `at` < `end` ≤ text.length; text beyond `end` does not exist for it. */
export type NextWord = (text: string, at: number, end: number) => number;

/** The expressions as published (openai/gpt-2, encoder.py; meta-llama/llama3, tokenizer.py). `\s` means Unicode's White_Space. */
export const splitPatterns: Readonly<Record<SplitName, string>> = {
  gpt2: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  llama3:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};

/** The scanner of a named pattern, or one that runs the given expression. @throws CriaError when it is no expression JavaScript can run. */
export function nextWordOf(pattern: SplitName | { readonly regex: string } | undefined): NextWord {
  if (pattern === undefined) return (_text, _at, end) => end;
  if (typeof pattern === "object") return byRegex(compilePattern(pattern.regex));
  return pattern === "gpt2" ? nextGpt2 : nextLlama3;
}

/** A published pattern as a JavaScript expression: inline `(?i:…)` spelled out for ASCII letters, `\s` as White_Space. */
export function compilePattern(source: string): RegExp {
  const translated = source
    .replace(/\(\?i:([^()]*)\)/g, (_, body: string) => `(?:${foldCase(body)})`)
    .replaceAll("\\s", "\\p{White_Space}")
    .replaceAll("\\S", "\\P{White_Space}");
  try {
    return new RegExp(translated, "gu");
  } catch (error) {
    return fail("tokenizer", `the split pattern ${JSON.stringify(source)} is not supported: ${(error as Error).message}`, { cause: error });
  }
}

function foldCase(body: string): string {
  let inClass = false;
  return body.replace(/\\.|\[|\]|[a-zA-Z]/g, (part) => {
    if (part === "[" || part === "]") inClass = part === "[";
    if (part.length > 1 || part === "[" || part === "]") return part;
    const both = part.toLowerCase() + part.toUpperCase();
    return inClass ? both : `[${both}]`;
  });
}

/** What lies between two matches is a word too ("Isolated" in Hugging Face's terms). `end` must be the end of the text. */
function byRegex(pattern: RegExp): NextWord {
  return (text, at, end) => {
    pattern.lastIndex = at;
    let match = pattern.exec(text);
    while (match?.[0] === "") {
      pattern.lastIndex++;
      match = pattern.exec(text);
    }
    if (match === null) return end;
    return match.index > at ? match.index : at + match[0].length;
  };
}

const letters = 1 << Letter;
const numbers = 1 << NumberClass;
const newlines = 1 << Newline;
const whites = (1 << White) | newlines | (1 << Space);
const others = (1 << Other) | (1 << Mark); // [^\s\p{L}\p{N}]
const apostrophe = 0x27;

function nextGpt2(text: string, at: number, end: number): number {
  const contracted = contraction(text, at, end, false);
  if (contracted > at) return contracted;
  const first = afterSpace(text, at, end);
  const kind = kindAt(text, first, end);
  if (kind === whites) return endOfWhite(text, at, end);
  return skip(text, first, end, kind);
}

function nextLlama3(text: string, at: number, end: number): number {
  const contracted = contraction(text, at, end, true);
  if (contracted > at) return contracted;
  const kind = kindAt(text, at, end);
  if (kind === letters) return skip(text, at, end, letters);
  if (kind === numbers) return upToThree(text, at, end);
  const second = at + widthAt(text, at, end);
  if (second < end && !isNewline(text, at) && kindAt(text, second, end) === letters) return skip(text, second, end, letters);
  const first = afterSpace(text, at, end);
  if (kindAt(text, first, end) === others) return skip(text, skip(text, first, end, others), end, newlines);
  return endOfLines(text, at, end) ?? endOfWhite(text, at, end);
}

/** `'s|'t|'re|'ve|'m|'ll|'d`; `at` when there is none. */
function contraction(text: string, at: number, end: number, anyCase: boolean): number {
  if (text.charCodeAt(at) !== apostrophe || at + 1 >= end) return at;
  const tail = anyCase ? text.slice(at + 1, Math.min(at + 3, end)).toLowerCase() : text.slice(at + 1, Math.min(at + 3, end));
  if ("stmd".includes(tail[0]!)) return at + 2;
  return tail === "re" || tail === "ve" || tail === "ll" ? at + 3 : at;
}

/** Past one U+0020, where something other than white space follows. */
function afterSpace(text: string, at: number, end: number): number {
  return text.charCodeAt(at) === 0x20 && at + 1 < end && kindAt(text, at + 1, end) !== whites ? at + 1 : at;
}

/** `\s*[\r\n]+`: to the last line end of this run of white space; undefined when it has none. */
function endOfLines(text: string, at: number, end: number): number | undefined {
  for (let i = skip(text, at, end, whites); i > at; i--) if (isNewline(text, i - 1)) return i;
  return undefined;
}

/** `\s+(?!\S)|\s+`: the run, less its last character where a word follows, which then belongs to that word. */
function endOfWhite(text: string, at: number, end: number): number {
  const stop = skip(text, at, end, whites);
  return stop === end || stop === at + 1 ? stop : stop - 1;
}

function upToThree(text: string, at: number, end: number): number {
  let stop = at;
  for (let count = 0; count < 3 && stop < end && kindAt(text, stop, end) === numbers; count++) stop += widthAt(text, stop, end);
  return stop;
}

function isNewline(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit === 0x0a || unit === 0x0d;
}

/** Past all characters whose class is in the set. */
function skip(text: string, at: number, end: number, set: number): number {
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
function kindAt(text: string, at: number, end: number): number {
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

/** Whether the character is one of \p{N}. */
export function isNumberAt(text: string, at: number, end: number): boolean {
  return setAt(text, at, end) === numbers;
}
