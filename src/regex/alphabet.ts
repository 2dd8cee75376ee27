// Characters in classes: two characters of one class are in the same sets of a pattern, so an automaton reads classes.
import { type CodePoints, contains } from "./code-points.ts";

/** The classes of characters that a pattern tells apart. */
export class Alphabet {
  /** First code points of runs of one class, in ascending order. */
  readonly #starts: Int32Array;
  readonly #classes: Uint16Array;
  readonly #units: Uint16Array;
  /** How many classes there are. */
  readonly size: number;
  readonly #examples: readonly number[];

  /** @param refuse is called where the sets cut the characters into more than `most` classes */
  constructor(sets: readonly CodePoints[], most: number, refuse: (size: number) => never) {
    const starts = [...new Set([0, ...sets.flatMap((set) => set.flatMap(([first, last]) => [first, last + 1]))])]
      .filter((point) => point <= 0x10ffff)
      .sort((a, b) => a - b);
    const known = new Map<string, number>();
    const examples: number[] = [];
    const classes = starts.map((point) => {
      const key = sets.map((set) => (contains(set, point) ? "1" : "0")).join("");
      const found = known.get(key) ?? known.size;
      if (found === known.size) {
        known.set(key, found);
        examples.push(point);
        if (found >= most) refuse(found + 1);
      }
      return found;
    });
    this.size = known.size;
    this.#examples = examples;
    this.#starts = Int32Array.from(starts);
    this.#classes = Uint16Array.from(classes);
    this.#units = new Uint16Array(0x10000);
    starts.forEach((point, i) => {
      if (point < 0x10000) this.#units.fill(classes[i] ?? 0, point, Math.min(starts[i + 1] ?? 0x10000, 0x10000));
    });
  }

  /** The classes whose characters a set has. */
  classesOf(set: CodePoints): Uint8Array {
    return Uint8Array.from(this.#examples, (point) => (contains(set, point) ? 1 : 0));
  }

  /** The class of every UTF-16 unit as a character by itself, for loops. */
  get units(): Uint16Array {
    return this.#units;
  }

  /** The class of a code point above U+FFFF. */
  classOf(codePoint: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= codePoint) low = middle;
      else high = middle - 1;
    }
    return this.#classes[low] ?? 0;
  }
}
