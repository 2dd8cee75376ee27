// JSON values as the texts that stand for them.
import { type CodePoints, codePoints, contains, intersection } from "../../regex/index.ts";
import { anyText, type Expression, either, repeat, sequence, set, text } from "../expression.ts";
import { anyString, type Language, trimmed } from "../language.ts";
import type { Layout } from "./layout.ts";

/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const quote = text('"');
/** Characters that stand in a string as they are. */
const plain: CodePoints = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0xd7ff],
  [0xe000, 0x10ffff],
];
const escaped: readonly string[] = [...Array.from({ length: 32 }, (_, point) => String.fromCharCode(point)), '"', "\\"];
const hex = set(
  codePoints([..."09afAF"].flatMap((char, i, all) => (i % 2 === 0 ? [[char.charCodeAt(0), all[i + 1]!.charCodeAt(0)] as const] : []))),
);
const anyOfChars = (chars: string) => set(codePoints([...chars].map((char) => [char.charCodeAt(0), char.charCodeAt(0)])));
const letterD = anyOfChars("dD");

/** One character, written in any of the ways that JSON has; no half of a surrogate pair. */
const freeCharacter = either([
  set(plain),
  sequence(
    text("\\"),
    either([
      anyOfChars('"\\/bfnrt'),
      sequence(
        text("u"),
        either([
          sequence(anyOfChars("0123456789abcefABCEF"), hex, hex, hex),
          sequence(letterD, anyOfChars("01234567"), hex, hex),
          sequence(letterD, anyOfChars("89abAB"), hex, hex, text("\\u"), letterD, anyOfChars("cdefCDEF"), hex, hex),
        ]),
      ),
    ]),
  ),
]);

/** A string of so many characters, written in any of the ways that JSON has. */
export function freeString(least: number, most: number): Expression {
  return sequence(quote, repeat(freeCharacter, least, most), quote);
}

/** A string of a language; characters are written as JSON.stringify writes them. */
export function languageString(language: Language): Expression {
  if (language === anyString) return freeString(0, Number.POSITIVE_INFINITY);
  const spelled = new Map<string, Expression>();
  const spell = (points: CodePoints) => {
    const key = points.join(" ");
    const known = spelled.get(key) ?? spelledCharacter(points);
    spelled.set(key, known);
    return known;
  };
  const nodes = trimmed(language).states.map(({ isEnd, edges }) => ({
    isEnd,
    edges: edges.map(([points, to]) => [spell(points), to] as const),
  }));
  return sequence(quote, { type: "graph", nodes }, quote);
}

function spelledCharacter(points: CodePoints): Expression {
  const asItIs = intersection(points, plain);
  const escapes = escaped.filter((char) => contains(points, char.charCodeAt(0))).map((char) => JSON.stringify(char).slice(1, -1));
  return either([...(asItIs.length > 0 ? [set(asItIs)] : []), ...(escapes.length > 0 ? [anyText(escapes)] : [])]);
}

/** A value with white space as the layout has it; keys in their order. */
export function literal(value: Json, layout: Layout): Expression {
  const { comma, colon, afterOpen, beforeClose } = layout;
  const joined = (parts: readonly Expression[]) => parts.flatMap((part, i) => (i === 0 ? [part] : [comma, part]));
  const within = (open: string, parts: readonly Expression[], close: string) =>
    sequence(text(open), afterOpen, ...joined(parts), ...(parts.length > 0 ? [beforeClose] : []), text(close));
  if (isArray(value))
    return within(
      "[",
      value.map((item) => literal(item, layout)),
      "]",
    );
  if (typeof value !== "object" || value === null) return text(JSON.stringify(value));
  const pairs = Object.entries(value).map(([key, item]) => sequence(text(JSON.stringify(key)), colon, literal(item, layout)));
  return within("{", pairs, "}");
}

/** Whether a value is an array; `Array.isArray` does not know arrays that are read only. */
export function isArray(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

/** The values without those that are equal to an earlier one. */
export function different(values: readonly Json[]): Json[] {
  return [...new Map([...values].reverse().map((value) => [canonical(value), value])).values()].reverse();
}

/** The same text for equal values. */
function canonical(value: Json): string {
  if (isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`);
  return `{${pairs.sort().join(",")}}`;
}

/** Whether two values are equal as JSON Schema has it: numbers by value, objects without order. */
export function isEqual(a: Json, b: Json): boolean {
  if (isArray(a) || isArray(b)) return isArray(a) && isArray(b) && a.length === b.length && a.every((item, i) => isEqual(item, b[i]!));
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key]!, b[key]!));
}
