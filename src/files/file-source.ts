// A file as a ByteSource: read by range, never whole.
import { type ByteSource, fail } from "../base/index.ts";
import { explainIo } from "./explain-io.ts";
import { type OpenHandle, openRegular } from "./regular-file.ts";

/** Opens a regular file for reading by range. @throws CriaError when it is missing, unreadable or of another kind. */
export async function openFile(path: string, where = "files"): Promise<FileSource> {
  const { handle, size } = await openRegular(path, where);
  return new FileSource(path, size, handle);
}

/** A regular file as a source of bytes, open until it is closed. */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #handle: OpenHandle;

  constructor(name: string, size: number, handle: OpenHandle) {
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
    await this.readInto(bytes, offset);
    return bytes;
  }

  /** Fills all of an array, which may lie in shared memory, from a byte of the file on. @throws CriaError where the file ends before */
  async readInto(bytes: Uint8Array, offset: number): Promise<void> {
    const { length } = bytes;
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(bytes, done, Math.min(length - done, 1 << 30), offset + done).catch((error) => {
        throw explainIo("files", this.name, error);
      });
      if (bytesRead === 0) fail("files", `${this.name}: ended at byte ${offset + done} while being read: another program shortened it`);
      done += bytesRead;
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
