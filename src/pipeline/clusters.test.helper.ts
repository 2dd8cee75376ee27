// Clusters of pairs in memory, for tests.
import { type Clusters, joinPairs, type NumberedKeys } from "./clusters.ts";

/** Keys in memory as a part has them. @param keys lower half, upper half and document of each, in turns @param atOnce keys that are read at once */
export function numberedKeys(keys: Uint32Array, first: number, atOnce = 7): NumberedKeys {
  async function* read() {
    for (let at = 0; at < keys.length; at += 3 * atOnce) yield keys.subarray(at, at + 3 * atOnce);
  }
  return { keys: { count: keys.length / 3, read }, first };
}

/** A sink of pairs that keeps them, both numbers in turns. */
export class KeptPairs {
  readonly pairs: number[] = [];

  add(earlier: number, later: number): void {
    this.pairs.push(earlier, later);
  }

  async settle(): Promise<void> {}
}

/** Joins pairs of documents, whose numbers stand in turns. */
export async function joinLists(pairs: readonly number[], most: number): Promise<Clusters & { readonly list: readonly number[] }> {
  const packed = Array.from({ length: pairs.length / 2 }, (_, i) => (BigInt(pairs[2 * i]!) << 32n) | BigInt(pairs[2 * i + 1]!));
  const some = async function* (values: BigUint64Array) {
    yield values;
  };
  const documents = 1 + Math.max(0, ...pairs);
  const [any, ordered] = [() => some(BigUint64Array.from(packed)), () => some(BigUint64Array.from(packed).sort())];
  const clusters = await joinPairs({ any, ordered }, { documents, most });
  const list = Array.from({ length: documents }, (_, i) => i).filter((i) => ((clusters.bits[i >> 3]! >> (i & 7)) & 1) === 1);
  return { ...clusters, list };
}
