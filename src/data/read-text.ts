// A file's text, piece by piece, strictly UTF-8: a byte that is not names its place instead of becoming a replacement character.
import { fail, validUpTo } from "../base/index.ts";
import { readStream } from "../files/index.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text of a file of any size in pieces of about a megabyte, without a byte order mark.
 * @param onBytes told how many bytes each step read
 * @throws CriaError when the file cannot be read or is not UTF-8 (RFC 3629), with the offset of the first wrong byte
 */
export async function* readText(path: string, onBytes?: (bytes: number) => void, where = "data"): AsyncGenerator<string> {
  let rest = new Uint8Array(0); // a character that the next chunk completes
  let offset = 0; // of rest, in the file
  for await (const chunk of readStream(path, { where })) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.length - unfinishedBytes(bytes);
    const text = decode(path, bytes, whole, offset, where);
    rest = Uint8Array.from(bytes.subarray(whole));
    yield offset === 0 && text.startsWith("\ufeff") ? text.slice(1) : text;
    offset += whole;
    onBytes?.(chunk.length);
  }
  if (rest.length > 0)
    fail(where, `${path}: it ends at byte ${offset + rest.length} inside a character that began at ${offset}: the file is cut short`);
}

/** How many bytes at the end begin a character that needs more of them: 110xxxxx needs two, 1110xxxx three, 11110xxx four in all. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80 || byte >= 0xf5) return 0;
    if (byte >= 0xc0) return back < (byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4) ? back : 0;
  }
  return 0;
}

/** The text of the first `whole` bytes; what follows helps to name the wrong one. */
function decode(path: string, bytes: Uint8Array, whole: number, offset: number, where: string): string {
  try {
    return strict.decode(bytes.subarray(0, whole));
  } catch (error) {
    const at = validUpTo(bytes);
    const byte = `0x${bytes[at]!.toString(16).padStart(2, "0")}`;
    return fail(
      where,
      `${path}: byte ${byte} at offset ${offset + at} begins no UTF-8 character: convert the file to UTF-8 or leave it out`,
      { cause: error },
    );
  }
}
