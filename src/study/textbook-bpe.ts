// Byte-pair encoding as the textbook has it (Sennrich et al. 2016, arXiv 1508.07909, algorithm 1), slow and step by step: the judge of the trainer.
import { endOfWord } from "../tokenizer/index.ts";

/** A merge of the textbook's algorithm. */
export interface BpeStep {
  readonly left: string;
  readonly right: string;
  /** How often the pair stands in the text. */
  readonly count: number;
  /** Symbols of the text after the merge. */
  readonly symbols: number;
  /** Every different word after the merge, as its symbols. */
  readonly words: readonly (readonly string[])[];
}

interface Word {
  readonly symbols: readonly string[];
  readonly count: number;
}

/** Merges `merges` times, or less often when every word is one symbol. */
export function textbookBpe(text: string, merges: number): BpeStep[] {
  const steps: BpeStep[] = [];
  let words = countWords(text);
  while (steps.length < merges) {
    const best = mostFrequent(countPairs(words));
    if (best === undefined) break;
    const { left, right, count } = best;
    words = words.map((word) => ({ ...word, symbols: merge(word.symbols, left, right) }));
    const symbols = words.reduce((sum, word) => sum + word.count * word.symbols.length, 0);
    steps.push({ left, right, count, symbols, words: words.map((word) => word.symbols) });
  }
  return steps;
}

/** Words between white space, each as its characters and the mark of its end. */
function countWords(text: string): Word[] {
  const counts = new Map<string, number>();
  for (const word of text.split(/\s+/u).filter((part) => part !== "")) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => ({ symbols: [...word, endOfWord], count }));
}

interface Pair {
  readonly left: string;
  readonly right: string;
  count: number;
}

function countPairs(words: readonly Word[]): Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { symbols, count } of words)
    for (let i = 0; i + 1 < symbols.length; i++) {
      const [left, right] = [symbols[i]!, symbols[i + 1]!];
      const key = `${left} ${right}`;
      const pair = pairs.get(key) ?? { left, right, count: 0 };
      pair.count += count;
      pairs.set(key, pair);
    }
  return [...pairs.values()];
}

/** Ties go as in the trainer: to the shorter result, then to the one first in UTF-16 order, then to the shorter left part. */
function mostFrequent(pairs: readonly Pair[]): Pair | undefined {
  return [...pairs].sort(
    (a, b) =>
      b.count - a.count ||
      a.left.length + a.right.length - b.left.length - b.right.length ||
      compare(a.left + a.right, b.left + b.right) ||
      a.left.length - b.left.length,
  )[0];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function merge(symbols: readonly string[], left: string, right: string): string[] {
  const merged: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const isPair = symbols[i] === left && symbols[i + 1] === right;
    merged.push(isPair ? left + right : symbols[i]!);
    if (isPair) i++;
  }
  return merged;
}
