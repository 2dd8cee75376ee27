// The page in an HTTP response as crawls store it (RFC 9112): head, transfer coding and content coding taken off.
import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";

/** A page's bytes, and what its server said of them. */
export interface HttpPage {
  /** Such as "text/html", in lower case. */
  readonly type: string;
  readonly charset: string | undefined;
  readonly bytes: Uint8Array;
}

/** Why there is no page. */
export interface NoPage {
  readonly kind: "damaged" | "left out";
  readonly what: string;
}

const [longestHead, longestPage] = [1 << 18, 64 * 2 ** 20];
const carriageReturn = 0x0d;
const lineFeed = 0x0a;

/** The page of a response with status 200 whose type is wanted. */
export function httpPage(response: Uint8Array, isWanted: (type: string) => boolean): HttpPage | NoPage {
  const end = endOfHead(response);
  const head = Buffer.from(response.subarray(0, Math.min(end, longestHead))).toString("latin1");
  const status = /^HTTP\/\d(?:\.\d)? +(\d{3})\b/.exec(head)?.[1];
  if (status === undefined) return { kind: "left out", what: "response that is not HTTP" };
  if (status !== "200") return { kind: "left out", what: `response with status ${status}` };
  const { type, charset } = contentType(fieldOf(head, "content-type"));
  if (!isWanted(type)) return { kind: "left out", what: "response that is no HTML" };
  const isChunked = /\bchunked\b/i.test(fieldOf(head, "transfer-encoding"));
  const sent = isChunked ? joinChunks(response.subarray(end)) : response.subarray(end);
  if (sent === undefined) return { kind: "damaged", what: "response whose chunks are wrong" };
  const coding = fieldOf(head, "content-encoding").toLowerCase();
  if (/\b(zstd|compress|dcb|dcz)\b/.test(coding)) return { kind: "left out", what: "response whose compression is not read" };
  const bytes = decoded(sent, coding);
  return bytes === undefined ? { kind: "damaged", what: "response whose compressed data is damaged" } : { type, charset, bytes };
}

/** The type and charset of a Content-Type. */
export function contentType(value: string): { readonly type: string; readonly charset: string | undefined } {
  const [type = ""] = value.split(";");
  return { type: type.trim().toLowerCase(), charset: /;\s*charset\s*=\s*["']?([\w-]{1,40})/i.exec(value)?.[1] };
}

/** Where the content begins, behind the first empty line. */
function endOfHead(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) {
    if (bytes[at + 1] === lineFeed) return at + 2;
    if (bytes[at + 1] === carriageReturn && bytes[at + 2] === lineFeed) return at + 3;
  }
  return bytes.length;
}

/** A field's value without the white space around it; empty where there is none. */
function fieldOf(head: string, name: string): string {
  return new RegExp(`^${name}:(.*)$`, "im").exec(head)?.[1]?.trim() ?? "";
}

/** Undefined where a chunk's length is wrong. What begins as no chunk was joined by the crawler already, which kept the head. */
function joinChunks(bytes: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(lineFeed, at);
    const line = Buffer.from(bytes.subarray(at, Math.min(end < 0 ? bytes.length : end, at + 100))).toString("latin1");
    const length = /^([\da-f]{1,8})[ \t]*(;.*)?\r?$/i.exec(line)?.[1];
    if (length === undefined || end < 0) return at === 0 ? bytes : undefined;
    const size = Number.parseInt(length, 16);
    if (size === 0) break;
    const start = end + 1;
    if (start + size > bytes.length) return undefined;
    parts.push(bytes.subarray(start, start + size));
    at = start + size;
    if (bytes[at] === carriageReturn) at++;
    if (bytes[at] === lineFeed) at++;
  }
  return Buffer.concat(parts);
}

/** Undefined where the data is damaged. What does not begin as gzip data does was unpacked by the crawler already. */
function decoded(bytes: Uint8Array, coding: string): Uint8Array | undefined {
  const options = { maxOutputLength: longestPage };
  try {
    if (/gzip/.test(coding)) return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes, options) : bytes;
    if (coding === "br") return brotliDecompressSync(bytes, options);
    if (coding === "deflate") return bytes[0] === 0x78 ? inflateSync(bytes, options) : inflateRawSync(bytes, options);
    return bytes;
  } catch {
    return undefined;
  }
}
