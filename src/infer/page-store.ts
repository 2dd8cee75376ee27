// Keys and values of pages as bytes, to be saved and put back, and a hash of the model that they are of.
import type { Backend, DeviceBuffer } from "../backend/index.ts";
import { bytesOf, elementLayouts, eventsHandled, Sha256, type StateDType } from "../base/index.ts";
import { pageKeys } from "../graph/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import type { SavedFor } from "./saved-sequence.ts";
import type { WeightHashes } from "./weight-hashes.ts";

/** What saves pages and puts them back. Nothing is computed meanwhile. */
export interface PageStore {
  /** What pages fit to. */
  savedFor(): Promise<SavedFor>;
  /** Copies the first `keys` keys and values of a page, in all layers, and zeros in the place of the others, which are nobody's. */
  read(page: number, keys: number, into: Uint8Array): Promise<void>;
  write(page: number, from: Uint8Array): Promise<void>;
}

/** Pages in buffers of a backend. */
export class BufferPages implements PageStore {
  readonly #target: string;
  readonly #cacheType: StateDType;
  readonly #pools: readonly DeviceBuffer[];
  readonly #hash: () => Promise<string>;
  readonly #sizes: { readonly heads: number; readonly channels: number };

  /** @param pools keys and values of every layer, in this order */
  constructor({ target }: Backend, config: LlamaConfig, cacheType: StateDType, pools: readonly DeviceBuffer[], weights: WeightHashes) {
    [this.#target, this.#cacheType, this.#pools] = [target, cacheType, pools];
    this.#sizes = { heads: config.nKvHeads, channels: config.headDim };
    let hash: Promise<string> | undefined;
    this.#hash = () => (hash ??= modelHash(config, weights));
  }

  /** Bytes of a page in one pool. */
  get #bytes(): number {
    const { heads, channels } = this.#sizes;
    return bytesOf(this.#cacheType, [heads, pageKeys, channels]);
  }

  async savedFor(): Promise<SavedFor> {
    const pageBytes = this.#bytes * this.#pools.length;
    return { model: await this.#hash(), target: this.#target, cacheType: this.#cacheType, pageBytes };
  }

  async read(page: number, keys: number, into: Uint8Array): Promise<void> {
    const bytes = this.#bytes;
    for (const [i, pool] of this.#pools.entries()) {
      const { buffer, byteOffset, byteLength } = await pool.read(...this.#stretch(page));
      const part = into.subarray(i * bytes, (i + 1) * bytes);
      part.set(new Uint8Array(buffer, byteOffset, byteLength));
      this.#clear(part, keys, i % 2 === 0);
    }
  }

  async write(page: number, from: Uint8Array): Promise<void> {
    const bytes = this.#bytes;
    for (const [i, pool] of this.#pools.entries()) {
      const part = from.subarray(i * bytes, (i + 1) * bytes);
      const values = this.#cacheType === "f32" ? new Float32Array(part.buffer, part.byteOffset, bytes / 4) : part;
      await pool.write(values, this.#stretch(page)[0]);
    }
  }

  /** First place and number of places of a page in a pool: elements of f32, bytes of other layouts. */
  #stretch(page: number): [number, number] {
    const places = this.#cacheType === "f32" ? this.#bytes / 4 : this.#bytes;
    return [page * places, places];
  }

  /** Puts zeros behind the first `keys` keys. They lie channel by channel where they are floats, values and blocks key by key: see `page-pool.ts`. */
  #clear(part: Uint8Array, keys: number, isKeys: boolean): void {
    const { heads, channels } = this.#sizes;
    const { block, bytes } = elementLayouts[this.#cacheType];
    const isByChannel = isKeys && block === 1;
    const rows = isByChannel ? heads * channels : heads;
    const perKey = isByChannel ? bytes : (channels / block) * bytes;
    for (let row = 0; row < rows; row++) part.fill(0, (row * pageKeys + keys) * perKey, (row + 1) * pageKeys * perKey);
  }
}

/** A hash of a config and of samples of all weights: a model that was trained on, or merged with an adapter, has another one. */
async function modelHash(config: LlamaConfig, weights: WeightHashes): Promise<string> {
  const keys = Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1));
  const hash = new Sha256().update(JSON.stringify(keys));
  for (const [name, hashOf] of weights) {
    hash.update(`${name} ${await hashOf()}\n`);
    await eventsHandled();
  }
  return hash.hexDigest();
}
