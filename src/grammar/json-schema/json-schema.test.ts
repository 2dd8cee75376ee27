import { describe, expect, test } from "vitest";
import { jsonSchemaGrammar } from "./json-schema.ts";
import type { Json } from "./json-text.ts";

/** A schema, values that are accepted as JSON.stringify writes them, and values and texts that are not. */
type Row = readonly [schema: unknown, valid: readonly Json[], invalid: readonly Json[]];

const draft7 = { $schema: "http://json-schema.org/draft-07/schema#" };
const list = {
  $ref: "#/$defs/node",
  $defs: {
    node: {
      type: "object",
      properties: { v: { type: "integer" }, next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] } },
      required: ["v", "next"],
      additionalProperties: false,
    },
  },
};
const kinds = ["a", "b"].map((kind) => ({ properties: { kind: { const: kind }, [kind]: { type: "integer" } }, required: ["kind", kind] }));

const rows: Readonly<Record<string, readonly Row[]>> = {
  "types and values": [
    [true, [null, true, 0, -1.5, 1e5, "x", '"\\\n\u0001\u007f', [], [[1], {}], {}, { a: { b: [] } }], []],
    [{ type: ["integer", "null"] }, [null, 0, -7], [1.5, "1", []]],
    [{ type: "number", not: { type: "integer" } }, [0.5, -2.25], [1, 0, -3]],
    [{ enum: ["a", 1, null, { x: [1] }, "a"] }, ["a", 1, null, { x: [1] }], ["b", 2, {}]],
    [{ enum: [1, 2, "ab"], minimum: 2, minLength: 2 }, [2, "ab"], [1]],
    [{ const: 'é😀"' }, ['é😀"'], ["é"]],
  ],
  numbers: [
    [{ type: "integer", minimum: -5, maximum: 120 }, [-5, -1, 0, 99, 120], [-6, 121, 1000, -10]],
    [{ type: "number", exclusiveMinimum: 0.5, maximum: 10 }, [0.51, 1, 10], [0.5, 10.01, 0, -1, 11, 0.49]],
    [{ type: "number", minimum: -1.25, exclusiveMaximum: -0.5 }, [-1.25, -1, -0.51], [-1.26, -0.5, 0, 1]],
    [{ type: "integer", multipleOf: 7, minimum: 0 }, [0, 7, 70, 693], [-7, 8, 1]],
    [{ type: "number", multipleOf: 0.25 }, [0.25, -10.5, 3], [0.3, 0.125]],
    [{ type: "number", maximum: 9007199254740991 }, [9007199254740991, -5], [9007199254740992]],
    [{ type: "integer", not: { enum: [3, 4] }, minimum: 2, maximum: 5 }, [2, 5], [3, 4]],
  ],
  strings: [
    [{ type: "string", minLength: 2, maxLength: 3 }, ["ab", "é😀x", '\n"'], ["a", "abcd", ""]],
    [{ type: "string", pattern: "^[a-z]+\\d$", maxLength: 4 }, ["a1", "abc2"], ["abcd1", "1", "A1"]],
    [{ type: "string", pattern: "foo" }, ["foo", 'x"foo\n'], ["fo", "FOO"]],
    [{ type: "string", pattern: "^a", not: { pattern: "b$" } }, ["a", "aba"], ["ab", "b"]],
    [{ type: "string", not: { const: "x" } }, ["", "y", "xx"], ["x"]],
    [{ type: "string", format: "date" }, ["2024-02-29", "1999-12-31"], ["2023-02-29", "2024-13-01", "2024-1-1"]],
    [
      { type: "string", format: "date-time" },
      ["2024-02-29T23:59:59.5Z", "2024-01-01T00:00:00+02:00"],
      ["2024-02-29", "2024-02-29T24:00:00Z"],
    ],
    [{ type: "string", format: "ipv6" }, ["::", "::1", "1:2:3:4:5:6:7:8", "fe80::a:1.2.3.4"], ["1:2", ":::", "1::2::3", "12345::"]],
    [{ type: "string", format: "uri" }, ["https://a.b/c?d=e#f", "urn:a:b"], ["a/b", "http://a b"]],
    [{ type: "string", format: "email", maxLength: 8 }, ["a@b.cd"], ["abcd@ef.gh", "a@"]],
  ],
  arrays: [
    [
      { type: "array", items: { type: "integer" }, minItems: 2, maxItems: 100 },
      [
        [1, 2],
        [1, 2, 3],
      ],
      [[], [1], [1, "a"]],
    ],
    [
      { type: "array", prefixItems: [{ type: "string" }, { type: "integer" }], items: false, minItems: 1 },
      [["a"], ["a", 1]],
      [[], [1], ["a", 1, 2]],
    ],
    [
      { ...draft7, type: "array", items: [{ type: "string" }], additionalItems: { type: "null" } },
      [[], ["a"], ["a", null]],
      [[1], ["a", 1]],
    ],
    [
      { type: "array", contains: { const: 5 }, minContains: 2, maxItems: 3 },
      [
        [5, 5],
        [5, 1, 5],
      ],
      [[5], [1, 5], [5, 5, 1, 1]],
    ],
    [
      { type: "array", uniqueItems: true, items: { enum: ["a", "b", null] }, minItems: 1 },
      [
        ["a", null],
        ["b", "a", null],
      ],
      [[], ["a", "a"]],
    ],
    [{ type: "array", uniqueItems: true, maxItems: 1 }, [[], [1]], [[1, 1]]],
  ],
  objects: [
    [
      { type: "object", properties: { a: { type: "integer" }, b: {} }, required: ["b"], additionalProperties: false },
      [{ a: 1, b: [] }, { b: 2 }],
      [{}, { a: 1 }, { a: "x", b: 1 }, { b: 1, c: 1 }],
    ],
    [{ type: "object", properties: { a: { type: "integer" } } }, [{}, { z: 1 }, { a: 1, z: {}, y: 2 }], [{ a: "x" }, { z: 1, a: 1 }]],
    [
      { type: "object", required: ["x", "y"], additionalProperties: { type: "null" } },
      [{ x: null, y: null, z: null }],
      [{ x: null }, { x: 1, y: null }],
    ],
    [
      { type: "object", patternProperties: { "^s": { type: "string" }, t$: { minLength: 2 } }, additionalProperties: false },
      [{}, { st: "ab", t: 1, s: "" }],
      [{ st: "a" }, { s: 1 }, { q: 1 }],
    ],
    [
      { type: "object", propertyNames: { maxLength: 2, not: { const: "ab" } }, properties: { abc: {}, a: {} } },
      [{ a: 1, xy: 2 }],
      [{ abc: 1 }, { ab: 1 }],
    ],
    [
      { type: "object", additionalProperties: { type: "integer" }, minProperties: 1, maxProperties: 2 },
      [{ a: 1 }, { a: 1, b: 2 }],
      [{}, { a: 1, b: 2, c: 3 }, { a: "x" }],
    ],
    [
      { type: "object", properties: { a: {}, b: {}, c: {} }, additionalProperties: false, minProperties: 2, maxProperties: 2 },
      [
        { a: 1, c: 1 },
        { b: 1, c: 1 },
      ],
      [{ a: 1 }, { a: 1, b: 1, c: 1 }],
    ],
    [{ type: "object", properties: { a: {}, b: {} }, dependentRequired: { a: ["b"] } }, [{}, { b: 1 }, { a: 1, b: 1 }], [{ a: 1 }]],
    [
      {
        ...draft7,
        type: "object",
        properties: { a: {}, b: {} },
        dependencies: { a: { properties: { b: { type: "integer" } } }, b: ["c"] },
      },
      [{ a: 1 }, { a: 1, b: 1, c: 1 }, { b: "x", c: 1 }],
      [{ a: 1, b: "x", c: 1 }, { b: 1 }],
    ],
    [{ type: "object", properties: { 'a"/~': { const: 1 } }, required: ['a"/~'], additionalProperties: false }, [{ 'a"/~': 1 }], [{}]],
  ],
  combinations: [
    [
      {
        allOf: [{ properties: { a: { type: "integer", minimum: 3 } } }, { properties: { a: { maximum: 5 } }, required: ["a"] }],
        type: "object",
      },
      [{ a: 3 }, { a: 5, x: 1 }],
      [{ a: 6 }, { a: 2 }, {}],
    ],
    [
      { oneOf: kinds, type: "object" },
      [
        { kind: "a", a: 1 },
        { kind: "b", b: 1 },
      ],
      [
        { kind: "a", b: 1 },
        { kind: "c", a: 1 },
      ],
    ],
    [
      { oneOf: [{ required: ["a"] }, { required: ["b"] }], type: "object", properties: { a: {}, b: {} } },
      [{ a: 1 }, { b: 1 }],
      [{}, { a: 1, b: 1 }],
    ],
    [{ oneOf: [{ type: "integer" }, { type: "number", minimum: 5 }] }, [1, 5.5], [5, 6, 1.5]],
    [{ oneOf: [{ type: "number" }, { type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1e-15 }] }, [1, 0.5], [5e-16]],
    [{ oneOf: [{ type: "string", format: "email" }, { type: "integer" }] }, ["a@b.cd", 3], ["x", null]],
    [
      JSON.parse(
        '{"if": {"properties": {"k": {"const": 1}}, "required": ["k"]}, "then": {"required": ["x"]}, "else": {"required": ["y"]}, "type": "object"}',
      ),
      [{ k: 1, x: 2 }, { k: 2, y: 1 }, { y: 1 }],
      [{ k: 1, y: 1 }, { k: 2, x: 1 }, {}],
    ],
    [{ not: { type: ["string", "object"] } }, [1, null, []], ["x", {}]],
    [list, [{ v: 1, next: { v: 2, next: null } }], [{ v: 1 }, { next: null, v: 1 }, null]],
    [
      {
        $id: "https://a.example/root",
        $defs: { x: { $id: "sub", $anchor: "here", type: "integer" } },
        items: { $ref: "sub#here" },
        type: "array",
      },
      [[1]],
      [["a"]],
    ],
    [
      { $schema: "http://json-schema.org/draft-04/schema#", id: "http://a.example/", type: "number", minimum: 0, exclusiveMinimum: true },
      [0.5, 3],
      [0, -1],
    ],
  ],
};

describe.each(Object.entries(rows))("%s", (_, all) => {
  test.each(all)("%j", (schema, valid, invalid) => {
    const grammar = jsonSchemaGrammar(schema);
    for (const value of valid) expect([value, grammar.accepts(JSON.stringify(value))]).toEqual([value, true]);
    for (const value of invalid) expect([value, grammar.accepts(JSON.stringify(value))]).toEqual([value, false]);
  });
});

test("texts that are no JSON, or have other white space or too many digits, are none", () => {
  const grammar = jsonSchemaGrammar(true);
  for (const text of [
    "",
    " 1",
    "01",
    "+1",
    "1.",
    ".5",
    "-",
    "NaN",
    "[1,]",
    "{a:1}",
    "{'a':1}",
    '"\n"',
    '"\\ud800"',
    '"\\x41"',
    "[1 ,2]",
    '{"a" :1}',
    "tru",
    "1e400",
    "9".repeat(20),
  ])
    expect([text, grammar.accepts(text)]).toEqual([text, false]);
  for (const text of ["1E+5", "-0", "-0.0e-5", '"\\u00e9\\ud83d\\uDE00\\/"', "[1, 2,3]", '{"a": 1,"b":2}'])
    expect([text, grammar.accepts(text)]).toEqual([text, true]);
});

test("white space is a choice", () => {
  const schema = { type: "object", properties: { a: { type: "array" } }, additionalProperties: false };
  const texts = ['{"a":[1,2]}', '{"a": [1, 2]}', '{\n  "a": [\n    1,\n    2\n  ]\n}', '{"a":  [1]}', '{ "a": [] }', "{\n}"];
  const accepted = (whitespace: "none" | "space" | "indented") =>
    texts.filter((text) => jsonSchemaGrammar(schema, { whitespace }).accepts(text));
  expect(accepted("none")).toEqual(texts.slice(0, 1));
  expect(accepted("space")).toEqual(texts.slice(0, 2));
  expect(accepted("indented")).toEqual([...texts.slice(0, 3), texts[4]]);
  expect(() => jsonSchemaGrammar(true, { whitespace: "tabs" as "none" })).toThrow('whitespace is "tabs" but must be space, none, indented');
});

const deep = (depth: number): unknown => (depth === 0 ? true : { items: deep(depth - 1) });
const wide = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ properties: { [`k${i}`]: { type: "integer" } }, required: [`k${i}`] }));

test.each([
  [5, "the schema is 5 but must be an object, true or false"],
  [{ items: { typ: "string" } }, '/items/typ: the keyword is not known, did you mean "type"?'],
  [{ properties: { "a/b": { type: "strin" } } }, '/properties/a~1b/type: the value is "strin" but must be one of null, boolean'],
  [{ minLength: -1 }, "/minLength: the value is -1 but must be an integer, at least 0"],
  [{ enum: [] }, "/enum: the value is [] but must be an array of at least one value"],
  [{ required: ["a", "a"] }, "/required: the value is"],
  [{ anyOf: [] }, "/anyOf: the value is [] but must be an array of schemas"],
  [{ $schema: "http://a.example/" }, '/$schema: "http://a.example/" is not supported'],
  [{ items: [true] }, "/items: an array is of draft 7"],
  [{ dependencies: {} }, "/dependencies: the keyword is of draft 4 and draft 7, but the schema of draft 2020-12"],
  [{ ...draft7, prefixItems: [true] }, "/prefixItems: the keyword is of draft 2020-12, but the schema of draft 7"],
  [{ unevaluatedProperties: false }, "/unevaluatedProperties: the keyword is not supported: name all properties"],
  [{ $dynamicRef: "#a" }, "/$dynamicRef: the keyword is not supported: use $ref"],
  [{ $ref: "https://a.example/b" }, '/$ref: "https://a.example/b" lies outside of the schema, and nothing is fetched'],
  [{ $ref: "#/$defs/x" }, '/$ref: "#/$defs/x" names no schema of the document'],
  [{ $ref: "#" }, "/$ref: the references come back to this schema without an end"],
  [
    { $defs: { a: { allOf: [{ $ref: "#/$defs/b" }] }, b: { anyOf: [{ $ref: "#/$defs/a" }] } }, items: { $ref: "#/$defs/a" } },
    "the references come back",
  ],
  [{ type: "object", properties: { a: { $ref: "#" } }, required: ["a"] }, "the schema: no text is valid: what is required has no end"],
  [
    { type: "object", properties: { a: { type: "integer", minimum: 5, maximum: 3 } }, required: ["a"] },
    "/properties/a: no text is valid, and one must be: what is required contradicts itself",
  ],
  [{ type: "string", pattern: "^a$", minLength: 2 }, "the schema: no text is valid"],
  [false, "the schema: no text is valid"],
  [{ pattern: "(?=a)" }, '/pattern: the pattern "(?=a)", at character 1: look-ahead'],
  [{ patternProperties: { "\\b": true } }, '/patternProperties: the pattern "\\\\b", at character 1: word edges'],
  [{ format: "regex" }, '/format: "regex" is not supported: date, time'],
  [{ not: { format: "date" } }, "/not/format: where this does not hold cannot be decided"],
  [{ oneOf: [{ type: "string" }, { type: "string", format: "date" }] }, "/oneOf/1/format: where this does not hold cannot be decided"],
  [{ type: "array", uniqueItems: true }, "/uniqueItems: that items differ can be followed only where"],
  [{ type: "object", minProperties: 2 }, "/minProperties: the value is 2, but only 0 keys are required"],
  [{ type: "number", multipleOf: 1.2345678 }, "/multipleOf: 1.2345678 is 12345678 with 7 decimals, and at most 5000"],
  [{ type: "integer", minimum: 1e17 }, "/minimum: numbers beyond 100000000000000000 are not supported"],
  [
    { type: "string", pattern: "^(?:a|b)*a", maxLength: 20_000 },
    "/maxLength: what is asked of the string is too much: it needs more than 10000 states",
  ],
  [{ contains: true, maxContains: 1 }, "/maxContains: the keyword is not supported"],
  [
    { $defs: Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`d${i}`, { $ref: `#/$defs/d${i + 1}` }])), $ref: "#/$defs/d0" },
    "references and combinations more than 400 deep are not supported",
  ],
  [
    { type: "integer", allOf: [{ multipleOf: 4999 }, { multipleOf: 4997 }] },
    "/allOf/0/multipleOf: what is asked of the number needs more than 20000 states",
  ],
  [
    { type: "object", patternProperties: Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`x${i}`, { minLength: i }])) },
    "/patternProperties: what is asked of keys is too much: keys may be in more than 64 combinations of patterns",
  ],
  [deep(300), "schemas more than 200 deep are not supported"],
  [
    {
      not: { not: { anyOf: wide(11).map((schema) => ({ oneOf: [schema, { type: "string" }] })) } },
      allOf: wide(11).map((schema, i) => ({ anyOf: [schema, { required: [`x${i}`] }] })),
    },
    "more than 1000 alternatives, which is the limit",
  ],
  [Object.fromEntries([["anyOf", Array.from({ length: 20_001 }, () => ({}))]]), "more than 20000 subschemas"],
] as const)("refused with its place: %j", (schema, problem) => {
  expect(() => jsonSchemaGrammar(schema)).toThrow(problem);
});
