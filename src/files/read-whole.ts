// Small files, whole: each kind has a size that none of them reaches, so that a wrong or endless file does not fill the memory.
import { decodeUtf8, fail } from "../base/index.ts";
import { explainIo } from "./explain-io.ts";
import { openRegular } from "./regular-file.ts";

const mega = 2 ** 20;

/** The most bytes that a file of a kind may have, several times what the largest ones known have. */
export const sizeLimits = {
  /** config.json, generation_config.json, tokenizer_config.json, a manifest, a checkpoint's state: some kilobytes. */
  config: 16 * mega,
  /** YAML that people write, some kilobytes: its parser takes time in the square of the size of what is made to vex it, seconds for this much. */
  recipe: mega / 16,
  /** tokenizer.json and llama2.c's tokenizer .bin: 33 MB with 262,144 pieces and their merges. */
  tokenizer: 512 * mega,
  /** metrics.jsonl: about 200 bytes per step. */
  metrics: 1024 * mega,
} as const;

export type SizeLimit = keyof typeof sizeLimits;

/** All bytes of a regular file. @throws CriaError when it is missing, unreadable, no regular file, or larger than files of its kind are */
export async function readWhole(path: string, where = "files", limit: SizeLimit = "config"): Promise<Buffer> {
  const { handle, stats } = await openRegular(path, where);
  try {
    const most = sizeLimits[limit];
    if (stats.size > most) fail(where, tooLarge(path, stats.size, most));
    const parts: Buffer[] = [];
    // The size is no more than a hint: files of /proc say 0, and a file may grow meanwhile.
    for (let done = 0; ; ) {
      const part = Buffer.allocUnsafe(Math.max(1, stats.size + 1 - done, parts.length === 0 ? 0 : 65536));
      const { bytesRead } = await handle.read(part, 0, part.length);
      if (bytesRead === 0) return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      done += bytesRead;
      parts.push(part.subarray(0, bytesRead));
      if (done > most) fail(where, tooLarge(path, done, most));
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

function tooLarge(path: string, size: number, most: number): string {
  return `${path}: it has ${size.toLocaleString("en-US")} bytes or more, but files of its kind at most ${most.toLocaleString("en-US")}: it is another file, correct the path`;
}
