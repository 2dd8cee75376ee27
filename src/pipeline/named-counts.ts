// How many documents each of many names was counted for, such as languages and the items of a list. Texts choose the names, so that they are held in a map,
// whose keys may be "constructor", and are bounded in number.
import { mostFound } from "./report.ts";

type Counts = Readonly<Record<string, number>>;

/** Counts by name. What has no place among the first {@link mostFound} names is counted under "". */
export class NamedCounts {
  readonly #counts: Map<string, number>;

  constructor(counts: Counts = {}) {
    this.#counts = new Map(Object.entries(counts));
  }

  add(name: string, count = 1): void {
    const key = this.#counts.has(name) || this.#counts.size < mostFound ? name : "";
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  /** The counts as plain data, where "__proto__", which objects of JSON lose, stands in quotes. */
  toJSON(): Record<string, number> {
    return Object.fromEntries([...this.#counts].map(([name, count]) => [name === "__proto__" ? `"${name}"` : name, count]));
  }
}

/** The counts of two tasks together. */
export function sumNamed(a: Counts, b: Counts): Record<string, number> {
  const sum = new NamedCounts(a);
  for (const [name, count] of Object.entries(b)) sum.add(name, count);
  return sum.toJSON();
}
