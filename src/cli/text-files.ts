// Text files as documents for training: streamed, and cut at line ends.
import { stat } from "node:fs/promises";
import type { OnProgress } from "../base/index.ts";
import { readText } from "../data/index.ts";
import { explainIo } from "../files/index.ts";

/** A line longer than this, in UTF-16 units, is cut between two characters. */
const longestLine = 1 << 26;

/**
 * The files' text in parts of about a megabyte that end at line ends (or with the file).
 * @throws CriaError for a file that cannot be read or is not UTF-8; it names the byte.
 */
export async function* readTextFiles(paths: readonly string[], where: string, onProgress?: OnProgress): AsyncGenerator<string> {
  for (const path of paths) {
    const total = await fileSize(path, where);
    let done = 0;
    const onBytes = (bytes: number) => {
      done += bytes;
      onProgress?.({ task: `reading ${path}`, done, total, unit: "bytes" });
    };
    yield* wholeLines(readText(path, onBytes, where));
  }
}

async function* wholeLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let open = ""; // a line whose end is still to come
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf("\n") + 1;
    const isWhole = end > 0 || open.length + chunk.length >= longestLine;
    const cut = end > 0 ? end : chunk.length;
    if (isWhole) yield open + chunk.slice(0, cut);
    open = isWhole ? chunk.slice(cut) : open + chunk;
  }
  if (open !== "") yield open;
}

async function fileSize(path: string, where: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw explainIo(where, path, error);
  }
}
