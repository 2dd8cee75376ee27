// Reads our own compact form: see packed-write.ts.
import { check, decodeUtf8, fail } from "../base/index.ts";
import { mostOrder } from "./ngram-model.ts";
import type { NgramSink } from "./ngram-sink.ts";
import { packedEnd, packedMagic } from "./packed-write.ts";

const where = "ngrams";
/** Bytes that an n-gram takes at least. */
const leastBytes = 5;

/** Whether a file begins as the compact form does, of whatever version. */
export function isPacked(bytes: Uint8Array): boolean {
  return startOf(bytes, packedMagic.length - 2) === packedMagic.slice(0, -2);
}

/** Gives all n-grams of a file in the compact form. @throws CriaError where it is of another version, damaged or cut short */
export function readPacked(name: string, bytes: Uint8Array, sink: NgramSink): void {
  const reader = new PackedReader(name, bytes);
  check(
    reader.text(packedMagic.length) === packedMagic,
    where,
    () => `${name}: it is of another version of the compact form than 1: make it again from its ARPA file`,
  );
  const order = reader.varint();
  check(
    order >= 1 && order <= mostOrder,
    where,
    () => `${name}: it has n-grams of ${order} words, but at most ${mostOrder} are supported: it is damaged`,
  );
  const counts = Array.from({ length: order }, () => reader.count());
  sink.begin(counts);
  const ids: number[] = [];
  for (let i = 0; i < counts[0]!; i++) {
    const word = reader.word();
    ids.push(sink.word(word, reader.probability(), reader.weight()));
  }
  for (let length = 2; length <= order; length++) {
    const before = new Uint32Array(length);
    for (let i = 0; i < counts[length - 1]!; i++) {
      reader.changes(before, ids.length);
      const probability = reader.probability();
      sink.ngram(
        Array.from(before, (id) => ids[id]!),
        probability,
        length < order ? reader.weight() : 0,
      );
    }
  }
  reader.end();
}

function startOf(bytes: Uint8Array, length: number): string {
  return String.fromCharCode(...bytes.subarray(0, length));
}

/** Takes one value after another, each held against the bytes that are left. */
class PackedReader {
  readonly #name: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(name: string, bytes: Uint8Array) {
    [this.#name, this.#bytes] = [name, bytes];
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  text(length: number): string {
    return startOf(this.#take(length), length);
  }

  varint(): number {
    let [value, scale] = [0, 1];
    for (; ; scale *= 128) {
      const byte = this.#take(1)[0]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      if (scale > 2 ** 35) this.#fail("a number has too many bytes");
    }
  }

  /** How many n-grams there are of an order, which fit into what is left. */
  count(): number {
    const count = this.varint();
    if (count * leastBytes > this.#bytes.length) this.#fail(`it says ${count} n-grams of one order in ${this.#bytes.length} bytes`);
    return count;
  }

  word(): string {
    return decodeUtf8(this.#take(this.varint()), this.#name, where);
  }

  /** Sets the words that are others than in the n-gram before. */
  changes(ids: Uint32Array, words: number): void {
    const mask = this.#take(1)[0]!;
    if (mask >= 1 << ids.length) this.#fail(`an n-gram of ${ids.length} words changes more of them`);
    for (let i = 0; i < ids.length; i++) {
      if ((mask & (1 << i)) !== 0) ids[i] = this.varint();
      if (ids[i]! >= words) this.#fail(`an n-gram has the word ${ids[i]} of ${words}`);
    }
  }

  probability(): number {
    const value = this.#float();
    return value <= 0 ? value : this.#fail(`a log10 of a probability is ${value} but must be at most 0`);
  }

  weight(): number {
    const value = this.#float();
    return Number.isFinite(value) ? value : this.#fail(`a log10 of a back-off weight is ${value}`);
  }

  end(): void {
    if (this.text(packedEnd.length) !== packedEnd || this.#at !== this.#bytes.length) this.#fail("it does not end behind its n-grams");
  }

  #float(): number {
    this.#take(4);
    return this.#view.getFloat32(this.#at - 4, true);
  }

  #take(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length)
      this.#fail(`it ends at byte ${this.#bytes.length}, but ${count} bytes follow byte ${this.#at}`);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  #fail(problem: string): never {
    return fail(where, `${this.#name}: ${problem}: it is damaged or cut short`);
  }
}
