// HTML as a reader sees it: paragraphs, no markup, no scripts, no menus. htmlparser2's tokenizer finds tags and character references as browsers do;
// which of them hold text is here. Its parser is not used: it takes a minute for a page of 200,000 open elements.
import { Tokenizer } from "htmlparser2";
import { decodeText } from "./decode-text.ts";
import type { FormInput } from "./forms.ts";
import { gatherBytes } from "./gather-bytes.ts";
import { maxDocumentLength, tooLong } from "./limits.ts";
import { toLineFeeds } from "./line-ends.ts";
import { decodePage } from "./page-charset.ts";

/** What is inside these is no text of the page: code, styles, forms, menus, the frame around the article. */
const left = new Set(
  "head script style noscript template svg math canvas iframe object audio video select button textarea nav header footer aside dialog".split(
    " ",
  ),
);
/** What may stand in a head; anything else ends it, because its end tag may be omitted (HTML, section 13.1.2.4). */
const ofHead = new Set("title base link meta style script noscript template".split(" "));
/** Their end tags cannot be omitted, so such an end tag also ends what was left open inside. */
const containers = new Set(
  "html body div section article main form fieldset figure blockquote address dl ul ol pre table details center".split(" "),
);
/** These begin and end a line of their own. */
const lines = new Set(
  "address blockquote dd div dl dt fieldset figcaption figure form header hr li main article section table tbody thead tr".split(" "),
);
/** And these stand apart by an empty line. */
const paragraphs = new Set("p h1 h2 h3 h4 h5 h6 ul ol pre blockquote table".split(" "));
/** These say which part of a page is its text; the rest is left out then. */
const mains = new Set(["main", "article"]);

/** A part of a page that has less than this share of what stands around it, too, is not what the page is about: a card, a form, a list of links. */
const leastShare = 0.2;

/** One document: the text inside `main` or `article` elements where these hold what the page is about, else that of the whole page. */
export async function* readHtml(input: FormInput): AsyncGenerator<string> {
  yield pageText(toLineFeeds(await wholePage(input)));
}

/** The page as text: in the encoding that it says itself or seems to be in where that is counted, else strictly UTF-8. */
async function wholePage(input: FormInput): Promise<string> {
  const { name, where, isCounted, note } = input;
  const refuse = () => tooLong(where, name, "the page", "cut it into several files");
  if (!isCounted) return strictPage(input, refuse);
  const bytes = await gatherBytes(input.bytes, maxDocumentLength);
  const { text, converted } = decodePage(bytes ?? refuse(), undefined);
  if (converted !== undefined) note({ kind: "converted", what: converted, place: name });
  return text;
}

async function strictPage(input: FormInput, refuse: () => never): Promise<string> {
  const parts: string[] = [];
  let length = 0;
  for await (const part of decodeText(input, input.where)) {
    length += part.length;
    if (length > maxDocumentLength) refuse();
    parts.push(part);
  }
  return parts.join("");
}

/** The text of a page. */
export function pageText(html: string): string {
  const page = new PageText(html);
  const tokenizer = new Tokenizer({ decodeEntities: true }, page);
  tokenizer.write(html);
  tokenizer.end();
  return page.text();
}

const nothing = () => {};

/** An element that may hold others, open at the moment. */
interface Open {
  readonly name: string;
  /** Whether what is inside it is no text of the page. */
  readonly isLeft: boolean;
}

/**
 * Collects text between tags, whose places in the page the tokenizer calls back with. Open elements are counted by name, so that an end tag that ends
 * nothing is passed over at once, and one that ends something looks only at what it ends.
 */
class PageText {
  readonly #html: string;
  readonly #whole = new Flow();
  /** The whole page with its headers, because some pages have all their text in one. */
  readonly #withHeaders = new Flow();
  readonly #main = new Flow();
  readonly #open: Open[] = [];
  readonly #counts = new Map<string, number>();
  #left = 0;
  #headers = 0;
  #mains = 0;
  /** The name of the tag being read. */
  #tag = "";

  readonly onattribdata = nothing;
  readonly onattribentity = nothing;
  readonly onattribend = nothing;
  readonly onattribname = nothing;
  readonly oncdata = nothing;
  readonly oncomment = nothing;
  readonly ondeclaration = nothing;
  readonly onend = nothing;
  readonly onopentagend = nothing;
  readonly onprocessinginstruction = nothing;

  constructor(html: string) {
    this.#html = html;
  }

  onopentagname(start: number, end: number): void {
    const name = this.#name(start, end);
    if (this.#count("head") > 0 && !ofHead.has(name)) this.#leave("head");
    // The header of an article is its title, that of a page a menu.
    const isLeft = left.has(name) && !(name === "header" && this.#mains > 0);
    if (left.has(name) || containers.has(name)) this.#enter({ name, isLeft });
    if (name === "br") this.#each((flow) => flow.break(1));
    if (name === "td" || name === "th") this.#each((flow) => flow.cell());
    this.#boundary(name);
  }

  /** Only SVG and MathML elements can close themselves in HTML. */
  onselfclosingtag(): void {
    if (this.#tag === "svg" || this.#tag === "math") this.#leave(this.#tag);
  }

  onclosetag(start: number, end: number): void {
    const name = this.#name(start, end);
    this.#boundary(name);
    this.#leave(name);
  }

  ontext(start: number, end: number): void {
    this.#text(this.#html.slice(start, end));
  }

  ontextentity(codepoint: number): void {
    this.#text(String.fromCodePoint(codepoint));
  }

  text(): string {
    return orWider(this.#main, orWider(this.#whole, this.#withHeaders)).text();
  }

  #name(start: number, end: number): string {
    this.#tag = this.#html.slice(start, end).toLowerCase();
    return this.#tag;
  }

  #text(text: string): void {
    if (this.#left > this.#headers) return;
    const isPreformatted = this.#count("pre") > 0;
    this.#withHeaders.add(text, isPreformatted);
    if (this.#left > 0) return;
    this.#whole.add(text, isPreformatted);
    if (this.#mains > 0) this.#main.add(text, isPreformatted);
  }

  #count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  #enter(open: Open): void {
    this.#open.push(open);
    this.#tally(open, 1);
  }

  /** Ends the innermost open element of this name and all inside it, where there is one. */
  #leave(name: string): void {
    if (this.#count(name) === 0) return;
    for (let last = this.#open.pop(); last !== undefined; last = this.#open.pop()) {
      this.#tally(last, -1);
      if (last.name === name) return;
    }
  }

  #tally({ name, isLeft }: Open, change: 1 | -1): void {
    this.#counts.set(name, this.#count(name) + change);
    if (isLeft) this.#left += change;
    if (isLeft && name === "header") this.#headers += change;
    if (mains.has(name)) this.#mains += change;
  }

  #boundary(name: string): void {
    if (paragraphs.has(name)) this.#each((flow) => flow.break(2));
    else if (lines.has(name)) this.#each((flow) => flow.break(1));
  }

  #each(act: (flow: Flow) => void): void {
    act(this.#whole);
    act(this.#withHeaders);
    if (this.#mains > 0) act(this.#main);
  }
}

/** A part of a page, or what it is a part of where that holds far more. */
function orWider(part: Flow, wider: Flow): Flow {
  return part.length < leastShare * wider.length ? wider : part;
}

/** Text with white space collapsed as CSS does (CSS Text 3, section 4.1), and line breaks that are due before the next word. */
class Flow {
  readonly #parts: string[] = [];
  #length = 0;
  #due = 0;
  #isSpaceDue = false;

  add(text: string, isPreformatted: boolean): void {
    if (isPreformatted) return this.#push(text);
    const words = text.replace(/[ \t\n\f\r]+/g, " ");
    if (words.startsWith(" ")) this.#isSpaceDue = true;
    const inner = words.replace(/^ | $/g, "");
    if (inner !== "") this.#push(inner);
    if (inner !== "" && words.endsWith(" ")) this.#isSpaceDue = true;
  }

  /** Cells of a row have a tab between them. */
  cell(): void {
    if (this.#parts.length > 0 && this.#due === 0) this.#push("\t");
  }

  break(count: number): void {
    this.#due = Math.max(this.#due, count);
    this.#isSpaceDue = false;
  }

  /** Characters so far, without what separates them. */
  get length(): number {
    return this.#length;
  }

  text(): string {
    return this.#parts.length === 0 ? "" : `${this.#parts.join("")}\n`;
  }

  #push(text: string): void {
    const before = this.#parts.length === 0 ? "" : this.#due > 0 ? "\n".repeat(this.#due) : this.#isSpaceDue ? " " : "";
    [this.#due, this.#isSpaceDue] = [0, false];
    this.#length += text.length;
    this.#parts.push(before + text);
  }
}
