// A file's bytes, unpacked where they begin as gzip or Zstandard data do. No UTF-8 text begins like either, so the content decides, not the name.
import { type Duplex, pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CriaError } from "../../base/index.ts";
import { readStream } from "../../files/index.ts";
import { unzstd, zstdMagic } from "./zstd.ts";

const chunkBytes = 1 << 20;
const gzipMagic = Uint8Array.of(0x1f, 0x8b);

export interface ReadOptions {
  /** The part that asks, for `[where]`. */
  readonly where: string;
  readonly signal?: AbortSignal | undefined;
  /** Is told how many bytes of the file each read took, before they are unpacked. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** What a file is packed with, by its first bytes. */
export type Packing = "gzip" | "zstd" | undefined;

export interface OpenedBytes {
  readonly packing: Packing;
  /** The unpacked bytes. To be read once. */
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
  if (beginsWith(first, gzipMagic)) return { packing: "gzip", bytes: gunzip(whole, name, options) };
  if (beginsWith(first, zstdMagic)) return { packing: "zstd", bytes: unzstd(whole, name, options.where) };
  return { packing: undefined, bytes: whole };
}

async function* counted(path: string, { where, signal, onBytes }: ReadOptions): AsyncGenerator<Uint8Array> {
  for await (const chunk of readStream(path, { where, signal, chunkBytes })) {
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

/** What a stream makes of chunks; an error on either side ends both and is thrown here, and stopping early ends both, too. */
export async function* through<T>(chunks: AsyncIterable<T>, stream: Duplex): AsyncGenerator<unknown> {
  pipeline(Readable.from(chunks), stream, () => {});
  yield* stream;
}
