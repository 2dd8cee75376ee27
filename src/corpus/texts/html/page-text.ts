// The text of a whole page: paragraphs, no markup, no scripts, no menus. htmlparser2's tokenizer finds tags and character references as browsers do;
// which of them hold text is here. Its parser is not used: it takes a minute for a page of 200,000 open elements.
import { Flow } from "./flow.ts";
import { isContainer, OpenElements } from "./open-elements.ts";
import { readTags, type TagListener } from "./read-tags.ts";

/** A part of a page that has less than this share of what stands around it, too, is not what the page is about: a card, a form, a list of links. */
const leastShare = 0.2;

/** The text inside `main` or `article` elements where these hold what the page is about, else that of the whole page. */
export function pageText(html: string): string {
  const page = new PageText();
  readTags(html, page);
  return page.text();
}

class PageText implements TagListener {
  readonly #whole = new Flow();
  /** The whole page with its headers, because some pages have all their text in one. */
  readonly #withHeaders = new Flow();
  readonly #main = new Flow();
  readonly #open = new OpenElements();

  open(name: string): void {
    this.#open.endHead(name);
    if (isContainer(name)) this.#open.enter(name);
    this.#each((flow) => flow.open(name));
  }

  close(name: string): void {
    this.#each((flow) => flow.close(name));
    this.#open.leave(name);
  }

  add(text: string): void {
    if (this.#open.isLeftBesideHeaders) return;
    const isPreformatted = this.#open.count("pre") > 0;
    this.#withHeaders.add(text, isPreformatted);
    if (this.#open.isLeft) return;
    this.#whole.add(text, isPreformatted);
    if (this.#open.isInMain) this.#main.add(text, isPreformatted);
  }

  text(): string {
    return orWider(this.#main, orWider(this.#whole, this.#withHeaders)).text();
  }

  #each(act: (flow: Flow) => void): void {
    act(this.#whole);
    act(this.#withHeaders);
    if (this.#open.isInMain) act(this.#main);
  }
}

/** A part of a page, or what it is a part of where that holds far more. */
function orWider(part: Flow, wider: Flow): Flow {
  return part.length < leastShare * wider.length ? wider : part;
}
