import { expect, test } from "vitest";
import { decodeTexts, Texts } from "./utf8.ts";

test("many stretches are decoded as each by itself, and none where one is no UTF-8", () => {
  const texts = ["", "a", "é日🦙", "\ufeff", "", "\0", "x".repeat(300)];
  const parts = texts.map((text) => new TextEncoder().encode(text));
  const bytes = Uint8Array.from(parts.flatMap((part) => [0xff, ...part]));
  let at = 0;
  const spans = parts.flatMap((part) => {
    at += 1 + part.length;
    return [at - part.length, at];
  });
  expect(decodeTexts(bytes, spans)?.list()).toEqual(texts);
  expect(decodeTexts(bytes, [0, 1])).toBe(undefined);
  const halves = new TextEncoder().encode("é");
  expect(decodeTexts(halves, [0, 1, 1, 2])).toBe(undefined);
  expect(decodeTexts(halves, [0, 2])?.list()).toEqual(["é"]);
});

test("lists of texts are joined in order", () => {
  const all = Texts.concat([Texts.of(["", "é"]), Texts.of([]), Texts.of(["🦙", "a"])]);
  expect([...all]).toEqual(["", "é", "🦙", "a"]);
  expect([all.joined, all.start(2), all.end(2)]).toEqual(["é🦙a", 1, 3]);
  expect(Texts.concat([]).list()).toEqual([]);
});
