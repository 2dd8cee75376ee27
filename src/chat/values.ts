// What a template computes with: Python's values, as far as templates meet them, with texts that know their origins.
import { Text } from "./text.ts";

/** An error in what a template does, as Python or Jinja would raise one. */
export class TemplateError extends Error {}

/** A number, which is Python's int or float. */
export class Num {
  readonly value: number;
  readonly isFloat: boolean;

  constructor(value: number, isFloat: boolean) {
    this.value = value;
    this.isFloat = isFloat;
  }
}

/** What a name or a key that is not there gives. It prints as nothing; most uses are errors. */
export class Undefined {
  readonly hint: string;

  constructor(hint: string) {
    this.hint = hint;
  }
}

/** Python's list or tuple, or what iterates lazily. */
export class List {
  readonly items: readonly Value[];
  readonly kind: "list" | "tuple" | "lazy" | "view";

  /** @param kind a lazy one is what `map` and `select` give: it is true even when empty and has no length; a view is what `items()` gives */
  constructor(items: readonly Value[], kind: "list" | "tuple" | "lazy" | "view" = "list") {
    this.items = items;
    this.kind = kind;
  }
}

/** Keys are texts, because a key may come from a message as well as a value may. */
export class Dict {
  readonly entries: ReadonlyMap<string, readonly [Text, Value]>;

  constructor(entries: Iterable<readonly [Text, Value]>) {
    const map = new Map<string, readonly [Text, Value]>();
    for (const [key, value] of entries) map.set(key.text, [map.get(key.text)?.[0] ?? key, value]);
    this.entries = map;
  }

  get(key: string): Value | undefined {
    return this.entries.get(key)?.[1];
  }
}

/** What Jinja's `namespace()` makes: the one value whose attributes a template may set. */
export class Namespace {
  readonly values: Map<string, Value>;

  constructor(values: Map<string, Value>) {
    this.values = values;
  }
}

/** The arguments of a call. */
export interface Arguments {
  readonly positional: readonly Value[];
  /** Arguments by name. A name that came from a message by `**` keeps its origin. */
  readonly named: Dict;
}

/** A function, method or macro. */
export class Callable {
  readonly name: string;
  readonly call: (args: Arguments) => Value;

  constructor(name: string, call: (args: Arguments) => Value) {
    this.name = name;
    this.call = call;
  }
}

/** A value that a template computes with. */
export type Value = null | boolean | Num | Text | Undefined | List | Dict | Namespace | Callable;

/** A Python int. */
export const integer = (value: number) => new Num(value, false);

/** Python's name of a value's type, for errors. */
export function typeName(value: Value): string {
  if (value === null) return "NoneType";
  if (typeof value === "boolean") return "bool";
  if (value instanceof Num) return value.isFloat ? "float" : "int";
  if (value instanceof Text) return "str";
  if (value instanceof List) return { list: "list", tuple: "tuple", lazy: "generator", view: "dict view" }[value.kind];
  if (value instanceof Dict) return "dict";
  if (value instanceof Namespace) return "Namespace";
  return value instanceof Undefined ? "Undefined" : "function";
}

/** Whether Python takes a value as true. */
export function isTrue(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false;
  if (typeof value === "boolean") return value;
  if (value instanceof Num) return value.value !== 0;
  if (value instanceof Text) return value.text !== "";
  if (value instanceof List) return value.kind === "lazy" || value.items.length > 0;
  return value instanceof Dict ? value.entries.size > 0 : true;
}

/** A number, or a boolean as Python counts with it. */
export function numberOf(value: Value): Num | undefined {
  if (value instanceof Num) return value;
  return typeof value === "boolean" ? integer(Number(value)) : undefined;
}

/** Whether Python's `==` holds between two values. */
export function isEqual(a: Value, b: Value): boolean {
  const [left, right] = [numberOf(a), numberOf(b)];
  if (left !== undefined && right !== undefined) return left.value === right.value;
  if (a instanceof Text && b instanceof Text) return a.text === b.text;
  if (a instanceof Undefined && b instanceof Undefined) return true;
  if (a instanceof List && b instanceof List && a.kind === b.kind && a.kind !== "lazy")
    return a.items.length === b.items.length && a.items.every((item, i) => isEqual(item, b.items[i]!));
  if (a instanceof Dict && b instanceof Dict)
    return (
      a.entries.size === b.entries.size &&
      [...a.entries].every(([key, [, value]]) => b.entries.has(key) && isEqual(value, b.get(key) ?? null))
    );
  return a === b;
}

/** Negative, zero or positive. @throws TemplateError for values that Python does not order. */
export function compare(a: Value, b: Value, operator: string): number {
  const [left, right] = [numberOf(a), numberOf(b)];
  if (left !== undefined && right !== undefined) return left.value - right.value;
  if (a instanceof Text && b instanceof Text) return compareTexts(a.text, b.text);
  if (a instanceof List && b instanceof List && a.kind === b.kind) {
    const at = a.items.findIndex((item, i) => i >= b.items.length || !isEqual(item, b.items[i]!));
    if (at < 0) return a.items.length - b.items.length;
    return at >= b.items.length ? 1 : compare(a.items[at]!, b.items[at]!, operator);
  }
  throw new TemplateError(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

/** Compares texts by code points, as Python does; UTF-16 units order otherwise above U+D7FF. */
export function compareTexts(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** What a loop goes over. @throws TemplateError for what Python cannot iterate. */
export function iterate(value: Value): readonly Value[] {
  if (value instanceof List) return value.items;
  if (value instanceof Dict) return [...value.entries.values()].map(([key]) => key);
  if (value instanceof Text) return characters(value);
  if (value instanceof Undefined) return [];
  throw new TemplateError(`'${typeName(value)}' object is not iterable`);
}

/** The characters of a text, each with its origin. */
export function characters(text: Text): Text[] {
  let at = 0;
  return Array.from(text.text, (char) => {
    at += char.length;
    return new Text(text.slice(at - char.length, at).segments);
  });
}

/** How many characters, which are code points, elements or keys. */
export function lengthOf(value: Value): number {
  if (value instanceof Text) return hasPairs(value.text) ? Array.from(value.text).length : value.text.length;
  if (value instanceof List && value.kind !== "lazy") return value.items.length;
  if (value instanceof Dict) return value.entries.size;
  if (value instanceof Undefined) return 0;
  throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
}

function hasPairs(text: string): boolean {
  return /[\ud800-\udbff][\udc00-\udfff]/.test(text);
}

/** Python's str(). */
export function str(value: Value): Text {
  if (value instanceof Text) return value;
  if (value instanceof Undefined) return Text.of("");
  return repr(value);
}

/** Python's repr(). @throws TemplateError for what prints as an address in memory. */
export function repr(value: Value): Text {
  if (value === null) return Text.of("None");
  if (typeof value === "boolean") return Text.of(value ? "True" : "False");
  if (value instanceof Num) return Text.of(value.isFloat ? floatText(value.value) : String(value.value));
  if (value instanceof Text) return value.isMarkup ? bracketed("Markup(", [quoted(value)], ")") : quoted(value);
  if (value instanceof Undefined) return Text.of("Undefined");
  if (value instanceof List && (value.kind === "list" || value.kind === "tuple")) {
    const close = value.kind === "list" ? "]" : value.items.length === 1 ? ",)" : ")";
    return bracketed(value.kind === "list" ? "[" : "(", value.items.map(repr), close);
  }
  if (value instanceof Dict)
    return bracketed(
      "{",
      [...value.entries.values()].map(([key, item]) => Text.join([repr(key), Text.of(": "), repr(item)])),
      "}",
    );
  throw new TemplateError(`a ${typeName(value)} is printed, which has no text of its own`);
}

/** Texts joined between an opening and a closing bracket. */
export function bracketed(open: string, items: readonly Text[], close: string, between = ", "): Text {
  return Text.join([Text.of(open), Text.join(items, Text.of(between)), Text.of(close)]);
}

/** Python's repr() of a float: the shortest digits, an exponent of two digits below 1e-4 and from 1e16 on. */
export function floatText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e16)) return Number.isInteger(value) ? value.toFixed(1) : String(value);
  const [digits, exponent] = value.toExponential().split("e") as [string, string];
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
/** Characters that Python's repr() does not print as they are, below U+0300 by name and above by category. */
const unprintable = /[\\\n\r\t\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

function quoted(text: Text): Text {
  const mark = text.text.includes("'") && !text.text.includes('"') ? '"' : "'";
  const inner = text.map((part) =>
    part.replace(unprintable, (char) => escapes[char] ?? escaped(char)).replaceAll(mark, mark === "'" ? "\\'" : mark),
  );
  return Text.join([Text.of(mark), inner, Text.of(mark)]);
}

function escaped(char: string): string {
  const code = char.codePointAt(0)!;
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, "0")}` : code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
