// A file as a ByteSource: read by range, never whole.
import { type FileHandle, open } from "node:fs/promises";
import { type ByteSource, fail } from "../base/index.ts";
import { explainIo } from "./explain-io.ts";

/** Opens a file for reading by range. @throws CriaError when it is missing, a folder or unreadable. */
export async function openFile(path: string, where = "files"): Promise<FileSource> {
  try {
    const handle = await open(path, "r");
    const stat = await handle.stat();
    if (stat.isFile()) return new FileSource(path, stat.size, handle);
    await handle.close();
  } catch (error) {
    throw explainIo(where, path, error);
  }
  return fail(where, `${path}: it is not a file: name a file`);
}

export class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #handle: FileHandle;

  constructor(name: string, size: number, handle: FileHandle) {
    this.name = name;
    this.size = size;
    this.#handle = handle;
  }

  /** Good until the source is closed; what was mapped through it stays. */
  get descriptor(): number {
    return this.#handle.fd;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset < 0 || length < 0 || offset + length > this.size)
      fail(
        "files",
        `${this.name}: bytes ${offset} to ${offset + length} asked for, but the file has ${this.size}: it is cut short, fetch it again`,
      );
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(bytes, done, Math.min(length - done, 1 << 30), offset + done);
      if (bytesRead === 0) fail("files", `${this.name}: ended at byte ${offset + done} while being read: another program shortened it`);
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
