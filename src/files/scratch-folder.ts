// A folder of files for the time of some work, beside the file that comes of it. Files are written and read at once, without waiting for events, and are only
// open meanwhile, so that thousands of them need no more than one of the files that a process may have open.
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { explainIo } from "./explain-io.ts";
import { makeFolder } from "./make-folder.ts";
import { partialPath, removePartialsOf } from "./partials.ts";
import { checkReplaceable } from "./regular-file.ts";
import { syncFolder } from "./sync-folder.ts";

/** A file: bytes are put behind each other, and read from anywhere. */
export class ScratchPath {
  readonly path: string;
  readonly #where: string;
  size = 0;

  constructor(path: string, where: string) {
    [this.path, this.#where] = [path, where];
  }

  /** @throws CriaError where the disk is full */
  write(bytes: Uint8Array): void {
    this.#open("a", (file) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    });
    this.size += bytes.length;
  }

  /** Fills as much of `into` as there is from a place on. @returns how many bytes it filled */
  read(at: number, into: Uint8Array): number {
    return this.#open("r", (file) => {
      for (let done = 0; ; ) {
        const read = done < into.length ? readSync(file, into, done, into.length - done, at + done) : 0;
        if (read === 0) return done;
        done += read;
      }
    });
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }

  sync(): void {
    this.#open("a", fsyncSync);
  }

  #open<T>(flags: string, act: (file: number) => T): T {
    try {
      const file = openSync(this.path, flags);
      try {
        return act(file);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      throw explainIo(this.#where, this.path, error);
    }
  }
}

/** A folder that is gone when it is disposed of. What killed writers of the same file left goes when it is opened. */
export class ScratchFolder {
  readonly #folder: string;
  readonly #where: string;
  #made = 0;

  private constructor(folder: string, where: string) {
    [this.#folder, this.#where] = [folder, where];
  }

  /** @param path the file that comes of the work; folders are made for it @throws CriaError where it is no file that can be replaced */
  static async open(path: string, where: string): Promise<ScratchFolder> {
    await makeFolder(dirname(path), where);
    await checkReplaceable(path, where);
    await removePartialsOf(path);
    const folder = partialPath(path);
    try {
      mkdirSync(folder);
    } catch (error) {
      throw explainIo(where, folder, error);
    }
    return new ScratchFolder(folder, where);
  }

  /** Makes a file. */
  create(): ScratchPath {
    return new ScratchPath(join(this.#folder, `${this.#made++}`), this.#where);
  }

  /** Puts a file in the place it is for, whole; what was there before stays there until then. */
  async keep(file: ScratchPath, path: string): Promise<void> {
    try {
      file.sync();
      await rename(file.path, path);
      await syncFolder(dirname(path));
    } catch (error) {
      throw explainIo(this.#where, path, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
