import { eachWord } from "./split-bytes.ts";
import { type SplitName, splitsOf } from "./split-pattern.ts";

const units = ["a", "A", "\u02b0", "\u0301", "1", " ", "\n", "!", "'", "日", "🦙", "\u0000", "aA", " \n", "! ", "'s", "1a", "\u00a0 "];

/** Texts of `length` units in which one thing repeats, with another end each, with what their words make together. */
export function* cutRuns(name: SplitName, length: number): Generator<[text: string, joined: string]> {
  const splits = splitsOf(name, false);
  for (const unit of units)
    for (const end of ["", "x", "\n"]) {
      const text = unit.repeat(length / unit.length) + end;
      const words: string[] = [];
      eachWord(text, splits, (word) => words.push(word));
      yield [text, words.join("")];
    }
}
