// Random schemas and instances for the judge of JSON Schema's grammars, and the texts of an instance in every order of its keys.
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { expect } from "vitest";
import { CriaError, Rng } from "../dist/base/index.js";
import { jsonSchemaGrammar } from "../dist/grammar/index.js";

/** The texts of a value as JSON.stringify writes them, with keys in every order; of objects with more than four keys in the given one. */
export function* textsOf(value) {
  if (typeof value !== "object" || value === null) return yield JSON.stringify(value);
  const isArray = Array.isArray(value);
  for (const keys of isArray ? [Object.keys(value)] : orders(Object.keys(value))) {
    const parts = keys.map((key) =>
      [...textsOf(value[key])].slice(0, 24).map((text) => (isArray ? text : `${JSON.stringify(key)}:${text}`)),
    );
    const all = parts.reduce((found, part) => found.flatMap((texts) => part.map((text) => [...texts, text])).slice(0, 200), [[]]);
    for (const texts of all) yield isArray ? `[${texts.join(",")}]` : `{${texts.join(",")}}`;
  }
}

function orders(keys) {
  if (keys.length < 2 || keys.length > 4) return [keys];
  return keys.flatMap((key, i) => orders([...keys.slice(0, i), ...keys.slice(i + 1)]).map((rest) => [key, ...rest]));
}

const keys = ["a", "b", "cc", "x_1"];
const patterns = ["^a", "b$", "^[a-c]*$", "^x_\\d$", "é|b", "^.{1,3}$", "[^b]"];
const formatNames = [
  "date",
  "time",
  "date-time",
  "uuid",
  "email",
  "ipv4",
  "ipv6",
  "uri",
  "hostname",
  "duration",
  "json-pointer",
  "uri-reference",
];
const numbers = [-3, -0.5, 0, 1, 2, 2.5, 7, 10, 100];
const scalars = [null, true, false, 0, 1, 2, -3, 2.5, 7, "", "a", "b", "ab", "é", 'q"\\\n', "😀x"];

/** A random value, which few schemas allow, with few different parts, so that some do. */
export function randomValue(rng, depth = 2) {
  const kind = rng.below(depth > 0 ? 6 : 4);
  if (kind < 4) return scalars[rng.below(scalars.length)];
  const items = Array.from({ length: rng.below(4) }, () => randomValue(rng, depth - 1));
  return kind === 4 ? items : Object.fromEntries(items.map((item) => [keys[rng.below(keys.length)], item]));
}

/** A random schema of draft 2020-12, which may be contradictory or one that is refused. @param defs names of definitions to refer to */
export function randomSchema(rng, depth, defs = []) {
  const chance = (one) => rng.below(one) === 0;
  const pick = (list) => list[rng.below(list.length)];
  const some = (list) => list.filter(() => chance(2));
  const below = () => randomSchema(rng, depth - 1, defs);
  const below3 = () => Array.from({ length: 1 + rng.below(3) }, below);
  const map = (names) => Object.fromEntries(names.map((name) => [name, below()]));
  const range = (min, max, list) => {
    const [low, high] = [pick(list), pick(list)].sort((a, b) => a - b);
    return { ...(chance(2) && { [min]: low }), ...(chance(2) && { [max]: high }) };
  };
  const counts = [0, 1, 2, 3, 5];
  const kinds = {
    null: () => ({ type: "null" }),
    boolean: () => ({ type: "boolean" }),
    integer: () => ({ type: "integer", ...range("minimum", "maximum", numbers), ...(chance(4) && { multipleOf: pick([1, 2, 3, 0.5]) }) }),
    number: () => ({
      type: "number",
      ...range("exclusiveMinimum", pick(["maximum", "exclusiveMaximum"]), numbers),
      ...(chance(5) && { multipleOf: pick([0.25, 2, 0.1]) }),
    }),
    string: () => ({ type: "string", ...range("minLength", "maxLength", counts), ...(chance(3) && { pattern: pick(patterns) }) }),
    format: () => ({ type: "string", format: pick(formatNames) }),
    enum: () => ({ enum: some([...scalars, [1], { a: 1 }, { a: "b", b: [] }]).concat("a") }),
    const: () => ({ const: pick(scalars) }),
    typeless: () => ({
      ...(chance(2) && { minLength: 2 }),
      ...(chance(2) && { minimum: 1 }),
      ...(chance(2) && { required: some(keys) }),
      ...(chance(2) && { maxItems: 2 }),
    }),
    types: () => ({
      type: some(["null", "boolean", "integer", "number", "string", "array", "object"])
        .concat(["string"])
        .filter((t, i, all) => all.indexOf(t) === i),
    }),
    true: () => true,
    ref: () => (defs.length > 0 ? { $ref: `#/$defs/${pick(defs)}` } : {}),
  };
  const deep = {
    object: () => ({
      type: "object",
      ...(chance(4) || { properties: map(some(keys)) }),
      ...(chance(2) && { required: some(keys) }),
      ...(chance(2) && { additionalProperties: chance(2) ? false : below() }),
      ...(chance(4) && { patternProperties: map(some(patterns.slice(0, 4))) }),
      ...(chance(6) && { propertyNames: { pattern: pick(patterns) } }),
      ...(chance(6) && range("minProperties", "maxProperties", [0, 1, 2])),
      ...(chance(8) && { dependentRequired: { a: some(keys.slice(1)) } }),
      ...(chance(8) && { dependentSchemas: { b: below() } }),
    }),
    array: () => ({
      type: "array",
      ...(chance(2) && { items: chance(4) ? false : below() }),
      ...(chance(3) && { prefixItems: below3() }),
      ...(chance(2) && range("minItems", "maxItems", counts)),
      // ajv 8 takes an empty array for one that contains what it must, where there are prefixItems.
      ...(chance(5) && { contains: below(), prefixItems: undefined }),
      ...(chance(6) && { items: { enum: ["a", 1, null] }, uniqueItems: true, prefixItems: undefined }),
    }),
    anyOf: () => ({ anyOf: below3() }),
    allOf: () => ({ allOf: below3() }),
    oneOf: () => ({ oneOf: below3() }),
    not: () => ({ ...(chance(2) && { type: ["string", "number", "null", "boolean"] }), not: below() }),
    if: () => Object.fromEntries(["if", ...some(["then", "else"])].map((keyword) => [keyword, below()])),
  };
  const makers = Object.values(depth > 0 ? { ...kinds, ...deep, object2: deep.object, object3: deep.object, array2: deep.array } : kinds);
  const schema = pick(makers)();
  return JSON.parse(JSON.stringify(schema));
}

/** A random schema with definitions that refer to each other. */
export function randomDocument(rng) {
  const names = ["one", "two"];
  const root = randomSchema(rng, 3, names);
  if (typeof root === "boolean" || !JSON.stringify(root).includes("$ref")) return root;
  return { ...root, $defs: Object.fromEntries(names.map((name) => [name, randomSchema(rng, 2, names)])) };
}

const closing = ['"', "}", "]", ","].map((char) => char.charCodeAt(0));

/** A text of random bytes that may come, which ends soon where it may; undefined where it becomes long. */
export function randomText(grammar, rng) {
  const bytes = [];
  let state = grammar.machine.start();
  while (bytes.length < 300) {
    const next = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => grammar.machine.step(state, byte) !== null);
    if (state.isEnd && (next.length === 0 || rng.below(2) === 0))
      return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
    if (next.length === 0) throw new Error("a text cannot go on and cannot end");
    const ends = next.filter((byte) => closing.includes(byte));
    const among = ends.length > 0 && rng.below(3) > 0 ? ends : next;
    const byte = among[rng.below(among.length)];
    bytes.push(byte);
    state = grammar.machine.step(state, byte);
  }
  return undefined;
}

/** Random schemas by their seeds, each with random texts of its grammar and random instances, held against ajv. @returns how many of each were seen */
export function judge(from, to) {
  const seen = { compiled: 0, texts: 0, accepted: 0, rejected: 0 };
  for (let seed = from; seed < to; seed++) {
    const rng = new Rng(seed);
    const schema = randomDocument(rng);
    const validate = validator(schema);
    const values = Array.from({ length: 30 }, () => randomValue(rng));
    const grammar = compiled(schema);
    if (validate === undefined || grammar === undefined) continue;
    if (typeof grammar === "string") expect([seed, schema, values.filter((value) => validate(value))]).toEqual([seed, schema, []]);
    else judgeOne({ seed, schema }, { grammar, validate, values, rng }, seen);
  }
  return seen;
}

function judgeOne(place, { grammar, validate, values, rng }, seen) {
  seen.compiled++;
  for (let i = 0; i < 6; i++) {
    const text = randomText(grammar, rng);
    if (text === undefined) continue;
    seen.texts++;
    expect({ ...place, text, isValid: validate(JSON.parse(text)) }).toEqual({ ...place, text, isValid: true });
  }
  for (const value of values) {
    const accepts = [...textsOf(value)].some((text) => grammar.accepts(text));
    expect({ ...place, value, accepts }).toEqual({ ...place, value, accepts: validate(value) });
    seen[accepts ? "accepted" : "rejected"]++;
  }
}

/** ajv's function; undefined where it does not end on a definition that refers to itself without an end, though nothing may refer to that. */
function validator(schema) {
  const ajv = new Ajv({ strict: false, multipleOfPrecision: 9 });
  formats.default(ajv);
  try {
    return ajv.compile(schema);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A grammar; undefined where the schema is refused; the message where it is contradictory. */
function compiled(schema) {
  try {
    return jsonSchemaGrammar(schema);
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    return /no text is valid/.test(error.message) ? error.message : undefined;
  }
}
