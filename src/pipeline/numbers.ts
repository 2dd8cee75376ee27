// Numbers of intermediate files, which are little-endian, as what runs Node is. Sizes are held against the file before anything is allocated.
import { type FileHandle, open } from "node:fs/promises";
import { fail } from "../base/index.ts";
import { checkSum, explainIo, readCheckedJson } from "../files/index.ts";

const where = "data";

/** A file for as long as `read` takes. */
export async function withFile<T>(path: string, read: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path).catch((error) => Promise.reject(explainIo(where, path, error)));
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

/** So many numbers of 32 bits from a byte on. @throws CriaError where the file is cut short */
export async function readNumbers(file: FileHandle, path: string, start: number, count: number): Promise<Uint32Array> {
  const bytes = await readBytes(file, path, start, 4 * count);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
}

/** So many bytes from one on. @throws CriaError where the file is cut short */
export async function readBytes(file: FileHandle, path: string, start: number, size: number): Promise<Uint8Array> {
  const { size: fileSize } = await file.stat();
  if (start < 0 || start + size > fileSize) return damaged(path);
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size; ) {
    const { bytesRead } = await file.read(bytes, done, Math.min(size - done, 1 << 30), start + done);
    if (bytesRead === 0) return damaged(path);
    done += bytesRead;
  }
  return bytes;
}

/** Stops because a file is not what its task writes. */
export function damaged(path: string): never {
  return fail(where, `${path}: it does not hold what its task writes: ${wayOutOf(path)}`);
}

/** @param what of the file was read: "its keys" @throws CriaError where its checksum is not the one that was written */
export function checkWritten(path: string, what: string, found: number, written: number): void {
  checkSum(path, { where, what, found, written, wayOut: wayOutOf(path) });
}

/** The value of a JSON file that a task wrote. @throws CriaError where it cannot be read or is not what was written */
export function readTaskJson(path: string): Promise<unknown> {
  return readCheckedJson(path, where, wayOutOf(path));
}

/** How a damaged file is made again: without the file that a task makes last, the task is done again. */
export function wayOutOf(path: string): string {
  const last = path.replace(/\.(keys|measures|report\.json|times\.json)$/, ".jsonl").replace(/\.clusters\.json$/, ".marks");
  return `remove ${last === path ? "it" : last}, and run the command again, which makes it anew`;
}

/** The bytes of numbers. */
export function bytesOfNumbers({ buffer, byteOffset, byteLength }: Uint32Array | BigUint64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
