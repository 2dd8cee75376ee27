// JSON out of a file that someone else wrote: UTF-8, valid, of the expected kind, or an error that names the file.
import { check, decodeUtf8, isObject, type JsonObject, parseJson } from "../base/index.ts";

export { isObject, type JsonObject };

/** How strictly JSON is read. */
export interface ParseOptions {
  /** Also refuses an object that has a key twice, of which JSON.parse keeps the last in silence. */
  readonly unique?: boolean;
}

/** Decodes and parses `bytes`, which must hold one JSON object. @throws CriaError */
export function parseJsonObject(
  where: string,
  name: string,
  bytes: Uint8Array | string,
  { unique = false }: ParseOptions = {},
): JsonObject {
  const text = typeof bytes === "string" ? bytes : decodeUtf8(bytes, name, where);
  const value = parseJson(where, `${name}: its text`, text, "it is damaged or of another format");
  check(isObject(value), where, () => `${name}: it holds ${kindOf(value)} but must hold a JSON object`);
  const repeated = unique && countKeys(text) !== keysOf(value) ? repeatedKey(text) : undefined;
  check(repeated === undefined, where, () => `${name}: it has ${quote(repeated!)} twice: every key may stand once, remove the wrong one`);
  return value;
}

/** `an array`, `the number 3`, for messages. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? `the string ${quote(value)}` : `the ${typeof value} ${String(value)}`;
}

/** A name out of a file, safe to print: escaped and not endless. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}

/** Whether two values of JSON are the same, in whatever order their keys stand. */
export function sameJson(one: unknown, other: unknown): boolean {
  if (Array.isArray(one)) return Array.isArray(other) && one.length === other.length && one.every((item, i) => sameJson(item, other[i]));
  if (!isObject(one) || !isObject(other)) return one === other;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.hasOwn(other, key) && sameJson(one[key], other[key]));
}

/** Whether lists and objects lie in one another more than `limit` deep. */
export function isDeeper(value: unknown, limit: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return limit === 0 || Object.values(value).some((inner) => isDeeper(inner, limit - 1));
}

const [quoteUnit, backslash, colon] = [0x22, 0x5c, 0x3a];

/** How many keys the objects of valid JSON have as they are written: a colon that stands in no string is behind a key. */
function countKeys(text: string): number {
  let count = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quoteUnit) isString = !isString;
    else if (unit === backslash) at++;
    else if (unit === colon && !isString) count++;
  }
  return count;
}

/** How many keys the objects of a value have, those within others too. */
function keysOf(value: unknown): number {
  let count = 0;
  const open = [value];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (isObject(one)) {
      // The engine lists the keys of a large object in a third of the time of its values.
      const keys = Object.keys(one);
      count += keys.length;
      for (const key of keys) if (isOpen(one[key])) open.push(one[key]);
    } else if (Array.isArray(one)) for (const item of one) if (isOpen(item)) open.push(item);
  }
  return count;
}

function isOpen(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** The first key that one object in `text` has twice. `text` must be valid JSON. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  let lastString = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const end = endOfString(text, at);
      lastString = text.slice(at, end + 1);
      at = end;
    } else if (char === "{") open.push(new Set());
    else if (char === "}") open.pop();
    else if (char === ":") {
      const key = JSON.parse(lastString) as string;
      const keys = open.at(-1)!;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}
