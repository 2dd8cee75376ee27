// A LaTeX source as TeX reads it: what \input, \include and their like name stands in place of them, and a bibliography is the file that BibTeX made.
import { posix } from "node:path";

/** A file of the source by its path from the source's folder; undefined where there is none. */
export type SourceFiles = (path: string) => Promise<string | undefined>;

/** A joined source. */
export interface JoinedSource {
  readonly text: string;
  /** The files in it, the main one first. */
  readonly files: readonly string[];
  /** What was named and is not in it: the same words each time, and the name. */
  readonly missing: readonly (readonly [what: string, name: string])[];
}

/** Comments and what is verbatim name no files. A name is in braces, or in \input up to a space. */
const token =
  /\\verb\*?([^a-zA-Z\s*])[^\n]{0,400}?\1|\\begin\s*\{(verbatim\*?|lstlisting|minted|comment|filecontents\*?)\}|\\(input|include|subfile|subfileinclude|bibliography)(?![a-zA-Z@])\s*(?:\{([^{}]*)\}|([^\s{}%\\]+))|\\((?:sub)?(?:import|inputfrom|includefrom))\*?\s*\{([^{}]*)\}\s*\{([^{}]*)\}|\\(endinput)(?![a-zA-Z@])|\\[\s\S]|%[^\n]*/g;
/** UTF-16 units of a joined source: a book has some millions, files that name each other twice have any number. */
const longestSource = 1 << 26;
/** Files within files. */
const deepest = 30;

/** Joins what a main file names, and what that names. @param longest UTF-16 units of what is joined, about */
export async function joinSource(main: string, files: SourceFiles, longest = longestSource): Promise<JoinedSource> {
  const joiner = new Joiner(main, files, longest);
  const text = await joiner.file(main, []);
  return { text: text ?? "", files: [...joiner.joined], missing: joiner.missing };
}

class Joiner {
  readonly joined = new Set<string>();
  readonly missing: [string, string][] = [];
  readonly #main: string;
  readonly #files: SourceFiles;
  readonly #longest: number;
  #length = 0;

  constructor(main: string, files: SourceFiles, longest: number) {
    [this.#main, this.#files, this.#longest] = [main, files, longest];
  }

  /** The text of a file with those that it names; undefined where there is none. @param around the files that it is in */
  async file(path: string, around: readonly string[]): Promise<string | undefined> {
    const own = await this.#files(path);
    if (own === undefined) return undefined;
    this.joined.add(path);
    this.#length += own.length;
    const source = around.length > 0 ? bodyOf(own) : own;
    const parts: string[] = [];
    const unended = new Set<string>(); // environments whose end is not there any more, which are not looked for again
    let at = 0;
    for (const match of source.matchAll(token)) {
      const { index } = match;
      if (index < at) continue;
      if (match[9] !== undefined) return parts.join("") + source.slice(at, index);
      const end = match[2] === undefined || unended.has(match[2]) ? undefined : endOfEnvironment(source, index, match[2]);
      if (match[2] !== undefined && end === undefined) unended.add(match[2]);
      const named = match[3] ?? match[6];
      const text = named === undefined ? undefined : await this.#named(named, match, [...around, path]);
      if (end === undefined && text === undefined) continue;
      parts.push(source.slice(at, end ?? index), text ?? "");
      at = end ?? index + match[0].length;
    }
    return parts.join("") + source.slice(at);
  }

  /** What stands in place of a command; undefined where it stays, as that for a bibliography that BibTeX has not made. */
  async #named(command: string, match: RegExpMatchArray, around: readonly string[]): Promise<string | undefined> {
    const [name, folder] = [match[4] ?? match[5] ?? match[8] ?? "", match[7] ?? ""].map((given) => given.trim()) as [string, string];
    if (command === "bibliography") return this.file(`${this.#main.replace(/\.[^./]*$/, "")}.bbl`, around);
    const from = /^sub(import|inputfrom|includefrom)$/.test(command) ? (around.at(-1) ?? "") : this.#main;
    const path = posix.normalize(/^(\/|[a-zA-Z]:)/.test(name) ? name : posix.join(posix.dirname(from), folder, name));
    const leave = (what: string) => {
      this.missing.push([what, name.slice(0, 100)]);
      return undefined;
    };
    if (/^(\/|\.\.(\/|$)|[a-zA-Z]:)/.test(path)) return leave("file outside of its folder that a LaTeX source names");
    if (/[#\\]/.test(path)) return undefined; // a name that a macro makes
    for (const one of /\.tex$/.test(path) ? [path] : [`${path}.tex`, path]) {
      if (around.includes(one) || around.length > deepest) return leave("file within itself that a LaTeX source names");
      if (this.#length > this.#longest) return leave("file beyond the longest LaTeX source");
      const text = await this.file(one, around);
      if (text !== undefined) return text;
    }
    return leave("file that a LaTeX source names and that is not there");
  }
}

/** The beginning of a document, and what it may not stand in: a comment, or behind a backslash that belongs to a command. */
const documentToken = /(\\begin\s*\{document\})|\\[\s\S]|%[^\n]*/g;

/** A part that is a document by itself (packages subfiles and standalone) gives what is between its begin and its end. */
function bodyOf(source: string): string {
  for (const { 1: begin, index } of source.matchAll(documentToken)) {
    if (begin === undefined) continue;
    if (!/\\document(?:class|style)/.test(source.slice(0, index))) return source;
    const body = source.slice(index + begin.length);
    const end = body.search(/\\end\s*\{document\}/);
    return end < 0 ? body : body.slice(0, end);
  }
  return source;
}

function endOfEnvironment(source: string, from: number, name: string): number | undefined {
  const close = `\\end{${name}}`;
  const end = source.indexOf(close, from);
  return end < 0 ? undefined : end + close.length;
}

/** Whether a file may be compiled by itself, and not as a part of another. */
export function isMain(source: string): boolean {
  const plain = source.replace(/(?<!\\)%.*/g, "");
  return /\\document(?:class|style)\b|\\begin\s*\{document\}|\\bye(?![a-zA-Z])/.test(plain);
}
