// Tokens that may not come next: by the text's length so far, by what the text holds already, and by lists. The definitions are those of Hugging
// Face's transformers (generation/logits_process.py): MinLength, MinNewTokensLength, NoRepeatNGram, NoBadWords, SuppressTokens and SuppressTokensAtBegin.
import { check } from "../base/index.ts";
import { clearBits, type LogitsStep } from "./scores.ts";
import type { TextSoFar } from "./text-so-far.ts";

/** Each rule is off where its option is absent. Ids outside the vocabulary are allowed and rule out nothing. */
export interface RuleOptions {
  /** Stop tokens are ruled out until so many tokens are written. An integer, at least 0. */
  readonly minTokens?: number;
  /** Stop tokens are ruled out until prompt and text have so many tokens; only where `minTokens` is absent. An integer, at least 0. */
  readonly minLength?: number;
  /** No so many tokens in a row come twice, the prompt's included. An integer, at least 0; 0 is off. */
  readonly noRepeatNgramSize?: number;
  /** Tokens that never come. */
  readonly suppressTokens?: readonly number[];
  /** Tokens that are not the first to come. */
  readonly beginSuppressTokens?: readonly number[];
  /** Tokens that never come in a row, each row of at least one; a stop token alone is allowed nonetheless. */
  readonly badWords?: readonly (readonly number[])[];
}

/** Steps that rule tokens out, those that are off left out. @throws CriaError naming the option that is out of its range. */
export function ruleSteps(options: RuleOptions, stopIds: ReadonlySet<number>): LogitsStep[] {
  checkOptions(options);
  const { suppressTokens = [], beginSuppressTokens = [], badWords = [], minTokens, minLength = 0, noRepeatNgramSize = 0 } = options;
  const words = badWords.filter((word) => word.length > 1 || !stopIds.has(word[0]!));
  const leastLength = ({ promptLength }: TextSoFar) => (minTokens === undefined ? minLength : promptLength + minTokens);
  return [
    ...rule("suppressTokens", suppressTokens.length > 0, () => suppressTokens),
    ...rule("beginSuppressTokens", beginSuppressTokens.length > 0, ({ ids, promptLength }) =>
      ids.length === promptLength ? beginSuppressTokens : [],
    ),
    ...rule("minTokens", (minTokens ?? minLength) > 0, (text) => (text.ids.length < leastLength(text) ? stopIds : [])),
    ...rule("badWords", words.length > 0, ({ ids }) => endsOfWords(words, ids)),
    ...rule("noRepeatNgramSize", noRepeatNgramSize > 0, ({ ids }) => endsOfNgrams(ids, noRepeatNgramSize)),
  ];
}

/** @param ruledOut the tokens that may not come next */
function rule(name: keyof RuleOptions, isOn: boolean, ruledOut: (text: TextSoFar) => Iterable<number>): LogitsStep[] {
  if (!isOn) return [];
  return [{ name, apply: (scores, text) => scores.exclude(ruledOut(text)), restrict: (bits, text) => clearBits(bits, ruledOut(text)) }];
}

/** The last tokens of those words whose others are the text's last. */
function* endsOfWords(words: readonly (readonly number[])[], ids: readonly number[]): Generator<number, void> {
  for (const word of words) if (holdsAt(ids, ids.length - word.length + 1, word, 0, word.length - 1)) yield word[word.length - 1]!;
}

/** The last tokens of those n-grams in the text whose others are the text's last; O(length of the text). */
function* endsOfNgrams(ids: readonly number[], n: number): Generator<number, void> {
  const suffix = ids.length - n + 1;
  for (let start = 0; start + n <= ids.length; start++) if (holdsAt(ids, start, ids, suffix, n - 1)) yield ids[start + n - 1]!;
}

/** Whether `a` from `i` on is `b` from `j` on, for `count` tokens. */
function holdsAt(a: readonly number[], i: number, b: readonly number[], j: number, count: number): boolean {
  if (i < 0 || j < 0) return false;
  for (let k = 0; k < count; k++) if (a[i + k] !== b[j + k]) return false;
  return true;
}

function checkOptions(options: RuleOptions): void {
  for (const name of ["minTokens", "minLength", "noRepeatNgramSize"] as const) {
    const value = options[name];
    check(value === undefined || isCount(value), "infer", () => `${name} is ${value} but must be an integer, at least 0`);
  }
  for (const name of ["suppressTokens", "beginSuppressTokens"] as const) checkTokens(name, options[name] ?? []);
  for (const word of options.badWords ?? []) {
    checkTokens("a row of badWords", word);
    check(word.length > 0, "infer", () => "a row of badWords is empty but must have a token: it would come after everything");
  }
}

function checkTokens(name: string, ids: readonly number[]): void {
  const wrong = ids.find((id) => !isCount(id));
  check(wrong === undefined, "infer", () => `${name} has ${wrong} but a token is an integer, at least 0`);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
