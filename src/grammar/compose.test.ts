import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { either, GrammarComposer, jsonSchemaGrammar, sequence, text, textWithout } from "./index.ts";

const letters = ["a", "b", "<", "é", "\n"];

function randomText(rng: Rng): string {
  return Array.from({ length: rng.below(9) }, () => letters[rng.below(letters.length)]).join("");
}

test("a text without a pattern is one in which it is not found", () => {
  const rng = new Rng(1);
  for (const pattern of ["<a", "a|bb", "^[ab]", "<é\n", "aba"]) {
    const grammar = new GrammarComposer().grammar(textWithout(pattern));
    for (let i = 0; i < 200; i++) {
      const one = randomText(rng);
      expect([pattern, one, grammar.accepts(one)]).toEqual([pattern, one, !new RegExp(pattern, "u").test(one)]);
    }
  }
  expect(() => textWithout("(?=a)")).toThrow("the pattern (?=a) cannot be kept out of a text");
});

const schemas = [
  ...[
    { type: "string" },
    { type: "integer", minimum: 3 },
    { enum: [1, "a"] },
    { type: "array", items: { type: "string" } },
    { type: "integer", minimum: 3 },
  ],
  ...[
    { type: "object", properties: { a: { type: "string" }, b: { $ref: "#" } }, additionalProperties: false },
    { type: "string", maxLength: 2 },
  ],
];

describe("schemas in one grammar", () => {
  const composer = new GrammarComposer();
  const values = schemas.map((schema, i) => sequence(text(`${i}:`), composer.json(schema, `schema ${i}`)));
  const grammar = composer.grammar(either(values));

  test("have the texts that each has by itself", () => {
    const texts = ['"a"', '"abc"', "3", "2", "1", '["a", "b"]', "[3]", "{}", '{"a": "x", "b": {"b": {}}}', '{"a": 1}', '{"c": 1}'];
    for (const [i, schema] of schemas.entries()) {
      const alone = jsonSchemaGrammar(schema);
      for (const one of texts) expect([i, one, grammar.accepts(`${i}:${one}`)]).toEqual([i, one, alone.accepts(one)]);
    }
  });

  test("share what is equal", () => {
    const places = (count: number) => {
      const many = new GrammarComposer();
      return many.grammar(either(Array.from({ length: count }, (_, i) => many.json({ type: "integer", minimum: 3 }, `${i}`)))).machine
        .automaton.positions.length;
    };
    expect(places(10)).toBeLessThan(2 * places(1));
  });

  test("are refused by name where one has no text, though others have", () => {
    const one = new GrammarComposer();
    const parts = [
      one.json({ type: "string" }, "first"),
      one.json({ type: "object", required: ["a"], properties: { a: { allOf: [{ type: "string" }, { type: "null" }] } } }, "second"),
    ];
    expect(() => one.grammar(either(parts))).toThrow("second, the schema: no text is valid, and one must be");
  });

  test("a schema that may have no text", () => {
    const one = new GrammarComposer();
    expect(one.jsonIfAny({ type: "string", enum: [1] }, "none")).toBeUndefined();
    expect(one.grammar(one.jsonIfAny({ type: "string", enum: ["a"] }, "one") ?? text("")).accepts('"a"')).toBe(true);
  });

  test("strings as they are", () => {
    const one = new GrammarComposer();
    const strings = one.grammar(one.strings({ type: ["string", "null"], maxLength: 3 }, "<") ?? text("?"));
    expect(["", "a\n", '"a"', "null", "<", "abcd"].map((value) => strings.accepts(value))).toEqual([true, true, true, false, false, false]);
    expect(one.strings({ type: "null" }, "<")).toBeUndefined();
  });
});
