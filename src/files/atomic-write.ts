// Write beside, fsync, rename, fsync the folder: after a crash or a full disk the old file or the new one is there, never half of one.
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { explainIo } from "./explain-io.ts";
import { partialPath, removePartialsOf } from "./partials.ts";
import { checkReplaceable } from "./regular-file.ts";
import { syncFolder } from "./sync-folder.ts";

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
  const beside = partialPath(path);
  let handle: FileHandle | undefined;
  try {
    await checkReplaceable(path, where);
    await removePartialsOf(path);
    handle = await open(beside, "w");
    for await (const chunk of chunks(content)) await writeAll(handle, chunk);
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await handle?.close().catch(() => undefined);
    await rm(beside, { force: true }).catch(() => undefined);
    throw explainIo(where, path, error);
  }
}

/** Writes a value as JSON with an indentation of two; the old file or the new one is there at any time. */
export async function atomicWriteJson(path: string, value: unknown, where = "files"): Promise<void> {
  await atomicWrite(path, `${JSON.stringify(value, null, 2)}\n`, where);
}

function chunks(content: string | Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  if (typeof content === "string") return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}

async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length; ) done += (await handle.write(chunk, done, Math.min(chunk.length - done, 1 << 30))).bytesWritten;
}
