// Jinja's tests: what stands behind `is`, and in `select` and its relatives.
import { Text } from "./text.ts";
import {
  Callable,
  compare,
  Dict,
  isEqual,
  iterate,
  List,
  Namespace,
  Num,
  numberOf,
  str,
  TemplateError,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

type Test = (value: Value, ...args: readonly Value[]) => boolean;

const remainder = (value: Value, by: number) => {
  const number = numberOf(value);
  if (number === undefined) throw new TemplateError(`unsupported operand type(s) for %: '${typeName(value)}' and 'int'`);
  return ((number.value % by) + by) % by;
};

const operand = (args: readonly Value[]) => {
  if (args.length !== 1) throw new TemplateError(`the test needs one argument, ${args.length} are given`);
  return args[0] ?? null;
};

const equal: Test = (value, ...args) => isEqual(value, operand(args));
const among: Test = (value, ...args) => contains(operand(args), value);
const greater: Test = (value, ...args) => compare(value, operand(args), ">") > 0;
const atLeast: Test = (value, ...args) => compare(value, operand(args), ">=") >= 0;
const less: Test = (value, ...args) => compare(value, operand(args), "<") < 0;
const atMost: Test = (value, ...args) => compare(value, operand(args), "<=") <= 0;
const unequal: Test = (value, ...args) => !equal(value, ...args);

const tests: Readonly<Record<string, Test>> = {
  defined: (value) => !(value instanceof Undefined),
  undefined: (value) => value instanceof Undefined,
  none: (value) => value === null,
  true: (value) => value === true,
  false: (value) => value === false,
  boolean: (value) => typeof value === "boolean",
  string: (value) => value instanceof Text,
  number: (value) => numberOf(value) !== undefined,
  integer: (value) => value instanceof Num && !value.isFloat,
  float: (value) => value instanceof Num && value.isFloat,
  mapping: (value) => value instanceof Dict,
  iterable: (value) => [Text, List, Dict, Undefined].some((kind) => value instanceof kind),
  sequence: (value) =>
    value instanceof Text ||
    value instanceof Dict ||
    value instanceof Undefined ||
    (value instanceof List && ["list", "tuple"].includes(value.kind)),
  callable: (value) => value instanceof Callable,
  odd: (value) => remainder(value, 2) === 1,
  even: (value) => remainder(value, 2) === 0,
  divisibleby: (value, ...args) => remainder(value, numberOf(operand(args))?.value ?? Number.NaN) === 0,
  lower: (value) => isCased(str(value).text) && str(value).text === str(value).text.toLowerCase(),
  upper: (value) => isCased(str(value).text) && str(value).text === str(value).text.toUpperCase(),
  sameas: (value, ...args) => value === operand(args),
  ...{ eq: equal, equalto: equal, "==": equal, ne: unequal, "!=": unequal, in: among },
  ...{ gt: greater, greaterthan: greater, ">": greater, ge: atLeast, ">=": atLeast },
  ...{ lt: less, lessthan: less, "<": less, le: atMost, "<=": atMost },
};

function isCased(text: string): boolean {
  return text.toLowerCase() !== text.toUpperCase();
}

/** @throws TemplateError for a test that is not supported. */
export function test(name: string, value: Value, args: readonly Value[]): boolean {
  if (!Object.hasOwn(tests, name)) throw new TemplateError(`the test '${name}' is not supported`);
  return tests[name]!(value, ...args);
}

/** Python's `in`. */
export function contains(container: Value, value: Value): boolean {
  if (container instanceof Text) {
    if (!(value instanceof Text)) throw new TemplateError(`'in <string>' requires string as left operand, not ${typeName(value)}`);
    return container.text.includes(value.text);
  }
  if (container instanceof Dict) return value instanceof Text && container.entries.has(value.text);
  if (container instanceof Namespace) throw new TemplateError("argument of type 'Namespace' is not iterable");
  return iterate(container).some((item) => isEqual(item, value));
}
