// Where the first record of a stretch of a packed crawl begins: its records are gzip members of their own (ISO 28500:2017, annex D).
import type { OpenHandle } from "../../../files/index.ts";
import { memberHead } from "./gzip-members.ts";
import { beginsRecord } from "./warc-records.ts";

const chunkBytes = 1 << 20;
/** Packed bytes of a member that are unpacked to see whether it begins with a record. */
const headBytes = 1 << 12;
const magic = 0x1f;

/**
 * The first member that begins in a stretch and begins with a record, by its offset. Infinity behind the end of the file; undefined where none begins in the
 * stretch. Memory: a megabyte.
 */
export async function firstRecord(file: Pick<OpenHandle, "read">, stretch: number, stretchBytes: number): Promise<number | undefined> {
  if (stretch === 0) return 0;
  const window = new Uint8Array(Math.min(chunkBytes, stretchBytes) + headBytes);
  const end = (stretch + 1) * stretchBytes;
  for (let at = stretch * stretchBytes; at < end; ) {
    const length = Math.min(window.length - headBytes, end - at);
    const { bytesRead } = await file.read(window, 0, length + headBytes, at);
    if (bytesRead === 0) return Number.POSITIVE_INFINITY;
    const read = window.subarray(0, bytesRead);
    for (let i = read.indexOf(magic); i >= 0 && i < length; i = read.indexOf(magic, i + 1)) {
      const head = memberHead(read.subarray(i, i + headBytes));
      if (head !== undefined && beginsRecord(head)) return at + i;
    }
    at += length;
  }
  return undefined;
}
