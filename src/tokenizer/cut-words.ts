// How the texts of a corpus become words for training. The rules are plain data, so that threads can be told and a later program can compare.

import { eachSpan } from "./split-bytes.ts";
import type { SplitName } from "./split-pattern.ts";
import { splitsOf } from "./split-pattern.ts";
import { eachSentencePart, type SentenceRules } from "./split-sentence.ts";
import { eachSpan as eachWhiteSpan } from "./word-codec.ts";
import type { WordTable } from "./word-table.ts";

/** What a kind's words depend on; two trainings with the same rules may share counts. */
export type WordRules =
  | { readonly kind: "word" }
  | { readonly kind: "bytes"; readonly pattern: SplitName; readonly splitDigits: boolean }
  | ({ readonly kind: "sentencepiece" } & SentenceRules);

/** Counts the words of a document, or of a part of one. Words never reach from one into the next. */
export type CutWords = (text: string, table: WordTable) => void;

export function wordCutter(rules: WordRules): CutWords {
  switch (rules.kind) {
    case "word":
      return (text, table) => eachWhiteSpan(text, (start, end) => table.add(text, start, end));
    case "bytes": {
      const splits = splitsOf(rules.pattern, rules.splitDigits);
      return (text, table) => eachSpan(text, splits, (start, end) => table.add(text, start, end));
    }
    case "sentencepiece":
      return (text, table) => eachSentencePart(text, rules, (line, start, end) => table.add(line, start, end));
    default:
      return rules satisfies never;
  }
}
