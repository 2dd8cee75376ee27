// Write beside, fsync, rename, fsync the folder: after a crash or a full disk the old file or the new one is there, never half of one.
import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { explainIo } from "./explain-io.ts";
import { partialPath, removePartialsOf } from "./partials.ts";
import { checkReplaceable } from "./regular-file.ts";
import { renameOnce } from "./rename-once.ts";
import { syncFolder } from "./sync-folder.ts";

/** A file that is written piece by piece, and takes the place of `path` when it is whole. Disposed of before, it leaves nothing. */
export class AtomicFile implements AsyncDisposable {
  readonly #path: string;
  readonly #beside: string;
  readonly #where: string;
  #handle: FileHandle | undefined;

  private constructor(path: string, beside: string, handle: FileHandle, where: string) {
    [this.#path, this.#beside, this.#handle, this.#where] = [path, beside, handle, where];
  }

  /** What killed writers of the same file left goes first. @throws CriaError, also when the path names a device, a FIFO or a folder */
  static async open(path: string, where = "files"): Promise<AtomicFile> {
    try {
      await checkReplaceable(path, where);
      await removePartialsOf(path);
      const beside = partialPath(path);
      return new AtomicFile(path, beside, await open(beside, "w"), where);
    } catch (error) {
      throw explainIo(where, path, error);
    }
  }

  /** Writes all of a chunk, which may change again afterwards. @throws CriaError, when the disk is full, too */
  async write(chunk: Uint8Array): Promise<void> {
    const handle = this.#openHandle();
    try {
      for (let done = 0; done < chunk.length; )
        done += (await handle.write(chunk, done, Math.min(chunk.length - done, 1 << 30))).bytesWritten;
    } catch (error) {
      throw explainIo(this.#where, this.#path, error);
    }
  }

  /** Makes what was written the file. */
  async commit(): Promise<void> {
    const handle = this.#openHandle();
    try {
      await handle.sync();
      const file = await handle.stat();
      await handle.close();
      this.#handle = undefined;
      await renameOnce(this.#beside, this.#path, file, this.#where);
      await syncFolder(dirname(this.#path));
    } catch (error) {
      await rm(this.#beside, { force: true }).catch(() => undefined);
      throw explainIo(this.#where, this.#path, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const handle = this.#handle;
    if (handle === undefined) return;
    this.#handle = undefined;
    await handle.close().catch(() => undefined);
    await rm(this.#beside, { force: true }).catch(() => undefined);
  }

  #openHandle(): FileHandle {
    if (this.#handle === undefined) throw new Error(`${this.#path} is written already`);
    return this.#handle;
  }
}

/**
 * Replaces `path` with the given bytes or chunks. On any error the file that was there before is intact and nothing is left beside it; what killed
 * writers of the same file left goes first.
 * @throws CriaError, also when the path names a device, a FIFO or a folder
 */
export async function atomicWrite(
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  where = "files",
): Promise<void> {
  await using file = await AtomicFile.open(path, where);
  try {
    for await (const chunk of chunks(content)) await file.write(chunk);
  } catch (error) {
    throw explainIo(where, path, error);
  }
  await file.commit();
}

/** Writes a value as JSON with an indentation of two; the old file or the new one is there at any time. */
export async function atomicWriteJson(path: string, value: unknown, where = "files"): Promise<void> {
  await atomicWrite(path, `${JSON.stringify(value, null, 2)}\n`, where);
}

function chunks(content: string | Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  if (typeof content === "string") return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}
