// gzip data of any length as one stream of members (RFC 1952, section 2.2).
import { createGunzip } from "node:zlib";
import { through } from "./through.ts";

/** Where unpacking ended in the packed bytes, and where the last of them stands that is not zero. */
export interface LeftBehind {
  readonly read: number;
  readonly end: number;
}

/**
 * Unpacks one member after another. Node stops at zeros behind a member, which are padding, whatever comes behind them.
 * @returns what stands behind such zeros, which was not read; undefined where nothing does
 * @throws zlib's errors, whose codes begin with Z_
 */
export async function* gunzipped(
  chunks: AsyncIterable<Uint8Array>,
  chunkSize: number,
): AsyncGenerator<Uint8Array, LeftBehind | undefined, undefined> {
  const stream = createGunzip({ chunkSize });
  const end = { ofAll: 0, ofOthers: 0 };
  yield* through(measured(chunks, end), stream) as AsyncGenerator<Uint8Array>;
  return end.ofOthers > stream.bytesWritten ? { read: stream.bytesWritten, end: end.ofOthers } : undefined;
}

/** @param end is told where the bytes end, and where those end among them that are not zero */
async function* measured(chunks: AsyncIterable<Uint8Array>, end: { ofAll: number; ofOthers: number }): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    let others = chunk.length;
    while (others > 0 && chunk[others - 1] === 0) others--;
    if (others > 0) end.ofOthers = end.ofAll + others;
    end.ofAll += chunk.length;
    yield chunk;
  }
}
