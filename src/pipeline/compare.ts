// Comparing: which keys of a group stand in it more than once. The keys of a partition are read in slices, each of which fits into a hash table of the memory
// there is: usually one, more where texts have more keys than their size made expect.
import type { MarkStep } from "../clean/index.ts";
import { bytesOfBits, type Marks } from "./marks.ts";

/** The keys of a part in one partition, which can be read again. */
export interface PartKeys {
  readonly count: number;
  /** Lower half, upper half and, where documents are clustered, document of each key, some keys at a time. */
  read(): AsyncIterable<Uint32Array>;
}

/** How many slices keys take, and how many places a table of one slice has. */
export interface Slices {
  readonly slices: number;
  readonly places: number;
}

/** A table is at most so full: more would make it slow. */
const fullest = 0.6;

/** @param placeBytes of a table @param bytes that it may take */
export function slicesOf(keys: number, placeBytes: number, bytes: number): Slices {
  const most = 2 ** Math.floor(Math.log2(Math.max(1024, bytes / placeBytes)));
  const slices = Math.ceil(keys / (fullest * most));
  if (slices > 1) return { slices, places: most };
  return { slices: 1, places: Math.min(most, 2 ** Math.ceil(Math.log2(Math.max(16, keys / fullest)))) };
}

/** The slice of a key, by bits of its upper half that choose no partition. */
export function sliceOf(high: number, slices: number): number {
  return (high & 0xffff) % slices;
}

/** Marks the keys of the parts of a group, in their order. @param tableBytes memory that the hash table may take */
export async function markRepeated(parts: readonly PartKeys[], marks: MarkStep["marks"], tableBytes: number): Promise<Marks> {
  const counts = Uint32Array.from(parts, ({ count }) => count);
  const { slices, places } = slicesOf(
    counts.reduce((sum, count) => sum + count, 0),
    keyBytes,
    tableBytes,
  );
  const bits = new Uint8Array(counts.reduce((sum, count) => sum + bytesOfBits(count), 0));
  const table = new KeyTable(places);
  for (let slice = 0; slice < slices; slice++) {
    table.clear();
    const inSlice = (high: number) => slices === 1 || sliceOf(high, slices) === slice;
    if (marks === "every copy") await eachKey(parts, (low, high) => inSlice(high) && table.meet(low, high));
    const isMarked: KeyTest =
      marks === "every copy" ? (low, high) => table.timesMet(low, high) > 1 : (low, high) => table.meet(low, high) > 1;
    await eachKey(parts, (low, high, bit) => {
      if (inSlice(high) && isMarked(low, high)) bits[bit >>> 3]! |= 1 << (bit & 7);
    });
  }
  return { counts, bits };
}

type KeyTest = (low: number, high: number) => boolean;

/** Calls for every key, with the number of its bit. */
async function eachKey(parts: readonly PartKeys[], take: (low: number, high: number, bit: number) => void): Promise<void> {
  let start = 0;
  for (const part of parts) {
    let bit = 8 * start;
    for await (const keys of part.read()) for (let i = 0; i < keys.length; i += 2) take(keys[i]!, keys[i + 1]!, bit++);
    start += bytesOfBits(part.count);
  }
}

/** Bytes of a place of {@link KeyTable}. */
const keyBytes = 9;

/** Keys and whether each was met once or more often. */
class KeyTable {
  readonly #halves: Uint32Array;
  /** 0 where a place is free, else how often its key was met; 2 stands for more. */
  readonly #times: Uint8Array;
  readonly #mask: number;

  constructor(places: number) {
    this.#halves = new Uint32Array(2 * places);
    this.#times = new Uint8Array(places);
    this.#mask = places - 1;
  }

  clear(): void {
    this.#times.fill(0);
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
