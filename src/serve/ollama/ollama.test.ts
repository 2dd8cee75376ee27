// Ollama's own client against a running server.
import { Ollama } from "ollama";
import { expect, test } from "vitest";
import { post, serverForAll } from "../serve.test.helper.ts";

const server = serverForAll();
const client = () => new Ollama({ host: server().url });
const messages = [{ role: "user", content: "ab a" }];
const greedy = { model: "tiny:latest", messages, options: { temperature: 0, num_predict: 8 } };
const schema = { type: "object", properties: { city: { enum: ["ab", "b"] } }, required: ["city"], additionalProperties: false };

test("a chat comes in lines, and the same whole; times are nanoseconds", async () => {
  const whole = await client().chat({ ...greedy, stream: false });
  expect(whole).toMatchObject({ model: "tiny:latest", message: { role: "assistant" }, done: true, done_reason: "length", eval_count: 8 });
  expect(whole.eval_duration).toBeGreaterThan(1000);
  expect(whole.total_duration).toBeGreaterThanOrEqual(whole.eval_duration);
  const lines = [];
  for await (const line of await client().chat({ ...greedy, stream: true })) lines.push(line);
  expect(lines.map(({ message }) => message.content).join("")).toBe(whole.message.content);
  expect(lines.map(({ done }) => done)).toEqual([...lines.slice(1).map(() => false), true]);
  const raw = await post(`${server().url}/api/chat`, greedy);
  expect(raw.headers["content-type"]).toBe("application/x-ndjson");
  expect(raw.text.trimEnd().split("\n")).toHaveLength(lines.length);
});

test("a tool is called with its arguments as an object, in a line of its own", async () => {
  const tools = [{ type: "function", function: { name: "weather", description: "the weather", parameters: schema } }];
  const format = { type: "object", properties: { a: { const: 1 } }, required: ["a"], additionalProperties: false };
  const told = await client().chat({ ...greedy, messages, tools, options: { num_predict: 40, seed: 1 } });
  expect(typeof told.message.content).toBe("string");
  const history = [
    ...messages,
    { role: "assistant", content: "", tool_calls: [{ function: { name: "weather", arguments: { city: "ab" } } }] },
    { role: "tool", content: "sun", tool_name: "weather" },
  ];
  const next = await client().chat({ ...greedy, messages: history, tools, format, options: { num_predict: 100, seed: 1 } });
  expect(JSON.parse(next.message.content)).toEqual({ a: 1 });
});

test("a text goes on from a prompt, raw or as a message; log-probabilities come where they are asked for", async () => {
  const asked = { model: "tiny", prompt: "ab a", options: { temperature: 0, num_predict: 4 } };
  const raw = await client().generate({ ...asked, raw: true, logprobs: true, top_logprobs: 2 });
  expect(raw).toMatchObject({ done_reason: "length", eval_count: 4 });
  expect(raw.logprobs).toHaveLength(4);
  expect(raw.logprobs?.[0]?.top_logprobs).toHaveLength(2);
  const said = await client().generate({ ...asked, system: "b" });
  expect(said.prompt_eval_count).toBeGreaterThan(raw.prompt_eval_count);
  expect(await client().generate({ model: "tiny", prompt: "" })).toMatchObject({ done: true, done_reason: "load" });
});

test("models are listed with tags, shown, and embed", async () => {
  expect((await client().list()).models.map(({ name }) => name)).toEqual(["tiny:latest"]);
  expect((await client().ps()).models).toHaveLength(1);
  expect((await client().version()).version).toBe("test");
  const shown = await client().show({ model: "tiny" });
  expect(shown).toMatchObject({ details: { family: "llama" }, capabilities: expect.arrayContaining(["completion"]) });
  const { embeddings } = await client().embed({ model: "tiny", input: ["ab", "b a"] });
  expect(embeddings).toHaveLength(2);
  for (const vector of embeddings) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
  expect((await client().embeddings({ model: "tiny", prompt: "ab" })).embedding).toEqual(embeddings[0]);
});

test.each([
  ["an image", { messages: [{ role: "user", content: "a", images: ["aGk="] }] }, "images"],
  ["a larger context", { options: { num_ctx: 1e9 } }, "options.num_ctx"],
  ["an option that is not offered", { options: { tfs_z: 0.5 } }, "tfs_z"],
  ["an unknown option", { options: { temperatur: 1 } }, "temperature"],
  ["a level of thinking", { think: "high" }, 'think is "high", but'],
  ["a schema", { format: { typ: 1 } }, "format: "],
  ["an unknown model", { model: "nobody" }, "nobody"],
  ["a wrong type", { messages: "ab" }, "messages"],
])("%s is refused by name", async (_, change, named) => {
  const { status, json } = await post(`${server().url}/api/chat`, { ...greedy, ...change });
  expect(status).toBeGreaterThanOrEqual(400);
  expect(json).toEqual({ error: expect.stringContaining(named) });
});

test("a path that no route has is told in the protocol's own form", async () => {
  const { status, json } = await post(`${server().url}/api/pull`, { model: "tiny" });
  expect({ status, json }).toEqual({ status: 404, json: { error: expect.stringContaining("nothing at this path") } });
});
