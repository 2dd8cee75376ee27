// LZ4 frames (lz4_Frame_format.md 1.6.4, lz4_Block_format.md) as a stream. npm's packages want the whole file, or a compiler.
//
//   | magic 4 | flags 1 | block size 1 | content size 0/8 | dictionary 0/4 | header sum 1 | blocks: size 4, data, sum 0/4 … | 0 4 | content sum 0/4 |
import { check, fail, Xxh32, xxh32 } from "../../base/index.ts";
import { ByteReader } from "./byte-reader.ts";

/** First bytes of a frame, little-endian 0x184D2204. No UTF-8 text begins so, because 0x04 is a control character. */
export const lz4Magic = Uint8Array.of(0x04, 0x22, 0x4d, 0x18);
/** A match reaches so far back, also into the blocks before where these depend on each other. */
const windowBytes = 1 << 16;
const flag = { dictionary: 1, contentSum: 4, contentSize: 8, blockSum: 16, independent: 32 };

/**
 * The unpacked bytes of all frames; skippable frames are skipped. Memory: two blocks, of 4 MiB at most.
 * @throws CriaError for damaged or truncated data, a wrong checksum, a dictionary, or the form before frames
 */
export async function* unlz4(chunks: AsyncIterable<Uint8Array>, name: string, where: string): AsyncGenerator<Uint8Array> {
  const input = new ByteReader(chunks);
  const frames = new Lz4Frames(input, name, where);
  try {
    while (await input.has(1)) yield* frames.next();
  } finally {
    await input.close();
  }
}

class Lz4Frames {
  readonly #input: ByteReader;
  readonly #name: string;
  readonly #where: string;

  constructor(input: ByteReader, name: string, where: string) {
    [this.#input, this.#name, this.#where] = [input, name, where];
  }

  async *next(): AsyncGenerator<Uint8Array> {
    const magic = read32(await this.#need(4));
    if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) {
      const bytes = read32(await this.#need(4));
      if ((await this.#input.skip(bytes)) < bytes) this.#cut();
    } else if (magic === 0x184d2204) yield* this.#frame();
    else this.#damaged("begins no LZ4 frame");
  }

  async *#frame(): AsyncGenerator<Uint8Array> {
    const { flags, mostBytes, size } = await this.#head();
    const sum = new Xxh32();
    let found = 0;
    let window = new Uint8Array(0);
    for (let head = read32(await this.#need(4)); head !== 0; head = read32(await this.#need(4))) {
      const bytes = head & 0x7fffffff;
      check(
        bytes <= mostBytes,
        this.#where,
        () => `${this.#name}: a block of LZ4 data has ${bytes} bytes, but the frame says ${mostBytes} at most: it is damaged`,
      );
      const packed = await this.#need(bytes);
      if (flags & flag.blockSum) this.#checkSum(read32(await this.#need(4)), xxh32(packed));
      const block = head >>> 31 ? Uint8Array.from(packed) : this.#unpack(packed, window, mostBytes);
      if (flags & flag.contentSum) sum.update(block);
      if (!(flags & flag.independent)) window = lastOf(window, block);
      found += block.length;
      yield block;
    }
    if (size !== undefined && size !== found) this.#damaged(`ends an LZ4 frame of ${found} bytes that says ${size}`);
    if (flags & flag.contentSum) this.#checkSum(read32(await this.#need(4)), sum.digest());
  }

  /** @returns the frame's flags, the bytes of a block at most, and how many bytes it says that it has, where it says so */
  async #head(): Promise<{ readonly flags: number; readonly mostBytes: number; readonly size: number | undefined }> {
    const [flags = 0, sizes = 0] = await this.#need(2);
    const size = (sizes >> 4) & 7;
    if (flags >> 6 !== 1 || size < 4) this.#damaged("is the head of no LZ4 frame that is known");
    const more = await this.#need((flags & flag.contentSize ? 8 : 0) + (flags & flag.dictionary ? 4 : 0));
    const [said = 0] = await this.#need(1);
    if (said !== ((xxh32(Buffer.concat([Uint8Array.of(flags, sizes), more])) >>> 8) & 0xff)) this.#damaged("has a wrong checksum");
    check(
      !(flags & flag.dictionary),
      this.#where,
      () => `${this.#name}: it was compressed with a dictionary, which is not read here: decompress it with lz4 -d -D DICTIONARY`,
    );
    const bytes = flags & flag.contentSize ? read32(more) + 2 ** 32 * read32(more.subarray(4)) : undefined;
    return { flags, mostBytes: 1 << (8 + 2 * size), size: bytes };
  }

  #unpack(packed: Uint8Array, window: Uint8Array, mostBytes: number): Uint8Array {
    const out = new Uint8Array(window.length + mostBytes);
    out.set(window);
    const end = unpackBlock(packed, out, window.length);
    if (end < 0) this.#damaged("ends LZ4 data that is damaged");
    return out.slice(window.length, end);
  }

  #checkSum(said: number, found: number): void {
    if (said !== found) this.#damaged("ends LZ4 data with a wrong checksum");
  }

  #damaged(what: string): never {
    return fail(this.#where, `${this.#name}: byte ${this.#input.offset} ${what}: it is damaged, fetch it again`);
  }

  #cut(): never {
    return fail(
      this.#where,
      `${this.#name}: its LZ4 data ends at byte ${this.#input.end} inside a frame: the file is cut short, fetch it again`,
    );
  }

  async #need(count: number): Promise<Uint8Array> {
    return (await this.#input.has(count)) ? this.#input.take(count) : this.#cut();
  }
}

function read32(bytes: Uint8Array): number {
  return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
}

function lastOf(window: Uint8Array, block: Uint8Array): Uint8Array<ArrayBuffer> {
  const kept = Math.max(0, Math.min(window.length, windowBytes - block.length));
  return Uint8Array.from(Buffer.concat([window.subarray(window.length - kept), block.subarray(-windowBytes)]));
}

/** Literals and matches in turns. @param start where the block begins in `out`; matches reach before it @returns where it ends; -1 for damaged data */
export function unpackBlock(packed: Uint8Array, out: Uint8Array, start: number): number {
  let [at, end] = [0, start];
  /** A length in a token's half: 15 goes on in bytes that are added, of which the last is not 255. */
  const length = (half: number): number => {
    let sum = half;
    for (let byte = half === 15 ? 255 : 0; byte === 255; sum += byte) byte = packed[at++] ?? 0;
    return sum;
  };
  while (at < packed.length) {
    const token = packed[at++]!;
    const literals = length(token >> 4);
    if (literals > packed.length - at || literals > out.length - end) return -1;
    out.set(packed.subarray(at, at + literals), end);
    at += literals;
    end += literals;
    if (at === packed.length) return end;
    if (at + 2 > packed.length) return -1;
    const back = packed[at]! | (packed[at + 1]! << 8);
    at += 2;
    const bytes = length(token & 15) + 4;
    if (back === 0 || back > end || bytes > out.length - end) return -1;
    if (back >= bytes) out.copyWithin(end, end - back, end - back + bytes);
    else for (let i = 0; i < bytes; i++) out[end + i] = out[end + i - back]!;
    end += bytes;
  }
  return -1;
}
