// What zod objects to, in the house's form: the place, the value that stands there, the nearest right key.

import { z } from "zod";
import { CriaError, didYouMean } from "../base/index.ts";

type Issue = z.core.$ZodIssue;
type Place = readonly PropertyKey[];

/**
 * The value as the schema types it, defaults filled in.
 * @param where the part that asks, for `[where]`
 * @param name the file or thing the value came from
 * @throws CriaError naming every objection, one per line; a misspelt key with the nearest right one
 */
export function parseWith<Schema extends z.ZodType>(schema: Schema, value: unknown, where: string, name: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => explain(issue, schema, value));
  throw new CriaError(where, `${name}: ${lines.join(`\n[${where}] ${name}: `)}`, { cause: result.error });
}

function explain(issue: Issue, schema: z.ZodType, value: unknown): string {
  const place = showPlace(issue.path);
  if (issue.code === "unrecognized_keys") return explainKeys(issue.keys, place, keysAt(schema, issue.path));
  const found = at(value, issue.path);
  return found === undefined ? `${place} is missing: give it` : `${place} is ${clip(found)}: ${ruleOf(issue)}`;
}

function explainKeys(keys: readonly string[], place: string, known: readonly string[]): string {
  const inside = place === "the document" ? "" : ` in ${place}`;
  const named = keys.map((key) => `unknown key "${key}"${inside}${didYouMean(key, known)}`);
  const isHelped = named.every((text) => text.endsWith("?"));
  return `${named.join("; ")}${isHelped ? "" : `: known are ${known.join(", ")}`}`;
}

/** Zod's own words only where it has a rule that we do not. */
function ruleOf(issue: Issue): string {
  if (issue.code === "invalid_type") return `it must be ${kinds[issue.expected] ?? issue.expected}`;
  if (issue.code === "too_small")
    return `it must be ${issue.inclusive === false ? "above" : "at least"} ${issue.minimum}${unit(issue.origin)}`;
  if (issue.code === "too_big")
    return `it must be ${issue.inclusive === false ? "below" : "at most"} ${issue.maximum}${unit(issue.origin)}`;
  if (issue.code === "invalid_value") return `it must be one of ${issue.values.map(String).join(", ")}`;
  if (issue.code === "invalid_union" && "options" in issue && issue.options)
    return `it must be one of ${issue.options.map(String).join(", ")}`;
  if (issue.code === "invalid_union") return "it has none of the forms that are allowed here";
  return lowerFirst(issue.message);
}

const kinds: Readonly<Record<string, string>> = {
  ...{ object: "keys with values", array: "a list", string: "a text", number: "a finite number", int: "a whole number" },
  boolean: "true or false",
};

function unit(origin: string): string {
  return origin === "string" ? " characters long" : origin === "array" ? " entries long" : "";
}

/** `sources[0].weight` */
function showPlace(path: Place): string {
  const text = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  return text === "" ? "the document" : text.replace(/^\./, "");
}

function at(value: unknown, path: Place): unknown {
  return path.reduce<unknown>((inside, key) => (inside as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

type JsonSchema = {
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  /** Forms that the value of one key tells apart. */
  oneOf?: JsonSchema[];
  additionalProperties?: JsonSchema | boolean;
};

/** The keys an object may have at a place, in all forms that it may take there. */
function keysAt(schema: z.ZodType, path: Place): string[] {
  let here = forms(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as JsonSchema);
  for (const key of path) here = here.flatMap((form) => inside(form, key)).flatMap(forms);
  return [...new Set(here.flatMap((form) => Object.keys(form.properties ?? {})))];
}

function forms(schema: JsonSchema): JsonSchema[] {
  return (schema.anyOf ?? schema.oneOf)?.flatMap(forms) ?? [schema];
}

function inside(schema: JsonSchema, key: PropertyKey): JsonSchema[] {
  const rest = schema.additionalProperties;
  const found =
    typeof key === "number" ? schema.items : (schema.properties?.[String(key)] ?? (typeof rest === "object" ? rest : undefined));
  return found === undefined ? [] : [found];
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function clip(value: unknown): string {
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
