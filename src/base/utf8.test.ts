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
  expect(decodeTexts(bytes, spans)).toEqual(texts);
  expect(decodeTexts(bytes, [0, 1])).toBe(undefined);
  const halves = new TextEncoder().encode("é");
  expect(decodeTexts(halves, [0, 1, 1, 2])).toBe(undefined);
  expect(decodeTexts(halves, [0, 2])).toEqual(["é"]);
});

test("texts that lie in a file are decoded when they are asked for, and one that is no UTF-8 is named", () => {
  const bytes = new TextEncoder().encode("é🦙a");
  const texts = (...spans: readonly number[]) => new Texts(bytes, Int32Array.from(spans), "x.bin: names", "base");
  expect([...texts(0, 2, 2, 2, 2, 7)]).toEqual(["é", "", "🦙a"]);
  expect([texts(0, 2, 2, 3).length, texts().list()]).toEqual([2, []]);
  expect(() => texts(0, 2, 2, 5).list()).toThrow("x.bin: names: text 1: its text is not UTF-8 from byte 0 on");
});
