// Text as it flows down a page: white space collapsed, and the line breaks that tags make.

/** These begin and end a line of their own. */
const lines = new Set(
  "address blockquote dd div dl dt fieldset figcaption figure form header hr li main article section table tbody thead tr".split(" "),
);
/** And these stand apart by an empty line. */
const paragraphs = new Set("p h1 h2 h3 h4 h5 h6 ul ol pre blockquote table".split(" "));

/** Whether tags of this name change how the text around them flows. */
export function isFlowTag(name: string): boolean {
  return paragraphs.has(name) || lines.has(name) || name === "br" || name === "td" || name === "th";
}

/** Text with white space collapsed as CSS does (CSS Text 3, section 4.1), and line breaks that are due before the next word. */
export class Flow {
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

  /** What a start tag does: cells of a row have a tab between them. */
  open(name: string): void {
    if (name === "br") this.#break(1);
    if ((name === "td" || name === "th") && this.#parts.length > 0 && this.#due === 0) this.#push("\t");
    this.close(name);
  }

  /** What an end tag does. */
  close(name: string): void {
    if (paragraphs.has(name)) this.#break(2);
    else if (lines.has(name)) this.#break(1);
  }

  /** Characters so far, without what separates them. */
  get length(): number {
    return this.#length;
  }

  text(): string {
    return this.#parts.length === 0 ? "" : `${this.#parts.join("")}\n`;
  }

  #break(count: number): void {
    this.#due = Math.max(this.#due, count);
    this.#isSpaceDue = false;
  }

  #push(text: string): void {
    const before = this.#parts.length === 0 ? "" : this.#due > 0 ? "\n".repeat(this.#due) : this.#isSpaceDue ? " " : "";
    [this.#due, this.#isSpaceDue] = [0, false];
    this.#length += text.length;
    this.#parts.push(before + text);
  }
}
