import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { blobSource, fetchSource } from "./sources.ts";

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 256);

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

/** The address of a server on this machine. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/model.bin`;
}

const ranged =
  (file: Uint8Array): RequestListener =>
  (request, response) => {
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "")!;
    if (Number(from) >= file.length) return response.writeHead(416, { "content-range": `bytes */${file.length}` }).end();
    const part = file.subarray(Number(from), Number(to) + 1);
    response.writeHead(206, { "content-range": `bytes ${from}-${Number(from) + part.length - 1}/${file.length}` }).end(part);
  };

test("a server's file and a Blob are read by ranges, each byte at its place", async () => {
  const rng = new Rng(1);
  for (const source of [await fetchSource(await serve(ranged(bytes))), blobSource(new Blob([bytes]), "model.bin")]) {
    expect(source.size).toBe(1000);
    for (let i = 0; i < 20; i++) {
      const start = rng.below(1000);
      const length = rng.below(1001 - start);
      expect(await source.read(start, length)).toEqual(bytes.subarray(start, start + length));
    }
    await expect(source.read(990, 11)).rejects.toThrow("bytes 990 to 1001 asked for, but it has 1000");
    await expect(source.read(-1, 1)).rejects.toThrow(RangeError);
  }
});

test("a server without ranges gives its file once, whole", async () => {
  let requests = 0;
  const source = await fetchSource(
    await serve((_, response) => {
      requests++;
      response.end(bytes);
    }),
  );
  expect(await source.read(10, 980)).toEqual(bytes.subarray(10, 990));
  expect({ size: source.size, requests }).toEqual({ size: 1000, requests: 1 });
});

test("an empty file is one", async () => {
  const source = await fetchSource(await serve(ranged(new Uint8Array(0))));
  expect(source.size).toBe(0);
  expect(await source.read(0, 0)).toEqual(new Uint8Array(0));
});

test("what the server refuses, hides or changes is an error with the address and the way out", async () => {
  const said = async (listener: RequestListener) => {
    const address = await serve(listener);
    const error = await fetchSource(address)
      .then((source) => source.read(0, 10))
      .catch((error: unknown) => error);
    expect(error).toBeInstanceOf(CriaError);
    return String(error).replace(address, "ADDRESS");
  };
  expect(await said((_, response) => response.writeHead(404).end())).toContain("[web] ADDRESS: the server answered 404 Not Found: correct");
  expect(await said((_, response) => response.writeHead(206).end("x"))).toContain("[web] ADDRESS: the server does not say how large");
  const shortened: RequestListener = (_, response) => response.writeHead(206, { "content-range": "bytes 0-0/1000" }).end("x");
  expect(await said(shortened)).toContain("[web] ADDRESS: the server sent 1 bytes for 10 from byte 0: the file changed, open it again");
});

test("requests carry what the caller gives them", async () => {
  let token: string | undefined;
  const address = await serve((request, response) => {
    token = request.headers.authorization;
    ranged(bytes)(request, response);
  });
  await (await fetchSource(address, { headers: { authorization: "Bearer x" } })).read(0, 1);
  expect(token).toBe("Bearer x");
});
