// Which elements of a page are open while its tags are read, and whether what they hold is text of the page.

/** What is inside these is no text of the page: its title, code, styles, forms, menus, the frame around the article. */
const left = new Set(
  "head title script style noscript template svg math canvas iframe object audio video select button textarea nav header footer aside dialog".split(
    " ",
  ),
);
/** What may stand in a head; anything else ends it, because its end tag may be omitted (HTML, section 13.1.2.4). */
const ofHead = new Set("title base link meta style script noscript template".split(" "));
/** Their end tags cannot be omitted, so such an end tag also ends what was left open inside. */
const containers = new Set(
  "html body div section article main form fieldset figure blockquote address dl ul ol pre table details center".split(" "),
);
/** These say which part of a page is its text. */
const mains = new Set(["main", "article"]);

/** Whether an element is followed to its end, because it holds others. */
export function isContainer(name: string): boolean {
  return left.has(name) || containers.has(name);
}

interface Open {
  readonly name: string;
  /** Whether what is inside it is no text of the page. */
  readonly isLeft: boolean;
}

/** Open elements, counted by name, so that an end tag that ends nothing is passed over at once, and one that ends something looks only at what it ends. */
export class OpenElements {
  readonly #open: Open[] = [];
  readonly #counts = new Map<string, number>();
  #left = 0;
  #headers = 0;
  #mains = 0;

  get depth(): number {
    return this.#open.length;
  }

  /** Whether what stands here is no text of the page. */
  get isLeft(): boolean {
    return this.#left > 0;
  }

  /** Whether that is so even if headers are text of the page. */
  get isLeftBesideHeaders(): boolean {
    return this.#left > this.#headers;
  }

  get isInMain(): boolean {
    return this.#mains > 0;
  }

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Ends a head where a tag of this name cannot stand in one. */
  endHead(name: string): void {
    if (this.count("head") > 0 && !ofHead.has(name)) this.leave("head");
  }

  /** @param keepsHeaders whether headers are text of the page wherever they stand, and not in articles alone, where they hold its title */
  enter(name: string, keepsHeaders = this.#mains > 0): void {
    const isLeft = left.has(name) && !(name === "header" && keepsHeaders);
    const open = { name, isLeft };
    this.#open.push(open);
    this.#tally(open, 1);
  }

  /** Ends the innermost open element of this name and all inside it, where there is one; `onEnd` is told of each that holds text of the page. */
  leave(name: string, onEnd?: (name: string) => void): void {
    if (this.count(name) === 0) return;
    while (this.leaveLast(onEnd) !== name);
  }

  /** Ends the innermost open element. @returns its name */
  leaveLast(onEnd?: (name: string) => void): string | undefined {
    const last = this.#open.pop();
    if (last === undefined) return undefined;
    this.#tally(last, -1);
    if (this.#left === 0 && !last.isLeft) onEnd?.(last.name);
    return last.name;
  }

  /** Whether an element of this name is open inside the innermost one of those that stop the search, or is itself that one. */
  isInside(name: string, stops: ReadonlySet<string>): boolean {
    if (this.count(name) === 0) return false;
    for (let i = this.#open.length - 1; i >= 0; i--) {
      const open = this.#open[i]?.name ?? "";
      if (open === name) return true;
      if (stops.has(open)) return false;
    }
    return false;
  }

  #tally({ name, isLeft }: Open, change: 1 | -1): void {
    this.#counts.set(name, this.count(name) + change);
    if (isLeft) this.#left += change;
    if (isLeft && name === "header") this.#headers += change;
    if (mains.has(name)) this.#mains += change;
  }
}
