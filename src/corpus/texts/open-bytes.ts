// A file's bytes, unpacked where they begin as gzip, Zstandard or bzip2 data do. No text begins like any of these, so the content decides, not the name.
import { createGunzip } from "node:zlib";
import { CriaError } from "../../base/index.ts";
import { type ByteRange, readStream } from "../../files/index.ts";
import { isBzip2, unbzip2 } from "./bzip2.ts";
import { through } from "./through.ts";
import { unzstd, zstdMagic } from "./zstd.ts";

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
export type Packing = "gzip" | "zstd" | "bzip2" | undefined;

/** A file that is open, and its unpacked bytes. */
export interface OpenedBytes {
  readonly packing: Packing;
  /** Where the bytes begin in the file. */
  readonly start: number;
  /** The unpacked bytes, of gzip data only where they are asked for. To be read once. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/**
 * Opens a file of any size for reading from its begin to its end.
 * @param name what messages call the file
 * @throws CriaError when it cannot be read; while it is read also when its packed data is damaged or cut short
 */
export async function openBytes(path: string, name: string, options: ReadOptions): Promise<OpenedBytes> {
  const chunks = counted(path, options);
  const first = await firstChunk(chunks);
  const whole = rejoin(first, chunks);
  const start = options.range?.start ?? 0;
  const packing = packingOf(first);
  if (packing === "gzip" && !options.keepsGzip) return { packing, start, bytes: gunzip(whole, name, options) };
  if (packing === "zstd") return { packing, start, bytes: unzstd(whole, name, options.where) };
  if (packing === "bzip2") return { packing, start, bytes: unbzip2(whole, name, options.where) };
  return { packing, start, bytes: whole };
}

/** Bytes that tell how a file is packed. */
export const packingBytes = 10;

/** @param head the first bytes of a file, at least {@link packingBytes} where it has as many */
export function packingOf(head: Uint8Array): Packing {
  if (beginsWith(head, gzipMagic)) return "gzip";
  if (beginsWith(head, zstdMagic)) return "zstd";
  return isBzip2(head) ? "bzip2" : undefined;
}

async function* counted(path: string, { where, signal, onBytes, range }: ReadOptions): AsyncGenerator<Uint8Array> {
  for await (const chunk of readStream(path, { where, signal, chunkBytes, range })) {
    yield chunk;
    onBytes?.(chunk.length);
  }
}

async function firstChunk(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const { done, value } = await chunks.next();
  return done ? new Uint8Array() : value;
}

async function* rejoin(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.length > 0) yield first;
    yield* rest;
  } finally {
    await (rest as AsyncGenerator<Uint8Array>).return(undefined);
  }
}

function beginsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>, name: string, { where }: ReadOptions): AsyncGenerator<Uint8Array> {
  try {
    yield* through(chunks, createGunzip({ chunkSize: chunkBytes })) as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith("Z_")) throw error;
    const { message } = error as Error;
    throw new CriaError(where, `${name}: its gzip data is damaged or cut short (${message}): fetch it again`, { cause: error });
  }
}
