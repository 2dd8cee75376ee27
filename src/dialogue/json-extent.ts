// Finds the end of an object of JSON in a text that arrives in pieces.

/** Reads an object from its first brace on. It does not judge what stands between braces, brackets and quotes. */
export class JsonExtent {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** How many of the text's characters belong to the object, and whether it ends with them; undefined where it begins with none. */
  take(text: string, start = 0): { readonly end: number; readonly isWhole: boolean } | undefined {
    for (let at = start; at < text.length; at++) {
      const char = text[at]!;
      if (this.#depth === 0 && char !== "{") return undefined;
      this.#read(char);
      if (this.#depth === 0) return { end: at + 1, isWhole: true };
    }
    return { end: text.length, isWhole: false };
  }

  #read(char: string): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.#isInString) {
      this.#isEscaped = char === "\\";
      this.#isInString = char !== '"';
    } else if (char === '"') this.#isInString = true;
    else if (char === "{" || char === "[") this.#depth++;
    else if (char === "}" || char === "]") this.#depth--;
  }
}
