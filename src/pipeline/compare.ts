// Comparing: which keys of a group stand in it more than once. All keys of a partition are in memory, in a hash table.
import type { MarkStep } from "../clean/index.ts";
import { bytesOfBits, type Marks } from "./keys.ts";

/** Marks the keys of the parts of a group, in their order. @param parts lower and upper halves of the keys of each part, in turns */
export function markRepeated(parts: readonly Uint32Array[], marks: MarkStep["marks"]): Marks {
  const counts = Uint32Array.from(parts, (halves) => halves.length / 2);
  const table = new KeyTable(counts.reduce((sum, count) => sum + count, 0));
  const bits = new Uint8Array(counts.reduce((sum, count) => sum + bytesOfBits(count), 0));
  const mark = (isMarked: (low: number, high: number) => boolean) => {
    let start = 0;
    for (const halves of parts) {
      for (let i = 0; i < halves.length; i += 2) if (isMarked(halves[i]!, halves[i + 1]!)) bits[start + (i >> 4)]! |= 1 << ((i >> 1) & 7);
      start += bytesOfBits(halves.length / 2);
    }
  };
  if (marks === "later copies") mark((low, high) => table.meet(low, high) > 1);
  else {
    for (const halves of parts) for (let i = 0; i < halves.length; i += 2) table.meet(halves[i]!, halves[i + 1]!);
    mark((low, high) => table.timesMet(low, high) > 1);
  }
  return { counts, bits };
}

/** Keys and whether each was met once or more often. */
class KeyTable {
  readonly #halves: Uint32Array;
  /** 0 where a place is free, else how often its key was met; 2 stands for more. */
  readonly #times: Uint8Array;
  readonly #mask: number;

  constructor(keys: number) {
    const places = 2 ** Math.ceil(Math.log2(Math.max(16, 1.5 * keys)));
    this.#halves = new Uint32Array(2 * places);
    this.#times = new Uint8Array(places);
    this.#mask = places - 1;
  }

  /** @returns how often the key was met, this time included */
  meet(low: number, high: number): number {
    const place = this.#placeOf(low, high);
    this.#halves[2 * place] = low;
    this.#halves[2 * place + 1] = high;
    this.#times[place] = Math.min(2, this.#times[place]! + 1);
    return this.#times[place]!;
  }

  timesMet(low: number, high: number): number {
    return this.#times[this.#placeOf(low, high)]!;
  }

  #placeOf(low: number, high: number): number {
    let place = low & this.#mask;
    while (this.#times[place] !== 0 && (this.#halves[2 * place] !== low || this.#halves[2 * place + 1] !== high))
      place = (place + 1) & this.#mask;
    return place;
  }
}
