// How the texts of a corpus become words for training. The rules are plain data, so that threads can be told and a later program can compare.

import { type NormaliserStep, normaliserOf } from "../normaliser.ts";
import { type PreTokeniserStep, preTokeniserOf } from "../pre-tokeniser.ts";
import { nextUnitOf } from "../scan-bytes.ts";
import { eachSpan } from "../split-bytes.ts";
import { type SplitName, splitsOf } from "../split-pattern.ts";
import { eachSentencePart, eachSentencePartUtf8, markReserved, type SentenceRules, unknownMark } from "../split-sentence.ts";
import type { NextUnit } from "../unit-cache.ts";
import { eachSpan as eachWhiteSpan } from "../word-codec.ts";
import type { WordTable } from "./word-table.ts";

/** What a kind's words depend on; two trainings with the same rules may share counts. */
export type WordRules =
  | { readonly kind: "word" }
  | { readonly kind: "bytes"; readonly pattern?: SplitName | readonly SplitName[]; readonly splitDigits: boolean }
  | { readonly kind: "steps"; readonly steps: readonly PreTokeniserStep[] }
  | ({ readonly kind: "sentencepiece" } & SentenceRules)
  | GivenRules;

/** What a given tokenizer does to a text before it cuts it. */
export interface GivenRules {
  readonly kind: "given";
  /** Pieces that stand for themselves wherever a text spells them: no word holds one. */
  readonly apart: readonly string[];
  readonly normaliser: readonly NormaliserStep[];
  readonly words: Exclude<WordRules, GivenRules>;
}

/** Counts the words of a document, or of a part of one. Words never reach from one into the next. */
export type CutWords = (text: string, table: WordTable) => void;

/** What cuts texts into words by the rules. */
export function wordCutter(rules: WordRules): CutWords {
  switch (rules.kind) {
    case "word":
      return (text, table) => eachWhiteSpan(text, (start, end) => table.add(text, start, end));
    case "bytes": {
      const nextUnit = rules.splitDigits || typeof rules.pattern !== "string" ? undefined : nextUnitOf(rules.pattern);
      if (nextUnit !== undefined) return unitCutter(nextUnit);
      const splits = splitsOf(rules.pattern, rules.splitDigits);
      return (text, table) => eachSpan(text, splits, (start, end) => table.add(text, start, end));
    }
    case "steps": {
      const preTokenise = preTokeniserOf(rules.steps);
      return (text, table) => preTokenise(text, "text", (word) => word !== "" && table.add(word));
    }
    case "given":
      return givenCutter(rules);
    case "sentencepiece":
      return sentenceCutter(rules);
    default:
      return rules satisfies never;
  }
}

/** Cuts the UTF-8 of texts. */
function unitCutter(nextUnit: NextUnit): CutWords {
  let bytes = new Uint8Array(0);
  return (text, table) => {
    if (3 * text.length > bytes.length) bytes = new Uint8Array(3 * text.length);
    const end = utf8.encodeInto(text, bytes).written;
    for (let at = 0; at < end; ) {
      const stop = nextUnit(bytes, at, end);
      table.addUtf8(bytes, at, stop);
      at = stop;
    }
  };
}

/** Cuts the UTF-8 of texts, but where a line may be left out for what it holds, or a reserved piece could reach across two. */
function sentenceCutter(rules: SentenceRules): CutWords {
  const marked = markReserved(rules);
  const reachesAcross = rules.reserved.some((piece) => piece.includes("\n"));
  const leavesOut = rules.maxSentenceBytes !== undefined;
  let bytes = new Uint8Array(0);
  return (text, table) => {
    const plain = marked(text);
    if (reachesAcross || (leavesOut && (plain !== text || text.includes(unknownMark))))
      return eachSentencePart(text, rules, (line, start, end) => table.add(line, start, end));
    if (3 * plain.length + 1 > bytes.length) bytes = new Uint8Array(3 * plain.length + 1);
    bytes[0] = 0x20;
    const size = 1 + utf8.encodeInto(plain, bytes.subarray(1)).written;
    eachSentencePartUtf8(bytes, size, rules, (start, end) => table.addUtf8(bytes, start, end));
  };
}

const utf8 = new TextEncoder();

function givenCutter({ apart, normaliser, words }: GivenRules): CutWords {
  const cut = wordCutter(words);
  const normalise = normaliserOf(normaliser);
  const separator = apart.length === 0 ? undefined : new RegExp(alternatives(apart), "u");
  return (text, table) => {
    for (const stretch of separator === undefined ? [text] : text.split(separator))
      if (stretch !== "") cut(normalise(stretch, "text"), table);
  };
}

/** The longest first, as it is found first. */
function alternatives(texts: readonly string[]): string {
  return texts
    .toSorted((a, b) => b.length - a.length)
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"))
    .join("|");
}
