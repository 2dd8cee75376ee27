// Patterns in Oniguruma's syntax (kkos/oniguruma, doc/RE, ONIG_SYNTAX_ONIGURUMA), which tokenizer.json has, to a tree. What is no matter of automata, or
// is read differently from version to version, is refused with its place.
import { CriaError } from "../base/index.ts";
import { type CodePoints, codePoints, complement, contains, everything, intersection, union } from "./code-points.ts";
import { either, type Node, sequence } from "./syntax.ts";
import { foldCase, named, property, propertyNames, severalFoldings, withAllCases } from "./unicode.ts";

/** A pattern that cannot be used. */
export class PatternError extends CriaError {
  /** The place in the pattern, in UTF-16 units from 0. */
  readonly at: number;
  constructor(pattern: string, at: number, reason: string) {
    const near = pattern.slice(at, at + 20);
    super("pattern", `${reason}, at character ${at}${near === "" ? ", its end" : ` (${JSON.stringify(near)})`}: write it another way`);
    this.name = "PatternError";
    this.at = at;
  }
}

const mostLength = 5_000;
const mostDepth = 200;
const mostRepeats = 1_000;

interface Options {
  readonly ignoresCase: boolean;
  readonly dotAll: boolean;
  readonly isExtended: boolean;
}

const plain: Options = { ignoresCase: false, dotAll: false, isExtended: false };

const newline = codePoints([[10, 10]]);
const lineEnds = codePoints([
  [0x0a, 0x0d],
  [0x85, 0x85],
  [0x2028, 0x2029],
]);

/** The tree of a pattern. @throws PatternError where it is not well-formed, too large, or has a part that is not supported. */
export function parse(pattern: string): Node {
  return new Parser(pattern).parse();
}

class Parser {
  readonly #source: string;
  #at = 0;
  #depth = 0;
  /** Sets of one character, so that equal ones are one object. */
  readonly #singles = new Map<number, CodePoints>();

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Node {
    if (this.#source.length > mostLength)
      return this.#fail(`the pattern has ${this.#source.length} characters, and at most ${mostLength} are supported`, mostLength);
    const node = this.#alternatives(plain);
    if (this.#at < this.#source.length) this.#fail("a ) without its (");
    return node;
  }

  #fail(reason: string, at = this.#at): never {
    throw new PatternError(this.#source, at, reason);
  }

  #takes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #peek(): string {
    const point = this.#source.codePointAt(this.#at);
    return point === undefined ? "" : String.fromCodePoint(point);
  }

  #take(): string {
    const char = this.#peek();
    if (char === "") this.#fail("the pattern is cut short");
    this.#at += char.length;
    return char;
  }

  #until(end: string, what: string): string {
    const stop = this.#source.indexOf(end, this.#at);
    if (stop < 0) this.#fail(`${what} without its ${end}`);
    const text = this.#source.slice(this.#at, stop);
    this.#at = stop + end.length;
    return text;
  }

  #alternatives(options: Options): Node {
    const start = this.#at;
    if (++this.#depth > mostDepth) this.#fail(`groups more than ${mostDepth} deep are not supported`);
    const parts = [this.#sequence(options)];
    while (this.#takes("|")) parts.push(this.#sequence(options));
    this.#depth--;
    for (const part of parts) this.#refuseSeveral(part, start);
    return either(parts);
  }

  #sequence(options: Options): Node {
    const parts: Node[] = [];
    for (;;) {
      this.#skipComments(options);
      const next = this.#peek();
      if (next === "" || next === "|" || next === ")") return sequence(...parts);
      const start = this.#at;
      const isolated = this.#isolatedOptions(options);
      // Options without a body hold to the end of the group, over its alternatives.
      if (isolated !== undefined) return sequence(...parts, this.#alternatives(isolated));
      parts.push(this.#repeated(this.#atom(options), start, options));
    }
  }

  #skipComments({ isExtended }: Options): void {
    for (;;) {
      if (this.#takes("(?#")) this.#until(")", "a comment");
      else if (isExtended && /^[ \t\n\r\f\v]/.test(this.#peek())) this.#at++;
      else if (isExtended && this.#peek() === "#") {
        const end = this.#source.indexOf("\n", this.#at);
        this.#at = end < 0 ? this.#source.length : end + 1;
      } else return;
    }
  }

  #isolatedOptions(options: Options): Options | undefined {
    const match = /^\(\?([imx]*(?:-[imx]*)?)\)/.exec(this.#source.slice(this.#at, this.#at + 16));
    if (match === null || match[1] === undefined || match[1] === "") return undefined;
    this.#at += match[0].length;
    return changed(options, match[1]);
  }

  #atom(options: Options): Node {
    const start = this.#at;
    const char = this.#take();
    switch (char) {
      case "(":
        return this.#group(options, start);
      case "[":
        return this.#class(options, start);
      case ".":
        return { type: "set", set: options.dotAll ? everything : complement(newline) };
      case "^":
        return { type: "edge", edge: "lineStart" };
      case "$":
        return { type: "edge", edge: "lineEnd" };
      case "\\":
        return this.#escape(options, start);
      case "?":
      case "*":
      case "+":
        return this.#fail("nothing stands in front of the repetition", start);
      case "{":
        this.#at = start;
        if (this.#interval() !== undefined) this.#fail("nothing stands in front of the repetition", start);
        this.#at = start + 1;
        return this.#literal(char, options, start);
      default:
        return this.#literal(char, options, start);
    }
  }

  #literal(char: string, { ignoresCase }: Options, start: number): Node {
    const point = char.codePointAt(0) ?? 0;
    if (point >= 0xd800 && point <= 0xdfff) this.#fail("half of a surrogate pair is no character", start);
    const set = this.#singles.get(point) ?? codePoints([[point, point]]);
    this.#singles.set(point, set);
    if (!ignoresCase) return { type: "set", set };
    this.#refuseSeveralIn(set, start);
    return { type: "set", set: withAllCases(set), folded: char };
  }

  #group(options: Options, start: number): Node {
    if (this.#peek() === "*") this.#fail("calls such as (*FAIL) are not supported", start);
    if (!this.#takes("?")) return this.#body(options, start);
    if (this.#takes(":")) return this.#body(options, start);
    if (this.#takes(">")) return { type: "atomic", body: this.#body(options, start), at: start };
    for (const [sign, isBehind, isNegative] of looks)
      if (this.#takes(sign)) return this.#look(this.#body(options, start), isBehind, isNegative, start);
    const name = /^(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(this.#source.slice(this.#at, this.#at + 200));
    if (name !== null) {
      this.#at += name[0].length;
      return this.#body(options, start);
    }
    const change = /^([imx]*(?:-[imx]*)?):/.exec(this.#source.slice(this.#at, this.#at + 16));
    if (change?.[1] === undefined) return this.#fail(this.#unknownGroup(), start);
    this.#at += change[0].length;
    return this.#body(changed(options, change[1]), start);
  }

  #unknownGroup(): string {
    const kinds: Readonly<Record<string, string>> = { "(": "conditions", "{": "calls out of the pattern", "~": "absent groups" };
    return `${kinds[this.#peek()] ?? "groups of this kind"} are not supported`;
  }

  #body(options: Options, start: number): Node {
    const node = this.#alternatives(options);
    if (!this.#takes(")")) this.#fail("a ( without its )", start);
    return node;
  }

  #look(body: Node, isBehind: boolean, isNegative: boolean, start: number): Node {
    const problem = isBehind ? behindProblem(body) : undefined;
    if (problem !== undefined) this.#fail(`${problem} in a look-behind is not supported`, start);
    return { type: "look", body, isBehind, isNegative };
  }

  #repeated(atom: Node, start: number, options: Options): Node {
    let node = atom;
    for (;;) {
      this.#skipComments(options);
      const found = this.#quantifier();
      if (found === undefined) return node;
      if (isWidthless(node)) this.#fail("what has no width cannot be repeated", start);
      node = this.#quantified(node, found, start);
    }
  }

  #quantified(body: Node, { least, most, isInterval }: Quantifier, start: number): Node {
    const repeat = { type: "repeat", body, least, most } as const;
    if (isInterval && least === most && this.#takes("?")) {
      return { type: "repeat", body: { ...repeat, isLazy: false }, least: 0, most: 1, isLazy: false };
    }
    const isLazy = this.#takes("?");
    if (body.type === "repeat" && (isLazy || body.isLazy))
      this.#fail("a repetition of a repetition of which one is lazy is not supported", start);
    const node: Node = { ...repeat, isLazy };
    if (isInterval || isLazy || !this.#takes("+")) return node;
    return { type: "atomic", body: node, at: start };
  }

  #quantifier(): Quantifier | undefined {
    if (this.#takes("?")) return { least: 0, most: 1, isInterval: false };
    if (this.#takes("*")) return { least: 0, most: undefined, isInterval: false };
    if (this.#takes("+")) return { least: 1, most: undefined, isInterval: false };
    return this.#interval();
  }

  /** `{n}`, `{n,}`, `{n,m}` or `{,m}`; anything else is the character `{`. */
  #interval(): Quantifier | undefined {
    const start = this.#at;
    const match = /^\{(?:(\d+)(,?)(\d*)|,(\d+))\}/.exec(this.#source.slice(start, start + 40));
    if (match === null) return undefined;
    const [whole, first, comma, second, only] = match;
    const least = Number(first ?? 0);
    const most = first === undefined ? Number(only) : comma === "" ? least : second === "" ? undefined : Number(second);
    if (comma === "" && second !== "" && first !== undefined) return undefined;
    if (Math.max(least, most ?? 0) > mostRepeats) this.#fail(`more than ${mostRepeats} repetitions are not supported`);
    if (most !== undefined && least > most)
      this.#fail(`a repetition from ${least} to ${most} times, the larger number first, is not supported`);
    this.#at += whole.length;
    return { least, most, isInterval: true };
  }

  #escape(options: Options, start: number): Node {
    const set = this.#escapedSet(start);
    if (set !== undefined) return { type: "set", set };
    const letter = this.#peek();
    const edge = edges[letter];
    if (edge !== undefined) {
      this.#at++;
      return edge;
    }
    if (this.#takes("R")) return lineEnd(start);
    return this.#literal(this.#escapedChar(start), options, start);
  }

  /** Escapes that stand for a class, in brackets and outside. */
  #escapedSet(start: number, inBrackets = false): CodePoints | undefined {
    const letter = this.#peek();
    const set = (inBrackets ? bracketSets[letter] : undefined) ?? sets[letter];
    if (set !== undefined) {
      this.#at++;
      return set();
    }
    if (letter !== "p" && letter !== "P") return undefined;
    this.#at++;
    if (!this.#takes("{")) this.#fail(`\\${letter} must be followed by a name in braces`, start);
    const isNegated = this.#takes("^") !== (letter === "P");
    const name = this.#until("}", `\\${letter}{`);
    const isWord = inBrackets && name.toLowerCase() === "word";
    const found =
      (/brackets$/i.test(name) ? undefined : property(isWord ? "wordinbrackets" : name)) ?? this.#fail(unknownProperty(name), start);
    return isNegated ? complement(found) : found;
  }

  #escapedChar(start: number): string {
    const rest = this.#source.slice(this.#at, this.#at + 16);
    for (const [form, radix] of numbers) {
      const digits = form.exec(rest);
      if (digits?.[1] === undefined) continue;
      this.#at += digits[0].length;
      const point = Number.parseInt(digits[1], radix);
      if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) this.#fail(`${digits[1]} is no character`, start);
      // Two digits are a byte of UTF-8 there, which is a character by itself up to 7F alone.
      if (form === byteEscape && point > 0x7f) this.#fail("bytes of a character are not supported", start);
      return String.fromCodePoint(point);
    }
    const letter = this.#take();
    const control = controls[letter];
    if (control !== undefined) return control;
    if (/[1-9k]/.test(letter)) this.#fail("references to groups are not supported", start);
    if (letter === "g") this.#fail("calls of groups are not supported", start);
    if (/[0A-Za-z]/.test(letter)) this.#fail(`\\${letter} is not supported`, start);
    return letter;
  }

  #class({ ignoresCase }: Options, start: number): Node {
    const isNegated = this.#takes("^");
    const content = this.#classContent(start);
    if (!ignoresCase) return { type: "set", set: isNegated ? complement(content) : content };
    if (!isNegated) this.#refuseSeveralIn(content, start);
    const folded = withAllCases(content);
    return { type: "set", set: isNegated ? complement(folded) : folded };
  }

  /** Reads a class from behind its `[` or `[^` to behind its `]`. */
  #classContent(start: number): CodePoints {
    if (++this.#depth > mostDepth) this.#fail(`classes more than ${mostDepth} deep are not supported`);
    let all: CodePoints | undefined;
    const found: CodePoints[] = [];
    const closes = () => {
      const one = union(...found);
      all = all === undefined ? one : intersection(all, one);
      found.length = 0;
    };
    if (this.#source[this.#at] === "]") {
      this.#at++;
      if (!this.#source.includes("]", this.#at)) this.#fail("an empty class", start);
      found.push(this.#range("]", start));
    }
    while (!this.#takes("]")) {
      if (this.#at >= this.#source.length) this.#fail("a [ without its ]", start);
      if (this.#takes("&&")) closes();
      else found.push(this.#classItem(start));
    }
    closes();
    this.#depth--;
    return all ?? [];
  }

  #classItem(start: number): CodePoints {
    const at = this.#at;
    if (this.#takes("[:")) return this.#posix(at);
    if (this.#takes("[")) {
      const isNegated = this.#takes("^");
      const inner = this.#classContent(at);
      return isNegated ? complement(inner) : inner;
    }
    if (!this.#takes("\\")) return this.#range(this.#take(), start);
    const set = this.#escapedSet(at, true);
    if (set === undefined) return this.#range(this.#classEscape(at), start);
    if (this.#peek() === "-" && this.#source[this.#at + 1] !== "]") this.#fail("a range from a class is not supported");
    return set;
  }

  #classEscape(at: number): string {
    if (this.#takes("b")) return "\b";
    return this.#escapedChar(at);
  }

  #posix(at: number): CodePoints {
    const name = /^(\^?)([a-z]+):\]/.exec(this.#source.slice(this.#at, this.#at + 20));
    const set = name?.[2] !== undefined && posixNames.has(name[2]) ? property(bracketNames[name[2]] ?? name[2]) : undefined;
    if (name === null || set === undefined) return this.#fail("[: must begin a known class such as [:alpha:]", at);
    this.#at += name[0].length;
    return name[1] === "^" ? complement(set) : set;
  }

  /** A character, or a range where `-` and another character follow. */
  #range(first: string, start: number): CodePoints {
    const from = first.codePointAt(0) ?? 0;
    if (from >= 0xd800 && from <= 0xdfff) this.#fail("half of a surrogate pair is no character", start);
    const after = this.#source[this.#at + 1];
    if (this.#peek() !== "-" || after === "]" || after === "[" || after === undefined) return codePoints([[from, from]]);
    this.#at++;
    const at = this.#at;
    if (this.#source.startsWith("&&", at)) this.#fail("a range without its end", start);
    const isEscape = this.#takes("\\");
    if (isEscape && this.#escapedSet(at) !== undefined) this.#fail("a range to a class is not supported", at);
    const to = (isEscape ? this.#classEscape(at) : this.#take()).codePointAt(0) ?? 0;
    if (to < from) this.#fail("a range that ends before it begins", start);
    // What follows a range is no range again: [a-c-e] has the -.
    if (this.#peek() === "-" && this.#source[this.#at + 1] !== "]") {
      this.#at++;
      return codePoints([
        [from, to],
        [0x2d, 0x2d],
      ]);
    }
    return codePoints([[from, to]]);
  }

  /** Refuses characters that without case are equal to several, such as ß to ss. */
  #refuseSeveralIn(set: CodePoints, start: number): void {
    const found = severalFoldings().find(([char]) => contains(set, char.codePointAt(0) ?? 0));
    if (found !== undefined)
      this.#fail(`${found[0]}, which without case is ${found[1]}, is not supported where case does not count`, start);
  }

  /** Refuses such several in a row. */
  #refuseSeveral(node: Node, start: number): void {
    const text = (node.type === "sequence" ? node.parts : [node]).map(foldedText).join("");
    if (!/[^\0]{2}/u.test(text)) return;
    const folded = foldCase(text);
    const found = severalFoldings().find(([, folding]) => folded.includes(foldCase(folding)));
    if (found !== undefined)
      this.#fail(`${found[1]}, which without case is ${found[0]}, is not supported where case does not count`, start);
  }
}

interface Quantifier {
  readonly least: number;
  readonly most: number | undefined;
  readonly isInterval: boolean;
}

const looks = [
  ["=", false, false],
  ["!", false, true],
  ["<=", true, false],
  ["<!", true, true],
] as const;

const edges: Readonly<Record<string, Node>> = {
  b: { type: "edge", edge: "wordEdge" },
  B: { type: "edge", edge: "noWordEdge" },
  A: { type: "edge", edge: "textStart" },
  z: { type: "edge", edge: "textEnd" },
  Z: {
    type: "look",
    body: sequence(
      { type: "repeat", body: { type: "set", set: newline }, least: 0, most: 1, isLazy: false },
      { type: "edge", edge: "textEnd" },
    ),
    isBehind: false,
    isNegative: false,
  },
};

const sets: Readonly<Record<string, () => CodePoints>> = {
  s: () => named("whitespace"),
  S: () => complement(named("whitespace")),
  w: () => named("word"),
  W: () => complement(named("word")),
  d: () => named("digit"),
  D: () => complement(named("digit")),
  h: () => named("xdigit"),
  H: () => complement(named("xdigit")),
  N: () => complement(newline),
  O: () => everything,
};

/** Classes that have other characters in brackets. */
const bracketNames: Readonly<Record<string, string>> = { word: "wordinbrackets", punct: "punctinbrackets" };
const bracketSets: Readonly<Record<string, () => CodePoints>> = {
  w: () => named("wordinbrackets"),
  W: () => complement(named("wordinbrackets")),
};

const controls: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v", a: "\x07", e: "\x1b" };
const byteEscape = /^x([0-9A-Fa-f]{2})/;
const numbers: readonly (readonly [RegExp, number])[] = [
  [/^x\{([0-9A-Fa-f]{1,8})\}/, 16],
  [byteEscape, 16],
  [/^u([0-9A-Fa-f]{4})/, 16],
  [/^o\{([0-7]{1,11})\}/, 8],
  [/^(0[0-7]{0,2})/, 8],
];

const posixNames = new Set("alnum alpha ascii blank cntrl digit lower punct space upper xdigit word".split(" "));

function changed(options: Options, change: string): Options {
  const [on = "", off = ""] = change.split("-");
  const flag = (letter: string, before: boolean) => (before || on.includes(letter)) && !off.includes(letter);
  return { ignoresCase: flag("i", options.ignoresCase), dotAll: flag("m", options.dotAll), isExtended: flag("x", options.isExtended) };
}

/** `\R` is `(?>\r\n|[\n-\r\x85\u2028\u2029])`. */
function lineEnd(at: number): Node {
  const one = (point: number): Node => ({ type: "set", set: codePoints([[point, point]]) });
  return { type: "atomic", body: either([sequence(one(13), one(10)), { type: "set", set: lineEnds }]), at };
}

function unknownProperty(name: string): string {
  return `\\p{${name}} is not known: supported are general categories such as L or Nd, ${propertyNames.join(", ")}`;
}

function isWidthless(node: Node): boolean {
  return node.type === "look" || node.type === "edge";
}

/** Characters of a node that compare without case, \0 for whatever comes between; a character repeated is two of them. */
function foldedText(node: Node): string {
  if (node.type === "set") return node.folded ?? "\0";
  if (node.type === "repeat" && node.body.type === "set" && node.body.folded !== undefined && node.least > 1)
    return `\0${node.body.folded.repeat(2)}\0`;
  return "\0";
}

function behindProblem(node: Node): string | undefined {
  switch (node.type) {
    case "set":
    case "edge":
      return undefined;
    case "sequence":
    case "either":
      return node.parts.map(behindProblem).find((problem) => problem !== undefined);
    case "repeat":
      return node.most === undefined ? "a repetition without limit" : behindProblem(node.body);
    case "atomic":
      return "an atomic group or possessive repetition";
    case "look":
      return "another look";
    default:
      return node satisfies never;
  }
}
