import { expect, test } from "vitest";
import { Rng } from "./rng.ts";
import { StopFilter } from "./stop-filter.ts";

/** Pieces one by one: what comes out when, and whether it stopped. */
function run(stops: string[], pieces: string[]) {
  const filter = new StopFilter(stops);
  const texts: string[] = [];
  for (const piece of pieces) {
    const { text, stopped } = filter.push(piece);
    texts.push(text);
    if (stopped) return { texts, stopped };
  }
  return { texts: [...texts, filter.flush()], stopped: false };
}

test("text that may begin a stop string waits until it is clear", () => {
  expect(run(["END"], ["a E", "N", "x ", "EN", "D b"])).toEqual({ texts: ["a ", "", "ENx ", "", ""], stopped: true });
  expect(run(["END"], ["a EN"])).toEqual({ texts: ["a ", "EN"], stopped: false });
  expect(run(["aab"], ["aaa", "ab!"])).toEqual({ texts: ["a", "a"], stopped: true });
  expect(run(["\n\n", "."], ["one\n", "two\n\nthree."])).toEqual({ texts: ["one", "\ntwo"], stopped: true });
  expect(run([], ["a", "b"])).toEqual({ texts: ["a", "b", ""], stopped: false });
});

/** Letter by letter: the text until it first ends in a stop string, without the longest that it ends in. */
function byDefinition(stops: string[], text: string) {
  for (let end = 1; end <= text.length; end++) {
    const ended = stops.filter((stop) => text.slice(0, end).endsWith(stop)).map((stop) => stop.length);
    if (ended.length > 0) return { text: text.slice(0, end - Math.max(...ended)), stopped: true };
  }
  return { text, stopped: false };
}

test("however a text is cut, the result is that of the whole text", () => {
  const rng = new Rng(5);
  const letters = (length: number) => Array.from({ length }, () => "ab"[rng.below(2)]).join("");
  for (let round = 0; round < 500; round++) {
    const stops = Array.from({ length: 1 + rng.below(3) }, () => letters(2 + rng.below(5)));
    const text = letters(rng.below(30));
    const cuts = [...new Set([0, ...Array.from({ length: 6 }, () => rng.below(text.length + 1)), text.length])].sort((a, b) => a - b);
    const { texts, stopped } = run(
      stops,
      cuts.slice(1).map((end, i) => text.slice(cuts[i], end)),
    );
    expect({ text: texts.join(""), stopped }).toEqual(byDefinition(stops, text));
  }
});

test("an empty stop string is refused", () => {
  expect(() => new StopFilter(["a", ""])).toThrow("[infer] a stop string is empty");
});
