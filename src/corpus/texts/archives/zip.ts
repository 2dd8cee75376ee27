// zip archives, by yauzl: what the directory at the end lists, each file as a stream whose size and checksum are held against the directory.
import type { Entry, ZipFile } from "yauzl";
import { CriaError, check, fail } from "../../../base/index.ts";
import { Growth } from "../growth.ts";
import { type Member, type OnMemberNote, refusedName } from "./member.ts";

/** First bytes of an archive, and of one without files. */
const magics = ["PK\x03\x04", "PK\x05\x06"];
const [linkKind, kindMask] = [0o120000, 0o170000];

/** Whether bytes begin as an archive does. @param head four bytes at least */
export function isZip(head: Uint8Array): boolean {
  return magics.includes(Buffer.from(head.subarray(0, 4)).toString("latin1"));
}

/** The first file's name, where its header stands first: an EPUB's is `mimetype`. @param head the file's first bytes */
export function firstName(head: Uint8Array): string {
  const length = (head[26] ?? 0) + 256 * (head[27] ?? 0);
  return Buffer.from(head.subarray(30, 30 + length)).toString("latin1");
}

/** The files of an archive on disk, in the directory's order. @throws CriaError where it has no directory, or a damaged one */
export async function* readZip(path: string, name: string, where: string, note: OnMemberNote): AsyncGenerator<Member> {
  const zip = await ZipArchive.open(path, name, where);
  try {
    for await (const entry of zip.entries(note)) yield { name: entry.fileName, bytes: zip.bytes(entry) };
  } finally {
    zip.close();
  }
}

/** An archive whose files are read in any order. */
export class ZipArchive {
  readonly #zip: ZipFile;
  readonly #name: string;
  readonly #where: string;
  readonly #growth: Growth;
  readonly #crc32: (bytes: Uint8Array, before: number) => number;

  private constructor(zip: ZipFile, name: string, where: string, crc32: (bytes: Uint8Array, before: number) => number) {
    [this.#zip, this.#name, this.#where, this.#crc32] = [zip, name, where, crc32];
    this.#growth = new Growth(name, where, zip.fileSize); // the sum of all files counts, so that overlapping ones do, too
  }

  static async open(path: string, name: string, where: string): Promise<ZipArchive> {
    const [{ openPromise }, { crc32 }] = await Promise.all([import("yauzl"), import("node:zlib")]); // read by few processes
    try {
      return new ZipArchive(await openPromise(path, { lazyEntries: true, autoClose: false, decodeStrings: false }), name, where, crc32);
    } catch (cause) {
      return fail(where, `${name}: it is no zip archive that can be read (${reasonOf(cause)}): fetch it again`, { cause });
    }
  }

  /** The files that can be read; others are told. */
  async *entries(note: OnMemberNote): AsyncGenerator<Entry> {
    try {
      for await (const entry of this.#zip.eachEntry()) {
        const named = await withName(entry);
        const refused = refusedEntry(named);
        if (refused !== undefined) note("left out", refused, named.fileName);
        else if (!named.fileName.endsWith("/")) yield named;
      }
    } catch (cause) {
      if (cause instanceof CriaError) throw cause;
      fail(this.#where, `${this.#name}: its directory is damaged (${reasonOf(cause)}): fetch it again`, { cause });
    }
  }

  /** The unpacked bytes of one file. */
  bytes(entry: Entry): AsyncGenerator<Uint8Array> {
    return this.#growth.out(this.#checked(entry));
  }

  async *#checked(entry: Entry): AsyncGenerator<Uint8Array> {
    let sum = 0;
    try {
      const stream = await this.#zip.openReadStreamPromise(entry);
      for await (const chunk of stream) {
        sum = this.#crc32(chunk, sum);
        yield chunk;
      }
    } catch (cause) {
      fail(this.#where, `${this.#name}: ${entry.fileName} is damaged (${reasonOf(cause)}): fetch it again`, { cause });
    }
    const { crc32 } = entry;
    check(
      sum === crc32,
      this.#where,
      () => `${this.#name}: ${entry.fileName} has the checksum ${sum} but the archive says ${crc32}: it is damaged, fetch it again`,
    );
  }

  close(): void {
    this.#zip.close();
  }
}

/** Names that others would refuse are read as they stand, so that one of them does not end the archive. */
async function withName(entry: Entry): Promise<Entry> {
  const { getFileNameLowLevel } = await import("yauzl");
  entry.fileName = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false);
  return entry;
}

function refusedEntry(entry: Entry): string | undefined {
  const mode = entry.externalFileAttributes >>> 16;
  if ((mode & kindMask) === linkKind) return "link";
  if (entry.isEncrypted()) return "encrypted file";
  if (!entry.canDecodeFileData()) return `file that is packed by method ${entry.compressionMethod}`;
  return refusedName(entry.fileName);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
