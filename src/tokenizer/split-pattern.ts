// How byte-level tokenizers cut text into words before any merge: the published regular expressions by name, which is what tokenizer.json holds.
// For the most used a scanner by hand runs, and the expression is its judge in the tests; the others run as expressions, in linear time.
import { classOfCodePoint, Letter, Mark, Newline, NumberClass, Other, Space, Surrogate, unitClasses, White } from "./char-class.ts";

/** Finds the end of the word that begins at `at`, `at` < `end` ≤ text.length; text beyond `end` does not exist for it. */
export type NextWord = (text: string, at: number, end: number) => number;

/**
 * The expressions as published: openai/gpt-2 encoder.py; meta-llama/llama3 tokenizer.py, which is OpenAI's cl100k; Qwen/Qwen2;
 * openai/tiktoken's o200k, which LLaMA 4 has too; mistralai's Tekken; the steps of deepseek-ai's chains (digitGroups, cjkKana, deepseek3 in
 * DeepSeek-V3 and R1; newline, words, punctuation, cjk, digit in DeepSeek-Coder); digit alone also in SmolLM and StarCoder. Only these run: an
 * expression out of a file could take forever. `\s` means Unicode's White_Space.
 */
export const splitPatterns = {
  gpt2: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  llama3:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  qwen2: "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  o200k:
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  tekken:
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  deepseek3:
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  cjkKana: "[一-龥\u3040-ゟ゠-ヿ]+",
  cjk: "[一-龥ࠀ-一가-퟿]+",
  newline: "[\\r\\n]",
  words: "\\s?\\p{L}+",
  punctuation: "\\s?\\p{P}+",
  digitGroups: "\\p{N}{1,3}",
  digit: "\\p{N}",
} as const satisfies Readonly<Record<string, string>>;

export type SplitName = keyof typeof splitPatterns;

/** Those that cut a text into words by themselves, so that a tokenizer can be trained with one; every character is in a match of theirs. */
export const wordPatterns = ["gpt2", "llama3", "qwen2", "o200k", "tekken"] as const satisfies readonly SplitName[];

/** The same meaning in other spellings that files have: tiktoken's, with possessive quantifiers that change nothing here. */
const otherSpellings: readonly (readonly [string, SplitName])[] = [
  ["'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", "gpt2"],
  [
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
    "llama3",
  ],
];

/** The name of a published expression; undefined for any other. Line ends may stand in it as themselves or as `\r` and `\n`. */
export function splitNameOf(expression: string): SplitName | undefined {
  const spelt = expression.replaceAll("\r", "\\r").replaceAll("\n", "\\n");
  const known = [
    ...(Object.entries(splitPatterns) as [SplitName, string][]).map(([name, source]) => [source, name] as const),
    ...otherSpellings,
  ];
  return known.find(([source]) => source === spelt)?.[1];
}

/** The scanners of a model's patterns, in the order in which they cut. */
export function splitsOf(pattern: SplitName | readonly SplitName[] | undefined, splitDigits: boolean): NextWord[] {
  const names = typeof pattern === "string" ? [pattern] : (pattern ?? []);
  return (splitDigits ? (["digit", ...names] as const) : names).map(nextWordOf);
}

/** The scanner of a named pattern. */
export function nextWordOf(pattern: SplitName): NextWord {
  switch (pattern) {
    case "gpt2":
      return nextGpt2;
    case "llama3":
      return (text, at, end) => nextLlama3(text, at, end, 3);
    case "qwen2":
      return (text, at, end) => nextLlama3(text, at, end, 1);
    case "digit":
      return nextDigit;
    default:
      return byRegex(compilePattern(splitPatterns[pattern]));
  }
}

/** A published pattern as a JavaScript expression: inline `(?i:…)` spelled out, `\s` as White_Space. */
export function compilePattern(source: string): RegExp {
  const translated = source
    .replace(/\(\?i:([^()]*)\)/g, (_, body: string) => `(?:${foldCase(body)})`)
    .replaceAll("\\s", "\\p{White_Space}")
    .replaceAll("\\S", "\\P{White_Space}");
  return new RegExp(translated, "gu");
}

/** Letters in all their cases: besides the two of ASCII, ſ is an s. */
function foldCase(body: string): string {
  return body.replace(/[a-zA-Z]/g, (letter) => {
    const lower = letter.toLowerCase();
    return `[${lower}${letter.toUpperCase()}${lower === "s" ? "ſ" : ""}]`;
  });
}

/** What lies between two matches is a word too ("Isolated" in Hugging Face's terms). */
function byRegex(pattern: RegExp): NextWord {
  return (text, at, end) => {
    const rest = text.slice(at, end);
    pattern.lastIndex = 0;
    const match = pattern.exec(rest);
    if (match === null) return end;
    return at + (match.index > 0 ? match.index : match[0].length);
  };
}

function nextDigit(text: string, at: number, end: number): number {
  if (isNumberAt(text, at, end)) return at + widthAt(text, at, end);
  let stop = at;
  while (stop < end && !isNumberAt(text, stop, end)) stop += widthAt(text, stop, end);
  return stop;
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

/** @param digits how many \p{N} may stand in one word */
function nextLlama3(text: string, at: number, end: number, digits: number): number {
  const contracted = contraction(text, at, end, true);
  if (contracted > at) return contracted;
  const kind = kindAt(text, at, end);
  if (kind === letters) return skip(text, at, end, letters);
  if (kind === numbers) return upTo(text, at, end, digits);
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
  if ("stmd".includes(tail[0]!) || (anyCase && tail[0] === "ſ")) return at + 2;
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

function upTo(text: string, at: number, end: number, most: number): number {
  let stop = at;
  for (let count = 0; count < most && stop < end && kindAt(text, stop, end) === numbers; count++) stop += widthAt(text, stop, end);
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
