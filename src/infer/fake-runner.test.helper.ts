// A model without numbers: the key of a row is a hash of its token, position and RoPE length, its logits are a hash of all keys that its page table leads to.
// A wrong page, a missing copy or a row too few changes every logit.

import { pageKeys } from "../graph/index.ts";
import type { PageCopy } from "./cached-text.ts";
import type { PageStore } from "./page-store.ts";
import type { PassInputs, PassOutputs, PassRunner } from "./pass-runner.ts";
import type { SavedFor } from "./saved-sequence.ts";

export const fakeVocabSize = 11;

export class FakeRunner implements PassRunner, PageStore {
  readonly passes: PassInputs[] = [];
  copied = 0;
  disposed = false;
  savedAs: SavedFor = { model: "a hash", target: "fake", cacheType: "f32", pageBytes: 4 * pageKeys };
  /** Called before a pass; a test makes it fail, or does something meanwhile. */
  before: (pass: PassInputs) => void | Promise<void> = () => {};
  readonly #keys: Uint32Array;

  constructor(pages: number) {
    this.#keys = new Uint32Array(pages * pageKeys);
  }

  get rows(): number {
    return this.passes.reduce((sum, { tokens }) => sum + tokens.length, 0);
  }

  async copy(copies: readonly PageCopy[]): Promise<void> {
    this.copied += copies.length;
    for (const { from, to } of copies) this.#keys.copyWithin(to * pageKeys, from * pageKeys, (from + 1) * pageKeys);
  }

  async run(pass: PassInputs): Promise<PassOutputs> {
    const { ropeLength, tokens, positions, slots, pages, logitRows, outputs } = pass;
    this.passes.push(pass);
    const at = (row: number, key: number) => pages[slots[row]!]![Math.floor(key / pageKeys)]! * pageKeys + (key % pageKeys);
    for (const row of tokens.keys()) this.#keys[at(row, positions[row]!)] = 0; // what a pass that fails in the middle leaves
    await this.before(pass);
    for (const row of tokens.keys()) this.#keys[at(row, positions[row]!)] = keyOf(tokens[row]!, positions[row]!, ropeLength);
    const stateOf = (row: number) => {
      let state = 1;
      for (let key = 0; key <= positions[row]!; key++) state = mix(state, this.#keys[at(row, key)]!);
      return state;
    };
    const hidden = new Map(
      outputs.map((name) => [name, tokens.map((_, row) => Float32Array.of(Number(name), stateOf(row) % 4096))] as const),
    );
    return { logits: logitRows.map(({ row }) => logitsOf(stateOf(row))), hidden };
  }

  async savedFor(): Promise<SavedFor> {
    return this.savedAs;
  }

  async read(page: number, keys: number, into: Uint8Array): Promise<void> {
    const start = page * pageKeys;
    into.set(new Uint8Array(this.#keys.slice(start, start + keys).buffer));
  }

  async write(page: number, from: Uint8Array): Promise<void> {
    new Uint8Array(this.#keys.buffer).set(from, 4 * page * pageKeys);
  }

  async dispose(): Promise<void> {
    this.disposed = true;
  }
}

/** What the fake model says after `ids`, whose rows have these RoPE lengths. */
export function fakeLogits(ids: readonly number[], ropeLengths?: readonly number[]): Float32Array {
  return logitsOf(fakeState(ids, ropeLengths));
}

export function fakeState(ids: readonly number[], ropeLengths: readonly number[] = []): number {
  return ids.reduce((state, id, position) => mix(state, keyOf(id, position, ropeLengths[position] ?? 0)), 1);
}

function keyOf(token: number, position: number, ropeLength: number): number {
  return mix(mix(token + 1, position + 7), ropeLength);
}

function logitsOf(state: number): Float32Array {
  return Float32Array.from({ length: fakeVocabSize }, (_, id) => (mix(state, id) % 1000) / 100);
}

function mix(a: number, b: number): number {
  let x = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b + 0x7f4a7c15, 0xc2b2ae35);
  x ^= x >>> 15;
  return Math.imul(x, 0x2c1b3c6d) >>> 0;
}
