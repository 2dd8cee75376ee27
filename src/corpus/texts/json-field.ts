// The text in a JSON record.
import { check, didYouMean, fail } from "../../base/index.ts";
import type { TextOptions } from "./forms.ts";
import { toLineFeeds } from "./line-ends.ts";

/** @param place the file and line for messages. @throws CriaError when the record has no text in the field */
export function readField(
  place: string,
  record: Readonly<Record<string, unknown>>,
  where: string,
  { field = "text", newlines }: TextOptions,
): string {
  const text = Object.hasOwn(record, field) ? record[field] : undefined;
  if (text === undefined) return explainMissing(place, Object.keys(record), field, where);
  if (typeof text !== "string")
    return fail(where, `${place}: "${field}" is ${JSON.stringify(text).slice(0, 60)} but must be a string: name another field`);
  check(
    isWellFormed(text),
    where,
    () =>
      `${place}: "${field}" has half of a surrogate pair (a \\ud8… to \\udf… escape alone), which is no character: correct or remove it`,
  );
  return newlines === "keep" ? text : toLineFeeds(text);
}

/** Node 20 has the method, TypeScript's ES2023 library does not. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}

function explainMissing(place: string, keys: readonly string[], field: string, where: string): never {
  const others = keys.slice(0, 10).join(", ") || "none";
  const wayOut = didYouMean(field, keys) || `: name the field that holds the text (it has ${others})`;
  return fail(where, `${place}: the object has no "${field}"${wayOut}`);
}
