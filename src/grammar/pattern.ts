// Patterns of JSON Schema: regular expressions of ECMA-262 with the flag u, as trees. What is not a matter of automata is refused with its place.
import { type CodePoints, codePoints, complement, intersection, unicodeProperty, union } from "../regex/index.ts";

/** A node of a pattern's tree. */
export type PatternNode =
  | { readonly type: "set"; readonly set: CodePoints }
  | { readonly type: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly type: "either"; readonly parts: readonly PatternNode[] }
  | { readonly type: "repeat"; readonly body: PatternNode; readonly least: number; readonly most: number }
  /** The beginning or the end of the whole text. */
  | { readonly type: "start" | "end" };

/** A problem of a pattern, with its place in UTF-16 units. */
export class PatternProblem extends Error {}

const mostDepth = 200;
const mostRepeats = 100_000;

/** All characters: halves of surrogate pairs are none. */
export const allCharacters: CodePoints = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** @throws PatternProblem where the pattern is not well-formed or not supported */
export function parsePattern(source: string): PatternNode {
  return new Parser(source).pattern();
}

class Parser {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  pattern(): PatternNode {
    const node = this.#alternatives();
    if (this.#at < this.#source.length) this.#fail("a ) without its (");
    return node;
  }

  #alternatives(): PatternNode {
    if (++this.#depth > mostDepth) this.#fail(`groups more than ${mostDepth} deep are not supported`);
    const parts = [this.#sequence()];
    while (this.#takes("|")) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { type: "either", parts };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#source.length && this.#peek() !== "|" && this.#peek() !== ")") parts.push(this.#term());
    return { type: "sequence", parts };
  }

  #term(): PatternNode {
    if (this.#takes("^")) return { type: "start" };
    if (this.#takes("$")) return { type: "end" };
    const atom = this.#atom();
    const counts = this.#quantifier();
    if (counts === undefined) return atom;
    this.#takes("?"); // a lazy repetition has the same texts
    return { type: "repeat", body: atom, least: counts[0], most: counts[1] };
  }

  #atom(): PatternNode {
    const start = this.#at;
    if (this.#takes("(")) return this.#group(start);
    if (this.#takes("[")) return { type: "set", set: this.#class(start) };
    if (this.#takes(".")) return { type: "set", set: notLineEnd };
    if (this.#takes("\\")) return { type: "set", set: this.#escape(start, false) };
    if (/[*+?{}\]]/.test(this.#peek())) this.#fail(`${this.#peek()} has nothing to repeat or close`);
    return { type: "set", set: single(this.#take()) };
  }

  #group(start: number): PatternNode {
    if (this.#takes("?") && !this.#takes(":")) {
      const name = /^<[\p{L}_$][\p{L}\p{N}_$]*>/u.exec(this.#source.slice(this.#at, this.#at + 200))?.[0];
      if (name === undefined) this.#fail("look-ahead, look-behind and flags of groups are not supported", start);
      this.#at += name.length;
    }
    const body = this.#alternatives();
    if (!this.#takes(")")) this.#fail("a ( without its )", start);
    return body;
  }

  #quantifier(): readonly [number, number] | undefined {
    if (this.#takes("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#takes("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#takes("?")) return [0, 1];
    if (this.#peek() !== "{") return undefined;
    const match = /^\{(\d+)(,?)(\d*)\}/.exec(this.#source.slice(this.#at, this.#at + 60));
    if (match === null || (match[2] === "" && match[3] !== "")) return this.#fail("braces must hold {n}, {n,} or {n,m}");
    const least = Number(match[1]);
    const most = match[2] === "" ? least : match[3] === "" ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (most < least) this.#fail(`a repetition from ${least} to ${most} times has the larger number first`);
    if (Math.max(least, most === Number.POSITIVE_INFINITY ? 0 : most) > mostRepeats)
      this.#fail(`more than ${mostRepeats} repetitions are not supported`);
    this.#at += match[0].length;
    return [least, most];
  }

  #class(start: number): CodePoints {
    const isNegated = this.#takes("^");
    const found: CodePoints[] = [];
    while (!this.#takes("]")) {
      if (this.#at >= this.#source.length) this.#fail("a [ without its ]", start);
      const at = this.#at;
      const first = this.#classItem();
      if (this.#peek() !== "-" || this.#source[this.#at + 1] === "]" || this.#at + 1 >= this.#source.length) {
        found.push(first);
        continue;
      }
      this.#at++;
      const last = this.#classItem();
      if (sizeOf(first) !== 1 || sizeOf(last) !== 1) this.#fail("a range from or to a class", at);
      if (last[0]![0] < first[0]![0]) this.#fail("a range that ends before it begins", at);
      found.push(codePoints([[first[0]![0], last[0]![0]]]));
    }
    const all = union(...found);
    return intersection(isNegated ? complement(all) : all, allCharacters);
  }

  #classItem(): CodePoints {
    const start = this.#at;
    return this.#takes("\\") ? this.#escape(start, true) : single(this.#take());
  }

  #escape(start: number, inClass: boolean): CodePoints {
    const letter = this.#take();
    const set = classes[letter];
    if (set !== undefined) return set;
    const control = controls[letter];
    if (control !== undefined) return single(control);
    if (letter === "b" && inClass) return single("\b");
    if (letter === "-" && inClass) return single("-");
    if (letter === "p" || letter === "P") return this.#property(letter, start);
    if (letter === "c") return this.#control(start);
    if (letter === "x" || letter === "u") return this.#hex(letter, start);
    if (letter === "0" && !/\d/.test(this.#peek())) return single("\0");
    if (/[bBk\d]/.test(letter)) this.#fail("word edges and references to groups are not supported", start);
    // The flag u allows only these to be escaped, and so misspelt classes are found. Files in use escape a few more, which mean themselves.
    if (/[A-Za-z]/.test(letter)) this.#fail(`\\${letter} is no escape`, start);
    return single(letter);
  }

  #property(letter: string, start: number): CodePoints {
    const name = /^\{([^{}]*)\}/.exec(this.#source.slice(this.#at, this.#at + 100));
    const value = name?.[1]?.replace(/^(General_Category|gc|Script|sc|Script_Extensions|scx)=/, "");
    const set = value === undefined ? undefined : unicodeProperty(value);
    if (name === null || set === undefined) return this.#fail(`\\${letter}${name?.[0] ?? ""} is not known`, start);
    this.#at += name[0].length;
    return intersection(letter === "P" ? complement(set) : set, allCharacters);
  }

  #control(start: number): CodePoints {
    const letter = this.#take();
    if (!/[A-Za-z]/.test(letter)) this.#fail("\\c needs a letter", start);
    return single(String.fromCharCode(letter.charCodeAt(0) % 32));
  }

  #hex(letter: string, start: number): CodePoints {
    const rest = this.#source.slice(this.#at, this.#at + 16);
    const pair = /^u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/.exec(letter + rest);
    const match = pair ?? (letter === "x" ? /^x([0-9a-fA-F]{2})/ : /^u(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{4}))/).exec(letter + rest);
    if (match === null) return this.#fail(`\\${letter} needs hexadecimal digits`, start);
    this.#at += match[0].length - 1;
    if (pair !== null) return single(String.fromCharCode(Number.parseInt(pair[1]!, 16), Number.parseInt(pair[2]!, 16)));
    const point = Number.parseInt(match[1] ?? match[2]!, 16);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) this.#fail(`${match[0].slice(1)} is no character`, start);
    return codePoints([[point, point]]);
  }

  #peek(): string {
    return this.#source[this.#at] ?? "";
  }

  #take(): string {
    const point = this.#source.codePointAt(this.#at) ?? this.#fail("the pattern ends too early");
    if (point >= 0xd800 && point <= 0xdfff) this.#fail("half of a surrogate pair is no character");
    const char = String.fromCodePoint(point);
    this.#at += char.length;
    return char;
  }

  #takes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #fail(problem: string, at = this.#at): never {
    throw new PatternProblem(`at character ${at + 1}: ${problem}`);
  }
}

function single(char: string): CodePoints {
  const point = char.codePointAt(0)!;
  return codePoints([[point, point]]);
}

function sizeOf(set: CodePoints): number {
  return set.reduce((size, [first, last]) => size + last - first + 1, 0);
}

const range = (text: string) => codePoints([[text.codePointAt(0)!, text.codePointAt(text.length - 1)!]]);
const digits = range("09");
const words = union(range("az"), range("AZ"), digits, single("_"));
/** WhiteSpace and LineTerminator of ECMA-262. */
const spaces = union(
  codePoints([
    [9, 13],
    [0x20, 0x20],
    [0xa0, 0xa0],
    [0x1680, 0x1680],
    [0x2000, 0x200a],
    [0x2028, 0x2029],
    [0x202f, 0x202f],
    [0x205f, 0x205f],
    [0x3000, 0x3000],
    [0xfeff, 0xfeff],
  ]),
);
const others = (set: CodePoints) => intersection(complement(set), allCharacters);
const notLineEnd = others(union(single("\n"), single("\r"), codePoints([[0x2028, 0x2029]])));
const classes: Readonly<Record<string, CodePoints>> = {
  ...{ d: digits, D: others(digits), w: words, W: others(words), s: spaces, S: others(spaces) },
};
const controls: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v" };
