// Wikitext without its markup (https://www.mediawiki.org/wiki/Help:Formatting), in one pass: what opens is put on a stack, what closes takes it off.
import { decodeEntities } from "./entities.ts";

/** What stays of the markup. */
export interface WikitextOptions {
  /** Templates whose text stays: the number of the argument, from 1, by the template's name in lower case. */
  readonly templates: ReadonlyMap<string, number>;
  /** Tags that go with all that is in them, in lower case. */
  readonly droppedTags: ReadonlySet<string>;
  /** Prefixes of links that go, such as "file", in lower case. */
  readonly droppedPrefixes: ReadonlySet<string>;
  /** Whether tables stay, a line per row. */
  readonly keepsTables: boolean;
}

type Kind = "template" | "argument" | "link" | "address" | "table";

/** Markup that is open: what was closed of it stands between bars. */
interface Frame {
  readonly kind: Kind;
  readonly opened: string;
  readonly parts: string[];
  text: string;
}

/** Markup that is nested more deeply is taken for text, so that a page cannot be made to take long. */
const deepest = 200;
const token =
  /<!--|<\/?[a-zA-Z][^<>]*>|\{\|(?!\})|\{{2,}|\}{2,}|\|\}(?!\})|\|-|\[\[|\]\]|\[(?=(?:https?:|ftp:|mailto:|\/\/))|\]|\||!!|'{2,}|__[\p{Lu}_]+__|\n/gu;
const interlanguage = /^[a-z]{2,3}(?:-[a-z-]{2,12})?:/;

/** The text with templates, tables, references, links and comments gone, or their labels in their place; lines stay as they are otherwise. */
export function stripWikitext(wikitext: string, options: WikitextOptions): string {
  return decodeEntities(new Stripper(wikitext, options).strip());
}

class Stripper {
  readonly #source: string;
  readonly #options: WikitextOptions;
  readonly #frames: Frame[] = [];
  /** Tags of which no end stands behind the place that was asked last. */
  readonly #unclosed = new Set<string>();
  #text = "";
  #at = 0;

  constructor(source: string, options: WikitextOptions) {
    [this.#source, this.#options] = [source, options];
  }

  strip(): string {
    const source = this.#source;
    for (;;) {
      token.lastIndex = this.#at;
      const match = token.exec(source);
      this.#add(source.slice(this.#at, match?.index));
      if (match === null) break;
      this.#at = match.index + match[0].length;
      this.#take(match[0], match.index);
    }
    while (this.#frames.length > 0) this.#flatten();
    return this.#text;
  }

  #take(found: string, start: number): void {
    if (found === "<!--") this.#skipPast("-->");
    else if (found.startsWith("<")) this.#tag(found);
    else if (found === "{|") this.#openTable(start);
    else if (found.startsWith("{")) this.#openBraces(found.length);
    else if (found.startsWith("}")) this.#closeBraces(found.length);
    else if (found === "|}") this.#closeTable(start);
    else if (found === "[[") this.#open("link", found);
    else if (found === "]]") this.#closeLink();
    else if (found === "[") this.#open("address", found);
    else if (found === "]") this.#closeAddress(found);
    else if (found === "|-" || found === "|" || found === "!!") this.#bar(found);
    else if (found.startsWith("'")) this.#quotes(found.length);
    else if (found === "\n") this.#lineEnd();
  }

  #add(text: string): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) this.#text += text;
    else frame.text += text;
  }

  #open(kind: Kind, opened: string): void {
    if (this.#frames.length < deepest) this.#frames.push({ kind, opened, parts: [], text: "" });
    else this.#add(opened);
  }

  /** Makes the innermost open markup into text again, because it does not end. */
  #flatten(): void {
    const frame = this.#frames.pop();
    if (frame !== undefined) this.#add(frame.opened + [...frame.parts, frame.text].join("|"));
  }

  /** Takes the innermost markup of a kind off, and what was left open inside becomes text of it; undefined where a barrier stands above it, or none is open. */
  #close(kinds: readonly Kind[], barriers: readonly Kind[]): Frame | undefined {
    const at = this.#frames.findLastIndex(({ kind }) => kinds.includes(kind) || barriers.includes(kind));
    const found = this.#frames[at];
    if (found === undefined || !kinds.includes(found.kind)) return undefined;
    while (this.#frames.length > at + 1) this.#flatten();
    return this.#frames.pop();
  }

  #skipPast(end: string): void {
    const found = this.#source.indexOf(end, this.#at);
    this.#at = found < 0 ? this.#source.length : found + end.length;
  }

  #tag(found: string): void {
    const name = /^<\/?([a-zA-Z][a-zA-Z\d]*)/.exec(found)?.[1]?.toLowerCase() ?? "";
    if (name === "br" || name === "hr") this.#add("\n");
    if (found.startsWith("</") || found.endsWith("/>")) return;
    const isDropped = this.#options.droppedTags.has(name);
    if (!isDropped && name !== "nowiki" && name !== "pre") return;
    const end = this.#endOf(name);
    if (end === undefined) return;
    if (!isDropped) this.#add(this.#source.slice(this.#at, end.index));
    this.#at = end.index + end[0].length;
  }

  #endOf(name: string): RegExpExecArray | undefined {
    if (this.#unclosed.has(name)) return undefined;
    const end = new RegExp(`</${name}\\s*>`, "gi");
    end.lastIndex = this.#at;
    const found = end.exec(this.#source) ?? undefined;
    if (found === undefined) this.#unclosed.add(name);
    return found;
  }

  /** Threes are arguments of templates, twos are templates. */
  #openBraces(count: number): void {
    let left = count;
    for (; left === 3 || left > 4; left -= 3) this.#open("argument", "{{{");
    for (; left >= 2; left -= 2) this.#open("template", "{{");
    this.#add("{".repeat(left));
  }

  #closeBraces(count: number): void {
    let left = count;
    while (left >= 2) {
      const frame = this.#close(["template", "argument"], []);
      if (frame === undefined) break;
      const width = frame.kind === "argument" && left >= 3 ? 3 : 2;
      left -= width;
      this.#add(frame.kind === "template" ? this.#templateText(frame) : "");
    }
    this.#add("}".repeat(left));
  }

  #templateText({ parts, text }: Frame): string {
    const [name = "", ...values] = [...parts, text];
    const number = this.#options.templates.get(name.trim().toLowerCase());
    if (number === undefined) return "";
    const unnamed = values.filter((value) => !/^\s*[\w-]+\s*=/.test(value));
    return (unnamed[number - 1] ?? "").trim();
  }

  #openTable(start: number): void {
    if (/(^|\n)[ \t:*#]*$/.test(this.#source.slice(Math.max(0, start - 20), start))) this.#open("table", "{|");
    else this.#add("{|");
  }

  #closeTable(start: number): void {
    const frame = this.#isLineStart(start) ? this.#close(["table"], ["template", "argument"]) : undefined;
    if (frame === undefined) return this.#bar("|}");
    if (this.#options.keepsTables) this.#add(tableText([...frame.parts, frame.text]));
  }

  #isLineStart(at: number): boolean {
    return /(^|\n)[ \t]*$/.test(this.#source.slice(Math.max(0, at - 20), at));
  }

  #closeLink(): void {
    const frame = this.#close(["link"], ["template", "argument", "table"]);
    if (frame === undefined) this.#add("]]");
    else this.#add(this.#linkText(frame));
  }

  /** A link's label: the last part, or the target. */
  #linkText({ parts, text }: Frame): string {
    const [target = "", ...labels] = [...parts, text];
    const page = target.trim();
    const prefix = /^([^:]*):/.exec(page)?.[1]?.trim().toLowerCase();
    if (prefix !== undefined && this.#options.droppedPrefixes.has(prefix)) return "";
    if (labels.length === 0 && interlanguage.test(page)) return "";
    const label = labels.at(-1) ?? page.replace(/^:/, "");
    return label.trim() === "" ? page.replace(/^[^:]*:|(?<!\s)\s*\([^()]*\)$|,.*$/g, "") : label;
  }

  #closeAddress(found: string): void {
    const frame = this.#frames.at(-1);
    if (frame?.kind !== "address") return this.#add(found);
    this.#frames.pop();
    this.#add(/\s(.*)$/s.exec([...frame.parts, frame.text].join("|"))?.[1]?.trim() ?? "");
  }

  #bar(found: string): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined || frame.kind === "address" || (frame.kind !== "table" && found === "!!")) return this.#add(found);
    frame.parts.push(frame.text);
    frame.text = found === "|" || found === "!!" ? "" : found.slice(1);
  }

  /** Two are italic, three bold, five both; others are apostrophes beside these. */
  #quotes(count: number): void {
    this.#add("'".repeat(count === 4 ? 1 : Math.max(0, count - 5)));
  }

  /** The target of a link has no line end, and an address none at all. */
  #lineEnd(): void {
    for (let frame = this.#frames.at(-1); frame !== undefined; frame = this.#frames.at(-1)) {
      if (frame.kind !== "address" && !(frame.kind === "link" && frame.parts.length === 0)) break;
      this.#flatten();
    }
    this.#add("\n");
  }
}

/** The cells of a table without their attributes, a line per row. */
function tableText(parts: readonly string[]): string {
  const cells = parts
    .map((part, i) => (i === 0 ? part.replace(/^.*(\n|$)/, "") : part)) // attributes of the table stand behind its mark
    .map((part) =>
      part
        .replace(/^-.*$/m, "")
        .replace(/\s+!?|^!/g, withoutMark)
        .trim(),
    )
    .filter((part) => part !== "" && !attributes.test(part));
  return cells.join("\n");
}

/** Attributes alone, as `style="width: 50%" class=a`: each part can be read in one way only, so that no cell takes long. */
const attributes = /^(?:[\w-]+\s*=\s*(?:"[^"]*"\s*|"[^"\s]*$|[^\s"]\S*(?:\s+|$)))+$/;

/** White space without the mark of a header's cell, where that stands first in its line. */
function withoutMark(found: string, at: number): string {
  if (!found.endsWith("!")) return found;
  if (at === 0) return "";
  return found.includes("\n") ? found.slice(0, found.indexOf("\n") + 1) : found;
}
