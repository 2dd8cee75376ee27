// Writes an ARPA file: see arpa-read.ts for its form.
import type { NgramSink } from "./ngram-sink.ts";

/** Characters that are written together. */
const chunkLength = 1 << 16;

/** Takes n-grams, and writes them as an ARPA file. */
export class ArpaWriter implements NgramSink {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #words: string[] = [];
  #text = "";
  #longest = 0;
  /** The order whose list is being written. */
  #order = 0;

  /** @param write takes the file's bytes, one part after another */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  begin(counts: readonly number[]): void {
    this.#longest = counts.length;
    this.#text += `\\data\\\n${counts.map((count, i) => `ngram ${i + 1}=${count}\n`).join("")}`;
  }

  word(word: string, probability: number, backoff: number): number {
    this.#add(1, word, probability, backoff);
    return this.#words.push(word) - 1;
  }

  ngram(ids: ArrayLike<number>, probability: number, backoff: number): void {
    this.#add(ids.length, Array.from(ids, (id) => this.#words[id]).join(" "), probability, backoff);
  }

  /** Writes the end of the file. */
  finish(): void {
    this.#open(this.#longest);
    this.#text += "\n\\end\\\n";
    this.#flush();
  }

  #add(order: number, words: string, probability: number, backoff: number): void {
    this.#open(order);
    this.#text += `${numberText(probability)}\t${words}${order === this.#longest ? "" : `\t${numberText(backoff)}`}\n`;
    if (this.#text.length >= chunkLength) this.#flush();
  }

  /** Writes the headings up to that of an order. */
  #open(order: number): void {
    while (this.#order < order) this.#text += `\n\\${++this.#order}-grams:\n`;
  }

  #flush(): void {
    this.#write(new TextEncoder().encode(this.#text));
    this.#text = "";
  }
}

/** The fewest digits that tell the number in float32. */
function numberText(value: number): string {
  const rounded = Math.fround(value);
  for (let digits = 6; digits < 9; digits++) {
    const text = `${Number(rounded.toPrecision(digits))}`;
    if (Math.fround(Number(text)) === rounded) return text;
  }
  return rounded === Number.NEGATIVE_INFINITY ? "-inf" : `${Number(rounded.toPrecision(9))}`;
}
