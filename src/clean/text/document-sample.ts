// A sample of documents that is the same for any order, parts and machines: a document is in it by a hash of its text, and where there are too many, those
// with the least hashes stay.
import { KeyList, UnitHash } from "./key-list.ts";

/** Units of a text that its place follows from, beside its length. */
const readUnits = 256;

/** Takes the key of one text after another, so that none needs a list of its own. */
const keys = new KeyList();

/** Where a text stands in the order in which samples are drawn: a number in [0, 1), by its length and 256 of its units, evenly spread. */
export function samplePlace(text: string): number {
  const hash = new UnitHash();
  hash.unit(text.length);
  const stride = Math.max(1, text.length / readUnits);
  for (let at = 0; at < text.length; at += stride) hash.unit(text.charCodeAt(Math.floor(at)));
  keys.clear();
  hash.end(keys);
  const [low = 0, high = 0] = keys.halves;
  return (high + (low >>> 12) / 2 ** 20) / 2 ** 32;
}

/** A number that was measured of a document. */
export interface Measure {
  /** The document's {@link samplePlace}. */
  readonly place: number;
  readonly value: number;
  /** Which measures are summarised together, such as those of one language. */
  readonly group: string;
}

/** Measures of a sample of documents, at most so many in memory as twice what stays. */
export class MeasureSample {
  readonly #most: number;
  #measures: Measure[] = [];

  /** @param most measures that stay: those with the least places */
  constructor(most: number) {
    this.#most = most;
  }

  add(measure: Measure): void {
    this.#measures.push(measure);
    if (this.#measures.length >= 2 * this.#most) this.#cut();
  }

  /** The values of each group, in the order of their places. */
  groups(): ReadonlyMap<string, Float64Array> {
    this.#cut();
    const groups = new Map<string, number[]>();
    for (const { value, group } of this.#measures) {
      const values = groups.get(group);
      if (values === undefined) groups.set(group, [value]);
      else values.push(value);
    }
    return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([group, values]) => [group, Float64Array.from(values)]));
  }

  /** Equal places are ordered by what was measured, so that nothing depends on the order in which measures came. */
  #cut(): void {
    const inOrder = (a: Measure, b: Measure) =>
      a.place - b.place || a.value - b.value || (a.group < b.group ? -1 : Number(a.group > b.group));
    this.#measures = this.#measures.sort(inOrder).slice(0, this.#most);
  }
}
