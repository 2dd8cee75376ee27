// Text files as documents for training: streamed, cut at line ends, and UTF-8 or refused.
import { fail, type OnProgress } from "../base/index.ts";
import { openFile } from "../files/index.ts";
import { validUpTo } from "../tokenizer/index.ts";

const newline = 0x0a;
const chunkBytes = 1 << 20;
/** A line longer than this is cut between two characters. */
const longestLine = 1 << 26;

/**
 * The files' text in parts of about a megabyte that end at line ends (or with the file).
 * @throws CriaError for a file that cannot be read or is not UTF-8; it names the byte.
 */
export async function* readTextFiles(paths: readonly string[], where: string, onProgress?: OnProgress): AsyncGenerator<string> {
  for (const path of paths) {
    await using file = await openFile(path, where);
    let rest = new Uint8Array(0);
    for (let at = 0; at < file.size; ) {
      const chunk = await file.read(at, Math.min(chunkBytes, file.size - at));
      at += chunk.length;
      const block = joined(rest, chunk);
      const end = at === file.size ? block.length : cutAt(block);
      if (end > 0) yield decodeUtf8(block.subarray(0, end), at - block.length, path, where);
      rest = block.slice(end);
      onProgress?.({ task: `reading ${path}`, done: at, total: file.size, unit: "bytes" });
    }
  }
}

/** Decodes strictly. `offset` is where the bytes stand in the file. @throws CriaError naming the byte that is no UTF-8. */
export function decodeUtf8(bytes: Uint8Array, offset: number, name: string, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: offset > 0 }).decode(bytes);
  } catch {
    const at = offset + validUpTo(bytes);
    return fail(where, `${name}: byte ${at} is not UTF-8: convert it first, for example with iconv -t UTF-8`);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Behind the last line end; 0 while there is none, but a character's end when the line is too long. */
function cutAt(block: Uint8Array): number {
  const end = block.lastIndexOf(newline) + 1;
  return end === 0 && block.length >= longestLine ? validUpTo(block) : end;
}
