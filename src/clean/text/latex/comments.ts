// LaTeX without comments, as TeX reads it (Knuth 1984, chapter 8): a percent sign ends its line, and takes the line's end and the next line's indent along.

const token =
  /\\verb\*?([^a-zA-Z\s*])|\\begin\s*\{(verbatim\*?|lstlisting|minted|comment)\}|\\(?:url|path|href)\s*\{[^{}\n]*\}|\\iffalse(?![a-zA-Z])|\\[\s\S]|%/g;
/** What stands in \verb is part of one line. */
const longestVerb = 400;
const conditional = /\\(if[a-zA-Z]*|else|fi)(?![a-zA-Z])/g;

/** The source without comments, `comment` environments and what stands behind \iffalse; what is verbatim stays as it is. */
export function stripComments(source: string): string {
  const unclosed = new Set<string>();
  let out = "";
  let at = 0;
  for (;;) {
    token.lastIndex = at;
    const match = token.exec(source);
    if (match === null) return out + source.slice(at);
    out += source.slice(at, match.index);
    const [found, mark, environment] = match;
    const behind = match.index + found.length;
    const closes = environment ?? found;
    const end = unclosed.has(closes) ? undefined : endOf(source, behind, found, mark, environment);
    if (end === undefined) unclosed.add(closes); // so that no other of these looks for an end again
    const isDropped = found === "%" || (end !== undefined && (environment === "comment" || found === "\\iffalse"));
    if (!isDropped) out += source.slice(match.index, end ?? behind);
    at = end ?? behind;
  }
}

/** Where something ends that has begun; undefined where it does not. */
function endOf(source: string, from: number, found: string, mark?: string, environment?: string): number | undefined {
  if (mark !== undefined) {
    const line = source.slice(from, from + longestVerb).split("\n", 1)[0] ?? "";
    return from + line.indexOf(mark) + 1;
  }
  if (environment !== undefined) {
    const close = `\\end{${environment}}`;
    const end = source.indexOf(close, from);
    return end < 0 ? undefined : end + close.length;
  }
  if (found === "\\iffalse") return endOfFalse(source, from);
  return found === "%" ? endOfComment(source, from) : from;
}

/** Where the next line's text begins; its empty line, which ends a paragraph, stays. */
function endOfComment(source: string, from: number): number {
  let at = source.indexOf("\n", from);
  if (at < 0) return source.length;
  at++;
  while (source[at] === " " || source[at] === "\t") at++;
  return at;
}

/** The place behind the \else or \fi that belongs to an \iffalse; undefined where none does. */
function endOfFalse(source: string, from: number): number | undefined {
  conditional.lastIndex = from;
  let depth = 0;
  for (let match = conditional.exec(source); match !== null; match = conditional.exec(source)) {
    const [found, name = ""] = match;
    if (name.startsWith("if")) depth++;
    else if (depth === 0) return match.index + found.length;
    else if (name === "fi") depth--;
  }
  return undefined;
}
