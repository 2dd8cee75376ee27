import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { RequestContext, type ServerParts } from "../context.ts";
import type { Generation, GenerationEvent } from "../generation.ts";
import { RequestError } from "../request-error.ts";
import { gathered, type Sending, streamed } from "./sending.ts";

const failing: readonly GenerationEvent[] = [
  { type: "start", prompt: 0, promptTokens: 3, cachedTokens: 1 },
  { type: "parts", choice: 0, parts: [{ type: "content", text: "ab" }], logged: undefined },
  { type: "error", error: new RequestError("timeout", "it took too long", { code: "time_limit" }) },
];

function sendingOf(events: readonly GenerationEvent[]): Sending {
  const generation = {
    model: "tiny",
    async *events() {
      yield* events;
    },
  } as unknown as Generation;
  return { generation, frame: { id: "x", created: 1, model: "tiny", object: "o" }, withUsage: true };
}

test("an error behind the headers is the stream's last event, and no end follows it", async () => {
  const notes: unknown[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const context = new RequestContext({} as ServerParts, { incoming, outgoing }, {});
    await streamed(context, sendingOf(failing), [{ first: true }], (event, chunk) => {
      if (event.type === "parts") chunk(event.parts);
    });
    notes.push(context.notes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const events = (await response.text()).split("\n\n").filter((event) => event !== "");
  server.close();
  expect(response.status).toBe(200);
  expect(events.map((event) => JSON.parse(event.replace("data: ", "")))).toEqual([
    { id: "x", created: 1, model: "tiny", object: "o", choices: [{ first: true }], usage: null },
    { id: "x", created: 1, model: "tiny", object: "o", choices: [[{ type: "content", text: "ab" }]], usage: null },
    { error: { message: "it took too long", type: "server_error", param: null, code: "time_limit" } },
  ]);
  expect(notes).toEqual([{ error: "timeout" }]);
});

test("an error of an answer that is sent as a whole is thrown", async () => {
  const context = { notes: {} } as unknown as RequestContext;
  await expect(gathered(context, sendingOf(failing), () => undefined)).rejects.toMatchObject({ kind: "timeout", status: 504 });
});
