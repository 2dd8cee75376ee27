// Byte pair encoding by the book: the pair of the best rank is merged, the leftmost first, until none is left.

import { textIds } from "./alphabet.ts";
import { byteFallbackIds } from "./byte-pieces.ts";
import { utf8Bytes } from "./codec.ts";
import type { ExplainedMerge, ExplainedWord } from "./explain.ts";
import { type BytesModel, eachMerge, endOfWord, mergedPiece, type SentencePieceModel, type WordModel } from "./model.ts";

type MergingModel = WordModel | SentencePieceModel | BytesModel;

interface Rule {
  /** Lower goes first. */
  readonly order: number;
  /** What is shown of it. */
  readonly rank: number;
  readonly result: string;
}

/** The rule of two symbols that stand side by side; undefined where they do not merge. */
type FindRule = (left: string, right: string) => Rule | undefined;

/** What explains the merges of a word. */
export function mergeExplainer(model: MergingModel, ids: ReadonlyMap<string, number>): (word: string) => ExplainedWord {
  const find = rulesOf(model, ids);
  const pieces = piecesOfText(model);
  const takesWholes = model.kind !== "word" && (model.ignoreMerges ?? false);
  return (text) => {
    const whole = takesWholes ? pieces.get(text) : undefined;
    const symbols = whole === undefined ? symbolsOf(model, text, pieces) : [text];
    const { merges, left, parts } = whole === undefined ? merged(symbols, find) : { merges: [], left: symbols, parts: new Map() };
    return { text, symbols, isWhole: whole !== undefined, merges, ids: idsOf(model, left, parts, ids, pieces) };
  };
}

/** Spelling → id of what text can become. */
function piecesOfText(model: MergingModel): ReadonlyMap<string, number> {
  const all = model.kind === "sentencepiece" ? textIds(model) : [...model.pieces.keys()];
  const apart = new Set(
    model.kind === "bytes" && model.merges === undefined ? [...model.specials, ...(model.added ?? []), ...(model.unused ?? [])] : [],
  );
  return new Map(all.filter((id) => !apart.has(id)).map((id) => [model.pieces[id]!, id]));
}

function rulesOf(model: MergingModel, ids: ReadonlyMap<string, number>): FindRule {
  if (model.merges !== undefined) {
    const rules = new Map<string, Rule>();
    eachMerge(model.merges, (left, right, rank) => {
      const pair = keyOf(model.pieces[left]!, model.pieces[right]!);
      if (!rules.has(pair)) rules.set(pair, { order: rank, rank, result: mergedPiece(model, left, right) });
    });
    return (left, right) => rules.get(keyOf(left, right));
  }
  const pieces = piecesOfText(model);
  const scores = model.kind === "sentencepiece" ? model.scores : undefined;
  return (left, right) => {
    const result = left + right;
    const id = pieces.get(result);
    if (id === undefined || ids.get(result) === undefined) return undefined;
    const rank = scores?.[id] ?? id;
    return { order: scores === undefined ? rank : -rank, rank, result };
  };
}

/** One key for a pair, whatever its pieces hold. */
function keyOf(left: string, right: string): string {
  return `${left.length} ${left}${right}`;
}

function symbolsOf(model: MergingModel, text: string, pieces: ReadonlyMap<string, number>): string[] {
  const characters = Array.from(text);
  if (model.kind === "word") return [...characters, endOfWord];
  if (model.kind === "bytes") return model.lacksBytes ? characters.filter((char) => pieces.has(char)) : characters;
  const { continuingPrefix = "", wordSuffix = "", byteFallback, unkId } = model;
  const symbols = characters.map((char, i) => `${i > 0 ? continuingPrefix : ""}${char}${i === characters.length - 1 ? wordSuffix : ""}`);
  // Where there is neither a byte nor an unknown piece, what is unknown goes.
  return byteFallback || unkId !== undefined ? symbols : symbols.filter((symbol) => pieces.has(symbol));
}

interface Merged {
  readonly merges: readonly ExplainedMerge[];
  readonly left: readonly string[];
  /** The result of every pair that could have been merged → its two parts: SentencePiece takes unused pieces apart again by the last one found. */
  readonly parts: ReadonlyMap<string, readonly [string, string]>;
}

function merged(from: readonly string[], find: FindRule): Merged {
  const symbols = [...from];
  const merges: ExplainedMerge[] = [];
  const parts = new Map<string, readonly [string, string]>();
  const ruleAt = (i: number) => {
    const rule = i < 0 || i + 1 >= symbols.length ? undefined : find(symbols[i]!, symbols[i + 1]!);
    if (rule !== undefined) parts.set(rule.result, [symbols[i]!, symbols[i + 1]!]);
    return rule;
  };
  const rules = symbols.map((_, i) => ruleAt(i));
  for (;;) {
    const at = rules.reduce((best, rule, i) => (rule !== undefined && (best < 0 || rule.order < rules[best]!.order) ? i : best), -1);
    const rule = rules[at];
    if (rule === undefined) return { merges, left: symbols, parts };
    const [left, right] = symbols.splice(at, 2, rule.result) as [string, string];
    rules.splice(at, 1);
    if (at > 0) rules[at - 1] = ruleAt(at - 1);
    rules[at] = ruleAt(at);
    rules.length = symbols.length;
    merges.push({ left, right, rank: rule.rank, symbols: [...symbols] });
  }
}

function idsOf(
  model: MergingModel,
  symbols: readonly string[],
  parts: ReadonlyMap<string, readonly [string, string]>,
  ids: ReadonlyMap<string, number>,
  pieces: ReadonlyMap<string, number>,
): number[] {
  if (model.kind !== "sentencepiece") return symbols.flatMap((symbol) => ids.get(symbol) ?? model.unkId ?? []);
  const { byteFallback, unkId, fusesUnknown = true, scores, unused = [] } = model;
  const byteIds = byteFallback ? byteFallbackIds(ids) : undefined;
  const isUnused = new Set(scores === undefined ? [] : unused);
  const found: number[] = [];
  const write = (symbol: string): void => {
    const id = pieces.get(symbol);
    const both = id !== undefined && isUnused.has(id) ? parts.get(symbol) : undefined;
    if (both !== undefined) both.forEach(write);
    else if (id !== undefined) found.push(id);
    else if (byteIds !== undefined) for (const byte of utf8Bytes(symbol)) found.push(byteIds[byte]!);
    else if (unkId !== undefined && !(fusesUnknown && found.at(-1) === unkId)) found.push(unkId);
  };
  symbols.forEach(write);
  return found;
}
