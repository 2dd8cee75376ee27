// Zstandard (RFC 8878) as a stream. fzstd decompresses; the frames are walked here, because it verifies no checksum and would take any window size.
import { check, fail, Xxh64 } from "../../base/index.ts";
import { ByteReader } from "./byte-reader.ts";

/** First bytes of a frame, little-endian 0xFD2FB528. No UTF-8 text begins so: 0xB5 begins no character. */
export const zstdMagic = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
/** Whether bytes begin as a frame that is to be skipped, as the files do that pzstd writes. No text begins so: 0x18 is a control character. */
export function isSkippable([first = 0, second, third, fourth]: Uint8Array): boolean {
  return first >> 4 === 5 && second === 0x2a && third === 0x4d && fourth === 0x18;
}

/** What `zstd -d` takes without `--long`: 128 MiB. */
const largestWindow = 2 ** 27;

/**
 * The decompressed bytes of all frames; skippable frames are skipped. Memory: the window that a frame asks for, at most 128 MiB.
 * @throws CriaError for damaged or truncated data, a wrong checksum, a larger window, or a dictionary
 */
export async function* unzstd(chunks: AsyncIterable<Uint8Array>, name: string, where: string): AsyncGenerator<Uint8Array> {
  const input = new ByteReader(chunks);
  try {
    while (await input.has(1)) {
      const magic = read32(await need(input, 4, name, where));
      if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) await skipFrame(input, name, where);
      else if (magic === 0xfd2fb528) yield* readFrame(input, name, where);
      else fail(where, `${name}: byte ${input.offset - 4} begins no Zstandard frame (${hex(magic)}): it is damaged, fetch it again`);
    }
  } finally {
    await input.close();
  }
}

async function skipFrame(input: ByteReader, name: string, where: string): Promise<void> {
  for (let left = read32(await need(input, 4, name, where)); left > 0; ) {
    const part = Math.min(left, 1 << 16);
    await need(input, part, name, where);
    left -= part;
  }
}

async function* readFrame(input: ByteReader, name: string, where: string): AsyncGenerator<Uint8Array> {
  const { bytes, hasChecksum, size } = await readHead(input, name, where);
  const hash = new Xxh64();
  let found = 0;
  let out: Uint8Array[] = [];
  const { Decompress } = await import("fzstd"); // read by few processes
  const decompress = new Decompress((chunk) => {
    hash.update(chunk);
    found += chunk.length;
    out.push(chunk);
  });
  const push = (part: Uint8Array, isLast = false) => {
    try {
      decompress.push(part, isLast);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      fail(where, `${name}: its Zstandard data is damaged before byte ${input.offset} (${reason}): fetch it again`, { cause });
    }
  };
  push(bytes);
  for (let isLast = false; !isLast; ) {
    const head = await need(input, 3, name, where);
    const word = head[0]! | (head[1]! << 8) | (head[2]! << 16);
    const [type, size] = [(word >> 1) & 3, word >> 3];
    isLast = (word & 1) === 1;
    push(head);
    push(await need(input, type === 1 ? 1 : size, name, where));
    yield* out;
    out = [];
  }
  if (hasChecksum) {
    const stored = await need(input, 4, name, where);
    const [said, sum] = [read32(stored), hash.low32()];
    check(
      said === sum,
      where,
      () =>
        `${name}: the frame that ends at byte ${input.offset} has checksum ${hex(sum)} but says ${hex(said)}: it is damaged, fetch it again`,
    );
    push(stored);
  }
  push(new Uint8Array(), true);
  yield* out;
  check(
    size === undefined || size === found,
    where,
    () => `${name}: the frame that ends at byte ${input.offset} has ${found} bytes but says ${size}: it is damaged, fetch it again`,
  );
}

/** What stands in front of a frame's blocks. */
interface FrameHead {
  readonly bytes: Uint8Array;
  readonly hasChecksum: boolean;
  /** How many bytes the frame says that it has; undefined where it says nothing. */
  readonly size: number | undefined;
}

/** The frame's header with its magic, as RFC 8878 section 3.1.1.1 lays it out. */
async function readHead(input: ByteReader, name: string, where: string): Promise<FrameHead> {
  const descriptor = (await need(input, 1, name, where))[0]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const rest = await need(input, (isSingleSegment ? 0 : 1) + dictionaryBytes + sizeBytes, name, where);
  const dictionary = rest.subarray(isSingleSegment ? 0 : 1, (isSingleSegment ? 0 : 1) + dictionaryBytes);
  check(
    dictionary.every((byte) => byte === 0),
    where,
    () =>
      `${name}: it was compressed with a dictionary (id ${hexOf(dictionary)}), which is not read here: decompress it with zstd -d -D DICTIONARY`,
  );
  const size = sizeBytes === 0 ? undefined : contentSize(rest.subarray(rest.length - sizeBytes));
  const window = isSingleSegment ? (size ?? 0) : windowSize(rest[0]!);
  check(
    window <= largestWindow,
    where,
    () =>
      `${name}: decompressing it takes a window of ${window} bytes, at most ${largestWindow} are allowed: compress it anew (zstd -d --long=31 ${name}, then zstd)`,
  );
  return { bytes: Buffer.concat([zstdMagic, Uint8Array.of(descriptor), rest]), hasChecksum: (descriptor & 4) !== 0, size };
}

function windowSize(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}

function contentSize(bytes: Uint8Array): number {
  const value = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
  return bytes.length === 2 ? value + 256 : value;
}

function read32(bytes: Uint8Array): number {
  return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

function hexOf(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).reverse().toString("hex")}`;
}

async function need(input: ByteReader, count: number, name: string, where: string): Promise<Uint8Array> {
  if (!(await input.has(count)))
    fail(where, `${name}: its Zstandard data ends at byte ${input.end} inside a frame: the file is cut short, fetch it again`);
  return input.take(count);
}
