// How a normalised text is cut into words before merging, where it takes more than the named patterns of split-pattern.ts: the steps of
// huggingface/tokenizers, pre_tokenizers/, each applied to the words of the one before.
import { Regex, type Span } from "../regex/index.ts";
import { byteLevelPiece } from "./byte-pieces.ts";
import { numberBit } from "./char-bits.ts";
import { type StretchStart, utf8Bytes } from "./codec.ts";
import { byRuns } from "./split-cased.ts";
import { type NextWord, nextWordOf, type SplitName } from "./split-pattern.ts";
import { isPunctuation, scriptOf } from "./unicode-of-normalisers.ts";

/** What becomes of the matches of a step: words of their own, joined where they touch, left out, or part of the word beside them. */
export type SplitBehaviour = "isolated" | "contiguous" | "removed" | "mergedWithPrevious" | "mergedWithNext";

/** A step of a pre-tokenizer, as plain data. */
export type PreTokeniserStep =
  /** A named expression; what lies between its matches is a word too. */
  | { readonly type: "pattern"; readonly name: SplitName }
  /** Any other expression in Oniguruma's syntax. */
  | { readonly type: "expression"; readonly source: string; readonly behaviour: SplitBehaviour; readonly invert: boolean }
  | { readonly type: "literal"; readonly text: string; readonly behaviour: SplitBehaviour; readonly invert: boolean }
  /** \p{N}, one by one or in runs. */
  | { readonly type: "digits"; readonly individual: boolean }
  | { readonly type: "punctuation"; readonly behaviour: SplitBehaviour }
  /** Words are runs of \w and runs of what is neither \w nor white space; white space goes. */
  | { readonly type: "words" }
  /** Words are what stands between white space, which goes. */
  | { readonly type: "whiteSpace" }
  /** A mark for every space, also in front, and words that begin with it. */
  | { readonly type: "metaspace"; readonly mark: string; readonly prefix: "always" | "first" | "never"; readonly split: boolean }
  /** A space in front of every word that begins with none. */
  | { readonly type: "prefixSpace" }
  /** Words of one script each; a space and what is of no script go with the word before. */
  | { readonly type: "scripts" }
  /** Words of so many characters. */
  | { readonly type: "fixedLength"; readonly length: number }
  /** A word's bytes in GPT-2's printable alphabet. The kind bytes needs no such step. */
  | { readonly type: "byteLevel" };

/** Calls back with every word of a stretch in order. */
export type PreTokenise = (text: string, start: StretchStart, each: (word: string) => void) => void;

/** A word and whether the text begins with it. */
type Step = (word: string, isFirst: boolean, each: (word: string, isFirst: boolean) => void) => void;

/** What cuts a text into words by the steps, each of which cuts the words of the one before. */
export function preTokeniserOf(steps: readonly PreTokeniserStep[]): PreTokenise {
  const all = steps.map(stepOf);
  return (text, start, each) => {
    const cut = (word: string, isFirst: boolean, level: number): void => {
      const step = all[level];
      if (step === undefined) each(word);
      else step(word, isFirst, (part, first) => cut(part, first, level + 1));
    };
    if (text !== "") cut(text, start === "text", 0);
  };
}

function stepOf(step: PreTokeniserStep): Step {
  switch (step.type) {
    case "pattern":
      return byNextWord(nextWordOf(step.name));
    case "expression": {
      const expression = new Regex(step.source);
      return bySegments((text) => expression.matches(text), step.behaviour, step.invert);
    }
    case "literal":
      return bySegments((text) => literals(text, step.text), step.behaviour, step.invert);
    case "digits":
      return byNextWord(step.individual ? nextWordOf("digit") : byRuns(numberBit));
    case "punctuation":
      return bySegments(punctuation, step.behaviour, false);
    case "words": {
      const expression = new Regex(words);
      return bySegments((text) => expression.matches(text), "removed", true);
    }
    case "whiteSpace":
      return bySegments((text) => matches(text, /\p{White_Space}/gu), "removed", false);
    case "metaspace":
      return metaspace(step);
    case "prefixSpace":
      return (text, isFirst, each) => each(text.startsWith(" ") ? text : ` ${text}`, isFirst);
    case "scripts":
      return byScripts;
    case "fixedLength":
      return byNextWord((text, at) => endOfLength(text, at, step.length));
    case "byteLevel":
      return (text, isFirst, each) => each(byteLevelPiece(utf8Bytes(text)), isFirst);
    default:
      return step satisfies never;
  }
}

/** Rust's `\w+|[^\w\s]+`, whose \w has the joiners too. */
const words = "[[:word:]\\u200c\\u200d]+|[^[:word:]\\u200c\\u200d\\s]+";

function byNextWord(nextWord: NextWord): Step {
  return (text, isFirst, each) => {
    for (let at = 0; at < text.length; ) {
      const end = nextWord(text, at, text.length);
      each(text.slice(at, end), isFirst && at === 0);
      at = end;
    }
  };
}

/** What stands in front of the first character of a script goes, as there. */
function byScripts(text: string, isFirst: boolean, each: (word: string, isFirst: boolean) => void): void {
  let script = 0;
  let start = -1;
  for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) {
    const own = scriptOf(text.codePointAt(at) ?? 0);
    if (own === 0 || own === script) continue;
    if (start >= 0) each(text.slice(start, at), isFirst && start === 0);
    script = own;
    start = at;
  }
  if (start >= 0) each(text.slice(start), isFirst && start === 0);
}

function endOfLength(text: string, at: number, length: number): number {
  let end = at;
  for (let i = 0; i < length && end < text.length; i++) end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  return end;
}

interface Segment extends Span {
  readonly isMatch: boolean;
}

function bySegments(find: (text: string) => Iterable<Span>, behaviour: SplitBehaviour, invert: boolean): Step {
  return (text, isFirst, each) => {
    for (const { start, end } of joined(segments(text, find, invert), behaviour))
      if (end > start) each(text.slice(start, end), isFirst && start === 0);
  };
}

function* literals(text: string, literal: string): Generator<Span> {
  for (let at = text.indexOf(literal); at >= 0; at = text.indexOf(literal, at + literal.length))
    yield { start: at, end: at + literal.length };
}

function* punctuation(text: string): Generator<Span> {
  for (let start = 0, end = 0; start < text.length; start = end) {
    const code = text.codePointAt(start) ?? 0;
    end = start + (code > 0xffff ? 2 : 1);
    if (isPunctuation(code)) yield { start, end };
  }
}

function* matches(text: string, pattern: RegExp): Generator<Span> {
  for (const match of text.matchAll(pattern)) yield { start: match.index, end: match.index + match[0].length };
}

/** Matches and what lies between, in order; the two change parts where `invert` is set. */
function segments(text: string, find: (text: string) => Iterable<Span>, invert: boolean): Segment[] {
  const found: Segment[] = [];
  let done = 0;
  for (const { start, end } of find(text)) {
    if (start > done) found.push({ start: done, end: start, isMatch: invert });
    found.push({ start, end, isMatch: !invert });
    done = end;
  }
  if (done < text.length) found.push({ start: done, end: text.length, isMatch: invert });
  return found;
}

function joined(all: readonly Segment[], behaviour: SplitBehaviour): readonly Span[] {
  switch (behaviour) {
    case "isolated":
      return all;
    case "removed":
      return all.filter(({ isMatch }) => !isMatch);
    case "contiguous":
      return merged(all, (before, now) => before.isMatch === now.isMatch);
    case "mergedWithPrevious":
      return merged(all, (before, now) => now.isMatch && !before.isMatch);
    case "mergedWithNext":
      return merged(all, (before, now) => before.isMatch && !now.isMatch);
    default:
      return behaviour satisfies never;
  }
}

/** Segments in words: one joins the segment before where the rule says so of the two. */
function merged(all: readonly Segment[], joins: (before: Segment, now: Segment) => boolean): Span[] {
  const words: { start: number; end: number }[] = [];
  all.forEach((now, i) => {
    const before = all[i - 1];
    const last = words.at(-1);
    if (before !== undefined && last !== undefined && joins(before, now)) last.end = now.end;
    else words.push({ start: now.start, end: now.end });
  });
  return words;
}

function metaspace({ mark, prefix, split }: Extract<PreTokeniserStep, { type: "metaspace" }>): Step {
  const cut = bySegments((text) => literals(text, mark), "mergedWithNext", false);
  return (text, isFirst, each) => {
    const marked = text.replaceAll(" ", mark);
    const hasPrefix = (prefix === "always" || (prefix === "first" && isFirst)) && !marked.startsWith(mark);
    const whole = hasPrefix ? mark + marked : marked;
    if (split) cut(whole, isFirst, each);
    else each(whole, isFirst);
  };
}
