// Zip archives, read by range as far as torch.save writes them: entries are stored as they are, so that a machine may map them where they lie (PKWARE's
// APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 to 4.3.16 and 4.5.3). The packages that read zips give an entry's bytes, not their place in the file.
//
//   | local header, name, extra, bytes | … | central header, name, extra, comment | … | zip64 end | zip64 locator | end, comment |
//
// The central headers say what there is; where an entry's bytes begin, only its local header says.
import { type ByteSource, check, decodeUtf8, fail } from "../base/index.ts";
import { quote } from "./json.ts";

/** An entry of an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes as they are stored. */
  readonly size: number;
  /** Where its local header begins. */
  readonly headerStart: number;
}

const where = "zip";
const endBytes = 22;
const mostComment = 0xffff;
const locatorBytes = 20;
const centralBytes = 46;
const localBytes = 30;
/** An archive of tensors has about 100 bytes per entry here. */
const mostDirectoryBytes = 1 << 26;

/** The entries by name. @throws CriaError where the file is none, is cut short or damaged, or has entries that are compressed or encrypted */
export async function readZip(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const { start, bytes, count } = await findDirectory(source);
  check(
    bytes <= mostDirectoryBytes && count * centralBytes <= bytes,
    where,
    () => `${source.name}: its directory would have ${count} entries in ${bytes} bytes: it is damaged, or no archive of tensors`,
  );
  const directory = await readRange(source, start, bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, next } = readCentral(source, directory, at);
    check(!entries.has(entry.name), where, () => `${source.name}: it has ${quote(entry.name)} twice: it is damaged`);
    entries.set(entry.name, entry);
    at = next;
  }
  return entries;
}

/** Where an entry's bytes begin. @throws CriaError where its local header is damaged, or its bytes go beyond the file */
export async function zipEntryStart(source: ByteSource, { name, size, headerStart }: ZipEntry): Promise<number> {
  const header = await readRange(source, headerStart, localBytes);
  check(
    header.getUint32(0, true) === 0x04034b50,
    where,
    () => `${source.name}: ${quote(name)} has no header of its own: the file is damaged`,
  );
  const start = headerStart + localBytes + header.getUint16(26, true) + header.getUint16(28, true);
  check(
    start + size <= source.size,
    where,
    () => `${source.name}: ${quote(name)} ends at byte ${start + size} but the file has ${source.size}: it is damaged`,
  );
  return start;
}

interface Directory {
  readonly start: number;
  readonly bytes: number;
  readonly count: number;
}

async function findDirectory(source: ByteSource): Promise<Directory> {
  const tailStart = Math.max(0, source.size - endBytes - mostComment);
  const tail = await readRange(source, tailStart, source.size - tailStart);
  let at = tail.byteLength - endBytes;
  // The comment behind ends with the file, so that a signature inside of it is not taken for the end.
  while (at >= 0 && !(tail.getUint32(at, true) === 0x06054b50 && at + endBytes + tail.getUint16(at + 20, true) === tail.byteLength)) at--;
  check(at >= 0, where, () => `${source.name}: its directory is missing, which stands at the end: it is cut short, fetch it again`);
  const isWide = at >= locatorBytes && tail.getUint32(at - locatorBytes, true) === 0x07064b50;
  if (isWide) return findWideDirectory(source, wide(source, tail, at - locatorBytes + 8));
  return { start: tail.getUint32(at + 16, true), bytes: tail.getUint32(at + 12, true), count: tail.getUint16(at + 10, true) };
}

async function findWideDirectory(source: ByteSource, at: number): Promise<Directory> {
  const end = await readRange(source, at, 56);
  check(end.getUint32(0, true) === 0x06064b50, where, () => `${source.name}: its directory's end is not where it says: it is damaged`);
  return { start: wide(source, end, 48), bytes: wide(source, end, 40), count: wide(source, end, 32) };
}

function readCentral(source: ByteSource, view: DataView, at: number): { readonly entry: ZipEntry; readonly next: number } {
  const isWhole = at + centralBytes <= view.byteLength && view.getUint32(at, true) === 0x02014b50;
  if (!isWhole) return fail(where, `${source.name}: its directory has no entry at byte ${at}: it is damaged`);
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [number, number, number];
  const nameEnd = at + centralBytes + nameBytes;
  const next = nameEnd + extraBytes + commentBytes;
  check(
    next <= view.byteLength,
    where,
    () => `${source.name}: its directory's entry at byte ${at} goes beyond the directory: it is damaged`,
  );
  const name = decodeUtf8(new Uint8Array(view.buffer, view.byteOffset + at + centralBytes, nameBytes), `${source.name}: a name`, where);
  const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
  check(
    method === 0 && (flags & 1) === 0,
    where,
    () =>
      `${source.name}: ${quote(name)} is ${method === 0 ? "encrypted" : `compressed by method ${method}`}, but entries of tensors are stored: save it by torch.save`,
  );
  const wides = wideFields(source, new DataView(view.buffer, view.byteOffset + nameEnd, extraBytes));
  const [size, stored, headerStart] = [24, 20, 42].map((field) => {
    const value = view.getUint32(at + field, true);
    return value === 0xffffffff ? wides() : value;
  }) as [number, number, number];
  check(size === stored, where, () => `${source.name}: ${quote(name)} has ${size} bytes but ${stored} are stored: it is damaged`);
  return { entry: { name, size, headerStart }, next };
}

/** The 64-bit numbers that stand in the extra field for those that do not fit into 32, one after another. */
function wideFields(source: ByteSource, extra: DataView): () => number {
  let at = 0;
  let left = 0;
  while (left === 0 && at + 4 <= extra.byteLength) {
    const [id, bytes] = [extra.getUint16(at, true), extra.getUint16(at + 2, true)];
    if (id === 1) left = Math.min(bytes, extra.byteLength - at - 4);
    at += id === 1 ? 4 : 4 + bytes;
  }
  return () => {
    check(left >= 8, where, () => `${source.name}: an entry lacks a number that its directory promises: it is damaged`);
    const value = wide(source, extra, at);
    [at, left] = [at + 8, left - 8];
    return value;
  };
}

/** @throws CriaError for a number beyond the file, so that sums of two are exact */
function wide(source: ByteSource, view: DataView, at: number): number {
  const value = view.getBigUint64(at, true);
  check(
    value <= BigInt(source.size),
    where,
    () => `${source.name}: it says ${value} of bytes or entries but has ${source.size} bytes: it is damaged`,
  );
  return Number(value);
}

async function readRange(source: ByteSource, start: number, bytes: number): Promise<DataView> {
  check(
    start + bytes <= source.size,
    where,
    () =>
      `${source.name}: a part of it ends at byte ${start + bytes} but the file has ${source.size}: it is cut short or damaged, fetch it again`,
  );
  const read = await source.read(start, bytes);
  return new DataView(read.buffer, read.byteOffset, bytes);
}
