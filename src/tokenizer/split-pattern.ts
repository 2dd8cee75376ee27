// How byte-level tokenizers cut text into words before any merge: the published regular expressions by name, which is what tokenizer.json holds.
// A scanner by hand runs for each, and the expression is its judge in the tests.
import { cjk, cjkKana, letterBit, newlineBit, numberBit, punctuationBit } from "./char-bits.ts";
import {
  afterSpace,
  contraction,
  endOfLines,
  endOfWhite,
  isNewline,
  kindAt,
  letters,
  newlines,
  numbers,
  others,
  skip,
  upTo,
  whites,
  widthAt,
} from "./scan-text.ts";
import { byGroups, byMarkedRuns, byRuns, bySingles, nextCased, nextDeepseek3 } from "./split-cased.ts";

/** Finds the end of the word that begins at `at`, `at` < `end` ≤ text.length; text beyond `end` does not exist for it. */
export type NextWord = (text: string, at: number, end: number) => number;

/**
 * The expressions as published: openai/gpt-2 encoder.py; meta-llama/llama3 tokenizer.py, which is OpenAI's cl100k; Qwen/Qwen2;
 * openai/tiktoken's o200k, which LLaMA 4 has too; mistralai's Tekken; the steps of deepseek-ai's chains (digitGroups, cjkKana, deepseek3 in
 * DeepSeek-V3 and R1; newline, words, punctuation, cjk, digit in DeepSeek-Coder); digit alone also in SmolLM and StarCoder. These have
 * scanners by hand; any other expression is a step of pre-tokeniser.ts. `\s` means Unicode's White_Space.
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

/** The name of a published expression. */
export type SplitName = keyof typeof splitPatterns;

/** Those that cut a text into words by themselves, so that a tokenizer can be trained with one; every character is in a match of theirs. */
export const wordPatterns = ["gpt2", "llama3", "qwen2", "o200k", "tekken"] as const satisfies readonly SplitName[];

/** The same meaning in other spellings that files have: tiktoken's, with possessive quantifiers that change nothing here. */
export const otherSpellings: readonly (readonly [string, SplitName])[] = [
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
      return bySingles(numberBit);
    case "o200k":
      return (text, at, end) => nextCased(text, at, end, 3, true);
    case "tekken":
      return (text, at, end) => nextCased(text, at, end, 1, false);
    case "deepseek3":
      return nextDeepseek3;
    case "cjkKana":
      return byRuns(cjkKana);
    case "cjk":
      return byRuns(cjk);
    case "newline":
      return bySingles(newlineBit);
    case "words":
      return byMarkedRuns(letterBit);
    case "punctuation":
      return byMarkedRuns(punctuationBit);
    case "digitGroups":
      return byGroups(numberBit, 3);
    default:
      return pattern satisfies never;
  }
}

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
