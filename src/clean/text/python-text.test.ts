// Characters, words, lines and small letters as Python has them, of every character of Unicode (test/goldens/make_python_text.py).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { hexOf, Sha256 } from "../../base/index.ts";
import { characterFlags, letterFlag, numberFlag } from "./characters.ts";
import { countCharacters, splitLines, strip } from "./python-text.ts";
import { measureWords, Words } from "./words.ts";

interface Golden {
  readonly blockSize: number;
  readonly ways: readonly string[];
  readonly lower: readonly (readonly [block: number, hash: string])[];
  readonly [method: string]: unknown;
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../../test/goldens/python-text.golden.json", import.meta.url), "utf8"));

/** 1 for each code point of the ranges. */
function pointsOf(method: string): Uint8Array<ArrayBuffer> {
  const points = new Uint8Array(0x110000);
  for (const range of String(golden[method]).split(" ")) {
    const [first = 0, last = first] = range.split("-").map((hex) => Number.parseInt(hex, 16));
    points.fill(1, first, last + 1);
  }
  return points;
}

/** The code points of which `holds` differs from Python's method. */
function differing(
  method: string,
  holds: (character: string, point: number) => boolean,
  among = new Uint8Array(0x110000).fill(1),
): string[] {
  const points = pointsOf(method);
  const found: string[] = [];
  for (let point = 0; point < 0x110000; point++)
    if ((point < 0xd800 || point > 0xdfff) && among[point] === 1 && holds(String.fromCodePoint(point), point) !== (points[point] === 1))
      found.push(point.toString(16));
  return found;
}

test("a text is cut into words where Python cuts it", () => {
  const isCut = pointsOf("split");
  for (let block = 0; block < 0x110000; block += golden.blockSize) {
    const points = Array.from({ length: golden.blockSize }, (_, i) => block + i).filter((point) => point < 0xd800 || point > 0xdfff);
    const expected = points.flatMap((point) => (isCut[point] === 1 ? ["a", "b"] : [`a${String.fromCodePoint(point)}b`]));
    const text = points.map((point) => `a${String.fromCodePoint(point)}b`).join(" ");
    const { count, starts, ends } = new Words(text);
    expect(Array.from({ length: count }, (_, i) => text.slice(starts[i], ends[i])).join(" ")).toBe(expected.join(" "));
    expect(measureWords(text).count).toBe(expected.length);
  }
});

test("a text is stripped of what Python takes for white space, and cut into lines where Python cuts it", () => {
  expect(differing("strip", (c) => strip(`${c}a${c}`) === "a")).toEqual([]);
  expect(differing("splitlines", (c) => splitLines(`a${c}b`).length === 2)).toEqual([]);
  expect(splitLines("a\r\nb\n\rc\n")).toEqual(["a", "b", "", "c"]);
  expect(splitLines("")).toEqual([]);
});

test("every character counts once, and letters and numbers are Python's", () => {
  const assigned = pointsOf("assigned");
  const flags = characterFlags();
  expect(differing("assigned", (c) => countCharacters(`a${c}b${c}`) === 4, assigned)).toEqual([]);
  expect(differing("isalpha", (_, point) => (flags[point]! & letterFlag) !== 0, assigned)).toEqual([]);
  expect(differing("isalnum", (_, point) => (flags[point]! & (letterFlag | numberFlag)) !== 0, assigned)).toEqual([]);
});

test("small letters are Python's, a final sigma among them", () => {
  const assigned = pointsOf("assigned");
  for (const [block, hash] of golden.lower) {
    const lines: string[] = [];
    for (let point = block * golden.blockSize; point < (block + 1) * golden.blockSize; point++)
      if (assigned[point] === 1)
        for (const way of golden.ways) lines.push(way.replace("{}", () => String.fromCodePoint(point)).toLowerCase());
    expect(hexOf(new Sha256().update(lines.join("\n")).digest()).slice(0, 12), `block ${block}`).toBe(hash);
  }
});
