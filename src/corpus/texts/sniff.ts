// What a file without a telling name holds, by its first bytes.
import { archiveOf } from "./archives/archive.ts";
import { firstName } from "./archives/zip.ts";
import { wideEncoding } from "./explain-encoding.ts";
import type { FormName } from "./forms.ts";
import { openBytes, type ReadOptions } from "./open-bytes.ts";

const headBytes = 1 << 16;

/** "binary", or the form that reads it. */
export async function sniff(path: string, name: string, options: ReadOptions): Promise<"binary" | FormName> {
  const { bytes, close } = await openBytes(path, name, options);
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of bytes) {
    parts.push(part);
    length += part.length;
    if (length >= headBytes) break;
  }
  await close();
  const head = Buffer.concat(parts).subarray(0, headBytes);
  const archive = archiveOf(head);
  if (archive !== undefined) return archive === "zip" && firstName(head) === "mimetype" ? "epub" : "archive";
  if (head.toString("latin1", 0, 4) === "PAR1") return "parquet";
  if (/^(WARC\/\d|filedesc:\/\/)/.test(head.toString("latin1", 0, 16))) return "warc";
  const element = rootElement(head);
  if (element === "mediawiki") return "wikipedia";
  if (element === "posts") return "stackexchange";
  if (wideEncoding(head) !== undefined) return "text"; // its reader names the encoding
  if (head.some(isBinaryByte)) return "binary";
  return beginsWithObject(head, length > headBytes) ? "jsonl" : "text";
}

/** The name of the element that an XML file begins with, behind its declaration and comments. */
function rootElement(head: Buffer): string | undefined {
  const text = head.toString("latin1", 0, 1024).replace(/^\xef\xbb\xbf/, "");
  return /^\s*(?:<\?[^>]*>\s*)?(?:<!--[^>]*-->\s*)*<([a-zA-Z]\w*)/.exec(text)?.[1];
}

/** The WHATWG's MIME Sniffing standard, section 3: a binary data byte. */
function isBinaryByte(byte: number): boolean {
  return byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f);
}

/** Whether the first line is a JSON object, or begins as one and goes on behind the head. */
function beginsWithObject(head: Buffer, goesOn: boolean): boolean {
  const text = head
    .toString("utf8")
    .replace(/^\ufeff/, "")
    .trimStart();
  const end = text.indexOf("\n");
  if (end < 0 && goesOn) return /^\{\s*"/.test(text);
  try {
    return text.startsWith("{") && Boolean(JSON.parse(end < 0 ? text : text.slice(0, end)));
  } catch {
    return false;
  }
}
