// The keywords of JSON Schema, drafts 4 to 2020-12: a row each, with the form that its value must have. What has no row is no keyword, and refused.
import { isArray } from "./json-text.ts";

/** The dialects that are supported; draft 6 is a part of draft 7. */
export type Draft = "draft 4" | "draft 7" | "draft 2020-12";

/** What a keyword's value holds: a schema, several by key, a list of them, a schema or a list, or something else. */
export type Holds = "schema" | "map" | "list" | "schema or list" | "schemas or names" | "value";

/** A keyword's row. */
export interface Keyword {
  readonly holds: Holds;
  /** Not in other drafts than these; in all where absent. */
  readonly drafts?: readonly Draft[];
  /** What the value must be; follows "must be". */
  readonly what: string;
  isRight(value: unknown, draft: Draft): boolean;
  /** Why it is refused, where it is. */
  readonly refused?: string;
}

const newest: readonly Draft[] = ["draft 2020-12"];
const older: readonly Draft[] = ["draft 4", "draft 7"];

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isNames = (value: unknown) =>
  isArray(value) && value.every((name) => typeof name === "string") && new Set(value).size === value.length;
const isSchema = (value: unknown) => typeof value === "boolean" || isObject(value);
const isSchemas = (value: unknown) => isArray(value) && value.length > 0 && value.every(isSchema);
const isMap = (value: unknown, isRight: (item: unknown) => boolean) => isObject(value) && Object.values(value as object).every(isRight);

const value = (what: string, isRight: (value: unknown) => boolean): Keyword => ({ holds: "value", what, isRight });
const schema: Keyword = { holds: "schema", what: "a schema", isRight: isSchema };
const map: Keyword = { holds: "map", what: "an object of schemas", isRight: (found) => isMap(found, isSchema) };
const list: Keyword = { holds: "list", what: "an array of schemas, at least one", isRight: isSchemas };
const count = value("an integer, at least 0", isCount);
const number = value("a finite number", (found) => typeof found === "number" && Number.isFinite(found));
const exclusive: Keyword = {
  ...value("a finite number (in draft 4, true or false)", () => false),
  isRight: (found, draft) => (draft === "draft 4" ? typeof found === "boolean" : number.isRight(found, draft)),
};
const name = value("a text", (found) => typeof found === "string");
const names = value("an array of different names", isNames);
const flag = value("true or false", (found) => typeof found === "boolean");
const anything = value("a value", () => true);
const refused = (why: string): Keyword => ({ ...anything, refused: why });

/** Names of types. */
export const typeNames: readonly string[] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/** Keywords that say nothing about which instances are valid. */
const annotations = ["title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly"];
/** Annotations of draft 2020-12; in draft 7 they say which strings are valid. */
const contents = ["contentEncoding", "contentMediaType", "contentSchema"];

/** All keywords by name. */
export const keywords: Readonly<Record<string, Keyword>> = {
  ...Object.fromEntries(annotations.map((keyword) => [keyword, anything])),
  ...Object.fromEntries(contents.map((keyword) => [keyword, { ...anything, drafts: newest }])),
  ...{ $schema: name, $id: name, id: { ...name, drafts: ["draft 4"] }, $anchor: { ...name, drafts: newest }, $ref: name },
  ...{ $defs: map, definitions: map },
  type: value(`one of ${typeNames.join(", ")}, or an array of different ones`, (found) =>
    typeof found === "string"
      ? typeNames.includes(found)
      : isNames(found) && (found as string[]).length > 0 && (found as string[]).every((type) => typeNames.includes(type)),
  ),
  enum: value("an array of at least one value", (found) => isArray(found) && found.length > 0),
  const: anything,
  ...{ minimum: number, maximum: number, exclusiveMinimum: exclusive, exclusiveMaximum: exclusive },
  multipleOf: value("a number above 0", (found) => typeof found === "number" && Number.isFinite(found) && found > 0),
  ...{ minLength: count, maxLength: count, pattern: name, format: name },
  ...{ minItems: count, maxItems: count, uniqueItems: flag, contains: schema },
  prefixItems: { ...list, drafts: newest },
  items: {
    holds: "schema or list",
    what: "a schema (in draft 7 also an array of schemas)",
    isRight: (found) => isSchema(found) || (isArray(found) && found.every(isSchema)),
  },
  additionalItems: { ...schema, drafts: older },
  ...{
    minContains: { ...count, drafts: newest },
    maxContains: { ...refused("how often no item may be valid cannot be counted"), drafts: newest },
  },
  ...{ minProperties: count, maxProperties: count, required: names, properties: map, patternProperties: map },
  ...{ additionalProperties: schema, propertyNames: schema },
  dependentRequired: { ...value("an object of arrays of names", (found) => isMap(found, isNames)), drafts: newest },
  dependentSchemas: { ...map, drafts: newest },
  dependencies: {
    holds: "schemas or names",
    drafts: older,
    what: "an object of schemas and arrays of names",
    isRight: (found) => isMap(found, (item) => isSchema(item) || isNames(item)),
  },
  ...{ allOf: list, anyOf: list, oneOf: list },
  ...Object.fromEntries(["not", "if", "then", "else"].map((keyword) => [keyword, schema])),
  unevaluatedProperties: refused("name all properties where additionalProperties is"),
  unevaluatedItems: refused("name all items where items is"),
  ...{
    $dynamicRef: refused("use $ref"),
    $dynamicAnchor: refused("use $anchor"),
    $recursiveRef: refused("use $ref"),
    $vocabulary: refused("it is for meta-schemas"),
  },
};
