// GBNF, the notation of llama.cpp's grammars (grammars/README.md there): rules, literals, classes, groups, alternatives and repetitions.
import { didYouMean, fail } from "../base/index.ts";
import { type CodePoints, codePoints, complement, everything } from "../regex/index.ts";
import { type Expression, either, empty, type GrammarRules, repeat, sequence, set, text } from "./expression.ts";

/** UTF-16 units that a grammar may have. */
const mostUnits = 2 ** 20;
/** Groups inside of groups. */
const mostDepth = 200;
/** The largest number in braces, which is llama.cpp's. */
const mostRepeats = 2000;

const where = "grammar";

/** @throws CriaError naming line and column of what is not well-formed, not defined or not supported */
export function parseGbnf(source: string): GrammarRules {
  if (source.length > mostUnits) fail(where, `the grammar has ${source.length} characters, and at most ${mostUnits} are supported`);
  return new Parser(source).rules();
}

interface Named {
  readonly index: number;
  /** Where the name was first used. */
  readonly used: number;
  body?: Expression;
}

class Parser {
  readonly #source: string;
  readonly #rules = new Map<string, Named>();
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  rules(): GrammarRules {
    this.#named("root", 0);
    this.#space(true);
    while (this.#at < this.#source.length) this.#rule();
    const rules = [...this.#rules];
    for (const [name, { body, used }] of rules) if (body === undefined) this.#undefined(name, used);
    return { names: rules.map(([name]) => `rule "${name}"`), bodies: rules.map(([, { body }]) => body ?? empty) };
  }

  #undefined(name: string, used: number): never {
    const defined = [...this.#rules].flatMap(([other, { body }]) => (body === undefined ? [] : [other]));
    if (name === "root" && used === 0)
      fail(where, `the grammar has no rule "root"${didYouMean("root", defined) || ":"} a text is one of root's`);
    return this.#fail(`rule "${name}" is used but not defined${didYouMean(name, defined)}`, used);
  }

  #rule(): void {
    const start = this.#at;
    const name = this.#name() ?? this.#fail(`${this.#here()} stands where a rule's name must begin, of letters, digits and "-"`);
    this.#space(false);
    if (!this.#takes("::=")) this.#fail(`${this.#here()} stands where rule "${name}" must go on with ::=`);
    this.#space(true);
    const rule = this.#named(name, start);
    if (rule.body !== undefined) this.#fail(`rule "${name}" is defined a second time`, start);
    rule.body = this.#alternatives(false);
    if (this.#at < this.#source.length && !this.#isLineEnd()) this.#fail(`${this.#here()} stands where the rule's line must end`);
    this.#space(true);
  }

  #alternatives(isNested: boolean): Expression {
    const parts = [this.#sequence(isNested)];
    while (this.#takes("|")) {
      this.#space(true);
      parts.push(this.#sequence(isNested));
    }
    return either(parts);
  }

  #sequence(isNested: boolean): Expression {
    const parts: Expression[] = [];
    for (;;) {
      const atom = this.#atom();
      if (atom === undefined) return sequence(...parts);
      this.#space(isNested);
      parts.push(this.#repeated(atom, isNested));
    }
  }

  #atom(): Expression | undefined {
    const start = this.#at;
    if (this.#takes('"')) return text(this.#literal(start));
    if (this.#takes("[")) return set(this.#class(start));
    if (this.#takes(".")) return set(everything);
    if (this.#takes("(")) return this.#group(start);
    if (/[<!]/.test(this.#peek())) this.#fail("tokens in a grammar are not supported: a text has characters, and no special tokens");
    const name = this.#name();
    return name === undefined ? undefined : { type: "rule", rule: this.#named(name, start).index };
  }

  #group(start: number): Expression {
    if (++this.#depth > mostDepth) this.#fail(`groups more than ${mostDepth} deep are not supported`, start);
    this.#space(true);
    const body = this.#alternatives(true);
    if (!this.#takes(")")) this.#fail("a ( without its )", start);
    this.#depth--;
    return body;
  }

  #repeated(atom: Expression, isNested: boolean): Expression {
    let body = atom;
    for (;;) {
      const counts = this.#counts();
      if (counts === undefined) return body;
      body = repeat(body, ...counts);
      this.#space(isNested);
    }
  }

  #counts(): readonly [number, number] | undefined {
    if (this.#takes("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#takes("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#takes("?")) return [0, 1];
    const start = this.#at;
    if (!this.#takes("{")) return undefined;
    const counts = /^[ \t]*(\d+)[ \t]*(,?)[ \t]*(\d*)[ \t]*\}/.exec(this.#source.slice(this.#at, this.#at + 100));
    if (counts === null || (counts[2] === "" && counts[3] !== "")) return this.#fail("braces must hold {m}, {m,} or {m,n}", start);
    this.#at += counts[0].length;
    const least = Number(counts[1]);
    const most = counts[2] === "" ? least : counts[3] === "" ? Number.POSITIVE_INFINITY : Number(counts[3]);
    if (Math.max(least, most === Number.POSITIVE_INFINITY ? 0 : most) > mostRepeats)
      this.#fail(`more than ${mostRepeats} repetitions are not supported`, start);
    if (least > most) this.#fail(`a repetition from ${least} to ${most} times has the larger number first`, start);
    return [least, most];
  }

  #literal(start: number): string {
    let found = "";
    while (!this.#takes('"')) {
      if (this.#at >= this.#source.length) this.#fail('a " without its second', start);
      found += this.#character();
    }
    return found;
  }

  #class(start: number): CodePoints {
    const isNegated = this.#takes("^");
    const ranges: [number, number][] = [];
    while (!this.#takes("]")) {
      const at = this.#at;
      if (at >= this.#source.length) this.#fail("a [ without its ]", start);
      const first = this.#point();
      const isRange = this.#peek() === "-" && this.#source[this.#at + 1] !== "]";
      if (isRange) this.#at++;
      const last = isRange ? this.#point() : first;
      if (last < first) this.#fail("a range that ends before it begins", at);
      ranges.push([first, last]);
    }
    const found = codePoints(ranges);
    if (found.length === 0) this.#fail(isNegated ? "[^] is not supported: any character is ." : "an empty class has no character", start);
    return isNegated ? complement(found) : found;
  }

  #point(): number {
    const at = this.#at;
    return this.#character().codePointAt(0) ?? this.#fail("a [ without its ]", at);
  }

  #character(): string {
    const start = this.#at;
    const char = String.fromCodePoint(this.#source.codePointAt(start) ?? 0);
    this.#at += char.length;
    if (char !== "\\") return isHalf(char) ? this.#fail("half of a surrogate pair is no character", start) : char;
    const letter = this.#peek();
    this.#at++;
    const digits = hexDigits[letter];
    if (digits === undefined) return escapes[letter] ?? this.#fail(`\\${letter} is no escape: ${escapeNames} are`, start);
    const hex = this.#source.slice(this.#at, this.#at + digits);
    if (hex.length < digits || !/^[0-9a-fA-F]+$/.test(hex)) this.#fail(`\\${letter} needs ${digits} hexadecimal digits`, start);
    this.#at += digits;
    const point = Number.parseInt(hex, 16);
    if (point > 0x10ffff || isHalf(String.fromCodePoint(point))) this.#fail(`${hex} is no character`, start);
    return String.fromCodePoint(point);
  }

  #named(name: string, used: number): Named {
    const known = this.#rules.get(name) ?? { index: this.#rules.size, used };
    this.#rules.set(name, known);
    return known;
  }

  #name(): string | undefined {
    const name = /^[a-zA-Z0-9-]+/.exec(this.#source.slice(this.#at, this.#at + 1000))?.[0];
    this.#at += name?.length ?? 0;
    return name;
  }

  /** Passes over spaces and comments, and where asked over line ends. */
  #space(overLines: boolean): void {
    for (;;) {
      const char = this.#peek();
      if (char === "#") while (this.#at < this.#source.length && !this.#isLineEnd()) this.#at++;
      else if (char === " " || char === "\t" || (overLines && this.#isLineEnd())) this.#at++;
      else return;
    }
  }

  #isLineEnd(): boolean {
    return this.#peek() === "\n" || this.#peek() === "\r";
  }

  #peek(): string {
    return this.#source[this.#at] ?? "";
  }

  #takes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #here(): string {
    return this.#at < this.#source.length ? JSON.stringify(String.fromCodePoint(this.#source.codePointAt(this.#at)!)) : "the end";
  }

  #fail(problem: string, at = this.#at): never {
    const before = this.#source.slice(0, at).split("\n");
    return fail(where, `line ${before.length}, column ${before.at(-1)!.length + 1}: ${problem}`);
  }
}

function isHalf(char: string): boolean {
  const point = char.codePointAt(0) ?? 0;
  return point >= 0xd800 && point <= 0xdfff;
}

const hexDigits: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
const escapes: Readonly<Record<string, string>> = { t: "\t", r: "\r", n: "\n", "\\": "\\", '"': '"', "[": "[", "]": "]" };
const escapeNames = [...Object.keys(escapes), ...Object.keys(hexDigits)].map((letter) => `\\${letter}`).join(" ");
