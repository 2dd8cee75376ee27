// SentencePiece's compiled rules of normalisation (google/sentencepiece, normalizer.cc): a double-array trie from bytes to where their
// replacement lies.
//
//   | bytes of the trie u32 | units of the trie, u32 each | replacements, each ended by a zero byte |
//
// A unit (s-yata/darts-clone): | is a value 1 | value 31 |, or | 0 | offset 21 | wide offset 1 | has a value 1 | label 8 |.
import { check, fail } from "../base/index.ts";

/** Compiled rules that replace bytes of a text, the longest match first. */
export class Charsmap {
  readonly #units: Uint32Array;
  readonly #texts: Uint8Array;
  /** Whether the bytes ended within a rule when they were last asked about: more of them might have matched a longer one. */
  wantsMore = false;

  /** @throws CriaError where the bytes are no such map. */
  constructor(blob: Uint8Array) {
    const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
    check(blob.length >= 8, "charsmap", () => `its ${blob.length} bytes are too few for a map: the file is damaged`);
    const bytes = view.getUint32(0, true);
    const fits = bytes >= 4 && bytes % 4 === 0 && 4 + bytes < blob.length;
    check(fits, "charsmap", () => `its trie is said to take ${bytes} bytes of ${blob.length}: the file is damaged`);
    this.#units = Uint32Array.from({ length: bytes / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.#texts = blob.subarray(4 + bytes);
    check(this.#texts.at(-1) === 0, "charsmap", () => "its last replacement has no end: the file is damaged");
  }

  /** Calls back with the replacement of the longest rule that begins at `at`. @returns the bytes that the rule takes; 0 where none begins */
  replace(bytes: Uint8Array, at: number, found: (text: Uint8Array) => void): number {
    let length = 0;
    let start = 0;
    let node = offsetOf(this.#units[0]!);
    this.wantsMore = true;
    for (let i = at; i < bytes.length; i++) {
      node = (node ^ bytes[i]!) >>> 0;
      const unit = this.#units[node];
      if (unit === undefined || (unit & labelMask) >>> 0 !== bytes[i]) {
        this.wantsMore = false;
        break;
      }
      node = (node ^ offsetOf(unit)) >>> 0;
      const value = hasValue(unit) ? this.#units[node] : undefined;
      if (value === undefined) continue;
      length = i + 1 - at;
      start = value & 0x7fffffff;
    }
    if (length > 0) found(this.#textAt(start));
    return length;
  }

  /** The replacement of the shortest rule that the bytes begin with; a NUL ends them. Undefined where none does. */
  shortest(bytes: Uint8Array): Uint8Array | undefined {
    let node = offsetOf(this.#units[0]!);
    for (const byte of bytes) {
      node = (node ^ byte) >>> 0;
      const unit = this.#units[node];
      if (byte === 0 || unit === undefined || (unit & labelMask) >>> 0 !== byte) return undefined;
      node = (node ^ offsetOf(unit)) >>> 0;
      const value = hasValue(unit) ? this.#units[node] : undefined;
      if (value !== undefined) return this.#textAt(value & 0x7fffffff);
    }
    return undefined;
  }

  #textAt(start: number): Uint8Array {
    const end = this.#texts.indexOf(0, start);
    if (end < 0) fail("charsmap", `a replacement begins at byte ${start} of ${this.#texts.length}: the file is damaged`);
    return this.#texts.subarray(start, end);
  }
}

const labelMask = 0x800000ff;

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

function hasValue(unit: number): boolean {
  return (unit & 0x100) !== 0;
}
