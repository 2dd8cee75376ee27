// The tags and the text of a page in order, as htmlparser2's tokenizer finds them, in linear time for any page.
import { Tokenizer } from "htmlparser2";

/** Is told of tags, their names in lower case, and of the text between them. */
export interface TagListener {
  /** Names of attributes that are wanted, in lower case; none unless given. */
  readonly attributes?: ReadonlySet<string>;
  open(name: string, attributes: ReadonlyMap<string, string>): void;
  close(name: string): void;
  add(text: string): void;
}

/** UTF-16 units of a value of an attribute that are kept; lists of classes are shorter. */
const longestValue = 1000;

/** Reads a page from its beginning to its end. */
export function readTags(html: string, listener: TagListener): void {
  const tokenizer = new Tokenizer({ decodeEntities: true }, new TagReader(html, listener));
  tokenizer.write(html);
  tokenizer.end();
}

const nothing = () => {};
const none: ReadonlyMap<string, string> = new Map();

/** What the tokenizer calls, with places in the page. */
class TagReader {
  readonly #html: string;
  readonly #listener: TagListener;
  /** The name of the tag being read. */
  #tag = "";
  #attributes: Map<string, string> | undefined;
  /** The attribute being read, where it is wanted. */
  #attribute: string | undefined;
  #value = "";

  readonly oncdata = nothing;
  readonly oncomment = nothing;
  readonly ondeclaration = nothing;
  readonly onend = nothing;
  readonly onprocessinginstruction = nothing;

  constructor(html: string, listener: TagListener) {
    [this.#html, this.#listener] = [html, listener];
  }

  onopentagname(start: number, end: number): void {
    this.#tag = this.#name(start, end);
    this.#attributes = undefined;
  }

  onattribname(start: number, end: number): void {
    const { attributes } = this.#listener;
    const name = attributes === undefined ? "" : this.#name(start, end);
    this.#attribute = attributes?.has(name) && !this.#attributes?.has(name) ? name : undefined; // the first of one name counts
    this.#value = "";
  }

  onattribdata(start: number, end: number): void {
    if (this.#attribute !== undefined && this.#value.length < longestValue)
      this.#value += this.#html.slice(start, Math.min(end, start + longestValue));
  }

  onattribentity(codepoint: number): void {
    if (this.#attribute !== undefined && this.#value.length < longestValue) this.#value += String.fromCodePoint(codepoint);
  }

  onattribend(): void {
    if (this.#attribute === undefined) return;
    this.#attributes ??= new Map();
    this.#attributes.set(this.#attribute, this.#value);
  }

  onopentagend(): void {
    this.#listener.open(this.#tag, this.#attributes ?? none);
  }

  /** Only SVG and MathML elements can close themselves in HTML. */
  onselfclosingtag(): void {
    this.onopentagend();
    if (this.#tag === "svg" || this.#tag === "math") this.#listener.close(this.#tag);
  }

  onclosetag(start: number, end: number): void {
    this.#listener.close(this.#name(start, end));
  }

  ontext(start: number, end: number): void {
    this.#listener.add(this.#html.slice(start, end));
  }

  ontextentity(codepoint: number): void {
    this.#listener.add(String.fromCodePoint(codepoint));
  }

  #name(start: number, end: number): string {
    return this.#html.slice(start, end).toLowerCase();
  }
}
