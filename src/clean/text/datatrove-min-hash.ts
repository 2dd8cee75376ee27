// MinHash with the hashes, functions and text of datatrove (0.10.1, pipeline/dedup/minhash.py), for the signatures and clusters that it finds. Words are
// what white space cuts; datatrove asks a tokenizer of the language, which may cut some of them once more.
import { sha1, Xxh64, xxh32 } from "../../base/index.ts";
import { addBandKeys } from "./band-keys.ts";
import type { KeyList } from "./key-list.ts";
import { MersenneFunctions } from "./mersenne-functions.ts";
import type { MinHashSizes } from "./min-hash.ts";
import type { Halves } from "./sim-hash.ts";
import { simplifiedText } from "./simplified-text.ts";

/** datatrove's HashConfig: what n-grams are hashed by, and the bits of a value. */
export const datatroveHashes = ["xxhash64", "xxhash32", "sha1-64", "sha1-32"] as const;
/** One of {@link datatroveHashes}. */
export type DatatroveHash = (typeof datatroveHashes)[number];

/** The seed of datatrove's MinhashConfig. */
const seed = 1;
const space = 0x20;

const hashes: Readonly<Record<DatatroveHash, (bytes: Uint8Array) => Halves>> = {
  xxhash64(bytes) {
    const hash = new Xxh64();
    hash.update(bytes);
    return hash.digest();
  },
  xxhash32: (bytes) => ({ low: xxh32(bytes), high: 0 }),
  "sha1-64"(bytes) {
    const digest = new DataView(sha1(bytes).buffer);
    return { low: digest.getUint32(0, true), high: digest.getUint32(4, true) };
  },
  "sha1-32": (bytes) => ({ low: new DataView(sha1(bytes).buffer).getUint32(0, true), high: 0 }),
};

/** Makes signatures of texts as datatrove does, and keys of them. */
export class DatatroveMinHash {
  readonly #sizes: MinHashSizes;
  readonly #hash: (bytes: Uint8Array) => Halves;
  readonly #isShort: boolean;
  readonly #functions: MersenneFunctions;
  /** Upper and lower half of each value, in turns. */
  readonly #values: Uint32Array;

  constructor(sizes: MinHashSizes, hash: DatatroveHash) {
    this.#sizes = sizes;
    this.#hash = hashes[hash];
    this.#isShort = hash.endsWith("32");
    this.#functions = new MersenneFunctions(sizes.bands * sizes.rows, seed);
    this.#values = new Uint32Array(2 * this.#functions.count);
  }

  /** The values of a text, upper and lower half of each in turns; undefined where it has fewer words than an n-gram. */
  signature(text: string): Uint32Array | undefined {
    const bytes = new TextEncoder().encode(simplifiedText(text));
    const ends: number[] = [];
    for (let at = bytes.indexOf(space); at >= 0; at = bytes.indexOf(space, at + 1)) ends.push(at);
    if (bytes.length > 0) ends.push(bytes.length);
    const { words } = this.#sizes;
    if (ends.length < words) return undefined;
    this.#values.fill(0xffffffff);
    for (let first = 0; first + words <= ends.length; first++) {
      const start = first === 0 ? 0 : ends[first - 1]! + 1;
      this.#functions.lower(this.#values, this.#hash(bytes.subarray(start, ends[first + words - 1]!)), this.#isShort);
    }
    return this.#values;
  }

  /** Adds a key per band. A text without a signature is near no other: its keys are made of its document's place, which no other has. */
  addKeys(text: string, place: string, keys: KeyList): void {
    const { bands, rows } = this.#sizes;
    const values = this.signature(text) ?? this.#placeValues(place);
    addBandKeys(values, { bands, rows: 2 * rows }, keys);
  }

  #placeValues(place: string): Uint32Array {
    const digest = new DataView(sha1(new TextEncoder().encode(place)).buffer);
    // No value has an upper half like this one, whose top bits are 1.
    for (let i = 0; i < this.#values.length; i++) this.#values[i] = i % 2 === 0 ? 0xffffffff : digest.getUint32(4 * ((i >> 1) % 5));
    return this.#values;
  }
}
