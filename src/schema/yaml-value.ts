// YAML (and JSON, which is YAML) as a plain value: whatever the text holds, it is one or an error that says where.
import { type Document, isMap, parseDocument } from "yaml";

/** Deeper than any recipe, and far from where recursion ends. */
const deepest = 64;

/** More brackets left open, or more dashes and question marks at the start of a line, overflow the parser's stack or keep it for minutes. */
const mostOpen = 500;
const manyMarks = /^[ \t]*(?:[-?:][ \t]+){64}/m;

/** @throws Error of one line: what is wrong, with line and column where the parser knows them */
export function yamlValue(text: string): unknown {
  const document = parsed(text);
  // A warning is about something that the parser left out, such as a tag that it does not know.
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw new Error(oneLine(problem), { cause: problem });
  const value = plain(document);
  const depth = depthOf(value, new Map());
  if (depth === Number.POSITIVE_INFINITY)
    throw new Error("an alias stands inside the very value that its anchor names, which has no end then");
  if (depth > deepest) throw new Error(`it is nested ${depth} deep, but at most ${deepest} are read`);
  return value;
}

/** Whether a text is keys with values, be it with mistakes in them. */
export function isYamlMap(text: string): boolean {
  try {
    return isMap(parsed(text).contents);
  } catch {
    return false;
  }
}

function parsed(text: string): Document.Parsed {
  if (manyMarks.test(text) || mostOpenBrackets(text) > mostOpen) throw new Error("it is nested too deeply");
  try {
    return parseDocument(text, { logLevel: "error" });
  } catch (cause) {
    throw tooDeep(cause);
  }
}

/** Aliases of aliases may ask for more copies than there is memory: the parser counts them. */
function plain(document: Document.Parsed): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    throw tooDeep(cause);
  }
}

function tooDeep(error: unknown): Error {
  if (error instanceof RangeError) return new Error("it is nested too deeply", { cause: error });
  return new Error(oneLine(error as Error), { cause: error });
}

/** Brackets in texts count too, which no recipe has that many of. */
function mostOpenBrackets(text: string): number {
  let [open, most] = [0, 0];
  for (const bracket of text.match(/[[\]{}]/g) ?? []) {
    open += bracket === "[" || bracket === "{" ? 1 : -1;
    most = Math.max(most, open);
  }
  return most;
}

/** How deep lists and keys stand in each other; Infinity where a value holds itself. @param known depths so far, Infinity for values that are open */
function depthOf(value: unknown, known: Map<object, number>): number {
  if (typeof value !== "object" || value === null) return 0;
  const before = known.get(value);
  if (before !== undefined) return before;
  known.set(value, Number.POSITIVE_INFINITY);
  const depth = Object.values(value).reduce<number>((most, one) => Math.max(most, depthOf(one, known)), 0) + 1;
  known.set(value, depth);
  return depth;
}

/** The first line alone, because the parser shows the place in those that follow. */
function oneLine({ message }: Error): string {
  const first = message.split("\n")[0]!.replace(/:$/, "");
  return first.charAt(0).toLowerCase() + first.slice(1);
}
