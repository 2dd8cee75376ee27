// Jinja's filters that templates of chats use, by its own definitions (pallets/jinja 3.1, filters.py).
import { Bound } from "./arguments.ts";
import { element, items, replaceMethod } from "./attributes.ts";
import type { Budget } from "./budget.ts";
import { test } from "./conditions.ts";
import { type JsonStyle, plainJson, toJson } from "./json.ts";
import * as strings from "./strings.ts";
import { Text } from "./text.ts";
import {
  type Arguments,
  compare,
  Dict,
  integer,
  isEqual,
  isTrue,
  iterate,
  List,
  lengthOf,
  Num,
  numberOf,
  str,
  TemplateError,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

type Filter = readonly [parameters: readonly string[], call: (value: Value, args: Bound, budget: Budget) => Value];

const fallBack: Filter = [
  ["default_value", "boolean"],
  (value, args) => {
    const isMissing = value instanceof Undefined || (isTrue(args.value("boolean") ?? false) && !isTrue(value));
    return isMissing ? (args.value("default_value") ?? Text.of("")) : value;
  },
];
const length: Filter = [[], (value) => integer(lengthOf(value))];

const escaped: Filter = [[], (value) => str(value).markup()];

const filters: Readonly<Record<string, Filter>> = {
  trim: [["chars"], (value, args) => strings.strip(str(value), args.text("chars")?.text)],
  upper: [[], (value) => strings.upper(str(value))],
  lower: [[], (value) => strings.lower(str(value))],
  capitalize: [[], (value) => strings.capitalize(str(value))],
  title: [[], (value) => strings.title(str(value))],
  string: [[], (value) => str(value)],
  safe: [[], (value) => new Text(str(value).segments, true)],
  ...{ escape: escaped, e: escaped },
  replace: [["old", "new", "count"], (value, args, budget) => replaceMethod(str(value), args, budget)],
  indent: [["width", "first", "blank"], indent],
  tojson: [["ensure_ascii", "indent", "separators", "sort_keys"], (value, args) => toJson(value, jsonStyle(args))],
  join: [["d", "attribute"], join],
  ...{ default: fallBack, d: fallBack, length, count: length },
  first: [
    [],
    (value) =>
      iterate(value instanceof Text ? strings.slice(value, 0, 1, 1) : value)[0] ?? new Undefined("No first item, sequence was empty."),
  ],
  last: [[], (value) => iterate(sequence(value)).at(-1) ?? new Undefined("No last item, sequence was empty.")],
  list: [[], (value) => new List(iterate(value))],
  items: [[], (value) => (value instanceof Undefined ? new List([], "lazy") : lazy(items(dict(value)).items))],
  dictsort: [["case_sensitive", "by", "reverse"], dictSort],
  reverse: [[], (value) => (value instanceof Text ? reversed(value) : lazy(iterate(value).toReversed()))],
  sort: [["reverse", "case_sensitive", "attribute"], sort],
  unique: [["case_sensitive", "attribute"], unique],
  min: [[], (value) => extreme(value, -1)],
  max: [[], (value) => extreme(value, 1)],
  sum: [[], (value) => iterate(value).reduce<Value>((sum, item) => add(sum, item), integer(0))],
  abs: [[], (value) => numeric(value, Math.abs)],
  int: [["default"], (value, args) => toInteger(value) ?? args.value("default") ?? integer(0)],
  float: [["default"], (value, args) => toFloat(value) ?? args.value("default") ?? new Num(0, true)],
};

/** Filters that take a test's or a filter's name and its arguments. */
const choosing: Readonly<Record<string, { readonly byAttribute: boolean; readonly wanted: boolean }>> = {
  select: { byAttribute: false, wanted: true },
  reject: { byAttribute: false, wanted: false },
  selectattr: { byAttribute: true, wanted: true },
  rejectattr: { byAttribute: true, wanted: false },
};

/** @throws TemplateError for a filter that is not supported, or as the filter does. */
export function filter(name: string, value: Value, args: Arguments, budget: Budget): Value {
  if (!isCheap.has(name)) budget.value(walksDeep.has(name) ? value : flat(value));
  if (value instanceof Text && !keepsWhole.has(name)) budget.step(value.text.length);
  if (Object.hasOwn(choosing, name)) return choose(value, args, choosing[name]!, budget);
  if (name === "map") return map(value, args, budget);
  if (!Object.hasOwn(filters, name)) throw new TemplateError(`the filter '${name}' is not supported`);
  const [parameters, call] = filters[name]!;
  return call(value, new Bound(`the filter ${name}`, args, parameters), budget);
}

/** Filters that look at one element at most. */
const isCheap = new Set(["default", "d", "first", "safe"]);
/** Filters that do not take a text apart into characters or words. */
const keepsWhole = new Set([
  ...isCheap,
  ...["length", "count", "trim", "upper", "lower", "capitalize", "string", "escape", "e", "replace", "indent", "tojson", "int", "float"],
]);
/** Filters that print or compare elements with all that is in them. */
const walksDeep = new Set([
  "tojson",
  "string",
  "join",
  "unique",
  "sort",
  "dictsort",
  "min",
  "max",
  "trim",
  "replace",
  "upper",
  "lower",
  "title",
  "capitalize",
  "indent",
]);

/** A list as long, of elements that count one step each. */
function flat(value: Value): Value {
  return value instanceof List || value instanceof Dict ? new List(iterate(value).map(() => null)) : value;
}

function lazy(values: readonly Value[]): List {
  return new List(values, "lazy");
}

/** Filters of this kind take None and the like for an empty list. */
function whatIsThere(value: Value): readonly Value[] {
  return isTrue(value) ? iterate(value) : [];
}

function choose(
  value: Value,
  { positional }: Arguments,
  { byAttribute, wanted }: { byAttribute: boolean; wanted: boolean },
  budget: Budget,
): List {
  const [key, ...rest] = byAttribute ? positional : [null, ...positional];
  if (byAttribute && key === undefined) throw new TemplateError("Missing parameter for attribute name");
  const [name, ...args] = rest;
  const holds = (item: Value) => (name === undefined ? isTrue(item) : test(str(name).text, item, args));
  return lazy(whatIsThere(value).filter((item) => holds(byAttribute ? path(item, key ?? null, budget) : item) === wanted));
}

function map(value: Value, args: Arguments, budget: Budget): List {
  const [name, ...rest] = args.positional;
  if (name !== undefined)
    return lazy(whatIsThere(value).map((item) => filter(str(name).text, item, { positional: rest, named: args.named }, budget)));
  const bound = new Bound("the filter map", args, ["attribute", "default"]);
  const fallback = bound.value("default");
  const of = (item: Value) => path(item, bound.needed("attribute"), budget);
  return lazy(whatIsThere(value).map((item) => (of(item) instanceof Undefined ? (fallback ?? of(item)) : of(item))));
}

/** An attribute's name with dots, where a number is an index. */
function path(value: Value, key: Value, budget: Budget): Value {
  if (!(key instanceof Text)) return element(value, key, budget);
  return key.text
    .split(".")
    .reduce<Value>((item, part) => element(item, /^\d+$/.test(part) ? integer(Number(part)) : Text.of(part), budget), value);
}

function join(value: Value, args: Bound, budget: Budget): Text {
  const between = str(args.value("d") ?? Text.of(""));
  const attribute = args.value("attribute") ?? null;
  const texts = iterate(value).map((item) => str(attribute === null ? item : path(item, attribute, budget)));
  budget.text(texts.reduce((size, { text }) => size + text.length + between.text.length, 0));
  return Text.join(texts, between);
}

function indent(value: Value, args: Bound, budget: Budget): Text {
  if (!(value instanceof Text)) throw new TemplateError(`the filter indent needs a text, not ${typeName(value)}`);
  const text = value;
  const width = args.value("width");
  const spaces = numberOf(width ?? null)?.value ?? 4;
  budget.text(Math.max(0, spaces) + text.text.length);
  const by = width instanceof Text ? width : Text.of(" ".repeat(Math.max(0, spaces)));
  budget.text(text.text.length + by.text.length * (strings.countOf(text.text, strings.lineEnds) + 2));
  return strings.indent(text, by, isTrue(args.value("first") ?? false), isTrue(args.value("blank") ?? false));
}

function jsonStyle(args: Bound): JsonStyle {
  const width = args.value("indent") ?? null;
  const spaces = () => Text.of(" ".repeat(Math.min(Math.max(0, args.integer("indent") ?? 0), 1000)));
  const indent = width instanceof Text ? width : width === null ? undefined : spaces();
  const separators = args.value("separators");
  const [betweenItems, afterKey] = separators instanceof List ? separators.items.map((item) => str(item)) : [];
  return {
    ascii: isTrue(args.value("ensure_ascii") ?? false),
    sorted: isTrue(args.value("sort_keys") ?? false),
    ...(indent === undefined ? {} : { indent }),
    betweenItems: betweenItems ?? (indent === undefined ? plainJson.betweenItems : Text.of(",")),
    afterKey: afterKey ?? plainJson.afterKey,
  };
}

function dict(value: Value): Dict {
  if (value instanceof Dict) return value;
  throw new TemplateError("Can only get item pairs from a mapping.");
}

function sequence(value: Value): Value {
  if (value instanceof List && value.kind === "lazy") throw new TemplateError("'generator' object is not reversible");
  return value;
}

function reversed(text: Text): Text {
  return strings.slice(text, undefined, undefined, -1) as Text;
}

function small(value: Value, caseSensitive: boolean): Value {
  return value instanceof Text && !caseSensitive ? strings.lower(value) : value;
}

function sort(value: Value, args: Bound, budget: Budget): List {
  const attribute = args.value("attribute") ?? null;
  const caseSensitive = isTrue(args.value("case_sensitive") ?? false);
  const key = (item: Value) => small(attribute === null ? item : path(item, attribute, budget), caseSensitive);
  const sign = isTrue(args.value("reverse") ?? false) ? -1 : 1;
  return new List(iterate(value).toSorted((a, b) => sign * compare(key(a), key(b), "<")));
}

function dictSort(value: Value, args: Bound): List {
  const at = str(args.value("by") ?? Text.of("key")).text === "value" ? 1 : 0;
  const caseSensitive = isTrue(args.value("case_sensitive") ?? false);
  const sign = isTrue(args.value("reverse") ?? false) ? -1 : 1;
  const key = (pair: Value) => small((pair as List).items[at]!, caseSensitive);
  return new List(items(dict(value)).items.toSorted((a, b) => sign * compare(key(a), key(b), "<")));
}

function unique(value: Value, args: Bound, budget: Budget): List {
  const attribute = args.value("attribute") ?? null;
  const caseSensitive = isTrue(args.value("case_sensitive") ?? false);
  const seen: Value[] = [];
  const isNew = (item: Value) => {
    const key = small(attribute === null ? item : path(item, attribute, budget), caseSensitive);
    budget.step(seen.length);
    if (!isHashable(key)) throw new TemplateError(`unhashable type: '${typeName(key)}'`);
    return !seen.some((other) => isEqual(other, key)) && seen.push(key) > 0;
  };
  return lazy(iterate(value).filter(isNew));
}

/** Whether Python takes it as an element of a set. */
function isHashable(value: Value): boolean {
  if (value instanceof List) return value.kind === "tuple" && value.items.every(isHashable);
  return !(value instanceof Dict);
}

function extreme(value: Value, sign: number): Value {
  const all = iterate(value);
  if (all.length === 0) return new Undefined("No aggregated item, sequence was empty.");
  return all.reduce((best, item) => (sign * compare(small(item, false), small(best, false), "<") > 0 ? item : best));
}

function add(a: Value, b: Value): Num {
  const [left, right] = [numberOf(a), numberOf(b)];
  if (left === undefined || right === undefined) throw new TemplateError("the filter sum adds numbers only");
  return new Num(left.value + right.value, left.isFloat || right.isFloat);
}

function numeric(value: Value, change: (number: number) => number): Num {
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError("a number is needed");
  return new Num(change(number.value), number.isFloat);
}

function toInteger(value: Value): Num | undefined {
  if (value instanceof Undefined) throw new TemplateError(value.hint);
  const number = numberOf(value);
  if (number !== undefined) return integer(Math.trunc(number.value));
  const text = value instanceof Text ? strings.strip(value).text : "";
  if (/^[-+]?\d+(_\d+)*$/.test(text)) return integer(Number(text.replaceAll("_", "")));
  const float = toFloat(value);
  return float === undefined || !Number.isFinite(float.value) ? undefined : integer(Math.trunc(float.value));
}

function toFloat(value: Value): Num | undefined {
  if (value instanceof Undefined) throw new TemplateError(value.hint);
  const number = numberOf(value);
  if (number !== undefined) return new Num(number.value, true);
  const text = value instanceof Text ? strings.strip(value).text : "";
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? new Num(Number(text), true) : undefined;
}
