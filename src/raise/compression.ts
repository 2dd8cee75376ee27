// How small general compressors make a text: what a language model's bits per byte are held against.
import { spawn } from "node:child_process";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** How small a compressor made a text. */
export interface Compression {
  /** The command as one would type it: "gzip -9". */
  readonly name: string;
  readonly bytes: number;
  readonly bitsPerByte: number;
}

/** gzip and brotli at their strongest, and xz where the program is installed; one to several seconds a megabyte, off the main thread. */
export async function compressionBaselines(text: Uint8Array, signal?: AbortSignal): Promise<Compression[]> {
  const sizes: readonly (readonly [string, Promise<number | undefined>])[] = [
    ["gzip -9", sizeOf(promisify(gzip)(text, { level: 9 }))],
    ["brotli -q 11 --lgwin 24", sizeOf(promisify(brotliCompress)(text, { params: strongestBrotli(text.length) }))],
    ["xz -9", xzSize(text, signal)],
  ];
  const found: Compression[] = [];
  for (const [name, size] of sizes) {
    const bytes = await size;
    if (bytes !== undefined) found.push({ name, bytes, bitsPerByte: (8 * bytes) / text.length });
  }
  return found;
}

async function sizeOf(compressed: Promise<Uint8Array>): Promise<number> {
  return (await compressed).length;
}

/** A window of 2^24 bytes is the largest that every brotli reads. */
function strongestBrotli(bytes: number): Record<number, number> {
  return {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes,
  };
}

/** Undefined where there is no such program, or it fails. */
function xzSize(text: Uint8Array, signal: AbortSignal | undefined): Promise<number | undefined> {
  return new Promise((done) => {
    const xz = spawn("xz", ["-9", "-c"], { stdio: ["pipe", "pipe", "ignore"], ...(signal && { signal }) });
    let bytes = 0;
    xz.stdout.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
    });
    xz.stdin.on("error", () => undefined); // it is gone; "close" or "error" tells
    xz.on("error", () => done(undefined));
    xz.on("close", (code) => done(code === 0 ? bytes : undefined));
    xz.stdin.end(text);
  });
}
