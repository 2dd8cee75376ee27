// What callers without types may get wrong at the library's door: one row per option, so that a wrong kind or a misspelt name is an error that
// says so, and not one from deep inside, or silence. Ranges are checked by those who know them.
import { CriaError, checkKeys, isObject, stateDTypes } from "../base/index.ts";
import { Grammar, whitespaces } from "../grammar/index.ts";
import { contextEnds, poolings } from "../infer/index.ts";

/** What a value must be. */
export interface Rule {
  /** Follows "must be". */
  readonly what: string;
  isRight(value: unknown): boolean;
}

const count: Rule = { what: "an integer, at least 1", isRight: (value) => Number.isSafeInteger(value) && (value as number) >= 1 };
const name: Rule = { what: "a text that is not empty", isRight: (value) => typeof value === "string" && value !== "" };
const prompt: Rule = {
  what: "a text or an array of token ids",
  isRight: (value) => typeof value === "string" || value instanceof Uint32Array || idArray.isRight(value),
};
const idArray: Rule = {
  what: "an array of token ids",
  isRight: (value) => Array.isArray(value) && value.every((id) => Number.isSafeInteger(id) && id >= 0),
};

/** Rules that options share. */
export const is = {
  name,
  count,
  idArray,
  natural: { what: "an integer, at least 0", isRight: (value) => Number.isSafeInteger(value) && (value as number) >= 0 },
  idArrays: { what: "an array of arrays of token ids", isRight: (value) => Array.isArray(value) && value.every(idArray.isRight) },
  text: { what: "a text", isRight: (value) => typeof value === "string" },
  prompt,
  prompts: {
    what: "an array of texts or arrays of token ids",
    isRight: (value) => Array.isArray(value) && value.every(prompt.isRight),
  },
  bytes: { what: "a Uint8Array", isRight: (value) => value instanceof Uint8Array },
  pooling: { what: poolings.map((name) => `"${name}"`).join(" or "), isRight: (value) => poolings.some((name) => name === value) },
  json: { what: "a value of JSON", isRight: isJson },
  texts: { what: "an array of texts, none of them empty", isRight: (value) => Array.isArray(value) && value.every(name.isRight) },
  number: { what: "a number", isRight: (value) => typeof value === "number" && !Number.isNaN(value) },
  finite: { what: "a finite number", isRight: Number.isFinite },
  draft: {
    what: "a draft, as lookupDraft() or draftFor() makes one",
    isRight: (value) => has(value, "open", "function") && count.isRight((value as { mostTokens?: unknown }).mostTokens),
  },
  bias: {
    what: "a Map of token ids to numbers",
    isRight: (value) => value instanceof Map && [...value].every(([id, bias]) => Number.isSafeInteger(id) && typeof bias === "number"),
  },
  limit: { what: `${count.what}, or Infinity`, isRight: (value) => value === Number.POSITIVE_INFINITY || count.isRight(value) },
  ids: {
    what: "an array or another iterable of token ids",
    /** An iterator could be read but once, so its ids are not looked at here. */
    isRight: (value) =>
      has(value, Symbol.iterator, "function") && (!(Array.isArray(value) || value instanceof Set) || idArray.isRight([...value])),
  },
  contextEnd: {
    what: contextEnds.map((name) => `"${name}"`).join(", "),
    isRight: (value) => contextEnds.some((name) => name === value),
  },
  cacheType: { what: '"f32", "f16" or "q8_0"', isRight: (value) => stateDTypes.some((dtype) => dtype === value) },
  steps: {
    what: "an array of steps, each with a name and apply",
    isRight: (value) => Array.isArray(value) && value.every((step) => has(step, "apply", "function")),
  },
  grammar: {
    what: "a grammar in GBNF or a Grammar",
    isRight: (value) => typeof value === "string" || value instanceof Grammar,
  },
  schema: { what: "a JSON schema: an object, true or false", isRight: (value) => typeof value === "boolean" || isObject(value) },
  toolChoice: {
    what: '"auto", "none", "required" or the name of a tool, as { name: "…" }',
    isRight: (value) => ["auto", "none", "required"].some((name) => name === value) || has(value, "name", "string"),
  },
  whitespace: { what: whitespaces.map((name) => `"${name}"`).join(", "), isRight: (value) => whitespaces.some((name) => name === value) },
  list: { what: "an array", isRight: (value) => Array.isArray(value) },
  record: { what: "an object", isRight: isObject },
  flag: { what: "true or false", isRight: (value) => typeof value === "boolean" },
  callback: { what: "a function", isRight: (value) => typeof value === "function" },
  /** Signals of other realms and libraries have the members, though not the class. */
  signal: {
    what: "an AbortSignal",
    isRight: (value) =>
      has(value, "throwIfAborted", "function") && has(value, "addEventListener", "function") && has(value, "aborted", "boolean"),
  },
  backend: { what: "a Backend", isRight: (value) => has(value, "compile", "function") },
} as const satisfies Record<string, Rule>;

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}

function has(value: unknown, member: PropertyKey, type: string): boolean {
  return typeof value === "object" && value !== null && typeof (value as Record<PropertyKey, unknown>)[member] === type;
}

/** @throws CriaError `[where] what is 5 but must be a text` */
export function checkArgument(where: string, what: string, value: unknown, rule: Rule): void {
  if (!rule.isRight(value)) throw new CriaError(where, `${what} is ${show(value)} but must be ${rule.what}`);
}

/** @param rules one for every option there is; an option that is undefined is absent. @throws CriaError naming the first wrong one */
export function checkOptions(where: string, options: unknown, rules: Readonly<Record<string, Rule>>): void {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw new CriaError(where, `the options are ${show(options)} but must be an object, such as {}`);
  checkKeys(where, options, Object.keys(rules));
  for (const [key, value] of Object.entries(options)) {
    if (value !== undefined) checkArgument(where, `the option ${key}`, value, rules[key]!);
  }
}

/** The options that are given: one that is undefined does not take the place of a default. */
export function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T;
}

/** A value of any kind in a few words. */
function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "bigint" ? `${value}n` : String(value);
}
