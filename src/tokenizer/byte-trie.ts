// A trie over bytes in typed arrays: which keys begin at a place of a text.
import { utf8Bytes } from "./codec.ts";
import { PairIndex } from "./pair-index.ts";

/** Keys of bytes and their values, found from any place of a text on. */
export class ByteTrie {
  /** (node, byte) → number of the edge, which leads to node `edge + 1`; the root is node 0. */
  readonly #edges: PairIndex;
  /** node → value of the key that ends there, or -1. */
  readonly #values: Int32Array;

  /** @param entries keys, none of them empty, with values from 0 on; of two equal keys the last counts */
  constructor(entries: Iterable<readonly [key: string, value: number]>) {
    const keys = Array.from(entries, ([key, value]) => [utf8Bytes(key), value] as const);
    const bytes = keys.reduce((sum, [key]) => sum + key.length, 0);
    this.#edges = new PairIndex(bytes);
    this.#values = new Int32Array(bytes + 1).fill(-1);
    for (const [key, value] of keys) {
      let node = 0;
      for (const byte of key) node = this.#edges.findOrAdd(node, byte) + 1;
      this.#values[node] = value;
    }
  }

  /** The node behind `node` by `byte`; 0 where no key goes on so. */
  next(node: number, byte: number): number {
    return this.#edges.find(node, byte) + 1;
  }

  /** The value of the key that ends at `node`, or -1. */
  value(node: number): number {
    return this.#values[node]!;
  }

  /** Bytes of the longest key that begins at `at`; 0 where none does. */
  longest(bytes: Uint8Array, at: number): number {
    let longest = 0;
    let node = 0;
    for (let i = at; i < bytes.length; i++) {
      node = this.next(node, bytes[i]!);
      if (node === 0) break;
      if (this.value(node) >= 0) longest = i + 1 - at;
    }
    return longest;
  }
}
