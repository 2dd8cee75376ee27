// Cutting text for the byte-level kind, in training and in encoding alike.
import type { NextWord } from "./split-pattern.ts";

/** Calls back with every word in order; their concatenation is the text. Each split cuts the words of the one before. */
export function eachWord(text: string, splits: readonly NextWord[], each: (word: string) => void): void {
  eachSpan(text, splits, (start, end) => each(text.slice(start, end)));
}

/** The same with where every word lies. */
export function eachSpan(text: string, splits: readonly NextWord[], each: (start: number, end: number) => void): void {
  const cut = (start: number, end: number, level: number) => {
    const nextWord = splits[level];
    if (nextWord === undefined) {
      each(start, end);
      return;
    }
    for (let at = start; at < end; ) {
      const stop = nextWord(text, at, end);
      cut(at, stop, level + 1);
      at = stop;
    }
  };
  if (text !== "") cut(0, text.length, 0);
}
