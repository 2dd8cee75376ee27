// Cutting text for the byte-level kind, in training and in encoding alike.
import { isNumberAt, type NextWord, widthAt } from "./split-pattern.ts";

/** Calls back with every word in order; their concatenation is the text. */
export function eachWord(text: string, nextWord: NextWord, splitDigits: boolean, each: (word: string) => void): void {
  const { length } = text;
  for (let at = 0; at < length; ) {
    const isDigit = splitDigits && isNumberAt(text, at, length);
    const end = isDigit ? at + widthAt(text, at, length) : splitDigits ? nextDigit(text, at) : length;
    if (isDigit) each(text.slice(at, end));
    while (!isDigit && at < end) {
      const stop = nextWord(text, at, end);
      each(text.slice(at, stop));
      at = stop;
    }
    at = end;
  }
}

function nextDigit(text: string, start: number): number {
  let at = start;
  while (at < text.length && !isNumberAt(text, at, text.length)) at += widthAt(text, at, text.length);
  return at;
}
