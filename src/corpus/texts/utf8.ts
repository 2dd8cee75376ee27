// UTF-8 to text in about half of TextDecoder's time on pages of a crawl (measured: docs/log/2026-11-28-readers.md). Texts without characters from U+0100 on
// stay strings of a byte per unit, on which the rules are faster; others go through the converter that Node has in `transcode`.
import { isAscii, isUtf8, transcode } from "node:buffer";

/** Texts of at most so many bytes are tried as Latin-1. */
const mostBytes = 1 << 16;
const latin = Buffer.alloc(mostBytes);

/** The text of bytes that are well-formed UTF-8, a byte order mark included; undefined where they are not. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (isAscii(buffer)) return buffer.toString("latin1");
  if (bytes.length > mostBytes) return buffer.toString("utf8");
  const count = toLatin(bytes);
  return count === 0 ? transcode(buffer, "utf8", "utf16le").toString("utf16le") : latin.toString("latin1", 0, count);
}

/** Puts the characters of well-formed UTF-8 into `latin`. @returns how many there are, or 0 where one of them is none of Latin-1 */
function toLatin(bytes: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte < 0x80) latin[count++] = byte;
    else if (byte > 0xc3) return 0;
    else latin[count++] = ((byte & 3) << 6) | (bytes[++at]! & 0x3f);
  }
  return count;
}
