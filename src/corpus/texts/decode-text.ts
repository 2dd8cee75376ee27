// Bytes to text, piece by piece, strictly UTF-8: a byte that is not names its place and the command that converts the file.
import { fail, validUpTo } from "../../base/index.ts";
import { type Bytes, explainByte, explainEncoding } from "./explain-encoding.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The text in pieces of about the chunks' size, without a byte order mark.
 * @throws CriaError for what is not UTF-8 (RFC 3629), naming the offset of the first wrong byte, and for zero bytes, which no text has
 */
export async function* decodeText(input: Bytes, where: string): AsyncGenerator<string> {
  let rest: Uint8Array = new Uint8Array(0); // a character that the next chunk completes
  let offset = input.start; // where `rest` begins in the unpacked file
  for await (const chunk of input.bytes) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (offset === 0) explainEncoding(input, bytes, where);
    const whole = bytes.length - unfinishedBytes(bytes);
    const text = decode(input, bytes, whole, offset, where);
    rest = Uint8Array.from(bytes.subarray(whole));
    yield offset === 0 && text.startsWith("\ufeff") ? text.slice(1) : text;
    offset += whole;
  }
  if (rest.length > 0)
    fail(where, `${input.name}: it ends at byte ${offset + rest.length} inside a character that began at ${offset}: the file is cut short`);
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
function decode(input: Bytes, bytes: Uint8Array, whole: number, offset: number, where: string): string {
  const zero = bytes.subarray(0, whole).indexOf(0);
  if (zero >= 0)
    fail(
      where,
      `${input.name}: the byte at offset ${offset + zero} is zero, which no text has: remove it (tr -d '\\0') or leave the file out`,
    );
  try {
    return strict.decode(bytes.subarray(0, whole));
  } catch (error) {
    return explainByte(input, { bytes, at: validUpTo(bytes), offset }, where, error);
  }
}
