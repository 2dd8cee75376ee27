// Small files, whole, as far as their kind allows.
import { checkFileSize, decodeUtf8, type SizeLimit } from "../base/index.ts";
import { explainIo } from "./explain-io.ts";
import { openRegular } from "./regular-file.ts";

/** All bytes of a regular file. @throws CriaError when it is missing, unreadable, no regular file, or larger than files of its kind are */
export async function readWhole(path: string, where = "files", limit: SizeLimit = "config"): Promise<Uint8Array> {
  const { handle, size } = await openRegular(path, where);
  try {
    checkFileSize(where, path, size, limit);
    const parts: Buffer[] = [];
    // The size is no more than a hint: files of /proc say 0, and a file may grow meanwhile.
    for (let done = 0; ; ) {
      const part = Buffer.allocUnsafe(Math.max(1, size + 1 - done, parts.length === 0 ? 0 : 65536));
      const { bytesRead } = await handle.read(part, 0, part.length);
      if (bytesRead === 0) return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      done += bytesRead;
      parts.push(part.subarray(0, bytesRead));
      checkFileSize(where, path, done, limit);
    }
  } catch (error) {
    throw explainIo(where, path, error);
  } finally {
    await handle.close();
  }
}

/** The text of a regular file without a byte order mark. @throws CriaError as {@link readWhole}, and when it is not UTF-8 */
export async function readTextFile(path: string, where = "files", limit: SizeLimit = "config"): Promise<string> {
  return decodeUtf8(await readWhole(path, where, limit), path, where).replace(/^\ufeff/, "");
}
