// `a.b` and `a["b"]` as Jinja resolves them, and the methods of Python's strings, dicts and lists that templates call.
import { Bound } from "./arguments.ts";
import type { Budget } from "./budget.ts";
import * as strings from "./strings.ts";
import { Text } from "./text.ts";
import {
  type Arguments,
  Callable,
  Dict,
  integer,
  isEqual,
  List,
  lengthOf,
  Namespace,
  Num,
  TemplateError,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

type Method<T> = readonly [parameters: readonly string[], call: (self: T, args: Bound, budget: Budget) => Value];

const listOf = (texts: readonly Text[]) => new List(texts);

const textMethods: Readonly<Record<string, Method<Text>>> = {
  upper: [[], strings.upper],
  lower: [[], strings.lower],
  capitalize: [[], strings.capitalize],
  strip: [["chars"], (text, args) => strings.strip(text, args.text("chars")?.text)],
  lstrip: [["chars"], (text, args) => strings.strip(text, args.text("chars")?.text, true, false)],
  rstrip: [["chars"], (text, args) => strings.strip(text, args.text("chars")?.text, false, true)],
  startswith: [["prefix"], (text, args) => anyOf(args.needed("prefix"), (part) => text.text.startsWith(part))],
  endswith: [["suffix"], (text, args) => anyOf(args.needed("suffix"), (part) => text.text.endsWith(part))],
  split: [
    ["sep", "maxsplit"],
    (text, args, budget) => {
      const separator = args.text("sep")?.text;
      budget.step(strings.countOf(text.text, separator ?? strings.whiteRuns));
      return listOf(strings.split(text, separator, args.integer("maxsplit") ?? -1));
    },
  ],
  rsplit: [
    ["sep", "maxsplit"],
    (text, args, budget) => {
      const separator = args.neededText("sep").text;
      budget.step(strings.countOf(text.text, separator));
      return listOf(strings.rsplit(text, separator, args.integer("maxsplit") ?? -1));
    },
  ],
  splitlines: [
    ["keepends"],
    (text, args, budget) => {
      budget.step(strings.countOf(text.text, strings.lineEnds));
      return listOf(strings.splitLines(text, args.value("keepends") === true));
    },
  ],
  replace: [
    ["old", "new", "count"],
    (text, args, budget) => {
      refuseMarkup(text);
      return replaceMethod(text, args, budget);
    },
  ],
  removeprefix: [["prefix"], (text, args) => cutFront(text, args.neededText("prefix").text)],
  removesuffix: [["suffix"], (text, args) => cutBack(text, args.neededText("suffix").text)],
  find: [["sub"], (text, args) => position(text, text.text.indexOf(args.neededText("sub").text))],
  rfind: [["sub"], (text, args) => position(text, text.text.lastIndexOf(args.neededText("sub").text))],
  count: [["sub"], (text, args) => integer(strings.countOf(text.text, args.neededText("sub").text))],
  join: [["items"], (text, args, budget) => joined(args.needed("items"), text, budget)],
  isdigit: [[], (text) => /^\p{Nd}+$/u.test(text.text)],
  isspace: [[], (text) => text.text !== "" && strings.strip(text).text === ""],
};

/** @throws TemplateError where the outcome would be too long. */
export function replaceMethod(text: Text, args: Bound, budget: Budget): Text {
  const [old, put] = [args.neededText("old"), args.neededText("new")];
  const places = strings.countOf(text.text, old.text);
  budget.step(places);
  budget.text(text.text.length + places * Math.max(0, put.text.length - old.text.length));
  return strings.replace(text, old, put, args.integer("count") ?? -1);
}

/** Items joined as str.join does it: texts only. */
function joined(items: Value, between: Text, budget: Budget): Text {
  refuseMarkup(between);
  const texts = (
    items instanceof List ? items.items : items instanceof Dict ? [...items.entries.values()].map(([key]) => key) : undefined
  )?.map((item, i) => {
    if (item instanceof Text) return item;
    throw new TemplateError(`sequence item ${i}: expected str instance, ${typeName(item)} found`);
  });
  if (texts === undefined) throw new TemplateError(`can only join an iterable, not ${typeName(items)}`);
  budget.text(texts.reduce((size, { text }) => size + text.length + between.text.length, 0));
  return Text.join(texts, between);
}

/** These methods escape what they are given. */
function refuseMarkup(text: Text): void {
  if (text.isMarkup) throw new TemplateError("replace() and join() of a text that was marked safe are not supported");
}

function anyOf(value: Value, matches: (part: string) => boolean): boolean {
  const parts = value instanceof List ? value.items : [value];
  return parts.some((part) => {
    if (part instanceof Text) return matches(part.text);
    throw new TemplateError(`a text or a tuple of texts is needed, not ${typeName(part)}`);
  });
}

function cutFront(text: Text, prefix: string): Text {
  return text.text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

function cutBack(text: Text, suffix: string): Text {
  return suffix !== "" && text.text.endsWith(suffix) ? text.slice(0, text.text.length - suffix.length) : text;
}

function position(text: Text, unit: number): Value {
  return integer(unit < 0 ? -1 : lengthOf(text.slice(0, unit)));
}

const dictMethods: Readonly<Record<string, Method<Dict>>> = {
  get: [["key", "default"], (dict, args) => firstOf(lookUp(dict, args.needed("key")), args.value("default")) ?? null],
  items: [[], (dict) => items(dict)],
  keys: [
    [],
    (dict) =>
      new List(
        [...dict.entries.values()].map(([key]) => key),
        "view",
      ),
  ],
  values: [
    [],
    (dict) =>
      new List(
        [...dict.entries.values()].map(([, value]) => value),
        "view",
      ),
  ],
  copy: [[], (dict) => new Dict(dict.entries.values())],
};

const listMethods: Readonly<Record<string, Method<List>>> = {
  index: [
    ["value"],
    (list, args) => {
      const at = list.items.findIndex((item) => isEqual(item, args.needed("value")));
      if (at < 0) throw new TemplateError("the value is not in the list");
      return integer(at);
    },
  ],
  count: [["value"], (list, args) => integer(list.items.filter((item) => isEqual(item, args.needed("value"))).length)],
};

/** What Python's dicts, lists and strings have besides; a key of such a name is shadowed by it behind a dot. */
const changing: Readonly<Record<string, readonly string[]>> = {
  dict: ["clear", "fromkeys", "pop", "popitem", "setdefault", "update"],
  list: ["append", "clear", "copy", "extend", "insert", "pop", "remove", "reverse", "sort"],
};

/** The pairs of a dict, as Python's `dict.items()` gives them. */
export function items(dict: Dict): List {
  return new List(
    [...dict.entries.values()].map((pair) => new List(pair, "tuple")),
    "view",
  );
}

function lookUp(dict: Dict, key: Value): Value | undefined {
  return key instanceof Text ? dict.get(key.text) : undefined;
}

/** `value.name`: an attribute, else a key. */
export function attribute(value: Value, name: string, budget: Budget): Value {
  if (value instanceof Undefined) throw new TemplateError(value.hint);
  return (
    firstOf(method(value, name, budget), entry(value, name), new Undefined(`'${described(value)}' has no attribute '${name}'`)) ?? null
  );
}

/** The first value that is there; None is one. */
function firstOf(...values: readonly (Value | undefined)[]): Value | undefined {
  return values.find((value) => value !== undefined);
}

function entry(value: Value, name: string): Value | undefined {
  return value instanceof Dict ? value.get(name) : value instanceof Namespace ? value.values.get(name) : undefined;
}

function method(value: Value, name: string, budget: Budget): Callable | undefined {
  if (value instanceof Text) return bind(value, textMethods, name, budget, "str");
  if (value instanceof Dict) return bind(value, dictMethods, name, budget, "dict");
  return value instanceof List && value.kind === "list" ? bind(value, listMethods, name, budget, "list") : undefined;
}

function bind<T>(self: T, methods: Readonly<Record<string, Method<T>>>, name: string, budget: Budget, type: string): Callable | undefined {
  if (changing[type]?.includes(name)) throw new TemplateError(`access to attribute '${name}' of '${type}' object is unsafe`);
  if (!Object.hasOwn(methods, name)) return undefined;
  const [parameters, call] = methods[name]!;
  return new Callable(`${type}.${name}()`, (args: Arguments) => call(self, new Bound(`${type}.${name}()`, args, parameters), budget));
}

function described(value: Value): string {
  return value === null ? "None" : `${typeName(value)} object`;
}

/** `value[key]`: an element, else an attribute. */
export function element(value: Value, key: Value, budget: Budget): Value {
  if (value instanceof Undefined) throw new TemplateError(value.hint);
  if (key instanceof Text) {
    const found = entry(value, key.text);
    return found === undefined ? attribute(value, key.text, budget) : found;
  }
  if (key instanceof Num && !key.isFloat && (value instanceof Text || (value instanceof List && value.kind !== "lazy")))
    return at(value, key.value, budget);
  return new Undefined(`${described(value)} has no element ${key instanceof Num ? key.value : typeName(key)}`);
}

function at(value: Text | List, index: number, budget: Budget): Value {
  if (value instanceof Text) budget.value(value);
  const size = lengthOf(value);
  const place = index < 0 ? index + size : index;
  if (place < 0 || place >= size) return new Undefined(`${described(value)} has no element ${index}`);
  return value instanceof Text ? strings.slice(value, place, place + 1, 1) : (value.items[place] ?? null);
}
