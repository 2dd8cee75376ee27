// Texts on a pool of pages, with the keys that a machine would have in them, and random operations on them.
import { expect } from "vitest";
import { fail, Rng } from "../base/index.ts";
import { pageKeys } from "../graph/index.ts";
import { CachedText, type PageCopy } from "./cached-text.ts";
import { PageAllocator } from "./page-allocator.ts";

/** What a machine would have in its pages: each key is its salt and its whole prefix, as a string. */
export class Bench {
  readonly pool: PageAllocator;
  readonly #keys: (string | undefined)[];
  readonly #salts = new WeakMap<CachedText, string>();

  constructor(pages: number) {
    this.pool = new PageAllocator(pages);
    this.#keys = Array.from({ length: pages * pageKeys });
  }

  text(ids: readonly number[] = [], salt = ""): CachedText {
    const text = new CachedText(this.pool, ids, salt);
    this.#salts.set(text, salt);
    return text;
  }

  fork(text: CachedText): CachedText {
    const fork = text.fork();
    this.#salts.set(fork, this.#saltOf(text));
    return fork;
  }

  /** Computes up to `rows` rows of a text. @returns how many */
  compute(text: CachedText, rows = text.length - text.computed): number {
    const copies: PageCopy[] = [];
    const count = text.reserve(rows, copies);
    for (const { from, to } of copies)
      for (let key = 0; key < pageKeys; key++) this.#keys[to * pageKeys + key] = this.#keys[from * pageKeys + key];
    for (let row = text.computed; row < text.computed + count; row++) this.#keys[this.#at(text, row)] = this.#key(text, row);
    text.commit(count);
    return count;
  }

  /** Every key of a text is its own. */
  verify(text: CachedText): void {
    expect(text.pages.length).toBe(Math.ceil(text.computed / pageKeys));
    for (let row = 0; row < text.computed; row++)
      if (this.#keys[this.#at(text, row)] !== this.#key(text, row)) throw new Error(`row ${row} has another text's key`);
  }

  #key(text: CachedText, row: number): string {
    return `${this.#saltOf(text)}: ${text.ids(row + 1).join(" ")}`;
  }

  #saltOf(text: CachedText): string {
    return this.#salts.get(text) ?? fail("test", "the text is another bench's");
  }

  #at(text: CachedText, row: number): number {
    return text.pages[Math.floor(row / pageKeys)]!.number * pageKeys + (row % pageKeys);
  }
}

export const count = (length: number, first = 0) => Array.from({ length }, (_, i) => first + i);

/** Random texts over two tokens, so that many begin alike. */
export function fuzzPages(seed: number, operations: number): void {
  const rng = new Rng(seed);
  const pages = 1 + rng.below(12);
  const bench = new Bench(pages);
  let texts: CachedText[] = [];
  const grow = (text: CachedText) => {
    const run = rng.below(100);
    const id = rng.below(2);
    for (let i = 0; i < run; i++) text.append([rng.below(40) === 0 ? rng.below(2) : id]);
  };
  const steps: ((text: CachedText) => void)[] = [
    (text) => grow(text),
    (text) => void bench.compute(text, rng.below(text.length - text.computed + 1)),
    (text) => void bench.compute(text),
    (text) => text.reuse(text.computed + rng.below(text.length - text.computed + 1)),
    (text) => text.reuse(text.length),
    (text) => text.truncate(rng.below(text.length + 1)),
    (text) => text.pause(),
    (text) => text.forget(),
    (text) => void texts.push(bench.fork(text)),
    (text) => {
      text.pause();
      texts = texts.filter((other) => other !== text);
    },
  ];
  for (let i = 0; i < operations; i++) {
    if (texts.length === 0 || rng.below(6) === 0) texts.push(bench.text([], ["", "a"][rng.below(2)]));
    steps[rng.below(steps.length)]!(texts[rng.below(texts.length)]!);
    for (const text of texts) bench.verify(text);
    expect(bench.pool.held + bench.pool.kept).toBeLessThanOrEqual(pages);
  }
  for (const text of texts) text.pause();
  expect(bench.pool.held).toBe(0);
  const all = bench.text(count(pages * pageKeys, 100));
  expect(bench.compute(all)).toBe(pages * pageKeys); // no page was lost
}
