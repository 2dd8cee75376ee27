// Numbers as texts: digit by digit, with what has to be known of the digits so far.
import type { Expression, GraphNode } from "../expression.ts";
import { either, never, optional, repeat, sequence, set, text } from "../expression.ts";
import type { AtomOf, JsonType } from "./atoms.ts";
import { decimalOf } from "./atoms.ts";
import type { Json } from "./json-text.ts";

/** Digits of numbers whose size is not limited: in front of the point and behind it. */
const freeDigits = 19;
/** Digits of a number that any bound, all together: decimals of so many digits are read as different numbers. */
const exactDigits = 15;
/** Digits where bounds are part of what is allowed: decimals may be read as one number, but never as one beyond the bound. */
const boundedDigits = 17;
/** States of the automaton of a number's digits. */
const mostStates = 20_000;
/** The largest factor of a multipleOf, when the decimal point is moved behind its last digit. */
const mostFactor = 5000;

const digit = set([[0x30, 0x39]]);
const firstDigit = set([[0x31, 0x39]]);
const whole = either([text("0"), sequence(firstDigit, repeat(digit, 0, freeDigits - 1))]);
/** Exponents with which no number of so many digits is infinite. */
const exponent = sequence(
  set([
    [0x45, 0x45],
    [0x65, 0x65],
  ]),
  optional(
    set([
      [0x2b, 0x2b],
      [0x2d, 0x2d],
    ]),
  ),
  either([repeat(digit, 1, 2), sequence(text("1"), digit, digit), sequence(text("2"), set([[0x30, 0x37]]), digit)]),
);
const freeInteger = either([whole, sequence(text("-"), firstDigit, repeat(digit, 0, freeDigits - 1))]);
const freeNumber = sequence(optional(text("-")), whole, optional(sequence(text("."), repeat(digit, 1, freeDigits))), optional(exponent));

/** What a schema asks of a number. */
export interface NumberConditions {
  readonly types: ReadonlySet<JsonType>;
  readonly bounds: readonly AtomOf<"bound">[];
  readonly multiples: readonly AtomOf<"multiple">[];
  /** Numbers that the value must not be. */
  readonly others: readonly number[];
}

/** Something that watches digits: what it knows is its state, a text. */
interface Watcher {
  readonly start: string;
  /** @param isFraction whether the digit stands behind the point */
  step(state: string, digit: number, isFraction: boolean): string;
  /** The state behind the point. */
  point(state: string): string;
  isRight(state: string, hasPoint: boolean): boolean;
}

/** The texts of valid numbers. @param fail refuses an atom */
export function numberText(
  conditions: NumberConditions,
  fail: (atom: AtomOf<"bound"> | AtomOf<"multiple">, problem: string) => never,
): Expression {
  const { types, bounds, multiples, others } = conditions;
  const [isInteger, isFraction] = [types.has("integer"), types.has("fraction")];
  if (!isInteger && !isFraction) return never;
  const isFree = bounds.length === 0 && multiples.length === 0 && others.length === 0;
  if (isFree && isInteger) return isFraction ? freeNumber : freeInteger;
  const isStrict = others.length > 0 || multiples.length > 0 || !isInteger || bounds.some(({ isExclusive }) => isExclusive);
  const digits = isStrict ? exactDigits : boundedDigits;
  for (const bound of bounds) checkBound(bound, digits, fail);
  const always = [...multiples.map((atom) => multipleWatcher(atom, fail)), ...(isInteger ? [] : [fractionWatcher])];
  const signed = (isNegative: boolean) => {
    const comparisons = [
      ...bounds.map((bound) => boundWatcher(bound, isNegative)),
      ...others.map((value) => otherWatcher(value, isNegative)),
    ];
    const watchers = [syntaxWatcher(digits, isFraction, isNegative), ...always, ...comparisons];
    return (
      graph(watchers) ??
      fail(
        multiples[0] ?? bounds[0]!,
        `what is asked of the number needs more than ${mostStates} states of an automaton, which is the limit`,
      )
    );
  };
  return either([signed(false), sequence(text("-"), signed(true))]);
}

/** Whether a number lies between all bounds, however many digits it has. */
export function isBetween(bounds: readonly AtomOf<"bound">[]): boolean {
  const closest = (side: "least" | "most") =>
    bounds
      .filter((bound) => bound.side === side)
      .reduce<AtomOf<"bound"> | undefined>((a, b) => (a === undefined || isCloser(b, a, side) ? b : a), undefined);
  const [least, most] = [closest("least"), closest("most")];
  if (least === undefined || most === undefined || least.value < most.value) return true;
  return least.value === most.value && !least.isExclusive && !most.isExclusive;
}

function isCloser(a: AtomOf<"bound">, b: AtomOf<"bound">, side: "least" | "most"): boolean {
  if (a.value === b.value) return a.isExclusive;
  return side === "least" ? a.value > b.value : a.value < b.value;
}

function checkBound(bound: AtomOf<"bound">, digits: number, fail: (atom: AtomOf<"bound">, problem: string) => never): void {
  const { value, side } = bound;
  const decimal = decimalOf(Math.abs(value));
  if (decimal.decimals > exactDigits) fail(bound, `${value} has more than ${exactDigits} decimals, which is not supported`);
  const excludes = side === "least" ? value : -value;
  if (excludes >= 10 ** (digits - 1))
    fail(bound, `numbers beyond ${value} are not supported: numbers are written with at most ${digits} digits`);
}

/** The text of numbers without their sign, as the ways on which all watchers agree; undefined where it is too large. */
function graph(watchers: readonly Watcher[]): Expression | undefined {
  interface Known {
    readonly states: readonly string[];
    readonly hasPoint: boolean;
  }
  const known = new Map<string, number>();
  const found: Known[] = [];
  const index = (states: readonly string[], hasPoint: boolean): number | undefined => {
    if (states.includes(dead)) return undefined;
    const key = `${hasPoint} ${states.join(" ")}`;
    const at = known.get(key) ?? found.push({ states, hasPoint }) - 1;
    known.set(key, at);
    return at;
  };
  index(
    watchers.map(({ start }) => start),
    false,
  );
  const nodes: GraphNode[] = [];
  for (const { states, hasPoint } of found) {
    if (found.length > mostStates) return undefined;
    const edges: (readonly [Expression, number])[] = [];
    const lead = (label: string, next: readonly string[], isBehind: boolean) => {
      const to = index(next, isBehind);
      if (to !== undefined) edges.push([text(label), to]);
    };
    for (let one = 0; one < 10; one++)
      lead(
        String(one),
        states.map((state, i) => watchers[i]!.step(state, one, hasPoint)),
        hasPoint,
      );
    if (!hasPoint)
      lead(
        ".",
        states.map((state, i) => watchers[i]!.point(state)),
        true,
      );
    nodes.push({ isEnd: watchers.every((watcher, i) => watcher.isRight(states[i]!, hasPoint)), edges });
  }
  return { type: "graph", nodes };
}

/** The state from which nothing is right. */
const dead = "dead";

/** JSON's syntax, without exponents. The state is the number of digits, with what the last part has: z for a zero alone, p for a point just read. */
function syntaxWatcher(most: number, hasFraction: boolean, isNegative: boolean): Watcher {
  return {
    start: "0",
    step(state, digit, isFraction) {
      const count = Number.parseInt(state, 10);
      if (state.endsWith("z") || count >= most) return dead;
      return digit === 0 && count === 0 && !isFraction ? "1z" : String(count + 1);
    },
    point: (state) => (hasFraction && state !== "0" ? `${Number.parseInt(state, 10)}p` : dead),
    // -0 is no integer of its own.
    isRight: (state, hasPoint) => state !== "0" && !state.endsWith("p") && !(isNegative && !hasPoint && state === "1z"),
  };
}

/** The fraction is not 0. */
const fractionWatcher: Watcher = {
  start: "none",
  step: (state, digit, isFraction) => (isFraction && digit !== 0 ? "some" : state),
  point: (state) => state,
  isRight: (state) => state === "some",
};

/** The remainder of the digits so far and the number of decimals. */
function multipleWatcher(atom: AtomOf<"multiple">, fail: (atom: AtomOf<"multiple">, problem: string) => never): Watcher {
  const { digits, decimals } = decimalOf(atom.of);
  const factor = Number(digits);
  if (factor > mostFactor) fail(atom, `${atom.of} is ${factor} with ${decimals} decimals, and at most ${mostFactor} is supported`);
  const rest = (remainder: number, count: number) => (remainder * Number(BigInt(10) ** BigInt(decimals - count) % BigInt(factor))) % factor;
  return {
    start: "0 0",
    step(state, digit, isFraction) {
      const [remainder, count] = state.split(" ").map(Number) as [number, number];
      if (isFraction && count >= decimals)
        return atom.isNegated && digit !== 0 ? `beyond` : state === "beyond" ? state : digit === 0 ? state : dead;
      if (state === "beyond") return state;
      return `${(remainder * 10 + digit) % factor} ${count + (isFraction ? 1 : 0)}`;
    },
    point: (state) => state,
    isRight(state) {
      if (state === "beyond") return true;
      const [remainder, count] = state.split(" ").map(Number) as [number, number];
      return (rest(remainder, count) === 0) !== atom.isNegated;
    },
  };
}

type Order = "less" | "equal" | "greater";

/** The digits compared with those of a number that is not negative. */
function comparison(value: number, isRight: (order: Order) => boolean): Watcher {
  const { digits, decimals } = decimalOf(value);
  const padded = digits.padStart(decimals + 1, "0");
  const front = padded.slice(0, padded.length - decimals).replace(/^0+(?=\d)/, "");
  const behind = padded.slice(padded.length - decimals).replace(/0+$/, "");
  const compare = (order: Order, digit: number, other: string | undefined): Order =>
    order !== "equal" ? order : digit < Number(other ?? "0") ? "less" : digit > Number(other ?? "0") ? "greater" : "equal";
  const settled = (count: number, order: Order): Order => (count < front.length ? "less" : count > front.length ? "greater" : order);
  const parse = (state: string) => state.split(" ") as [Order, string];
  return {
    start: "equal 0",
    step(state, digit, isFraction) {
      const [order, count] = parse(state);
      const other = isFraction ? behind[Number(count)] : front[Number(count)];
      // Counts beyond those that are compared are alike.
      const most = (isFraction ? behind.length : front.length) + 1;
      return `${compare(order, digit, other)} ${Math.min(Number(count) + 1, most)}`;
    },
    point(state) {
      const [order, count] = parse(state);
      return `${settled(Number(count), order)} 0`;
    },
    isRight(state, hasPoint) {
      const [order, count] = parse(state);
      const inFront = hasPoint ? order : settled(Number(count), order);
      const isShort = inFront === "equal" && (hasPoint ? Number(count) : 0) < behind.length;
      return isRight(isShort ? "less" : inFront);
    },
  };
}

/** The number without its sign must keep to the bound. */
function boundWatcher({ side, value, isExclusive }: AtomOf<"bound">, isNegative: boolean): Watcher {
  // A bound on -m is the opposite bound on m.
  const limit = isNegative ? -value : value;
  const isLeast = (side === "least") !== isNegative;
  if (limit < 0) return isLeast ? anything : nothing;
  const wanted: Order = isLeast ? "greater" : "less";
  return comparison(limit, (order) => order === wanted || (order === "equal" && !isExclusive));
}

function otherWatcher(value: number, isNegative: boolean): Watcher {
  const limit = isNegative ? -value : value;
  return limit < 0 ? anything : comparison(limit, (order) => order !== "equal");
}

const anything: Watcher = { start: "any", step: (state) => state, point: (state) => state, isRight: () => true };
const nothing: Watcher = { ...anything, isRight: () => false };

/** The numbers among values. */
export function numbersAmong(values: readonly Json[]): number[] {
  return values.filter((value): value is number => typeof value === "number");
}
