// The words of a model, each with a number. 0 is every word that the model does not know.

/** What stands for words that a model does not know, as models spell it. */
const unknownWords: readonly string[] = ["<unk>", "<UNK>"];

/** The number of a word that is not known. */
export const unknownId = 0;

/** The words of a model in the order of their numbers, which begin with that of unknown words. */
export class NgramWords {
  readonly #words: string[] = ["<unk>"];
  readonly #ids = new Map<string, number>();

  /** How many there are, the unknown one included. */
  get size(): number {
    return this.#words.length;
  }

  /** The word's number, `unknownId` where it is not known. */
  idOf(word: string): number {
    return this.#ids.get(word) ?? unknownId;
  }

  /** The word of a number. */
  wordOf(id: number): string {
    return this.#words[id] ?? "<unk>";
  }

  /** @returns the number of a new word, `unknownId` for what stands for unknown ones, undefined where the word is there already */
  add(word: string): number | undefined {
    if (unknownWords.includes(word)) return unknownId;
    if (this.#ids.has(word)) return undefined;
    this.#ids.set(word, this.#words.length);
    return this.#words.push(word) - 1;
  }
}

/** Whether a model can hold a word: marks of models and white space have another meaning in their files. */
export function isNgramWord(word: string): boolean {
  return !/^$|[\0\t\n\r ]|^<(?:unk|UNK|s|\/s)>$/.test(word);
}
