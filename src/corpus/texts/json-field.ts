// The text in a JSON record, and what else of it is kept.
import { check, didYouMean, fail, isObject } from "../../base/index.ts";
import type { TextDocument, TextFacts, TextOptions } from "./forms.ts";
import { toLineFeeds } from "./line-ends.ts";

/** Keys that tell something of a document wherever they stand in a record. */
export const toldKeys: readonly string[] = ["url", "title", "author", "date", "language", "license", "licence", "path", "score", "truth"];

/** The text with the record's "facts", which the files between two passes have, and with its other keys of usual names. @throws CriaError as {@link readField} */
export function readRecord(place: string, record: Readonly<Record<string, unknown>>, where: string, options: TextOptions): TextDocument {
  const facts: Record<string, string | number> = {};
  const keep = (key: string, value: unknown) => {
    if (typeof value === "string" || typeof value === "number") facts[key] = value;
  };
  for (const key of toldKeys) if (key !== options.field) keep(key, record[key]);
  if (isObject(record.facts)) for (const [key, value] of Object.entries(record.facts)) keep(key, value);
  return { text: readField(place, record, where, options), facts: facts satisfies TextFacts };
}

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
    text.isWellFormed(),
    where,
    () =>
      `${place}: "${field}" has half of a surrogate pair (a \\ud8… to \\udf… escape alone), which is no character: correct or remove it`,
  );
  return newlines === "keep" ? text : toLineFeeds(text);
}

function explainMissing(place: string, keys: readonly string[], field: string, where: string): never {
  const others = keys.slice(0, 10).join(", ") || "none";
  const wayOut = didYouMean(field, keys) || `: name the field that holds the text (it has ${others})`;
  return fail(where, `${place}: the object has no "${field}"${wayOut}`);
}
