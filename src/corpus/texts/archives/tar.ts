// tar archives: POSIX ustar and pax (IEEE 1003.1-2017, pax), GNU's long names, and the form before these (Unix version 7). A header is a block of 512 bytes,
// its numbers are octal text:
//
//   | name 100 | mode 8 | uid 8 | gid 8 | size 12 | mtime 12 | sum 8 | type 1 | link 100 | "ustar" 8 | owner 64 | devices 16 | prefix 155 | 12 |
import { fail } from "../../../base/index.ts";
import { ByteReader } from "../byte-reader.ts";
import { type Member, type OnMemberNote, refusedName } from "./member.ts";

const blockBytes = 512;
/** A header of pax or a long name is no longer. */
const mostHeader = 1 << 20;
/** Bytes of a record of pax in which its length and its key stand. */
const mostKey = 300;
const lineFeed = 0x0a;
const magicAt = 257;
/** Bytes that tell a tar archive. */
export const tarHeadBytes = blockBytes;

/** Whether bytes begin as an archive does: with the mark of ustar, or with a header whose sum is right. @param head the first {@link tarHeadBytes} where there are as many */
export function isTar(head: Uint8Array): boolean {
  if (textAt(head, magicAt, 5) === "ustar") return true;
  return head.length >= blockBytes && head[0] !== 0 && isHeader(head.subarray(0, blockBytes));
}

/** Types of entries that are no files. */
const otherTypes: Readonly<Record<string, string>> = {
  "1": "link",
  "2": "link",
  "3": "device",
  "4": "device",
  "6": "pipe",
  D: "list of a folder",
  M: "rest of a file that begins in another archive",
  S: "sparse file",
};
/** Types behind whose headers no bytes stand, whatever size they say: links, devices, folders and pipes. */
const withoutBytes = new Set("123456");

/** The files of an archive. Damaged headers are passed over and told; so is a last member that is cut short, when its bytes have been read. */
export async function* readTar(chunks: AsyncIterable<Uint8Array>, name: string, where: string, note: OnMemberNote): AsyncGenerator<Member> {
  const input = new ByteReader(chunks);
  const headers = new TarHeaders(input, note);
  try {
    for (let header = await headers.next(); header !== undefined; header = await headers.next()) {
      const end = input.offset + blocks(header.size);
      const refused = otherTypes[header.type] ?? refusedName(header.name);
      if (refused !== undefined) note("left out", refused, header.name);
      else if (header.type !== "5") yield { name: header.name, bytes: contents(input, header, `${name}: ${header.name}`, where) };
      if ((await input.skip(end - input.offset)) > 0 && input.offset < end) note("damaged", "archive that is cut short", header.name);
    }
  } finally {
    await input.close();
  }
}

async function* contents(input: ByteReader, { size }: TarHeader, name: string, where: string): AsyncGenerator<Uint8Array> {
  const start = input.offset;
  yield* input.pieces(size);
  const read = input.offset - start;
  if (read < size) fail(where, `${name}: it has ${size} bytes but the archive ends after ${read} of them: it is cut short, fetch it again`);
}

interface TarHeader {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

/** Reads headers, with what extended headers say of the next one. */
class TarHeaders {
  readonly #input: ByteReader;
  readonly #note: OnMemberNote;
  /** Whether no header was found yet behind a damaged one. */
  #isLost = false;
  #all: ReadonlyMap<string, string> = new Map();

  constructor(input: ByteReader, note: OnMemberNote) {
    [this.#input, this.#note] = [input, note];
  }

  /** The next header of a file or something else that has a name; undefined at the end. */
  async next(): Promise<TarHeader | undefined> {
    let said = this.#all;
    for (;;) {
      const block = await this.#block();
      if (block === undefined) return undefined;
      const [size, type] = [sizeOf(block), String.fromCharCode(block[156] || 0x30)];
      if (type === "x" || type === "X" || type === "g" || type === "L") {
        const bytes = await this.#content(size);
        if (bytes === undefined) continue;
        const records = type === "L" ? new Map([["path", textAt(bytes, 0, size)]]) : this.#records(bytes);
        said = new Map([...said, ...records]);
        if (type === "g") this.#all = new Map([...this.#all, ...records]);
      } else if (type === "K" || type === "V") await this.#input.skip(blocks(size));
      else {
        if (type === "S") await this.#skipMaps(block);
        return completed(block, said, { size, type });
      }
    }
  }

  /** The next block that is a header. */
  async #block(): Promise<Uint8Array | undefined> {
    while (await this.#input.has(blockBytes)) {
      const block = this.#input.take(blockBytes);
      if (isHeader(block)) {
        this.#isLost = false;
        return block;
      }
      if (!this.#isLost && block.some((byte) => byte !== 0)) {
        this.#note("damaged", "bytes that belong to no member", `byte ${this.#input.offset - blockBytes}`);
        this.#isLost = true;
      }
    }
    if (this.#input.peek().some((byte) => byte !== 0)) this.#note("damaged", "header that is cut short", `byte ${this.#input.offset}`);
    return undefined;
  }

  /** Further blocks that say where the bytes of a sparse file lie (GNU): each says whether another one follows. */
  async #skipMaps(header: Uint8Array): Promise<void> {
    let goesOn = header[482] === 1;
    while (goesOn && (await this.#input.has(blockBytes))) goesOn = this.#input.take(blockBytes)[504] === 1;
  }

  async #content(size: number): Promise<Uint8Array | undefined> {
    const room = blocks(size);
    if (size > mostHeader || !(await this.#input.has(room))) {
      this.#note("damaged", "extended header that is cut short or too long", `byte ${this.#input.offset}`);
      return undefined;
    }
    return this.#input.take(room).subarray(0, size);
  }

  /** "27 path=texts/a long name.txt\n" says its own length in bytes, so that a value may have any byte in it. */
  #records(bytes: Uint8Array): ReadonlyMap<string, string> {
    const records = new Map<string, string>();
    for (let at = 0; at < bytes.length; ) {
      const [, digits = "", key = ""] = /^(\d{1,7}) ([^=\n]+)=/.exec(textAt(bytes, at, mostKey)) ?? [];
      const [start, end] = [at + digits.length + Buffer.byteLength(key) + 2, at + Number(digits)];
      if (digits === "" || end > bytes.length || end <= start || bytes[end - 1] !== lineFeed) {
        this.#note("damaged", "extended header that is no list of records", `byte ${this.#input.offset}`);
        break;
      }
      records.set(key, textAt(bytes, start, end - 1 - start));
      at = end;
    }
    return records;
  }
}

function completed(block: Uint8Array, said: ReadonlyMap<string, string>, own: { readonly size: number; readonly type: string }): TarHeader {
  const prefix = textAt(block, magicAt, 6) === "ustar" && block[magicAt + 5] === 0 ? textAt(block, 345, 155) : "";
  const name = said.get("path") ?? [prefix, textAt(block, 0, 100)].filter((part) => part !== "").join("/");
  const size = withoutBytes.has(own.type) ? 0 : Number(said.get("size") ?? own.size);
  const isSparse = [...said.keys()].some((key) => key.startsWith("GNU.sparse."));
  const isFolder = own.type === "5" || (own.type === "0" && name.endsWith("/"));
  return {
    name: name.replace(/^(\.\/)+/, ""),
    size: Number.isSafeInteger(size) && size >= 0 ? size : own.size,
    type: isSparse ? "S" : isFolder ? "5" : own.type,
  };
}

/** Whether the block's sum is that of its bytes, its own eight taken for spaces; some programs summed signed bytes. */
function isHeader(block: Uint8Array): boolean {
  const said = Number.parseInt(textAt(block, 148, 8).trim(), 8);
  let [sum, signed] = [0, 0];
  for (const [i, byte] of block.entries()) {
    const counted = i >= 148 && i < 156 ? 0x20 : byte;
    sum += counted;
    signed += (counted << 24) >> 24;
  }
  return (said === sum || said === signed) && sizeOf(block) >= 0;
}

/** Octal digits, or where the first bit is set a number of 11 bytes (GNU); -1 for anything else. */
function sizeOf(block: Uint8Array): number {
  const first = block[124] ?? 0;
  if (first & 0x80) {
    const value = block.subarray(125, 136).reduce((sum, byte) => sum * 256 + byte, first & 0x7f);
    return Number.isSafeInteger(value) ? value : -1;
  }
  const text = textAt(block, 124, 12).trim();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || "0", 8) : -1;
}

function blocks(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes;
}

/** The text up to a zero byte; names beyond ASCII are UTF-8. */
function textAt(block: Uint8Array, start: number, length: number): string {
  const bytes = block.subarray(start, start + length);
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString("utf8");
}
