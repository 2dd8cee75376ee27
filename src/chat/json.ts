// The filter `tojson` as transformers has it: Python's json.dumps, without Jinja's escapes for HTML.
import { Text } from "./text.ts";
import { compareTexts, Dict, floatText, List, Num, TemplateError, typeName, type Value } from "./values.ts";

/** How `tojson` writes: escapes, order of keys, indentation and separators. */
export interface JsonStyle {
  readonly ascii: boolean;
  readonly sorted: boolean;
  /** What one level of indentation is; absent: all stands in one line. */
  readonly indent?: Text;
  readonly betweenItems: Text;
  readonly afterKey: Text;
}

/** Python's defaults of json.dumps, with characters beyond ASCII left as they are. */
export const plainJson: JsonStyle = { ascii: false, sorted: false, betweenItems: Text.of(", "), afterKey: Text.of(": ") };

/** Texts keep their origins, quotes and escapes are whose text it is; brackets and commas are the template's. @throws TemplateError as json.dumps */
export function toJson(value: Value, style: JsonStyle, depth = 0): Text {
  if (value === null) return Text.of("null");
  if (typeof value === "boolean") return Text.of(String(value));
  if (value instanceof Num) return Text.of(value.isFloat ? jsonFloat(value.value) : String(value.value));
  if (value instanceof Text) return jsonText(value, style.ascii);
  if (value instanceof List && (value.kind === "list" || value.kind === "tuple"))
    return container(
      "[",
      "]",
      value.items.map((item) => toJson(item, style, depth + 1)),
      style,
      depth,
    );
  if (!(value instanceof Dict)) throw new TemplateError(`Object of type ${typeName(value)} is not JSON serializable`);
  const all = [...value.entries.values()];
  if (style.sorted) all.sort(([a], [b]) => compareTexts(a.text, b.text));
  const items = all.map(([key, item]) => Text.join([jsonText(key, style.ascii), style.afterKey, toJson(item, style, depth + 1)]));
  return container("{", "}", items, style, depth);
}

function container(open: string, close: string, items: readonly Text[], { indent, betweenItems }: JsonStyle, depth: number): Text {
  if (items.length === 0) return Text.of(open + close);
  const line = newLine(indent, depth + 1);
  return Text.join([Text.of(open), line, Text.join(items, Text.join([betweenItems, line])), newLine(indent, depth), Text.of(close)]);
}

/** Nothing where all stands in one line. */
function newLine(indent: Text | undefined, depth: number): Text {
  return indent === undefined ? Text.of("") : Text.join([Text.of("\n"), ...Array.from({ length: depth }, () => indent)]);
}

function jsonFloat(value: number): string {
  return Number.isFinite(value) ? floatText(value) : Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

const short: Readonly<Record<string, string>> = {
  ...{ '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f" },
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them.
const special = /["\\\x00-\x1f]/g;
const notAscii = /["\\]|[^ -~]/g;

function jsonText(text: Text, ascii: boolean): Text {
  const inner = text.map((part) => part.replace(ascii ? notAscii : special, (unit) => short[unit] ?? hex(unit)));
  const quote = Text.of('"');
  return Text.join([quote, inner, quote]);
}

function hex(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
