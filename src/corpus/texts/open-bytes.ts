// A file's bytes, unpacked where they begin as gzip, Zstandard, bzip2 or LZ4 data do. No text begins like any of these, so the content decides, not the name.
import { CriaError, fail } from "../../base/index.ts";
import { type ByteRange, readStream } from "../../files/index.ts";
import { isBzip2, unbzip2 } from "./bzip2.ts";
import { Growth } from "./growth.ts";
import { gunzipped } from "./gunzipped.ts";
import { lz4Magic, unlz4 } from "./lz4.ts";
import { Peeked } from "./peeked.ts";
import { isSkippable, unzstd, zstdMagic } from "./zstd.ts";

const chunkBytes = 1 << 20;
const gzipMagic = Uint8Array.of(0x1f, 0x8b);

/** How a file's bytes are read, and who is told. */
export interface ReadOptions {
  /** The part that asks, for `[where]`. */
  readonly where: string;
  readonly signal?: AbortSignal | undefined;
  /** Is told how many bytes of the file each read took, before they are unpacked. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /** Which bytes of the file are read, all of them when undefined; a part of packed data cannot be unpacked. */
  readonly range?: ByteRange | undefined;
  /** Whether gzip data is left as it stands. */
  readonly keepsGzip?: boolean | undefined;
}

/** What a file is packed with, by its first bytes. */
export type Packing = "gzip" | "zstd" | "bzip2" | "lz4" | undefined;

/** A file that is open, and its unpacked bytes. */
export interface OpenedBytes {
  readonly packing: Packing;
  /** Where the bytes begin in the file. */
  readonly start: number;
  /** The unpacked bytes, of gzip data only where they are asked for. To be read once. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Ends the reading, also where nothing was read. */
  close(): Promise<unknown>;
}

/**
 * Opens a file of any size for reading from its begin to its end.
 * @param name what messages call the file
 * @throws CriaError when it cannot be read; while it is read also when its packed data is damaged or cut short
 */
export async function openBytes(path: string, name: string, options: ReadOptions): Promise<OpenedBytes> {
  return { ...(await unpack(counted(path, options), name, options)), start: options.range?.start ?? 0 };
}

/** The same of bytes that come from anywhere. @throws CriaError while they are read also when they unfold to far too many */
export async function unpack(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  { where, keepsGzip }: Pick<ReadOptions, "where" | "keepsGzip">,
): Promise<Omit<OpenedBytes, "start">> {
  const stream = await Peeked.open(chunks, packingBytes);
  const packing = packingOf(stream.head);
  const close = () => stream.return();
  if (packing === undefined || (packing === "gzip" && keepsGzip)) return { packing, bytes: stream, close };
  const growth = new Growth(name, where);
  return { packing, bytes: growth.out(unpackers[packing](growth.in(stream), name, where)), close };
}

const unpackers = { gzip: gunzip, zstd: unzstd, bzip2: unbzip2, lz4: unlz4 } as const;

/** Bytes that tell how a file is packed. */
export const packingBytes = 10;

/** @param head the first bytes of a file, at least {@link packingBytes} where it has as many */
export function packingOf(head: Uint8Array): Packing {
  if (beginsWith(head, gzipMagic)) return "gzip";
  if (beginsWith(head, zstdMagic) || isSkippable(head)) return "zstd";
  if (beginsWith(head, lz4Magic)) return "lz4";
  return isBzip2(head) ? "bzip2" : undefined;
}

async function* counted(path: string, { where, signal, onBytes, range }: ReadOptions): AsyncGenerator<Uint8Array> {
  for await (const chunk of readStream(path, { where, signal, chunkBytes, range })) {
    yield chunk;
    onBytes?.(chunk.length);
  }
}

function beginsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>, name: string, where: string): AsyncGenerator<Uint8Array> {
  try {
    const left = yield* gunzipped(chunks, chunkBytes);
    if (left === undefined) return;
    const { read, end } = left;
    fail(
      where,
      `${name}: its gzip data ends at byte ${read}, but behind zeros there something stands up to byte ${end}: cut it into two files (head -c ${read}, tail -c +${read + 1} without the zeros)`,
    );
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith("Z_")) throw error;
    const { message } = error as Error;
    throw new CriaError(where, `${name}: its gzip data is damaged or cut short (${message}): fetch it again`, { cause: error });
  }
}
