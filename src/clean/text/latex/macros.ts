// The macros and environments that an author defines, expanded in place (Lamport 1994, sections 3.4 and C.8; \def as far as its parameters have nothing between them).

/** A macro's body, in which #1 to #9 stand for its arguments. */
interface Macro {
  readonly count: number;
  /** What the first argument is where it is left out; undefined where it must be given. */
  readonly usual: string | undefined;
  readonly body: string;
  /** Whether its expansion holds it again, or looks at what follows it: then it is a program, which only TeX runs, and stays as it stands. */
  isProgram: boolean;
  /** The other end of an environment, which stays when this one does. */
  partner?: Macro;
}

/** Commands by which a macro looks at what follows it or makes names. */
const programming = /\\(?:@ifnextchar|@ifstar|@testopt|futurelet|csname|expandafter|noexpand|let)(?![a-zA-Z@])/;

const definition = /^\\(?:newcommand|renewcommand|providecommand|DeclareRobustCommand|DeclareMathOperator)$/;
const controlWord = /\\([a-zA-Z@]+)|\\[\s\S]/g;
/** Macros within macros are expanded so deep; a definition that holds itself ends there. */
const deepest = 30;
/** Expanded text may be so many times as long as its source, so that no definitions make it endless. */
const mostGrowth = 4;
const leastRoom = 100_000;

/** Expands what a source defines from its begin on. */
export class Macros {
  readonly #macros = new Map<string, Macro>();
  /** The macros in whose expansions the present one is. */
  readonly #open = new Set<Macro>();
  #room: number;

  /** @param length UTF-16 units of the whole source */
  constructor(length: number) {
    this.#room = mostGrowth * length + leastRoom;
  }

  /** The source with definitions taken out and macros expanded; what is defined stays known for the next call. */
  expand(source: string, depth = 0): string {
    const whole = { text: source, pairs: pairsOf(source) };
    let [out, at, last] = ["", 0, ""]; // the last piece is held apart, because looking at the end of a long text that grows copies it
    for (;;) {
      controlWord.lastIndex = at;
      const match = controlWord.exec(source);
      if (match === null) return out + source.slice(at);
      if (match.index > at) last = source.slice(at, match.index);
      out += source.slice(at, match.index);
      const behind = match.index + match[0].length;
      const defined = this.#define(whole, match.index, match[0]);
      const used = defined === undefined ? this.#use(whole, behind, match[1], depth) : undefined;
      const piece = used !== undefined ? separated(last, used.text, source[used.end]) : defined === undefined ? match[0] : "";
      out += piece;
      if (piece !== "") last = piece;
      at = defined ?? used?.end ?? behind;
    }
  }

  /** Takes a definition in. @returns where it ends; undefined where none stands */
  #define(source: Source, start: number, word: string): number | undefined {
    if (word === "\\def" || word === "\\gdef" || word === "\\edef") return this.#defineByTex(source, start + word.length);
    if (/^\\(?:new|renew|provide)environment$/.test(word)) return this.#defineEnvironment(source, start + word.length);
    if (!definition.test(word)) return undefined;
    let at = start + word.length + (source.text[start + word.length] === "*" ? 1 : 0);
    const name = argumentAt(source, at);
    const called = /^\s*\\([a-zA-Z@]+)\s*$/.exec(name?.text ?? "")?.[1];
    if (name === undefined || called === undefined) return undefined;
    at = name.end;
    const count = optionalAt(source, at);
    const usual = count === undefined ? undefined : optionalAt(source, count.end);
    const body = argumentAt(source, usual?.end ?? count?.end ?? at);
    const number = Number(count?.text ?? "0");
    if (body === undefined || !(number >= 0 && number <= 9)) return undefined;
    const text = word === "\\DeclareMathOperator" ? `\\operatorname{${body.text}}` : body.text;
    this.#macros.set(called, { count: number, usual: usual?.text, body: text, isProgram: programming.test(text) });
    return body.end;
  }

  /** An environment is two macros: what its begin stands for, with arguments, and what its end does. */
  #defineEnvironment(source: Source, after: number): number | undefined {
    const name = argumentAt(source, after + (source.text[after] === "*" ? 1 : 0));
    const count = name && optionalAt(source, name.end);
    const usual = count && optionalAt(source, count.end);
    const begin = name && argumentAt(source, usual?.end ?? count?.end ?? name.end);
    const end = begin && argumentAt(source, begin.end);
    const number = Number(count?.text ?? "0");
    if (name === undefined || begin === undefined || end === undefined || !(number >= 0 && number <= 9)) return undefined;
    const isProgram = programming.test(begin.text) || programming.test(end.text);
    const opens: Macro = { count: number, usual: usual?.text, body: begin.text, isProgram };
    const closes: Macro = { count: 0, usual: undefined, body: end.text, isProgram, partner: opens };
    opens.partner = closes;
    this.#macros.set(`begin ${name.text.trim()}`, opens);
    this.#macros.set(`end ${name.text.trim()}`, closes);
    return end.end;
  }

  #defineByTex(source: Source, at: number): number | undefined {
    const head = /\s*\\([a-zA-Z@]+)((?:#[1-9])*)\s*(?=\{)/y;
    head.lastIndex = at;
    const match = head.exec(source.text);
    const body = match === null ? undefined : argumentAt(source, head.lastIndex);
    if (match === null || body === undefined) return undefined;
    const count = (match[2] ?? "").length / 2;
    this.#macros.set(match[1] ?? "", { count, usual: undefined, body: body.text, isProgram: programming.test(body.text) });
    return body.end;
  }

  /** The expansion of a macro whose name has just been read; undefined where it is none, or has too few arguments. */
  #use(source: Source, start: number, name: string | undefined, depth: number): Argument | undefined {
    const { macro, end: behind } = this.#named(source, start, name);
    if (macro === undefined || macro.isProgram || depth >= deepest || this.#room < 0) return undefined;
    const given = this.#open.has(macro) ? "itself" : argumentsAt(source, behind, macro);
    if (given === "itself") markProgram(macro);
    if (given === undefined || given === "itself") return undefined;
    const text = substituted(macro.body, given.values);
    this.#room -= text.length;
    if (this.#room < 0) return undefined;
    this.#open.add(macro);
    const expanded = this.expand(text, depth + 1);
    this.#open.delete(macro);
    return macro.isProgram ? undefined : { text: expanded, end: given.end };
  }

  /** The macro of a control word, or of the environment that \begin or \end names. */
  #named(source: Source, start: number, name = ""): { readonly macro: Macro | undefined; readonly end: number } {
    if (name !== "begin" && name !== "end") return { macro: this.#macros.get(name), end: start };
    const environment = argumentAt(source, start);
    return { macro: this.#macros.get(`${name} ${environment?.text}`), end: environment?.end ?? start };
  }
}

function markProgram(macro: Macro): void {
  macro.isProgram = true;
  if (macro.partner !== undefined) macro.partner.isProgram = true;
}

/** The arguments that a macro takes; undefined where there are too few. */
function argumentsAt(
  source: Source,
  start: number,
  { count, usual }: Macro,
): { readonly values: readonly string[]; readonly end: number } | undefined {
  const values: string[] = [];
  let end = start;
  if (usual !== undefined) {
    const given = optionalAt(source, end);
    values.push(given?.text ?? usual);
    end = given?.end ?? end;
  }
  while (values.length < count) {
    const value = argumentAt(source, end);
    if (value === undefined) return undefined;
    values.push(value.text);
    end = value.end;
  }
  return { values, end };
}

/** The body with its arguments, apart from a control word in front of them by a space. */
function substituted(body: string, values: readonly string[]): string {
  const parts = body.split(/#([1-9])/);
  return parts.reduce((out, part, i) => out + separated(out, i % 2 === 1 ? (values[Number(part) - 1] ?? "") : part, undefined), "");
}

/** A space in front of a text, or behind it, where a control word would go on into its letters. */
function separated(before: string, text: string, next: string | undefined): string {
  const front = endsInWord(before) && /^[a-zA-Z]/.test(text) ? " " : "";
  return front + text + (next !== undefined && /[a-zA-Z]/.test(next) && endsInWord(text) ? " " : "");
}

function endsInWord(text: string): boolean {
  return /\\[a-zA-Z@]+$/.test(text.slice(-40));
}

/** A source and where its braces close. */
interface Source {
  readonly text: string;
  readonly pairs: Uint32Array;
}

interface Argument {
  readonly text: string;
  readonly end: number;
}

/** What stands in braces next, or the next character or control word. */
function argumentAt({ text: source, pairs }: Source, from: number): Argument | undefined {
  const at = skipSpace(source, from);
  if (source[at] === "{") {
    const end = pairs[at] ?? 0;
    return end === 0 ? undefined : { text: source.slice(at + 1, end), end: end + 1 };
  }
  const single = /\\(?:[a-zA-Z@]+|[\s\S])|[^\s{}[\]]/uy;
  single.lastIndex = at;
  const found = single.exec(source)?.[0];
  return found === undefined ? undefined : { text: found, end: at + found.length };
}

function optionalAt({ text: source, pairs }: Source, from: number): Argument | undefined {
  const at = skipSpace(source, from);
  const end = source[at] === "[" ? (pairs[at] ?? 0) : 0;
  return end === 0 ? undefined : { text: source.slice(at + 1, end), end: end + 1 };
}

/** Arguments may stand on the next line, not behind an empty one. */
function skipSpace(source: string, from: number): number {
  let [at, lines] = [from, 0];
  for (; /\s/.test(source[at] ?? "x"); at++) if (source[at] === "\n" && ++lines > 1) return from;
  return at;
}

/** The place of the brace or bracket that closes each one that opens; 0 for all else. Brackets close inside the same braces alone. */
function pairsOf(source: string): Uint32Array {
  const pairs = new Uint32Array(source.length);
  const open: number[] = [];
  for (let i = 0; i < source.length; i++) {
    const one = source[i];
    if (one === "\\") i++;
    else if (one === "{" || one === "[") open.push(i);
    else if (one === "]" && source[open.at(-1) ?? -1] === "[") pairs[open.pop() ?? 0] = i;
    else if (one === "}") {
      while (open.length > 0 && source[open.at(-1) ?? -1] === "[") open.pop();
      const start = open.pop();
      if (start !== undefined) pairs[start] = i;
    }
  }
  return pairs;
}
