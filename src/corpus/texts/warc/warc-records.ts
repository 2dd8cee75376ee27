// Records of crawls: WARC (ISO 28500:2017) and ARC (Burner & Kahle 1996), one after another, and on to the next one behind what is none.
import type { ByteReader } from "../byte-reader.ts";

/** What a record says of itself, its names in lower case. */
export type WarcFields = ReadonlyMap<string, string>;

/** A record whose content is wanted. */
export interface WarcRecord {
  /** Its type, such as "response" or "conversion". */
  readonly type: string;
  readonly fields: WarcFields;
  readonly content: Uint8Array;
  /** Where it begins in the unpacked bytes. */
  readonly offset: number;
}

/** What is told of records that are not given. */
export type OnRecordNote = (kind: "damaged" | "left out", what: string, offset: number) => void;

/** The longest content of a record that is held in memory. */
const longestContent = 64 * 2 ** 20;
const [longestLine, longestUrl, mostFields] = [1 << 16, 1 << 13, 1000];
/** A head of so many bytes is decoded at once; longer ones are rare, and looking for their end would take long where every head ends otherwise. */
const usualHead = 1 << 12;
const firstLine = /^WARC\/\d/;
/** "WARC/" and a digit, and the line ends that may stand before them. */
const nextRecordBytes = 16;
const warc = Buffer.from("WARC/", "latin1");
const [carriageReturn, lineFeed] = [0x0d, 0x0a];
/** URL, IP address, 14 digits of a date, type, and in its second version more; the length comes last. A URL may have spaces in it. */
const arcLine = /^(?<url>[a-z][a-z\d+.-]*:.*?) (?<ip>[\d.]{7,15}|[\da-f:]+) (?<date>\d{14})\d* (?<mime>\S+) (?:.* )?(?<length>\d+)$/i;
const latin = new TextDecoder("latin1");

/** Whether bytes begin as a record does. */
export function beginsRecord(bytes: Uint8Array): boolean {
  const [line = ""] = latin.decode(bytes.subarray(0, longestUrl)).split("\n", 1);
  return firstLine.test(line) || arcHead(line.trimEnd()) !== undefined;
}

/** @param wanted the types whose content is asked for */
export async function* readRecords(input: ByteReader, wanted: ReadonlySet<string>, note: OnRecordNote): AsyncGenerator<WarcRecord> {
  let isLost = false;
  let searched = 0; // Records are looked for inside damaged ones up to here, so that each byte is looked at twice at most.
  for (;;) {
    skipEmptyLines(input);
    const { offset } = input;
    const bytes = await input.line(longestLine);
    if (bytes === undefined) return;
    const line = isFirstLine(bytes, 0) ? undefined : latin.decode(bytes).trimEnd();
    if (line === "") continue;
    const head = line === undefined ? await warcHead(input) : arcHead(line);
    if (head === undefined) {
      if (!isLost) note("damaged", "bytes that belong to no record", offset);
      isLost = true;
      continue;
    }
    const { type, length } = head;
    const isHeld = wanted.has(type) && length <= longestContent;
    const { content: read, end } = await readContent(input, length, isHeld);
    isLost = end !== undefined;
    if (end !== undefined && offset >= searched) {
      searched = input.offset;
      input.putBack(read);
    }
    const content = end ?? (isHeld ? read : notHeld(head, wanted));
    if (content instanceof Uint8Array) yield { ...head, content, offset };
    else note(content.kind, content.what, offset);
  }
}

type Head = Pick<WarcRecord, "type" | "fields"> & { readonly length: number };

/** Takes empty lines as far as they are held, which saves a line's own way for each. */
function skipEmptyLines(input: ByteReader): void {
  const open = input.peek();
  let at = 0;
  for (;;) {
    if (open[at] === lineFeed) at++;
    else if (open[at] === carriageReturn && open[at + 1] === lineFeed) at += 2;
    else break;
  }
  input.take(at);
}

/** The fields up to an empty line; undefined where they do not say how long the content is. */
async function warcHead(input: ByteReader): Promise<Head | undefined> {
  const fields = new Map<string, string>();
  let last = "";
  for (const line of heldHead(input) ?? (await readHead(input))) {
    const colon = line.indexOf(":");
    if (last !== "" && (line.startsWith(" ") || line.startsWith("\t"))) fields.set(last, `${fields.get(last)} ${line.trim()}`);
    else if (colon > 0) {
      last = line.slice(0, colon).trim().toLowerCase();
      if (!fields.has(last)) fields.set(last, line.slice(colon + 1).trim());
    }
  }
  const length = fields.get("content-length") ?? "";
  return /^\d{1,15}$/.test(length) ? { type: (fields.get("warc-type") ?? "").toLowerCase(), fields, length: Number(length) } : undefined;
}

/** The lines of a head that is held, decoded together, which takes a third of the time; undefined where they must be read one by one. */
function heldHead(input: ByteReader): readonly string[] | undefined {
  const open = input.peek();
  const { buffer, byteOffset, length } = open;
  const held = Buffer.from(buffer, byteOffset, Math.min(length, usualHead));
  const end = held.indexOf("\r\n\r\n", 0, "latin1");
  if (end < 0) return undefined;
  const lines = held.toString("utf8", 0, end).split("\n");
  // A line of white space would have ended the head before.
  if (lines.length >= mostFields || lines.some((line) => line.trimEnd() === "")) return undefined;
  input.take(end + 4);
  return lines;
}

async function readHead(input: ByteReader): Promise<readonly string[]> {
  const lines: string[] = [];
  for (let i = 0; i < mostFields; i++) {
    const bytes = await input.line(longestLine);
    const line = bytes === undefined ? "" : Buffer.from(bytes).toString("utf8").trimEnd();
    if (line === "") break;
    lines.push(line);
  }
  return lines;
}

function arcHead(line: string): Head | undefined {
  if (line.length > longestUrl) return undefined;
  const { url = "", date = "", mime = "", length = "" } = arcLine.exec(line)?.groups ?? {};
  if (url === "") return undefined;
  const [, year, month, day, hour, minute, second] = /(....)(..)(..)(..)(..)(..)/.exec(date) ?? [];
  const fields = new Map([
    ["warc-target-uri", url],
    ["warc-date", `${year}-${month}-${day}T${hour}:${minute}:${second}Z`],
    ["content-type", mime],
  ]);
  return { type: url.startsWith("filedesc:") ? "warcinfo" : "response", fields, length: Number(length) };
}

/** Why there is no content. */
interface NoContent {
  readonly kind: "damaged" | "left out";
  readonly what: string;
}

const cutShort: NoContent = { kind: "damaged", what: "record that is cut short" };
const wrongLength: NoContent = { kind: "damaged", what: "record whose length is wrong" };

/** Why the content of a whole record is not given. */
function notHeld({ type }: Head, wanted: ReadonlySet<string>): NoContent {
  if (wanted.has(type)) return { kind: "left out", what: `record of more than ${longestContent} bytes` };
  return { kind: "left out", what: `record of type ${/^[a-z]{1,20}$/.test(type) ? type : "unknown"}` };
}

/** The content, empty unless it is to be held, and what is wrong where it does not end as its length says. */
async function readContent(
  input: ByteReader,
  length: number,
  isHeld: boolean,
): Promise<{ readonly content: Uint8Array; readonly end: NoContent | undefined }> {
  const held = input.takeHeld(length);
  const pieces: Uint8Array[] = held === undefined || !isHeld ? [] : [held];
  let read = held === undefined ? 0 : length;
  if (held === undefined)
    for await (const piece of input.pieces(length)) {
      read += piece.length;
      if (isHeld) pieces.push(piece);
    }
  const end = read < length ? cutShort : (await endsHere(input)) ? undefined : wrongLength;
  return { content: joined(pieces), end };
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces;
  return pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces);
}

/** Whether line ends come next, or none as in some ARC files, and behind them another record or nothing. */
async function endsHere(input: ByteReader): Promise<boolean> {
  // Nearly always a record comes, which its first bytes tell; asking for more of them would join several members of gzip data for each record.
  await input.has(nextRecordBytes);
  const close = input.peek();
  if (isFirstLine(close, lineEnds(close))) return true;
  await input.has(longestUrl);
  const open = input.peek();
  if (isFirstLine(open, lineEnds(open))) return true;
  const next = latin.decode(open.subarray(0, longestUrl)).trimStart();
  const [line = ""] = next.split("\n", 1);
  return line === "" || firstLine.test(line) || arcLine.test(line.trimEnd());
}

/** The same as the pattern of a record's first line. */
function isFirstLine(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < warc.length; i++) if (bytes[at + i] !== warc[i]) return false;
  const digit = bytes[at + warc.length] ?? 0;
  return digit >= 0x30 && digit <= 0x39;
}

/** How many line ends come first. */
function lineEnds(bytes: Uint8Array): number {
  let count = 0;
  while (bytes[count] === carriageReturn || bytes[count] === lineFeed) count++;
  return count;
}
