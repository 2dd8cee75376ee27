import { expect, test } from "vitest";
import { lineChanges } from "./line-changes.ts";

const shown = (before: string, after: string) => lineChanges(before, after).map(({ mark, line }) => mark + line);

test.each([
  ["a\nb\nc", "a\nc", [" a", "-b", " c"]],
  ["a\nb", "a\nB\nc", [" a", "-b", "+B", "+c"]],
  ["a", "a", [" a"]],
  ["a\na\nb", "a\nb", [" a", "-a", " b"]],
  ["menu\na\nmenu\n", "menu\na", [" menu", " a", "-menu", "-"]],
  ["x", "", ["-x", "+"]],
])("%j → %j", (before, after, changes) => {
  expect(shown(before, after)).toEqual(changes);
});
