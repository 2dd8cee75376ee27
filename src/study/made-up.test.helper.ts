// A text to study where none is at hand, and a context that asks for next to nothing.
import type { Backend } from "../backend/index.ts";
import { Rng } from "../base/index.ts";
import type { StudyContext, StudyText } from "./study.ts";

/** Documents of about 1,000 characters: sentences of made-up words, the common ones common, and some numbers. */
export function madeUpText(documents = 150): StudyText {
  const rng = new Rng(3);
  const syllable = () => "bdfgklmnprst"[rng.below(12)]! + "aeiou"[rng.below(5)]!;
  const vocabulary = Array.from({ length: 1000 }, () => Array.from({ length: 1 + rng.below(4) }, syllable).join(""));
  const word = () => (rng.below(20) === 0 ? String(rng.below(2000)) : vocabulary[Math.floor(1000 * rng.uniform() ** 3)]!);
  const sentence = () => `${Array.from({ length: 4 + rng.below(8) }, word).join(" ")}.`;
  const texts = Array.from({ length: documents }, () => Array.from({ length: 30 }, sentence).join(" "));
  return {
    name: "made up",
    documents: {
      async *[Symbol.asyncIterator]() {
        yield* texts;
      },
    },
  };
}

export function tinyContext(backend: Backend, more: Partial<StudyContext> = {}): StudyContext {
  return {
    backend,
    text: madeUpText(),
    folder: "unused",
    minutes: 1,
    secondsLeft: () => 60,
    steps: 2,
    seeds: [1],
    signal: new AbortController().signal,
    progress: () => {},
    ...more,
  };
}
