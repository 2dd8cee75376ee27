// A document on its way through the steps of cleaning: its text, what was found out about it, and views of the text that several steps share.
import { countCharacters, splitLines } from "./text/python-text.ts";
import { Words } from "./text/words.ts";

/** What is known of a document beside its text: where it is from, and what steps found out, such as its language. */
export type Facts = Readonly<Record<string, string | number | undefined>>;

/** Texts of up to so many units share the arrays of their words, since allocating them takes longer than finding the words. */
const mostShared = 1 << 20;
const sharedWords = new Words();

/** A text and what is known of it. Views are made when they are first asked for, and kept. */
export class CleanDocument {
  readonly text: string;
  readonly facts: Facts;
  #characters: number | undefined;
  #lines: readonly string[] | undefined;
  #words: Words | undefined;

  constructor(text: string, facts: Facts = {}) {
    this.text = text;
    this.facts = facts;
  }

  /** Code points of the text. */
  get characters(): number {
    this.#characters ??= countCharacters(this.text);
    return this.#characters;
  }

  /** Its lines, as Python's `str.splitlines` has them. */
  get lines(): readonly string[] {
    this.#lines ??= splitLines(this.text);
    return this.#lines;
  }

  /** Its words: what stands between white space. They are there until the words of another document are asked for. */
  get words(): Words {
    if (this.text.length <= mostShared) {
      if (sharedWords.text !== this.text) sharedWords.read(this.text);
      return sharedWords;
    }
    this.#words ??= new Words(this.text);
    return this.#words;
  }

  /** The same document with another text; itself where the text is the same. */
  withText(text: string): CleanDocument {
    return text === this.text ? this : new CleanDocument(text, this.facts);
  }

  /** The same text, of which more is known. Views stay. */
  withFacts(facts: Facts): CleanDocument {
    const document = new CleanDocument(this.text, { ...this.facts, ...facts });
    [document.#characters, document.#lines, document.#words] = [this.#characters, this.#lines, this.#words];
    return document;
  }
}
