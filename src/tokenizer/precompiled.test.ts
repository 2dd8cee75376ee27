// Graphemes are found a window at a time, which must not show.
import { expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { graphemes } from "./precompiled.ts";

const units = [
  "a",
  " ",
  "\r",
  "\n",
  "\r\n",
  "e\u0301",
  "\u0301",
  "\u0600",
  "\u{1f468}\u200d\u{1f469}",
  "\u{1f1e9}",
  "\u200d",
  "日",
  "\u1100",
  "\u1161",
];
units.push("\u{1f3fb}", "\u{e0100}", "ｶﾞ", "क्ष", "\ufe0f", "\u0e33", "\u0301".repeat(300));

test("graphemes of long texts are those of the text as a whole", () => {
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  const rng = new Rng(7);
  for (let i = 0; i < 60; i++) {
    const text = Array.from({ length: 1 + rng.below(900) }, () => units[rng.below(units.length - (i % 2))]!).join("");
    const whole = Array.from(segmenter.segment(text), ({ segment }) => segment);
    expect([...graphemes(text, segmenter)]).toEqual(whole);
  }
});
