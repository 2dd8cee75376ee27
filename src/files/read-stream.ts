// The bytes of a text, from its beginning to its end: a file of any size, a pipe that another program writes, or what this process is given.
import { constants, open as openCallback } from "node:fs";
import { stat } from "node:fs/promises";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { explainIo } from "./explain-io.ts";
import { openRegular } from "./regular-file.ts";

/** How a stream is read, and what ends the wait for it. */
export interface ReadStreamOptions {
  readonly where?: string;
  /** Ends any wait, for a program that writes nothing and for one that is yet to open the pipe. */
  readonly signal?: AbortSignal | undefined;
  /** Bytes read at a time, at most. */
  readonly chunkBytes?: number;
  /** Which bytes of a regular file are read, all of them when undefined; a pipe is read from its beginning to its end. */
  readonly range?: ByteRange | undefined;
}

/** The bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Whether a path names what this process is given: `-`, or the system's own names for it. */
export function isStdin(path: string): boolean {
  return path === "-" || path === "/dev/stdin" || path === "/dev/fd/0" || path === "/proc/self/fd/0";
}

/**
 * Reads a regular file, a FIFO or pipe (also the shell's `<(…)`), or stdin as `-`.
 * @throws CriaError when it is missing, unreadable or of another kind, which it names; the signal's reason when it is aborted
 */
export async function* readStream(path: string, options: ReadStreamOptions = {}): AsyncGenerator<Uint8Array> {
  const { where = "files", signal, chunkBytes = 1 << 20, range = { start: 0, end: Number.POSITIVE_INFINITY } } = options;
  signal?.throwIfAborted();
  if (isStdin(path)) return yield* readPipe("stdin", process.stdin, where, signal);
  const isFifo = await stat(path).then(
    (found) => found.isFIFO(),
    () => false, // whatever is wrong with it, openRegular says it
  );
  if (isFifo) return yield* readPipe(path, await openFifo(path, where), where, signal);
  yield* readRegular(path, where, chunkBytes, range, signal);
}

const leastChunk = 1 << 10;

async function* readRegular(
  path: string,
  where: string,
  chunkBytes: number,
  { start, end }: ByteRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { handle, size } = await openRegular(path, where);
  try {
    for (let at = start; at < end; ) {
      const expected = Math.max(size - at, leastChunk); // a small file needs no room for a large one, and one that grows is read to its end
      const chunk = new Uint8Array(Math.min(chunkBytes, end - at, expected));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at).catch((error) => Promise.reject(explainIo(where, path, error)));
      signal?.throwIfAborted();
      if (bytesRead === 0) return;
      yield chunk.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** A socket polls the pipe. Reading it as a file would keep a thread that nothing can call back, and the process with it. */
async function openFifo(path: string, where: string): Promise<Readable> {
  try {
    const fd = await promisify(openCallback)(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return new Socket({ fd, readable: true, writable: false });
  } catch (error) {
    throw explainIo(where, path, error);
  }
}

async function* readPipe(name: string, stream: Readable, where: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const stop = () => stream.destroy();
  signal?.addEventListener("abort", stop);
  try {
    signal?.throwIfAborted(); // one that was aborted before calls no listener any more
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (error) {
    signal?.throwIfAborted(); // a stream that is destroyed reports that it ended too early
    throw explainIo(where, name, error);
  } finally {
    signal?.removeEventListener("abort", stop);
    stream.destroy();
  }
  signal?.throwIfAborted();
}
