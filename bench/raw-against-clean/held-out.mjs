// What both kinds of models are measured on: clean text of held-out documents, less every passage that shares thirteen words in a row with a training text.
import { cutText, Rng } from "../../dist/base/index.js";
import { openTexts } from "../../dist/corpus/index.js";

/** Words in a row that a passage may not share with training (Brown et al. 2020, arXiv 2005.14165, appendix C). */
const wordsInARow = 13;
/** UTF-16 units of a passage, at most. */
const passageLength = 4000;

/** Passages of a source, and how many there were before those went that training holds. */
export class HeldOutPassages {
  #passages = [];
  /** Runs of words → the passages that hold them. */
  #rows = new Map();
  #contaminated = new Set();

  /** @param files of clean documents, by the names of their sources */
  async add(source, files) {
    for await (const text of textsOf(files, { format: "jsonl" }))
      for (const passage of cutText(text, passageLength)) {
        const number = this.#passages.push({ source, text: passage.trim() }) - 1;
        for (const row of rowsOf(passage)) {
          const there = this.#rows.get(row);
          if (there === undefined) this.#rows.set(row, [number]);
          else if (there.at(-1) !== number) there.push(number);
        }
      }
  }

  /** Marks the passages that share words in a row with these files. */
  async compare(files, options) {
    for await (const text of textsOf(files, options))
      for (const row of rowsOf(text)) for (const number of this.#rows.get(row) ?? []) this.#contaminated.add(number);
  }

  /** The text of a source, of at most so many characters, in passages of a random choice; and the numbers of all and of clean passages. */
  textOf(source, mostCharacters) {
    const all = [...this.#passages.entries()].filter(([, passage]) => passage.source === source);
    const clean = all.filter(([number]) => !this.#contaminated.has(number)).map(([, { text }]) => text);
    const rng = new Rng(1);
    for (let i = clean.length - 1; i > 0; i--) {
      const j = rng.below(i + 1);
      [clean[i], clean[j]] = [clean[j], clean[i]];
    }
    const taken = [];
    for (let characters = 0; taken.length < clean.length && characters < mostCharacters; ) {
      const passage = clean[taken.length];
      taken.push(passage);
      characters += passage.length;
    }
    return { text: taken.join("\n\n"), passages: all.length, clean: clean.length, taken: taken.length };
  }
}

/** What is no UTF-8 in raw files is converted as for training. */
async function* textsOf(files, options) {
  const texts = await openTexts(files, options);
  yield* texts.documents({ onNote: () => {} });
  await texts[Symbol.asyncDispose]();
}

function* rowsOf(text) {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  for (let i = 0; i + wordsInARow <= words.length; i++) yield words.slice(i, i + wordsInARow).join(" ");
}
