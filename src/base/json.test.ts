import { expect, test } from "vitest";
import { CriaError } from "./errors.ts";
import { isObject, parseJson } from "./json.ts";

test("a text that is no JSON is refused in one line, with its place and the way out", () => {
  expect(parseJson("here", "a.json: its text", '{"a": [1, null]}')).toEqual({ a: [1, null] });
  expect(() => parseJson("here", "a.json: its text", "{\n\n]", "correct it")).toThrow(
    /^\[here\] a\.json: its text is not JSON \([^\n]+\): correct it$/,
  );
  expect(() => parseJson("here", "record 2", "")).toThrow(/^\[here\] record 2 is not JSON \([^)]+\)$/);
  expect(() => parseJson("here", "record 2", "")).toThrow(CriaError);
});

test("objects are what has keys", () => {
  expect([{}, { a: 1 }].every(isObject)).toBe(true);
  expect([null, undefined, [], "a", 1, true].some(isObject)).toBe(false);
});
