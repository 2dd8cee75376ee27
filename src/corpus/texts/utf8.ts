// UTF-8 to text by the converter that Node has in `transcode`: on pages of a crawl it takes a third of TextDecoder's time
// (measured: docs/log/2026-11-28-readers.md).
import { isAscii, isUtf8, transcode } from "node:buffer";

/** The text of bytes that are well-formed UTF-8, a byte order mark included; undefined where they are not. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isAscii(buffer) ? buffer.toString("latin1") : transcode(buffer, "utf8", "utf16le").toString("utf16le");
}
