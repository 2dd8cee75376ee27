// Sentences, counted by their marks. The published pipelines ask NLTK's Punkt, a model of English abbreviations; what they count changes only which
// pages are long enough, and marks are the same in all languages and take no model.
import { characterFlags, spaceFlag, terminalFlag } from "./characters.ts";

/** Quotation marks and brackets may stand between a sentence's last mark and the space behind it. */
const closers = new Set(Array.from("\"'’”»)]}」』）", (mark) => mark.charCodeAt(0)));

/** Sentences of a text: stretches that end with marks and white space behind them, or with the text; none where there is no text. */
export function countSentences(text: string): number {
  const flags = characterFlags();
  let [count, isOpen, isEnding] = [0, false, false];
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    const flag = flags[unit]!;
    if ((flag & spaceFlag) !== 0) {
      if (isEnding) {
        count++;
        [isOpen, isEnding] = [false, false];
      }
    } else {
      isOpen = true;
      isEnding = (flag & terminalFlag) !== 0 || (isEnding && closers.has(unit));
    }
  }
  return isOpen ? count + 1 : count;
}
