import { expect, test } from "vitest";
import { isYamlMap, yamlValue } from "./yaml-value.ts";

test("YAML and JSON become values, aliases copies", () => {
  expect(yamlValue("a: 1\nb: &x [1, 2]\nc: *x")).toEqual({ a: 1, b: [1, 2], c: [1, 2] });
  expect(yamlValue('{"a": {"b": [null, true]}}')).toEqual({ a: { b: [null, true] } });
  expect(yamlValue("")).toBeNull();
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  yamlValue("__proto__: { polluted: 1 }");
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("keys with values are told from a text, whatever is wrong with either", () => {
  for (const map of ["a: 1", "a: [1", "a: 1\nb", '{"a": 1}']) expect(isYamlMap(map)).toBe(true);
  for (const text of ["Once upon a time", "", "- a", "[".repeat(50_000), "? ".repeat(50_000)]) expect(isYamlMap(text)).toBe(false);
});

const laughs = `${["a: &a [x, x, x, x, x, x, x, x, x]", ..."bcdefgh"]
  .map((name, i, all) =>
    i === 0
      ? name
      : `${name}: &${name} [${Array(9)
          .fill(`*${i === 1 ? "a" : all[i - 1]}`)
          .join(", ")}]`,
  )
  .join("\n")}\n`;

test.each([
  ["a list in itself", "a: &x [1, *x]", /^an alias stands inside the very value that its anchor names/],
  ["keys in themselves, some levels down", "a: &x { b: [{ c: *x }] }", /^an alias stands inside the very value/],
  ["copies of copies", laughs, /alias/i],
  ["too deep", `${"[".repeat(80)}${"]".repeat(80)}`, /^it is nested 80 deep, but at most 64 are read$/],
  ["far too deep", "[".repeat(200_000), /^it is nested too deeply$/],
  ["lists in lists on one line", "- ".repeat(30_000), /^it is nested too deeply$/],
  ["keys of keys", "? ".repeat(30_000), /^it is nested too deeply$/],
  ["an unknown tag", "a: !!js/function 5", /tag/],
  ["two documents", "a: 1\n---\nb: 2", /multiple documents/],
  ["an alias of nothing", "a: *b", /alias/i],
  ["a key twice", "a: 1\na: 2", /unique/],
])("%s is refused in one short line", (_, text, message) => {
  expect(() => yamlValue(text)).toThrow(message);
  try {
    yamlValue(text);
  } catch (error) {
    expect((error as Error).message).not.toContain("\n");
  }
});
