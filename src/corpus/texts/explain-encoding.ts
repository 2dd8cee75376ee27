// Text in another encoding than UTF-8: which one it is, as far as bytes can tell, and the command that converts it.
import { fail } from "../../base/index.ts";
import type { Packing } from "./open-bytes.ts";

/** A file's unpacked bytes, with what messages need to know of it. */
export interface Bytes {
  /** What messages call the file. */
  readonly name: string;
  readonly packing: Packing;
  /** Where the bytes begin in the file. */
  readonly start: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Byte order marks (Unicode 16, table 23-4), the longer ones first: that of UTF-32LE begins as UTF-16LE's does. */
const marks: readonly (readonly [encoding: string, bytes: readonly number[]])[] = [
  ["UTF-32", [0xff, 0xfe, 0, 0]],
  ["UTF-32", [0, 0, 0xfe, 0xff]],
  ["UTF-16", [0xff, 0xfe]],
  ["UTF-16", [0xfe, 0xff]],
];

/** @param head the file's first bytes. @throws CriaError when they are UTF-16 or UTF-32 */
export function explainEncoding({ name, packing }: Pick<Bytes, "name" | "packing">, head: Uint8Array, where: string): void {
  const encoding = wideEncoding(head);
  if (encoding !== undefined) fail(where, `${name}: its text is ${encoding}, not UTF-8: convert it (${convert(name, packing, encoding)})`);
}

/** UTF-16 or UTF-32 by their mark, or by every second byte of mostly Latin text being zero; undefined for anything else. */
export function wideEncoding(head: Uint8Array): string | undefined {
  const marked = marks.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte));
  if (marked !== undefined) return marked[0];
  const pairs = Math.min(head.length >> 1, 2048);
  const zeros = [0, 0];
  for (let i = 0; i < 2 * pairs; i++) if (head[i] === 0) zeros[i & 1]!++;
  const [even, odd] = zeros as [number, number];
  if (pairs >= 2 && odd > pairs / 2 && even === 0) return "UTF-16LE";
  return pairs >= 2 && even > pairs / 2 && odd === 0 ? "UTF-16BE" : undefined;
}

/** A byte that begins no character. */
interface WrongByte {
  readonly bytes: Uint8Array;
  /** Its index in {@link bytes}. */
  readonly at: number;
  /** Where {@link bytes} begin in the unpacked file. */
  readonly offset: number;
}

/** Refuses a byte that is no UTF-8: names its place, a likely encoding, and a command that converts the file. @throws CriaError always */
export function explainByte(input: Bytes, { bytes, at, offset }: WrongByte, where: string, cause: unknown): never {
  const byte = `0x${bytes[at]!.toString(16).padStart(2, "0")}`;
  const unpacked = input.packing === undefined ? "" : " of the unpacked text";
  const command = (encoding: string) => convert(input.name, input.packing, encoding);
  const wayOut = isLatin(bytes)
    ? `it looks like Latin-1 or Windows-1252, convert it (${command("WINDOWS-1252")})`
    : `convert it (${command("ENCODING")}, ENCODING being SHIFT_JIS, GB18030, EUC-KR, WINDOWS-1251 or whatever it was saved in)`;
  return fail(
    where,
    `${input.name}: byte ${byte} at offset ${offset + at}${unpacked} begins no UTF-8 character: ${wayOut} or leave it out`,
    {
      cause,
    },
  );
}

/** Whether the bytes above 0x7F stand alone between ASCII letters, as accents in the languages of western Europe do. */
function isLatin(bytes: Uint8Array): boolean {
  let [alone, high] = [0, 0];
  for (let i = 0; i < Math.min(bytes.length, 1 << 16); i++) {
    if (bytes[i]! < 0x80) continue;
    high++;
    if (!(bytes[i - 1]! >= 0x80) && !(bytes[i + 1]! >= 0x80)) alone++;
  }
  return bytes.length > 0 && alone > 0.7 * high && high < 0.3 * bytes.length;
}

/** A shell command that writes the text as UTF-8 beside the file. */
function convert(name: string, packing: Packing, encoding: string): string {
  const plain = name.replace(/\.(gz|zst|zstd|bz2|lz4)$/i, "");
  const dot = /\.[^./\\]*$/.exec(plain)?.index ?? plain.length;
  const out = quote(`${plain.slice(0, dot)}.utf8${plain.slice(dot)}`);
  const iconv = `iconv -f ${encoding} -t UTF-8`;
  if (packing === undefined) return `${iconv} ${quote(name)} > ${out}`;
  return `${packing} -dc ${quote(name)} | ${iconv} > ${out}`;
}

/** Quotes a path so that a shell takes it for one word. */
function quote(path: string): string {
  return /^[\w./\\:~+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
