// Operators as Python computes them, on texts that know their origins.
import type { Budget } from "./budget.ts";
import { contains } from "./conditions.ts";
import { repeat } from "./strings.ts";
import { Text } from "./text.ts";
import { compare, integer, isEqual, List, lengthOf, Num, numberOf, str, TemplateError, typeName, Undefined, type Value } from "./values.ts";

const comparisons: Readonly<Record<string, (a: Value, b: Value) => boolean>> = {
  "==": isEqual,
  "!=": (a, b) => !isEqual(a, b),
  "<": (a, b) => compare(a, b, "<") < 0,
  "<=": (a, b) => compare(a, b, "<=") <= 0,
  ">": (a, b) => compare(a, b, ">") > 0,
  ">=": (a, b) => compare(a, b, ">=") >= 0,
  in: (a, b) => contains(b, a),
  "not in": (a, b) => !contains(b, a),
};

/** @throws TemplateError where Python has no such operation. */
export function binary(operator: string, a: Value, b: Value, budget: Budget): Value {
  const isComparison = Object.hasOwn(comparisons, operator);
  if (isComparison || operator === "~") for (const value of [a, b]) if (!(value instanceof Text)) budget.value(value);
  if (isComparison) return comparisons[operator]!(a, b);
  if (operator === "~") return joined([str(a), str(b)], budget);
  for (const value of [a, b]) if (value instanceof Undefined) throw new TemplateError(value.hint);
  if (operator === "+" && a instanceof Text && b instanceof Text) return added(a, b, budget);
  if (operator === "+" && a instanceof List && b instanceof List && a.kind === b.kind) return joinedLists(a, b, budget);
  if (operator === "*" && isRepeated(a) && numberOf(b) !== undefined) return repeated(a, numberOf(b)!, budget);
  if (operator === "*" && isRepeated(b) && numberOf(a) !== undefined) return repeated(b, numberOf(a)!, budget);
  const [left, right] = [numberOf(a), numberOf(b)];
  if (left !== undefined && right !== undefined) return arithmetic(operator, left, right);
  throw new TemplateError(`unsupported operand type(s) for ${operator}: '${typeName(a)}' and '${typeName(b)}'`);
}

function joined(texts: readonly Text[], budget: Budget): Text {
  budget.text(texts.reduce((size, { text }) => size + text.length, 0));
  return Text.join(texts);
}

function joinedLists(a: List, b: List, budget: Budget): List {
  budget.step(a.items.length + b.items.length);
  return new List([...a.items, ...b.items], a.kind);
}

function added(a: Text, b: Text, budget: Budget): Text {
  if (!a.isMarkup && !b.isMarkup) return joined([a, b], budget);
  return new Text(joined([a.markup(), b.markup()], budget).segments, true);
}

function isRepeated(value: Value): value is Text | List {
  return value instanceof Text || (value instanceof List && value.kind !== "lazy" && value.kind !== "view");
}

function repeated(value: Text | List, count: Num, budget: Budget): Value {
  if (count.isFloat) throw new TemplateError("can't multiply sequence by non-int of type 'float'");
  budget.text(Math.max(0, count.value) * lengthOf(value) * (value instanceof Text ? 1 : 256));
  return repeat(value, count);
}

function arithmetic(operator: string, left: Num, right: Num): Num {
  const [a, b] = [left.value, right.value];
  if (["/", "//", "%"].includes(operator) && b === 0) throw new TemplateError("division by zero");
  const isFloat = left.isFloat || right.isFloat || operator === "/" || (operator === "**" && b < 0);
  const number = new Num(compute(operator, a, b), isFloat);
  if (!isFloat && !Number.isSafeInteger(number.value))
    throw new TemplateError(`${a} ${operator} ${b} is beyond 2^53, which is not supported`);
  return number;
}

function compute(operator: string, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "//":
      return Math.floor(a / b);
    case "%":
      return a - b * Math.floor(a / b);
    case "**":
      return a ** b;
    default:
      throw new TemplateError(`the operator ${operator} is not supported`);
  }
}

/** A number with the sign + or − in front. @throws TemplateError for anything but a number */
export function negative(value: Value, sign: string): Value {
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`bad operand type for unary ${sign}: '${typeName(value)}'`);
  return sign === "-"
    ? new Num(number.isFloat ? -number.value : 0 - number.value, number.isFloat)
    : number.isFloat
      ? number
      : integer(number.value);
}
