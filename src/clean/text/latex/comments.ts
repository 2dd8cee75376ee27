// LaTeX without comments, as TeX reads it (Knuth 1984, chapter 8): a percent sign ends its line, and takes the line's end and the next line's indent along.
// What stands between conditionals whose outcome is written in the source, such as \iffalse, goes or stays with them.

const token =
  /\\verb\*?([^a-zA-Z\s*])|\\begin\s*\{(verbatim\*?|lstlisting|minted|comment)\}|\\(?:url|path|href)\s*\{[^{}\n]*\}|\\[\s\S]|%/g;
/** What stands in \verb is part of one line. */
const longestVerb = 400;
/** TeX's own conditionals and those of common packages; a source may define more by \newif. Other names are macros, as \iff and \ifthenelse are. */
const known =
  "if ifcat ifx ifnum ifdim ifodd ifvmode ifhmode ifmmode ifinner ifvoid ifhbox ifvbox ifeof iftrue iffalse ifcase ifdefined ifcsname ifpdf ifxetex ifluatex".split(
    " ",
  );
const conditional = /\\(?:newif\s*\\(if[a-zA-Z@]*)|(if[a-zA-Z@]*)|(else|or)|(fi))(?![a-zA-Z@])/g;
/** Those whose outcome the source says: \if false compares two letters, \if 0 a digit with what follows, as \ifnum 0 does. */
const decided = /\\(?:if(?:(false)|(true))(?![a-zA-Z@])|if\s*(false)(?![a-zA-Z])|if\s*(0)(?!\d)\s?)/y;

/** The source without comments, `comment` environments and what conditionals take away; what is verbatim stays as it is. */
export function stripComments(source: string): string {
  const plain = withoutComments(source);
  const spans = decidedSpans(plain);
  let [out, at] = ["", 0];
  for (const [start, end] of spans) {
    if (end <= at) continue;
    out += plain.slice(at, Math.max(at, start));
    at = end;
  }
  return out + plain.slice(at);
}

function withoutComments(source: string): string {
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
    const isDropped = found === "%" || (end !== undefined && environment === "comment");
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

/** A conditional that is open. */
interface Open {
  readonly start: number;
  /** Where its first branch begins. */
  readonly behind: number;
  /** What the source says of it; undefined where it says nothing. */
  readonly outcome: boolean | undefined;
  /** Where its \else begins and ends. */
  else?: readonly [number, number];
}

/** The stretches that go: branches that are not taken, and the words of conditionals whose outcome is known. Sorted by where they begin. */
function decidedSpans(source: string): readonly (readonly [number, number])[] {
  const spans: [number, number][] = [];
  const open: Open[] = [];
  const names = new Set(known);
  for (const match of source.matchAll(conditional)) {
    const { index } = match;
    const [found, defined, begins, divides, ends] = match;
    if (defined !== undefined) names.add(defined);
    if (begins !== undefined && (names.has(begins) || begins.includes("@"))) open.push(opened(source, index, found.length));
    const last = open.at(-1);
    if (divides !== undefined && last !== undefined) last.else ??= [index, index + found.length];
    if (ends !== undefined) {
      const closed = open.pop();
      if (closed?.outcome !== undefined) spans.push(...spansOf(closed, index, index + found.length));
    }
  }
  return spans.sort(([a], [b]) => a - b);
}

function opened(source: string, start: number, length: number): Open {
  decided.lastIndex = start;
  const match = decided.exec(source);
  if (match === null) return { start, behind: start + length, outcome: undefined };
  return { start, behind: decided.lastIndex, outcome: match[2] !== undefined };
}

function spansOf({ start, behind, outcome, else: divided }: Open, fi: number, end: number): [number, number][] {
  if (outcome === true)
    return [
      [start, behind],
      [divided?.[0] ?? fi, end],
    ];
  return divided === undefined
    ? [[start, end]]
    : [
        [start, divided[1]],
        [fi, end],
      ];
}
