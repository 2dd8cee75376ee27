// Where @huggingface/jinja's parser groups operators otherwise than Jinja, brackets say what Jinja does (pallets/jinja 3.1, parser.py): `~` binds
// more tightly than `+` and `-`, and `a < b < c` compares twice, which the parser's tree cannot say.
import { TemplateSyntaxError, type Token } from "./token.ts";

/** What ends a sum at one depth of brackets. */
const boundaries = new Set(["Comma", "Colon", "Equals", "ComparisonBinaryOperator"]);
const words = new Set(["and", "or", "not", "in", "if", "else", "set", "for", "elif", "is"]);
const operands = new Set(["Identifier", "NumericLiteral", "StringLiteral", "CloseParen", "CloseSquareBracket", "CloseCurlyBracket"]);

/** @param tokens of one tag, its ends not among them */
export function fixPrecedence(tokens: readonly Token[]): Token[] {
  refuseChains(tokens);
  return tokens.some(({ value, type }) => value === "~" && type === "AdditiveBinaryOperator") ? group(tokens) : [...tokens];
}

function group(tokens: readonly Token[]): Token[] {
  const out: Token[] = [];
  let terms: Token[] = []; // the terms of a run of operands joined by * / // % ** and ~
  let hasTilde = false;
  let isMixed = false; // whether the run has a + or - beside
  const flush = (isSum: boolean) => {
    isMixed ||= isSum;
    out.push(...(hasTilde && isMixed ? bracketed(terms) : terms));
    terms = [];
    hasTilde = false;
  };
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    const isBinary = token.type === "AdditiveBinaryOperator" && i > 0 && operands.has(tokens[i - 1]!.type) && !isWord(tokens[i - 1]!);
    if (token.type.startsWith("Open")) {
      const end = closing(tokens, i);
      terms.push(token, ...fixPrecedence(tokens.slice(i + 1, end)), ...tokens.slice(end, end + 1));
      i = end;
    } else if (isBinary && token.value !== "~") {
      flush(true);
      out.push(token);
    } else if (endsSum(token)) {
      flush(false);
      out.push(token);
      isMixed = false;
    } else {
      hasTilde ||= isBinary;
      terms.push(token);
    }
  }
  flush(false);
  return out;
}

/** A filter or a test binds its last operand alone, so that it belongs to the run that it stands in. */
function endsSum(token: Token): boolean {
  return isWord(token) ? token.value !== "is" && token.value !== "not" : boundaries.has(token.type);
}

function isWord({ type, value }: Token): boolean {
  return type === "Identifier" && words.has(value);
}

function bracketed(tokens: readonly Token[]): Token[] {
  const at = tokens[0]?.at ?? 0;
  return [{ type: "OpenParen", value: "(", at }, ...tokens, { type: "CloseParen", value: ")", at }];
}

/** Brackets are balanced, because the lexer has seen to it. */
function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    if (tokens[i]!.type.startsWith("Open")) depth++;
    else if (tokens[i]!.type.startsWith("Close") && --depth === 0) return i;
  }
  return tokens.length;
}

function refuseChains(tokens: readonly Token[]): void {
  const compared = [false]; // whether a comparison has begun, by depth of brackets
  const isFor = isNamed(tokens[0], "for");
  const ofLoop = isFor ? tokens.findIndex((token) => isNamed(token, "in")) : -1; // `for x in`, which compares nothing
  for (const [i, token] of tokens.entries()) {
    if (token.type.startsWith("Open")) compared.push(false);
    else if (token.type.startsWith("Close")) compared.pop();
    else if (token.type === "ComparisonBinaryOperator" || (isNamed(token, "in") && i !== ofLoop)) {
      if (compared.at(-1)) throw new TemplateSyntaxError("two comparisons in a row are not supported: join them by `and`", token.at);
      compared[compared.length - 1] = true;
    } else if (token.type === "Comma" || token.type === "Equals" || isNamed(token, "and", "or", "if", "else")) {
      compared[compared.length - 1] = false;
    }
  }
}

function isNamed(token: Token | undefined, ...names: readonly string[]): boolean {
  return token?.type === "Identifier" && names.includes(token.value);
}
