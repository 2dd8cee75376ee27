// Only regular files are opened: a FIFO without a writer would wait for ever, a device may have no end.
import { constants, type Stats } from "node:fs";
import { open, stat } from "node:fs/promises";
import { fail } from "../base/index.ts";
import { explainIo } from "./explain-io.ts";

/**
 * What is written takes the place of what its path names, which must not be a device or a folder: renaming a file over /dev/null would take it from
 * every program of the machine.
 * @throws CriaError when there is something else than a regular file, or a link to one
 */
export async function checkReplaceable(path: string, where: string): Promise<void> {
  const stats = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw explainIo(where, path, error);
  });
  if (stats !== undefined) checkRegular(path, stats, where);
}

/** Windows has no such flag, and no such files among its folders. */
const nonBlocking = constants.O_NONBLOCK ?? 0;

/** What is asked of an open file: a part of Node's FileHandle, in words of its own, so that a program needs no types of Node to use those of cria. */
export interface OpenHandle {
  readonly fd: number;
  read(into: Uint8Array, offset: number, length: number, position?: number): Promise<{ readonly bytesRead: number }>;
  appendFile(text: string): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** An open file, and what the system said of it when it was opened. */
export interface OpenedFile {
  readonly handle: OpenHandle;
  /** Bytes of the file when it was opened. */
  readonly size: number;
}

/**
 * Opens a regular file, or a link to one. What the path names is asked before it is opened, because opening a device may do something, and
 * again of the open file, because another program may have put something else there meanwhile; the opening itself never waits.
 * @param flags as of open(2)
 * @throws CriaError when it is missing, unreadable or of another kind, which it names
 */
export async function openRegular(path: string, where = "files", flags = constants.O_RDONLY): Promise<OpenedFile> {
  try {
    const before = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" && flags & constants.O_CREAT) return undefined;
      throw error;
    });
    if (before !== undefined) checkRegular(path, before, where);
    const handle = await open(path, flags | nonBlocking);
    try {
      const stats = await handle.stat();
      checkRegular(path, stats, where);
      return { handle, size: stats.size };
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw explainIo(where, path, error);
  }
}

function checkRegular(path: string, stats: Stats, where: string): void {
  if (!stats.isFile()) fail(where, `${path}: it is ${kindOf(stats)}, not a file: name a file`);
}

/** "a folder", "a FIFO", … for messages. */
function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a FIFO";
  return stats.isSocket() ? "a socket" : "a device";
}
