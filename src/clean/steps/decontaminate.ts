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
    .describe("words in a row that a document may not share with an item; 13 in GPT-3's paper, The Pile and lm-evaluation-harness"),
  leastWords: z
    .int()
    .min(2)
    .max(100)
    .default(8)
    .describe(
      "an item with fewer words than `words`, but at least so many, is looked for as a whole; 8 is the least in GPT-3's paper, below which documents have the same words by chance; shorter items are not looked for, which is told for each file",
    ),
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
  async open({ tests, words, leastWords }, files) {
    const least = Math.min(leastWords, words);
    const index = new TestIndex(words, least);
    const notes: string[] = [];
    for (const path of tests) {
      const { items, short } = await index.add(path, files);
      if (short > 0) notes.push(`${short} of ${items} items of ${path} have fewer than ${least} words, and are not looked for`);
    }
    check(index.size > 0, where, () => `${tests.join(", ")}: no item has ${least} words: name other tests, or ask for fewer words`);
    return {
      notes,
      apply(document) {
        const found = index.find(document.text);
        const [first] = found;
        return first === undefined ? document : { reason: "contaminated", measured: first, found };
      },
    };
  },
});

/** The n-grams of items, and short items as a whole, by hashes of 53 bits. */
class TestIndex {
  readonly #most: number;
  readonly #least: number;
  /** Whether n-grams of so many words are looked for. */
  readonly #isLength: boolean[];
  readonly #words = new PlainWords();
  /** The first item that has an n-gram. */
  readonly #items = new Map<number, string>();
  /** The other items that have it, which few n-grams have. */
  readonly #others = new Map<number, Set<string>>();
  /** Whether an n-gram may be of an item, by its first hash: most are not, and this is asked some times faster than the map. */
  #bits: Int32Array | undefined;

  /** @param most words of an n-gram @param least words of an item that is looked for as a whole */
  constructor(most: number, least: number) {
    [this.#most, this.#least] = [most, least];
    this.#isLength = new Array<boolean>(most + 1).fill(false);
  }

  get size(): number {
    return this.#items.size;
  }

  /** Takes the items of a file. @returns how many it has, and how many are too short to be looked for */
  async add(path: string, files: StepFiles): Promise<{ readonly items: number; readonly short: number }> {
    const lines = decodeUtf8(await files.read(path), path, where).split(/\r?\n/);
    let [items, short] = [0, 0];
    for (const [i, line] of lines.entries()) {
      if (line.trim() === "") continue;
      const name = `${path}:${i + 1}`;
      const texts = /\.(?:jsonl|ndjson)$/.test(path) ? textsOf(parseJson(where, name, line, "correct or remove it")) : [line];
      const isLong = texts.map((text) => this.#addText(text, name));
      items++;
      if (!isLong.includes(true)) short++;
    }
    return { items, short };
  }

  /** @returns whether the text is long enough to be looked for */
  #addText(text: string, name: string): boolean {
    const count = this.#words.read(text);
    if (count < this.#least) return false;
    const length = Math.min(count, this.#most);
    this.#isLength[length] = true;
    for (let start = 0; start + length <= count; start++)
      this.#eachHash(start, start + length, (low, high, words) => words === length && this.#addHash(keyOf(low, high), name));
    return true;
  }

  #addHash(hash: number, name: string): void {
    const first = this.#items.get(hash);
    if (first === undefined) this.#items.set(hash, name);
    else if (first !== name) this.#others.set(hash, (this.#others.get(hash) ?? new Set()).add(name));
  }

  /** The items that a text shares n-grams with, in the order in which it does, each once. */
  find(text: string): readonly string[] {
    const found = new Set<string>();
    const count = this.#words.read(text);
    this.#bits ??= bitsOf(this.#items.keys(), this.#items.size);
    const bits = this.#bits;
    const mask = bits.length - 1;
    const look = (low: number, high: number) => {
      if (((bits[(low >>> 5) & mask]! >>> (low & 31)) & 1) === 0) return;
      const key = keyOf(low, high);
      const item = this.#items.get(key);
      if (item === undefined) return;
      found.add(item);
      for (const other of this.#others.get(key) ?? []) found.add(other);
    };
    const shortest = this.#isLength.indexOf(true);
    for (let start = 0; start + shortest <= count; start++) this.#eachHash(start, count, look);
    return [...found];
  }

  /** Tells two hashes of the words from `start` on for each number of words that is looked for, as far as `end`. */
  #eachHash(start: number, end: number, tell: (low: number, high: number, words: number) => void): void {
    const { hashes } = this.#words;
    const most = Math.min(this.#most, end - start);
    let [low, high] = [0, 0];
    for (let words = 1; words <= most; words++) {
      const word = hashes[start + words - 1]!;
      low = finalised(Math.imul(low, 0x01000193) ^ word);
      high = Math.imul(high ^ word, 0x27d4eb2f);
      if (this.#isLength[words]) tell(low, high, words);
    }
  }
}

/** 53 bits of two hashes. */
function keyOf(low: number, high: number): number {
  return (low >>> 0) * 2 ** 21 + (finalised(high) >>> 11);
}

/** A bit for each first hash, modulo a power of two: sixteen bits per key, of which one at most is set. */
function bitsOf(keys: Iterable<number>, count: number): Int32Array {
  const bits = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(64, 16 * count) / 32)));
  for (const key of keys) {
    const low = Math.floor(key / 2 ** 21);
    bits[(low >>> 5) & (bits.length - 1)]! |= 1 << (low & 31);
  }
  return bits;
}

/** All texts of a value of JSON. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return isObject(value) ? Object.values(value).flatMap(textsOf) : [];
}
