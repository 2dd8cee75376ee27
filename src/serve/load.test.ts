// Many clients at a time: what they get is what each would get alone, those that leave cost nothing, and those that are too many are told so.
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { Engine } from "./engine.ts";
import type { GenerationEvent } from "./generation.ts";
import { ask, post, serverForAll } from "./serve.test.helper.ts";
import { TimeLimit } from "./time-limit.ts";

const server = serverForAll({ sequences: 3, queue: 4, pages: 40, limits: { milliseconds: 20_000, choices: 3 } });
const url = () => `${server().url}/v1/completions`;
const body = (prompt: string, more: object = {}) => ({ model: "tiny", prompt, max_tokens: 24, seed: 4, ...more });
const model = () => server().server.shelf.list[0]!.model!;
const isIdle = () => expect.poll(() => [model().admission.running, model().admission.waiting, model().counts.heldPages]).toEqual([0, 0, 0]);

const unlimited = { promptTokens: 1000, completionTokens: 5000, choices: 3, prompts: 2, milliseconds: Number.POSITIVE_INFINITY };
const failures: unknown[] = [];
const watch = { waited() {}, promptRead() {}, tokenWritten() {}, failed: (error: unknown) => failures.push(error) };
const engine = (limits: Partial<typeof unlimited>) => new Engine(server().server.shelf, { ...unlimited, ...limits }, watch);
const asked = (signal = new AbortController().signal) => ({ model: "tiny", prompts: [{ text: "ab" }], key: "", signal });

/** Requests that hold all places and the whole queue until they are aborted. */
async function fillQueue(): Promise<readonly AbortController[]> {
  const holders = Array.from({ length: 5 }, () => new AbortController());
  for (const { signal } of holders) await engine({}).open({ ...asked(signal), count: 3, maxTokens: 5 });
  return holders;
}

describe("many at a time", () => {
  test("each text is what it would be alone", async () => {
    const prompts = ["ab", "b a", "a b a", "bb", "ab a b"];
    const alone: string[] = [];
    for (const prompt of prompts) alone.push((await post(url(), body(prompt))).json.choices[0].text);
    const together = await Promise.all(prompts.map((prompt) => post(url(), body(prompt))));
    expect(together.map(({ json }) => json.choices[0].text)).toEqual(alone);
    await isIdle();
  });

  test("those that are too many are told when to come back", async () => {
    const holders = await fillQueue();
    const refused = await post(url(), body("ab"));
    expect(refused).toMatchObject({ status: 429, headers: { "x-should-retry": "true", "retry-after": expect.stringMatching(/^\d+$/) } });
    expect(refused.json.error).toMatchObject({ type: "rate_limit_error", code: "queue_full" });
    for (const holder of holders) holder.abort();
    await isIdle();
    expect((await post(url(), body("ab"))).status).toBe(200);
  });

  test("clients that hang up, in the queue or in the middle of a text, cost nothing more", async () => {
    const sockets = Array.from({ length: 6 }, () => stream(body("ab", { max_tokens: 1500, stream: true, logit_bias: { 260: 100 } })));
    await Promise.all(sockets.slice(0, 3).map(({ begun }) => begun));
    const before = model().counts.passes;
    for (const { socket } of sockets) socket.destroy();
    await isIdle();
    expect(model().counts.passes - before).toBeLessThan(500);
    expect((await post(url(), body("ab"))).status).toBe(200);
  });

  test("a reader that takes nothing holds up its own text alone", async () => {
    const slow = stream(body("ab", { max_tokens: 300, stream: true, logprobs: 20, logit_bias: { 260: 100 } }));
    await slow.begun;
    slow.socket.pause();
    expect((await post(url(), body("ab"))).status).toBe(200);
    slow.socket.resume();
    await slow.ended;
    expect(slow.said()).toContain("data: [DONE]");
    await isIdle();
  });
});

describe("connections", () => {
  test("the connection is kept for the next request, with a long time to come back", async () => {
    const { headers } = await ask(`${server().url}/health`, { method: "GET", headers: { connection: "keep-alive" } });
    expect(headers["keep-alive"]).toMatch(/timeout=(?:7[5-9]|[89]\d|\d{3})/);
  });
});

/** A streaming request on a socket of its own. */
function stream(asked: object) {
  const text = JSON.stringify(asked);
  const { port } = new URL(server().url);
  const socket = connect(Number(port), "127.0.0.1");
  let said = "";
  socket.on("error", () => undefined);
  const begun = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      said += chunk;
      if (said.includes('"text":')) resolve();
    });
  });
  const ended = new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
  });
  socket.write(
    `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
  );
  return { socket, begun, ended, said: () => said };
}

describe("limits of a request", () => {
  test("time: a text that takes longer ends with an error, and gives its place back", async () => {
    const options = { logitBias: new Map([[260, 100]]) };
    const types = new Set<string>();
    // The time may be over before the first part comes on a busy machine, and then it is given more.
    for (let milliseconds = 32; !types.has("parts"); milliseconds *= 2) {
      const { events } = await engine({ milliseconds }).open({ ...asked(), options, maxTokens: 1900 });
      types.clear();
      let last: GenerationEvent | undefined;
      for await (const event of events()) {
        last = event;
        types.add(event.type);
      }
      const message = expect.stringContaining(`longer than the ${milliseconds / 1000} s`);
      expect(last).toMatchObject({ error: { kind: "timeout", message } });
    }
    expect([...types]).toEqual(["start", "parts", "error"]);
    expect(failures).toEqual([]);
    await isIdle();
  });

  test("time: a client that left before its text began is known to have left", () => {
    expect(new TimeLimit(AbortSignal.abort(), 1000).signal.aborted).toBe(true);
  });

  test("tokens and texts: what exceeds them is refused with both numbers", async () => {
    for (const [limits, more, message] of [
      [{ promptTokens: 1 }, {}, "the prompt has 3 tokens, but this server reads at most 1"],
      [{ completionTokens: 9 }, { maxTokens: 10 }, "10 tokens are asked for, but this server writes at most 9"],
      [{}, { count: 4 }, "n is 4, but this server writes at most 3 texts"],
      [{}, { prompts: Array(3).fill({ text: "ab" }) }, "there are 3 prompts, but a request may have 2"],
    ] as const)
      await expect(engine(limits).open({ ...asked(), ...more })).rejects.toMatchObject({
        kind: "invalid",
        message: expect.stringContaining(message),
      });
    await isIdle();
  });

  test("a request that is aborted while it waits leaves the queue, also before its events are asked for", async () => {
    const holders = await fillQueue();
    expect([model().admission.running, model().admission.waiting]).toEqual([1, 4]);
    for (const holder of holders) holder.abort();
    await isIdle();
  });
});
