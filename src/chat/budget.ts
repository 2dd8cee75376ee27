// How much work a template may be: it comes from whoever made the model, and may loop for as long as it likes.
import { Text } from "./text.ts";
import { Dict, List, TemplateError, type Value } from "./values.ts";

/** Steps of one render: nodes evaluated, elements of lists, and 256 characters of text made. At most about a second of work; 2,000 messages take 100,000 to 200,000. */
export const maxSteps = 1_000_000;
/** Characters of one text, a multiple of what was given and this many more. */
export const maxText = 1 << 24;

/** Counts the work of one rendering. @throws TemplateError where it is more than a template may do */
export class Budget {
  readonly #text: number;
  #steps = 0;

  /** @param given characters of the messages and all else that a template is given */
  constructor(given: number) {
    this.#text = maxText + 4 * given;
  }

  /** @throws TemplateError when the template has used up its steps. */
  step(count = 1): void {
    this.#steps += count;
    if (this.#steps > maxSteps) throw new TemplateError(`it takes more than ${maxSteps.toLocaleString("en-US")} steps, which is the limit`);
  }

  /** Asked before a text is made. @throws TemplateError when it is too long. */
  text(length: number): void {
    if (length > this.#text)
      throw new TemplateError(
        `it makes a text of ${length.toLocaleString("en-US")} characters, but the limit is ${this.#text.toLocaleString("en-US")}`,
      );
    this.step(Math.ceil(length / 256));
  }

  /** Counts a whole value, which is asked before all of it is walked through: lists may hold one another many times. */
  value(value: Value): void {
    this.step();
    if (value instanceof Text) this.step(Math.ceil(value.text.length / 256));
    else if (value instanceof List) for (const item of value.items) this.value(item);
    else if (value instanceof Dict) for (const [key, item] of value.entries.values()) this.#pair(key, item);
  }

  #pair(key: Text, item: Value): void {
    this.value(key);
    this.value(item);
  }
}
