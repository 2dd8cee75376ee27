// What cria does with each key of a JSON document that others wrote: a table with a row per key, so that no key is passed over in silence.
import { check } from "../base/index.ts";
import { isObject, type JsonObject, kindOf, quote } from "./json.ts";

interface JsonKind {
  /** What a value must be, for messages. */
  readonly rule: string;
  holds(value: unknown): boolean;
}

const isToken = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isNumber = (value: unknown): value is number => Number.isFinite(value);
const isText = (value: unknown): value is string => typeof value === "string";
const isListOf = (value: unknown, holds: (one: unknown) => boolean) => Array.isArray(value) && value.every(holds);

/** The kinds of value that a row can ask for. None of them is ever asked about null, which is absence. */
const kinds = {
  flag: { rule: "true or false", holds: (value) => typeof value === "boolean" },
  number: { rule: "a finite number", holds: isNumber },
  numberAboveZero: { rule: "a number above 0 and at most 1000000", holds: (value) => isNumber(value) && value > 0 && value <= 1e6 },
  numberFromZero: { rule: "a number from 0 to 1000000", holds: (value) => isNumber(value) && value >= 0 && value <= 1e6 },
  share: { rule: "a number from 0 to 1", holds: (value) => isNumber(value) && value >= 0 && value <= 1 },
  shareAboveZero: { rule: "a number above 0 and at most 1", holds: (value) => isNumber(value) && value > 0 && value <= 1 },
  integer: { rule: "an integer", holds: Number.isSafeInteger },
  count: { rule: "an integer, at least 0", holds: isToken },
  countFromOne: { rule: "an integer, at least 1", holds: (value) => isToken(value) && value !== 0 },
  text: { rule: "a string", holds: isText },
  texts: { rule: "a list of strings", holds: (value) => isListOf(value, isText) },
  stops: {
    rule: "a string or a list of strings, none of them empty",
    holds: (value) => (Array.isArray(value) ? value : [value]).every((one) => isText(one) && one !== ""),
  },
  tokens: {
    rule: "a token or a list of tokens, each an integer, at least 0",
    holds: (value) => isToken(value) || isListOf(value, isToken),
  },
  tokenList: { rule: "a list of tokens, each an integer, at least 0", holds: (value) => isListOf(value, isToken) },
  tokenLists: {
    rule: "a list of lists of tokens, none of them empty and each token an integer, at least 0",
    holds: (value) => isListOf(value, (one) => isListOf(one, isToken) && (one as []).length > 0),
  },
  numbers: { rule: "a list of finite numbers", holds: (value) => isListOf(value, isNumber) },
  list: { rule: "a list", holds: Array.isArray },
  bits: { rule: "a list of numbers, each 0 or 1", holds: (value) => isListOf(value, (one) => one === 0 || one === 1) },
  object: { rule: "an object", holds: isObject },
  objectOrList: { rule: "an object or a list", holds: (value) => isObject(value) || Array.isArray(value) },
  objectOrText: { rule: "an object or a string", holds: (value) => isObject(value) || isText(value) },
  addedToken: {
    rule: "a string or an object with a content",
    holds: (value) => isText(value) || (isObject(value) && isText(value.content)),
  },
  textOrTemplates: {
    rule: "a string, or templates by name as an object or a list of objects",
    holds: (value) => isText(value) || isObject(value) || isListOf(value, isObject),
  },
  flagOrText: { rule: "true, false or a string", holds: (value) => typeof value === "boolean" || isText(value) },
  textOrIntegers: { rule: "a string or a list of integers", holds: (value) => isText(value) || isListOf(value, Number.isSafeInteger) },
} as const satisfies Record<string, JsonKind>;

/** The name of a kind of JSON value, which the tables of keys use. */
export type JsonKindName = keyof typeof kinds;

/** What cria does with a key. */
export interface KeyRow {
  readonly key: string;
  /** What its value must be unless it is null; anything else is an error, whatever the role. */
  readonly kind: JsonKindName;
  /**
   * "honoured": cria does what the value says. "refused": a value that is not neutral changes what the model computes, and cria does not
   * compute that. "warned": such a value changes what is made of the model, and is named in a warning. "harmless": no value changes anything here.
   */
  readonly role: "honoured" | "refused" | "warned" | "harmless";
  /** Completes "KEY is VALUE, but …" where the role is "refused" or "warned"; says why nothing is lost where it is "harmless". */
  readonly reason: string;
  /** Whether the value asks for nothing beyond what happens without it. */
  isNeutral(value: unknown, document: JsonObject): boolean;
}

type Neutral = readonly unknown[] | KeyRow["isNeutral"];

/** `neutral` lists the values that the field's tools write where nothing was chosen. */
export function honoured(key: string, kind: JsonKindName, reason: string, neutral: Neutral = []): KeyRow {
  return { key, kind, role: "honoured", reason, isNeutral: asTest(neutral) };
}

/** A row of a key whose value is refused unless it is neutral. @param reason says why */
export function refused(key: string, kind: JsonKindName, neutral: Neutral, reason: string): KeyRow {
  return { key, kind, role: "refused", reason, isNeutral: asTest(neutral) };
}

/** A row of a key whose value is named in a warning unless it is neutral. @param reason says why */
export function warned(key: string, kind: JsonKindName, neutral: Neutral, reason: string): KeyRow {
  return { key, kind, role: "warned", reason, isNeutral: asTest(neutral) };
}

/** A row of a key that changes nothing here, whatever its value. @param reason says why */
export function harmless(key: string, kind: JsonKindName, reason: string): KeyRow {
  return { key, kind, role: "harmless", reason, isNeutral: () => true };
}

/** Compares values by their JSON text, so that lists and objects can be listed too. */
function asTest(neutral: Neutral): KeyRow["isNeutral"] {
  if (typeof neutral === "function") return neutral;
  const texts = neutral.map((value) => JSON.stringify(value));
  return (value) => texts.includes(shortJson(value) ?? "");
}

/**
 * Holds a document against the table of its keys.
 * @returns for every value that a "warned" row names and for every key that has no row, why it is not followed: "KEY is VALUE, but …"
 * @throws CriaError naming the key and its value where the value is of the wrong kind, or is one that a "refused" row does not allow.
 */
export function checkKeys(where: string, name: string, document: JsonObject, rows: readonly KeyRow[]): readonly string[] {
  const rowOf = new Map(rows.map((row) => [row.key, row]));
  return Object.entries(document).flatMap(([key, value]) => {
    const row = rowOf.get(key);
    if (value === null) return [];
    if (row === undefined) return [`${quote(key)} is a key that cria does not know`];
    checkKind(where, name, key, value, row.kind);
    if (row.role === "honoured" || row.isNeutral(value, document)) return [];
    const complaint = `${key} is ${shown(value)}, but ${row.reason}`;
    check(row.role !== "refused", where, () => `${name}: ${complaint}: choose a model without it`);
    return [complaint];
  });
}

/** @throws CriaError unless `value` is a number in the range. */
export function readNumber(where: string, name: string, key: string, value: unknown, [least, most]: readonly [number, number]): number {
  const fits = isNumber(value) && value >= least && value <= most;
  check(fits, where, () => `${name}: ${key} is ${shown(value)} but must be a number from ${least} to ${most}: correct the file`);
  return value;
}

function checkKind(where: string, name: string, key: string, value: unknown, kind: JsonKindName): void {
  check(kinds[kind].holds(value), where, () => `${name}: ${key} is ${shown(value)} but must be ${kinds[kind].rule}: correct the file`);
}

const mostComplaints = 12;

/** All complaints in one sentence; nothing for none. */
export function oneWarning(where: string, name: string, complaints: readonly string[], consequence: string): string[] {
  if (complaints.length === 0) return [];
  const more = complaints.length - mostComplaints;
  const list = [...complaints.slice(0, mostComplaints), ...(more > 0 ? [`${more} more keys`] : [])].join("; ");
  return [`[${where}] ${name}: ${list}: ${consequence}`];
}

/** A list, an object, true or false as JSON where that is short, else the kind of value. */
function shown(value: unknown): string {
  return (typeof value === "object" || typeof value === "boolean" ? shortJson(value) : undefined) ?? kindOf(value);
}

/** A value's JSON text; undefined where it is long, or nested deeper than it can be written. */
function shortJson(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value);
    return text.length <= 60 ? text : undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}
