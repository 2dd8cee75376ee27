// Python's methods of strings, on texts that know their origins.
import { Text } from "./text.ts";
import { characters, List, lengthOf, type Num, TemplateError, type Value } from "./values.ts";
import { leadingWhite, trimEnd, whiteRuns } from "./white.ts";

export { whiteRuns };
/** Where Python ends lines. Global: for `matchAll` only. */
/** What Python's `splitlines` takes as line ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: some of them are controls.
export const lineEnds = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/g;

/** How often something stands in a text, without overlaps; an empty text stands in front of every character and at the end. */
export function countOf(text: string, sought: string | RegExp): number {
  if (sought === "") return lengthOf(Text.of(text)) + 1;
  let count = 0;
  if (typeof sought !== "string") for (const _match of text.matchAll(sought)) count++;
  else for (let at = text.indexOf(sought); at >= 0; at = text.indexOf(sought, at + sought.length)) count++;
  return count;
}

/** Python's strip(): white space, or the characters of `chars`. */
export function strip(text: Text, chars?: string, left = true, right = true): Text {
  if (chars === undefined) {
    const from = left ? (leadingWhite.exec(text.text)?.[0].length ?? 0) : 0;
    return text.slice(from, right ? Math.max(from, trimEnd(text.text).length) : text.text.length);
  }
  const set = new Set(chars);
  const all = Array.from(text.text);
  let [from, to] = [0, all.length];
  while (left && from < to && set.has(all[from]!)) from++;
  while (right && to > from && set.has(all[to - 1]!)) to--;
  const units = (count: number) => all.slice(0, count).join("").length;
  return text.slice(units(from), units(to));
}

/**
 * Parts of a text as Python's `str.split` makes them.
 * @param separator undefined: runs of white space
 * @param most the most cuts that are made; all when it is negative
 * @throws TemplateError for an empty separator
 */
export function split(text: Text, separator: string | undefined, most: number): Text[] {
  if (separator === undefined) return splitWhite(text, most);
  if (separator === "") throw new TemplateError("empty separator");
  const parts: Text[] = [];
  let at = 0;
  for (let cuts = 0; most < 0 || cuts < most; cuts++) {
    const next = text.text.indexOf(separator, at);
    if (next < 0) break;
    parts.push(text.slice(at, next));
    at = next + separator.length;
  }
  return [...parts, text.slice(at)];
}

function splitWhite(text: Text, most: number): Text[] {
  const parts: Text[] = [];
  let rest = strip(text, undefined, true, false);
  while (rest.text !== "") {
    if (most >= 0 && parts.length >= most) return [...parts, rest];
    const gap = rest.text.search(whiteRuns);
    if (gap < 0) return [...parts, rest];
    parts.push(rest.slice(0, gap));
    rest = strip(rest.slice(gap), undefined, true, false);
  }
  return parts;
}

/**
 * Parts of a text as Python's `str.rsplit` makes them, cut from the end.
 * @param most the most cuts that are made; all when it is negative
 * @throws TemplateError for an empty separator
 */
export function rsplit(text: Text, separator: string, most: number): Text[] {
  if (separator === "") throw new TemplateError("empty separator");
  const parts: Text[] = [];
  let end = text.text.length;
  for (let cuts = 0; most < 0 || cuts < most; cuts++) {
    const next = end < separator.length ? -1 : text.text.lastIndexOf(separator, end - separator.length);
    if (next < 0) break;
    parts.unshift(text.slice(next + separator.length, end));
    end = next;
  }
  return [text.slice(0, end), ...parts];
}

/** Lines of a text as Python's `str.splitlines` makes them. @param keepEnds whether line ends stay */
export function splitLines(text: Text, keepEnds: boolean): Text[] {
  const parts: Text[] = [];
  let at = 0;
  for (const match of text.text.matchAll(lineEnds)) {
    const end = match.index + match[0].length;
    parts.push(text.slice(at, keepEnds ? end : match.index));
    at = end;
  }
  return at < text.text.length ? [...parts, text.slice(at)] : parts;
}

/** What is put in keeps its own origin; what stays keeps its own. */
export function replace(text: Text, old: Text, put: Text, most: number): Text {
  if (old.text === "") return replaceNothing(text, put, most);
  const parts = split(text, old.text, most);
  return parts.length === 1 ? text : Text.join(parts, put);
}

/** Puts a text between all characters, at the beginning and at the end. */
function replaceNothing(text: Text, put: Text, most: number): Text {
  const all = characters(text);
  const count = most < 0 ? all.length + 1 : Math.min(most, all.length + 1);
  const parts = all.flatMap((char, i) => (i < count ? [put, char] : [char]));
  return Text.join(count > all.length ? [...parts, put] : parts);
}

/** The text in capitals. */
export const upper = (text: Text) => text.map((part) => part.toUpperCase());
/** The text in small letters. */
export const lower = (text: Text) => text.map((part) => part.toLowerCase());

/** The first character as a capital, the others small. */
export function capitalize(text: Text): Text {
  const first = text.text === "" ? 0 : String.fromCodePoint(text.text.codePointAt(0)!).length;
  return Text.join([upper(text.slice(0, first)), lower(text.slice(first))]);
}

/** Jinja's filter `title`: words begin behind white space, hyphens and opening brackets. */
export function title(text: Text): Text {
  const cuts = [0, ...[...text.text.matchAll(/[-\s({[<]+/g)].map(({ index, 0: gap }) => index + gap.length), text.text.length];
  return Text.join(cuts.slice(1).map((end, i) => capitalize(text.slice(cuts[i]!, end))));
}

/** Jinja's filter `indent`: every line but the first, and no empty ones unless `blank`. */
export function indent(text: Text, width: Text, first: boolean, blank: boolean): Text {
  const lines = splitLines(Text.join([text, Text.of("\n")]), false);
  const rest = blank
    ? lines.slice(1).map((line) => Text.join([width, line]))
    : lines.slice(1).map((line) => (line.text === "" ? line : Text.join([width, line])));
  const whole = Text.join([lines[0]!, ...rest], Text.of("\n"));
  return first ? Text.join([width, whole]) : whole;
}

/** A slice as Python has it, in characters or elements. */
export function slice(value: Text | List, start: number | undefined, stop: number | undefined, step: number): Value {
  if (step === 0) throw new TemplateError("slice step cannot be zero");
  const length = lengthOf(value);
  if (value instanceof Text && step === 1) {
    const [from, to] = [bound(start ?? 0, length), bound(stop ?? length, length)];
    const unit = (at: number) => (length === value.text.length ? at : unitOf(value.text, at));
    return to > from ? value.slice(unit(from), unit(to)) : Text.of("");
  }
  const items = value instanceof Text ? characters(value) : value.items;
  const picked: Value[] = [];
  const lowest = step > 0 ? 0 : -1;
  const highest = step > 0 ? length : length - 1;
  const clamp = (at: number) => Math.min(Math.max(at < 0 ? at + length : at, lowest), highest);
  const from = start === undefined ? (step > 0 ? lowest : highest) : clamp(start);
  const to = stop === undefined ? (step > 0 ? highest : lowest) : clamp(stop);
  for (let at = from; step > 0 ? at < to : at > to; at += step) picked.push(items[at]!);
  if (value instanceof List) return new List(picked, value.kind);
  return new Text(Text.join(picked.filter((item) => item instanceof Text)).segments, value.isMarkup);
}

/** Where a character begins, in UTF-16 units. */
function unitOf(text: string, character: number): number {
  let at = 0;
  for (let i = 0; i < character && at < text.length; i++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

function bound(at: number, length: number): number {
  return Math.min(Math.max(at < 0 ? at + length : at, 0), length);
}

/** A text or a list, `count` times; nothing below one. */
export function repeat(value: Text | List, count: Num): Value {
  const times = Math.max(0, count.value);
  if (value instanceof Text && value.segments.length === 1)
    return new Text([{ ...value.segments[0]!, text: value.text.repeat(times) }], value.isMarkup);
  if (value instanceof Text) return new Text(Text.join(Array.from({ length: times }, () => value)).segments, value.isMarkup);
  return new List(Array.from({ length: times }, () => value.items).flat(), value.kind);
}
