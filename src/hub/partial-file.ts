// A file while it is downloaded: what came so far, and the hash of it.
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { explainIo } from "../files/index.ts";
import type { WantedFile } from "./repository.ts";

const where = "hub";

/** Bytes of a listed file from its first on. */
export class PartialFile {
  readonly #path: string;
  readonly #file: WantedFile;
  readonly #handle: FileHandle;
  #hash: Hash;
  #bytes = 0;

  private constructor(path: string, file: WantedFile, handle: FileHandle) {
    this.#path = path;
    this.#file = file;
    this.#handle = handle;
    this.#hash = hashOf(file);
  }

  /** Opens what is there, and hashes it; what is longer than the file is emptied. */
  static async open(path: string, file: WantedFile, signal: AbortSignal | undefined): Promise<PartialFile> {
    const partial = new PartialFile(path, file, await open(path, "a").catch((error) => failIo(path, error)));
    try {
      for await (const chunk of createReadStream(path, { signal, highWaterMark: 1 << 20 })) partial.#count(chunk);
      if (partial.bytes > file.size) await partial.restart();
      return partial;
    } catch (error) {
      await partial.close();
      signal?.throwIfAborted();
      return failIo(path, error);
    }
  }

  /** How many bytes are there. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The digest of what is there, as digests are listed. */
  get digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** @throws CriaError when the disk does not take it */
  async append(chunk: Uint8Array): Promise<void> {
    await this.#handle.appendFile(chunk).catch((error) => failIo(this.#path, error));
    this.#count(chunk);
  }

  /** Forgets what is there. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0).catch((error) => failIo(this.#path, error));
    [this.#hash, this.#bytes] = [hashOf(this.#file), 0];
  }

  /** Returns when the disk has it. */
  async sync(): Promise<void> {
    await this.#handle.sync().catch((error) => failIo(this.#path, error));
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #count(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }
}

/** SHA-256 of large files, and of those of which nothing is published; Git's object id of others, the SHA-1 of a header and the bytes (gitformat-loose(5)). */
function hashOf({ digest, size, isPlainSha1 = false }: WantedFile): Hash {
  if (digest === undefined || digest.length === 64) return createHash("sha256");
  return isPlainSha1 ? createHash("sha1") : createHash("sha1").update(`blob ${size}\0`);
}

function failIo(path: string, error: unknown): never {
  throw explainIo(where, path, error);
}
