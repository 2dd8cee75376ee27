// A page as well-formed markup, which a parser of XML reads as browsers read the page: end tags that authors omit are there, and nothing but what holds text.
import { isFlowTag } from "./flow.ts";
import { isContainer, OpenElements } from "./open-elements.ts";
import { readTags, type TagListener } from "./read-tags.ts";

/**
 * Limits of a page whose main content is searched for. An element or a character costs the search at most its depth and the elements beside it, so that
 * time is in proportion to the page's length.
 */
export const treeLimits = { characters: 1 << 23, elements: 50_000, depth: 100, siblings: 5000 } as const;

/** A page that was read. */
export interface PageTree {
  readonly markup: string;
  /** The text of its `title` element. */
  readonly title: string;
  /** Texts of its `h1` elements. */
  readonly headings: readonly string[];
}

/** The attribute of the markup that says which tag an element has in the page, where tags of this name change how text flows. */
export const tagAttribute = "tag";

/** The page's tree; which limit the page is beyond, if it is. */
export function pageTree(html: string): PageTree | keyof typeof treeLimits {
  if (html.length > treeLimits.characters) return "characters";
  const writer = new TreeWriter();
  readTags(html, writer);
  return writer.tree();
}

const setOf = (names: string) => new Set(names.split(" "));
const voids = setOf("area base br col embed hr img input link meta param source track wbr");
/** Void elements that say nothing of a page's text. */
const skipped = setOf("area base embed link meta param source track html body");
/** A paragraph ends where one of these begins (HTML, section 13.1.2.4). */
const endsParagraph = setOf(
  "address article aside blockquote center details dialog div dl fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr main menu nav ol p pre section table ul",
);
/** What is open and ends where an element begins whose name is the key, up to an element that stops the search. */
const impliedEnds: ReadonlyMap<string, { readonly names: readonly string[]; readonly stops: ReadonlySet<string> }> = new Map([
  ["li", { names: ["li"], stops: setOf("ul ol menu table td th") }],
  ["dt", { names: ["dt", "dd"], stops: setOf("dl table td th") }],
  ["dd", { names: ["dt", "dd"], stops: setOf("dl table td th") }],
  ["td", { names: ["td", "th"], stops: setOf("table tr") }],
  ["th", { names: ["td", "th"], stops: setOf("table tr") }],
  ["tr", { names: ["tr", "caption"], stops: setOf("table") }],
  ["tbody", { names: ["thead", "tbody", "caption"], stops: setOf("table") }],
  ["tfoot", { names: ["thead", "tbody"], stops: setOf("table") }],
  ["a", { names: ["a"], stops: setOf("div section article main table td th li p") }],
]);
const partsOfTables = setOf("caption thead tbody tfoot tr td th");
const listItems = setOf("li dt dd");
/** An end tag does not end elements around these, by the kind of its name. */
const stopsOf = {
  part: setOf("table"),
  item: setOf("ul ol menu dl table td th caption"),
  container: setOf("table td th caption"),
  inline: setOf(
    "div section article main form fieldset figure blockquote address dl ul ol pre table details center li dt dd caption thead tbody tfoot tr td th header",
  ),
};

function stopsAt(name: string): ReadonlySet<string> {
  if (name === "table" || partsOfTables.has(name)) return stopsOf.part;
  if (listItems.has(name)) return stopsOf.item;
  return isContainer(name) ? stopsOf.container : stopsOf.inline;
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string) => text.replace(/[&<>"]/g, (character) => escapes[character] ?? "");

/** A table around one of these places the parts of a page. It is written as boxes, because the library takes a table for data or for one part. */
const layoutSigns = setOf("table h1 h2 h3 h4 h5 h6 form");

/** A table that is open. */
interface OpenTable {
  /** Where its tags and those of its rows and cells are among the parts of the markup. */
  readonly tags: number[];
  isLayout: boolean;
}

/** Characters of a heading or a title that are kept. */
const longestHeading = 300;

class TreeWriter implements TagListener {
  readonly attributes = setOf("class id role rel itemprop hidden aria-hidden aria-modal style href colspan rowspan summary datatable");
  readonly #parts: string[] = [];
  readonly #open = new OpenElements();
  /** Elements among the children of each that is open. */
  readonly #children: number[] = [0];
  readonly #headings: string[] = [];
  readonly #tables: OpenTable[] = [];
  #title = "";
  #isTitle = false;
  #elements = 0;
  #beyond: keyof typeof treeLimits | undefined;

  open(name: string, attributes: ReadonlyMap<string, string>): void {
    if (this.#beyond !== undefined) return;
    this.#isTitle = name === "title" && this.#title === "" && this.#open.count("svg") === 0;
    this.#open.endHead(name);
    if (this.#open.isLeft) {
      if (isContainer(name)) this.#open.enter(name, true);
      return;
    }
    if (skipped.has(name)) return;
    if (endsParagraph.has(name)) this.#end("p", stopsOf.inline);
    const implied = impliedEnds.get(name);
    if (implied !== undefined) for (const ended of implied.names) this.#end(ended, implied.stops);
    const around = this.#tables.at(-1);
    if (around !== undefined && layoutSigns.has(name)) around.isLayout = true;
    if (voids.has(name)) return this.#count(() => this.#parts.push(`<${name}${written(name, attributes)}/>`));
    this.#open.enter(name, true);
    if (this.#open.isLeft) return;
    this.#count(() => this.#parts.push(`<${named(name)}${written(name, attributes)}>`));
    this.#children.push(0);
    if (name === "table") this.#tables.push({ tags: [], isLayout: false });
    this.#keepTag(name);
    if (name === "h1") this.#headings.push("");
    if (this.#open.depth > treeLimits.depth) this.#beyond = "depth";
  }

  close(name: string): void {
    this.#isTitle = false;
    if (this.#beyond !== undefined) return;
    if (!this.#open.isLeft) this.#end(name, stopsAt(name));
    else if (isContainer(name)) this.#open.leave(name, this.#onEnd);
  }

  add(text: string): void {
    if (this.#isTitle) this.#title = `${this.#title}${text}`.slice(0, longestHeading);
    if (this.#beyond !== undefined || this.#open.isLeft) return;
    this.#parts.push(escaped(text));
    const last = this.#headings.length - 1;
    if (this.#open.count("h1") > 0) this.#headings[last] = `${this.#headings[last]}${text}`.slice(0, longestHeading);
  }

  tree(): PageTree | keyof typeof treeLimits {
    if (this.#beyond !== undefined) return this.#beyond;
    while (this.#open.depth > 0) this.#open.leaveLast(this.#onEnd);
    return { markup: this.#parts.join(""), title: this.#title, headings: this.#headings };
  }

  #end(name: string, stops: ReadonlySet<string>): void {
    if (this.#open.isInside(name, stops)) this.#open.leave(name, this.#onEnd);
  }

  readonly #onEnd = (name: string) => {
    this.#parts.push(`</${named(name)}>`);
    this.#children.pop();
    this.#keepTag(name);
    if (name === "table") this.#endTable();
  };

  /** Keeps where the last tag is, of a table that may turn out to be the page's layout. */
  #keepTag(name: string): void {
    if (name === "table" || partsOfTables.has(name)) this.#tables.at(-1)?.tags.push(this.#parts.length - 1);
  }

  #endTable(): void {
    const table = this.#tables.pop();
    if (table?.isLayout) for (const at of table.tags) this.#parts[at] = this.#parts[at]?.replace(/^(<\/?)[a-z]+/, "$1div") ?? "";
  }

  #count(write: () => void): void {
    const last = this.#children.length - 1;
    const siblings = (this.#children[last] ?? 0) + 1;
    this.#children[last] = siblings;
    if (++this.#elements > treeLimits.elements) this.#beyond = "elements";
    else if (siblings > treeLimits.siblings) this.#beyond = "siblings";
    else write();
  }
}

/** A name that well-formed markup may have; "o:p" and the like say nothing of a page's text. */
function named(name: string): string {
  return /^[a-z][a-z\d]*$/.test(name) ? name : "span";
}

function written(name: string, attributes: ReadonlyMap<string, string>): string {
  let text = isFlowTag(name) ? ` ${tagAttribute}="${name}"` : "";
  if (name === "img") text += ' data-src=""'; // a picture without an address is none
  for (const [key, value] of attributes) {
    if (key !== "href") text += ` ${key}="${escaped(value)}"`;
    else if (value.startsWith("#")) text += ' href="#a"'; // whether a link leads out of the page is all that counts
  }
  return text;
}
