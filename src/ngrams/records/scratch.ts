// Where records lie that memory has no room for. The room knows no files: a program gives it some.
import { fail } from "../../base/index.ts";

/** A file for the time of the work: bytes are put behind each other, and read from anywhere. */
export interface ScratchFile {
  write(bytes: Uint8Array): void;
  /** Fills as much of `into` as there is from a place on. @returns how many bytes it filled */
  read(at: number, into: Uint8Array): number;
  remove(): void;
}

/** Gives files. */
export interface Scratch {
  create(): ScratchFile;
}

/** How much memory records may take, and where they go beyond it. */
export interface RecordSpace {
  /** Bytes. */
  readonly memory: number;
  readonly scratch: Scratch;
}

/** A file that stays in memory up to a size, and then goes to scratch. */
export class Spool implements ScratchFile {
  readonly #space: RecordSpace;
  #parts: Uint8Array[] = [];
  #size = 0;
  #file: ScratchFile | undefined;

  constructor(space: RecordSpace) {
    this.#space = space;
  }

  write(bytes: Uint8Array): void {
    if (this.#file === undefined && this.#size + bytes.length > this.#space.memory) {
      this.#file = this.#space.scratch.create();
      for (const part of this.#parts) this.#file.write(part);
      this.#parts = [];
    }
    if (this.#file === undefined) this.#parts.push(bytes.slice());
    else this.#file.write(bytes);
    this.#size += bytes.length;
  }

  read(at: number, into: Uint8Array): number {
    if (this.#file !== undefined) return this.#file.read(at, into);
    let [start, filled] = [0, 0];
    for (const part of this.#parts) {
      const from = Math.max(0, at + filled - start);
      if (from < part.length && filled < into.length) {
        const piece = part.subarray(from, from + into.length - filled);
        into.set(piece, filled);
        filled += piece.length;
      }
      start += part.length;
    }
    return filled;
  }

  remove(): void {
    this.#file?.remove();
    [this.#file, this.#parts] = [undefined, []];
  }
}

/** All in memory, however much that is. */
export const inMemory: RecordSpace = {
  memory: Number.POSITIVE_INFINITY,
  scratch: { create: () => fail("ngrams", "records go to memory alone, but a file was asked for: give scratch files") },
};
