// Documents that hold what a model is to be tested with: a row of words of a test's item (Brown et al. 2020, arXiv 2005.14165, appendix C).
import { z } from "zod";
import { check, decodeUtf8, finalised, isObject, parseJson } from "../../base/index.ts";
import { type StepFiles, stepRow } from "../step.ts";
import { PlainWords } from "../text/plain-words.ts";

const where = "data";

const parameters = z.strictObject({
  tests: z
    .array(z.string().min(1))
    .min(1)
    .describe("files of items, JSON Lines whose texts all count, or plain text with one item per line"),
  words: z
    .int()
    .min(2)
    .max(100)
    .default(13)
    .describe("words in a row that a document may not share with an item; 13 in GPT-3's paper; an item with fewer words is not looked for"),
});

/** The removal of documents that share words in a row with tests. */
export const decontaminate = stepRow({
  name: "decontaminate",
  summary: "drops documents that hold an item of a test",
  source: "Brown et al. 2020, arXiv 2005.14165, appendix C",
  deeds: ["drops"],
  reasons: { contaminated: "shares words in a row with a test's item" },
  parameters,
  files: ({ tests }) => tests,
  async open({ tests, words }, files) {
    const index = new TestIndex(words);
    for (const path of tests) await index.add(path, files);
    check(index.size > 0, where, () => `${tests.join(", ")}: no item has ${words} words: name other tests, or ask for fewer words`);
    return {
      apply(document) {
        const found = index.find(document.text);
        const [first] = found;
        return first === undefined ? document : { reason: "contaminated", measured: first, found };
      },
    };
  },
});

/** The n-grams of items, by hashes of 53 bits. */
class TestIndex {
  readonly #count: number;
  readonly #words = new PlainWords();
  /** The first item that has an n-gram. */
  readonly #items = new Map<number, string>();
  /** The other items that have it, which few n-grams have. */
  readonly #others = new Map<number, Set<string>>();

  constructor(count: number) {
    this.#count = count;
  }

  get size(): number {
    return this.#items.size;
  }

  async add(path: string, files: StepFiles): Promise<void> {
    const lines = decodeUtf8(await files.read(path), path, where).split(/\r?\n/);
    for (const [i, line] of lines.entries()) {
      if (line.trim() === "") continue;
      const name = `${path}:${i + 1}`;
      for (const text of /\.(?:jsonl|ndjson)$/.test(path) ? textsOf(parseJson(where, name, line, "correct or remove it")) : [line])
        for (const hash of this.#hashes(text)) this.#addHash(hash, name);
    }
  }

  #addHash(hash: number, name: string): void {
    const first = this.#items.get(hash);
    if (first === undefined) this.#items.set(hash, name);
    else if (first !== name) this.#others.set(hash, (this.#others.get(hash) ?? new Set()).add(name));
  }

  /** The items that a text shares n-grams with, in the order in which it does, each once. */
  find(text: string): readonly string[] {
    const found = new Set<string>();
    for (const hash of this.#hashes(text)) {
      const item = this.#items.get(hash);
      if (item === undefined) continue;
      found.add(item);
      for (const other of this.#others.get(hash) ?? []) found.add(other);
    }
    return [...found];
  }

  *#hashes(text: string): Generator<number> {
    const count = this.#words.read(text);
    const { hashes } = this.#words;
    for (let start = 0; start + this.#count <= count; start++) {
      let [low, high] = [0, 0];
      for (let k = start; k < start + this.#count; k++) {
        low = finalised(Math.imul(low, 0x01000193) ^ hashes[k]!);
        high = Math.imul(high ^ hashes[k]!, 0x27d4eb2f);
      }
      yield (low >>> 0) * 2 ** 21 + (finalised(high) >>> 11);
    }
  }
}

/** All texts of a value of JSON. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return isObject(value) ? Object.values(value).flatMap(textsOf) : [];
}
