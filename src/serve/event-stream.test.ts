import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { EventStream, type StreamOptions } from "./event-stream.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** What a client reads of a stream that `act` writes. */
async function read(act: (stream: EventStream) => Promise<void>, options?: StreamOptions): Promise<Response> {
  server = createServer((_, response) => void act(new EventStream(response, options)));
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

test("headers come before anything is said, comments while nothing is, and none once something was", async () => {
  let speak = (): void => undefined;
  const spoken = new Promise<void>((resolve) => {
    speak = resolve;
  });
  const response = await read(
    async (stream) => {
      await spoken;
      stream.event({ a: 1 }, "named");
      stream.end();
    },
    { pingMs: 5 },
  );
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  const reader = response.body!.getReader();
  const first = new TextDecoder().decode((await reader.read()).value);
  expect(first).toMatch(/^(?:: ping\n\n)+$/);
  speak();
  let rest = "";
  for (let next = await reader.read(); !next.done; next = await reader.read()) rest += new TextDecoder().decode(next.value);
  expect(rest).toMatch(/(?:: ping\n\n)*event: named\ndata: \{"a":1\}\n\n$/);
});

test("a slow reader is waited for, and gets everything", async () => {
  const count = 2000;
  let said = 0;
  const response = await read(async (stream) => {
    for (; said < count; said++) {
      stream.event("x".repeat(20_000));
      await stream.ready();
    }
    stream.end();
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(said).toBeLessThan(count);
  const text = await response.text();
  expect(text.length).toBe(count * ("data: ".length + 20_000 + 2));
});
