// Checksums of files on the way, which are read once or twice and then go: CRC-32, because zlib computes it several times as fast as SHA-256, and ten times
// as fast as XXH64 in JavaScript (measured: docs/log/2026-11-28-scale.md). It finds every change within 32 bits in a row, and all but one in 4 billion others.
import { crc32 } from "node:zlib";
import { fail } from "../base/index.ts";

/** The CRC-32 of bytes that come piece by piece. */
export class Checksum {
  #value = 0;

  add({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
    if (byteLength === 0) return; // zlib gives 0 where a piece has no bytes and no memory, whatever came before
    this.#value = crc32(new Uint8Array(buffer, byteOffset, byteLength), this.#value);
  }

  /** The checksum of everything so far, as a number of 32 bits without a sign. */
  get value(): number {
    return this.#value;
  }

  static of(bytes: ArrayBufferView): number {
    const checksum = new Checksum();
    checksum.add(bytes);
    return checksum.value;
  }
}

/** What is held against what was written. */
export interface Checked {
  /** The part of the program that asks, for `[where]`. */
  readonly where: string;
  /** What of the file it is: "its keys". */
  readonly what: string;
  readonly found: number;
  readonly written: number;
  /** What to do about it, as the message ends. */
  readonly wayOut: string;
}

/** @throws CriaError where a checksum is not the one that was written, naming the file and both */
export function checkSum(path: string, { where, what, found, written, wayOut }: Checked): void {
  if (found !== written)
    fail(where, `${path}: ${what} have the CRC-32 ${hexOf32(found)}, but were written with ${hexOf32(written)}: ${wayOut}`);
}

/** Eight hexadecimal digits. */
export function hexOf32(value: number): string {
  return value.toString(16).padStart(8, "0");
}
