// Bytes as a page has them: what a person chose (File and Blob), what a server gives (by ranges), and what is in memory.
import { type ByteSource, fail, memorySource } from "../base/index.ts";

const where = "web";

/** A File of an input, or any Blob: read as it is asked for. @param name for messages; a File's own by default. */
export function blobSource(blob: Blob, name = blob instanceof File ? blob.name : "a Blob"): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, length) {
      checkRange(name, offset, length, blob.size);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

/**
 * A file of a server, read by HTTP ranges (RFC 9110, section 14). A server that knows no ranges sends all of it at once, which then stays in memory.
 * @throws CriaError when the server refuses, or does not say how large the file is.
 */
export async function fetchSource(url: string | URL, init: RequestInit = {}): Promise<ByteSource> {
  const name = String(url);
  const first = await ask(name, init, 0, 1);
  if (first.status === 200) return memorySource(name, new Uint8Array(await first.arrayBuffer()));
  const size = Number(/\/(\d+)$/.exec(first.headers.get("content-range") ?? "")?.[1] ?? Number.NaN);
  if (Number.isNaN(size)) fail(where, `${name}: the server does not say how large the file is: let it expose the header Content-Range`);
  return {
    name,
    size,
    async read(offset, length) {
      checkRange(name, offset, length, size);
      if (length === 0) return new Uint8Array(0);
      const bytes = new Uint8Array(await (await ask(name, init, offset, length)).arrayBuffer());
      if (bytes.length === length) return bytes;
      return fail(
        where,
        `${name}: the server sent ${bytes.length} bytes for ${length} from byte ${offset}: the file changed, open it again`,
      );
    },
  };
}

async function ask(name: string, init: RequestInit, offset: number, length: number): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("range", `bytes=${offset}-${offset + length - 1}`);
  const response = await fetch(name, { ...init, headers });
  // An empty file has no first byte to ask for.
  if (response.status === 416 && response.headers.get("content-range") === "bytes */0") return new Response(new Uint8Array(0));
  if (response.ok) return response;
  return fail(
    where,
    `${name}: the server answered ${response.status} ${response.statusText}: correct the address, or allow the page to read it`,
  );
}

function checkRange(name: string, offset: number, length: number, size: number): void {
  if (offset < 0 || length < 0 || offset + length > size)
    throw new RangeError(`[${where}] ${name}: bytes ${offset} to ${offset + length} asked for, but it has ${size}`);
}
