// A template's text as the tokens that @huggingface/jinja's parser takes. Its own lexer removes white space by expressions over the whole text and
// drops `{% generation %}`; this one does what Jinja's does (pallets/jinja 3.1, lexer.py) with trim_blocks and lstrip_blocks, as transformers sets them.
import { fixPrecedence } from "./fix-precedence.ts";
import { TemplateSyntaxError, type Token } from "./token.ts";
import { allWhite, trimEnd, whiteHere } from "./white.ts";

/** What a `{% generation %}` block calls; no name of a template can be this one. */
export const generationCall = "{% generation %}";

/** Line ends as Jinja reads them: every kind is \n, and one at the end is not part of the template. */
export function normaliseLines(source: string): string {
  return source.replace(/\r\n?/g, "\n").replace(/\n$/, "");
}

/** @param source with its lines normalised. @throws TemplateSyntaxError */
export function lex(source: string): Token[] {
  return new Lexer(source).run();
}

const begins = /\{[%{#]/g;
const raw = /\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})/y;
const endRaw = /\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)/g;

class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  /** Whether what was read last ended a line. */
  #startsLine = true;

  constructor(source: string) {
    this.#source = source;
  }

  run(): Token[] {
    while (this.#at < this.#source.length) {
      begins.lastIndex = this.#at;
      const found = begins.exec(this.#source);
      if (found === null) {
        this.#text(this.#source.slice(this.#at), this.#at);
        break;
      }
      const sign = this.#source[found.index + 2];
      this.#text(this.#before(found.index, sign, found[0] === "{{"), this.#at);
      this.#at = found.index;
      this.#startsLine = false;
      if (found[0] === "{#") this.#comment();
      else if (!this.#isRaw()) this.#code(found[0] === "{{");
    }
    return this.#tokens;
  }

  #fail(message: string, at = this.#at): never {
    throw new TemplateSyntaxError(message, at);
  }

  #text(value: string, at: number): void {
    if (value !== "") this.#tokens.push({ type: "Text", value, at });
  }

  /** The text up to a tag, without the white space that the tag takes along. */
  #before(end: number, sign: string | undefined, isExpression: boolean): string {
    const text = this.#source.slice(this.#at, end);
    if (sign === "-") return trimEnd(text);
    if (sign === "+" || isExpression) return text;
    const line = text.lastIndexOf("\n") + 1;
    return (line > 0 || this.#startsLine) && allWhite.test(text.slice(line)) ? text.slice(0, line) : text;
  }

  /** Goes past what ends a tag: white space behind `-`, one line end behind a block or a comment. */
  #leave(end: number, sign: string, trimsLine: boolean): void {
    this.#at = end;
    if (sign === "-") this.#skipWhite();
    else if (sign !== "+" && trimsLine && this.#source[end] === "\n") this.#at++;
    this.#startsLine = this.#source[this.#at - 1] === "\n";
  }

  #skipWhite(): void {
    const pattern = whiteHere();
    pattern.lastIndex = this.#at;
    this.#at += pattern.exec(this.#source)?.[0].length ?? 0;
  }

  #comment(): void {
    const end = this.#source.indexOf("#}", this.#at + 2);
    if (end < 0) this.#fail("the comment has no end");
    const sign = end > this.#at + 2 ? this.#source[end - 1]! : "";
    this.#leave(end + 2, sign === "-" || sign === "+" ? sign : "", true);
  }

  #isRaw(): boolean {
    raw.lastIndex = this.#at;
    const begin = raw.exec(this.#source);
    if (begin === null) return false;
    const start = this.#at + begin[0].length;
    endRaw.lastIndex = start;
    const end = endRaw.exec(this.#source) ?? this.#fail("{% raw %} has no {% endraw %}");
    this.#at = start;
    this.#startsLine = this.#source[start - 1] === "\n";
    this.#text(this.#before(end.index, end[1], false), start);
    this.#at = end.index + end[0].length;
    this.#startsLine = this.#source[this.#at - 1] === "\n";
    return true;
  }

  /** What stands between `{{` and `}}`, or `{%` and `%}`. */
  #code(isExpression: boolean): void {
    const [open, close] = isExpression ? (["OpenExpression", "CloseExpression"] as const) : (["OpenStatement", "CloseStatement"] as const);
    const start = this.#at;
    const sign = this.#source[start + 2];
    this.#at += sign === "-" || sign === "+" ? 3 : 2;
    const inner: Token[] = [];
    const brackets: string[] = [];
    for (;;) {
      this.#skipWhite();
      if (this.#at >= this.#source.length) this.#fail(`the tag has no ${isExpression ? "}}" : "%}"}`, start);
      const end = brackets.length === 0 ? this.#endHere(isExpression) : undefined;
      if (end !== undefined) {
        const whole = [{ type: open, value: "", at: start }, ...fixPrecedence(inner), { type: close, value: "", at: this.#at }];
        this.#tokens.push(...(isExpression ? whole : withoutGeneration(whole)));
        return this.#leave(this.#at + end.length, end[0]!, !isExpression);
      }
      const token = this.#token();
      this.#balance(token, brackets);
      inner.push(token);
    }
  }

  #endHere(isExpression: boolean): string | undefined {
    const ends = isExpression ? ["}}", "-}}"] : ["%}", "-%}", "+%}"];
    return ends.find((end) => this.#source.startsWith(end, this.#at));
  }

  #balance({ value, type, at }: Token, brackets: string[]): void {
    const opens: Readonly<Record<string, string>> = { OpenParen: ")", OpenSquareBracket: "]", OpenCurlyBracket: "}" };
    if (opens[type] !== undefined) brackets.push(opens[type]);
    if (type.startsWith("Close") && brackets.pop() !== value) this.#fail(`"${value}" closes nothing`, at);
  }

  #token(): Token {
    const at = this.#at;
    const rest = this.#source.slice(at, at + 4);
    if (rest[0] === "'" || rest[0] === '"') return this.#string(rest[0]);
    if (/^\d/.test(rest)) return this.#number();
    const operator = [3, 2, 1].map((length) => rest.slice(0, length)).find((text) => Object.hasOwn(operators, text));
    if (operator !== undefined) {
      this.#at += operator.length;
      return { type: operators[operator]!, value: operator, at };
    }
    const word = /[\p{L}\p{Nl}\p{M}\p{Nd}\p{Pc}]+/uy;
    word.lastIndex = at;
    const name =
      word.exec(this.#source)?.[0] ?? this.#fail(`unexpected ${JSON.stringify(String.fromCodePoint(this.#source.codePointAt(at)!))}`);
    this.#at += name.length;
    return { type: "Identifier", value: name, at };
  }

  #number(): Token {
    const at = this.#at;
    const pattern = /(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?[eE][-+]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)?/y;
    pattern.lastIndex = at;
    const text = pattern.exec(this.#source)![0];
    this.#at += text.length;
    if (/^0[\d_xob]/i.test(text + (this.#source[this.#at] ?? "")) && !/^0+$/.test(text)) this.#fail(`the number ${text} begins with 0`, at);
    const value = Number(text.replaceAll("_", ""));
    const isFloat = /[.e]/i.test(text);
    return { type: "NumericLiteral", value: isFloat && Number.isInteger(value) ? `${value}.0` : String(value), at };
  }

  #string(quote: string): Token {
    const at = this.#at;
    let value = "";
    for (let i = at + 1; i < this.#source.length; ) {
      const char = this.#source[i]!;
      if (char === quote) {
        this.#at = i + 1;
        return { type: "StringLiteral", value, at };
      }
      const sequence = char === "\\" ? this.#escape(i) : undefined;
      value += sequence?.text ?? char;
      i += sequence?.length ?? 1;
    }
    return this.#fail("the text has no closing quote", at);
  }

  /** An escape sequence as Python reads it; an unknown one stays as it stands. */
  #escape(at: number): { readonly text: string; readonly length: number } {
    const next = this.#source[at + 1] ?? "";
    if (Object.hasOwn(simpleEscapes, next)) return { text: simpleEscapes[next]!, length: 2 };
    const rest = this.#source.slice(at, at + 10);
    const octal = /^\\([0-7]{1,3})/.exec(rest);
    if (octal !== null) return { text: String.fromCodePoint(Number.parseInt(octal[1]!, 8)), length: octal[0].length };
    const size = { x: 2, u: 4, U: 8 }[next];
    if (size === undefined) {
      if (next === "N" || next > "\x7f") this.#fail(`the escape sequence ${rest.slice(0, 2)} is not supported`, at);
      return { text: "\\", length: 1 };
    }
    const hex = rest.slice(2, 2 + size);
    const code = /^[0-9a-f]+$/i.test(hex) && hex.length === size ? Number.parseInt(hex, 16) : Number.NaN;
    if (!(code <= 0x10ffff)) this.#fail(`the escape sequence ${rest.slice(0, 2 + size)} needs ${size} hexadecimal digits`, at);
    return { text: String.fromCodePoint(code), length: 2 + size };
  }
}

const simpleEscapes: Readonly<Record<string, string>> = {
  ...{ n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", v: "\v", a: "\x07" },
  ...{ "'": "'", '"': '"', "\\": "\\", "\n": "" },
};

/** Jinja's operators by the names that the parser has for them. */
const operators: Readonly<Record<string, string>> = {
  ...{ "(": "OpenParen", ")": "CloseParen", "[": "OpenSquareBracket", "]": "CloseSquareBracket" },
  ...{ "{": "OpenCurlyBracket", "}": "CloseCurlyBracket", ",": "Comma", ".": "Dot", ":": "Colon", "|": "Pipe", "=": "Equals" },
  ...Object.fromEntries(["<", ">", "<=", ">=", "==", "!="].map((sign) => [sign, "ComparisonBinaryOperator"])),
  ...Object.fromEntries(["+", "-", "~"].map((sign) => [sign, "AdditiveBinaryOperator"])),
  ...Object.fromEntries(["*", "/", "//", "%"].map((sign) => [sign, "MultiplicativeBinaryOperator"])),
  "**": "ExponentiationBinaryOperator",
};

/** `{% generation %}` is a call block of a function of ours, as transformers has it. */
function withoutGeneration(tokens: readonly Token[]): readonly Token[] {
  const [open, name, close] = tokens;
  if (tokens.length !== 3 || open === undefined || name === undefined || close === undefined) return tokens;
  const { at } = name;
  if (name.value === "endgeneration") return [open, { type: "Identifier", value: "endcall", at }, close];
  if (name.value !== "generation") return tokens;
  return [
    open,
    { type: "Identifier", value: "call", at },
    { type: "Identifier", value: generationCall, at },
    { type: "OpenParen", value: "(", at },
    { type: "CloseParen", value: ")", at },
    close,
  ];
}
