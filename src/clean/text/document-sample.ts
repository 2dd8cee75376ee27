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

/** Measures of a sample of documents, in columns: twenty bytes each, of at most twice as many as stay. */
export class MeasureSample {
  readonly #most: number;
  #places = new Float64Array(1 << 8);
  #values = new Float64Array(1 << 8);
  #groups = new Uint32Array(1 << 8);
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];
  #count = 0;
  /** No measure of a higher place stays. */
  #highest = Number.POSITIVE_INFINITY;

  /** @param most measures that stay: those with the least places */
  constructor(most: number) {
    this.#most = most;
  }

  /** Measures in memory. */
  get held(): number {
    return this.#count;
  }

  add({ place, value, group }: Measure): void {
    if (place > this.#highest) return;
    if (this.#count === this.#places.length) this.#resize(Math.min(2 * this.#most, 2 * this.#count), this.#places.keys());
    const known = this.#numbers.get(group);
    const at = this.#count++;
    [this.#places[at], this.#values[at], this.#groups[at]] = [place, value, known ?? this.#names.length];
    if (known === undefined) this.#numbers.set(group, this.#names.push(group) - 1);
    if (this.#count >= 2 * this.#most) this.#cut();
  }

  /** The values of each group, in the order of their places. */
  groups(): ReadonlyMap<string, Float64Array> {
    this.#cut();
    const sizes = new Uint32Array(this.#names.length);
    for (let i = 0; i < this.#count; i++) sizes[this.#groups[i]!]!++;
    const groups = Array.from(sizes, (size) => new Float64Array(size));
    const filled = sizes.fill(0);
    for (let i = 0; i < this.#count; i++) {
      const group = this.#groups[i]!;
      groups[group]![filled[group]!++] = this.#values[i]!;
    }
    const named = groups.map((values, i) => [this.#names[i]!, values] as const).filter(([, { length }]) => length > 0);
    return new Map(named.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Equal places are ordered by what was measured, so that nothing depends on the order in which measures came. */
  #cut(): void {
    const [places, values, groups, names] = [this.#places, this.#values, this.#groups, this.#names];
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i).sort(
      (a, b) =>
        places[a]! - places[b]! ||
        values[a]! - values[b]! ||
        (names[groups[a]!]! < names[groups[b]!]! ? -1 : Number(names[groups[a]!]! > names[groups[b]!]!)),
    );
    const kept = order.subarray(0, this.#most);
    if (order.length > this.#most) this.#highest = places[kept.at(-1)!]!;
    this.#resize(places.length, kept);
    this.#count = kept.length;
  }

  /** Columns of so many places, with what stood at some of those before. */
  #resize(length: number, from: Iterable<number>): void {
    const [places, values, groups] = [new Float64Array(length), new Float64Array(length), new Uint32Array(length)];
    let at = 0;
    for (const i of from) {
      places[at] = this.#places[i]!;
      values[at] = this.#values[i]!;
      groups[at++] = this.#groups[i]!;
    }
    [this.#places, this.#values, this.#groups] = [places, values, groups];
  }
}
