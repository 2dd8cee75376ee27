// JSON texts as values of a template. JavaScript's objects keep neither the order of keys that are numbers nor 1.0 apart from 1; Python's do, and
// templates show both.
import { check, fail } from "../base/index.ts";
import { type Origin, Text } from "./text.ts";
import { Dict, List, Num, type Value } from "./values.ts";

const where = "chat";

/** How deep lists and objects may stand in one another. */
export const deepest = 200;

/** @throws CriaError for a value that is nested too deep */
export function checkDepth(depth: number, name: string): void {
  check(depth <= deepest, where, () => `${name.slice(0, 100)}… is nested more than ${deepest} deep`);
}

/** @throws CriaError for a whole number beyond 2^53, of which JavaScript does not know all digits */
export function wholeNumber(value: number, name: string): Num {
  check(Number.isSafeInteger(value), where, () => `${name} holds ${value}, a whole number beyond 2^53: give it as a text`);
  return new Num(value, false);
}

/**
 * The value of a text that is known to be JSON, with an origin for all its texts, keys included. As in Python, a number with a point or an exponent
 * is a float.
 * @throws CriaError for a whole number beyond 2^53, and for lists and objects more than {@link deepest} in one another
 */
export function jsonTextValue(json: string, origin: Origin, name: string): Value {
  return new JsonReader(json, origin, name).value(0);
}

const token = /"(?:[^"\\]|\\.)*"|[{}[\]]|[^\s,:{}[\]"]+/g;
const words: ReadonlyMap<string, Value> = new Map<string, Value>([
  ["null", null],
  ["true", true],
  ["false", false],
]);

/** Walks over the tokens of a text that is JSON: commas and colons say nothing that is not known. */
class JsonReader {
  readonly #tokens: Iterator<RegExpExecArray>;
  readonly #origin: Origin;
  readonly #name: string;

  constructor(json: string, origin: Origin, name: string) {
    this.#tokens = json.matchAll(token);
    this.#origin = origin;
    this.#name = name;
  }

  value(depth: number): Value {
    return this.#valueFrom(this.#next(), depth);
  }

  #valueFrom(first: string, depth: number): Value {
    checkDepth(depth, this.#name);
    if (first === "{") return new Dict(this.#until("}", (key): [Text, Value] => [this.#text(key), this.value(depth + 1)]));
    if (first === "[") return new List(this.#until("]", (item) => this.#valueFrom(item, depth + 1)));
    if (first.startsWith('"')) return this.#text(first);
    const word = words.get(first);
    if (word !== undefined) return word;
    return /[.eE]/.test(first) ? new Num(Number(first), true) : wholeNumber(Number(first), this.#name);
  }

  #until<T>(end: string, read: (first: string) => T): T[] {
    const found: T[] = [];
    for (let first = this.#next(); first !== end; first = this.#next()) found.push(read(first));
    return found;
  }

  #text(quoted: string): Text {
    return Text.of(String(JSON.parse(quoted)), this.#origin);
  }

  #next(): string {
    const { value, done } = this.#tokens.next();
    return done ? fail(where, `${this.#name} ends too early`) : value[0];
  }
}
