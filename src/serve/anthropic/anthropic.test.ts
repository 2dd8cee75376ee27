// Anthropic's own client against a running server.
import Anthropic, { BadRequestError, NotFoundError } from "@anthropic-ai/sdk";
import { expect, test } from "vitest";
import { post, serverForAll } from "../serve.test.helper.ts";

const server = serverForAll();
const client = () => new Anthropic({ baseURL: server().url, apiKey: "none", maxRetries: 0 });
const messages = [{ role: "user" as const, content: "ab a" }];
const greedy = { model: "tiny", max_tokens: 8, messages };
/** Earlier versions of the client have these keys, which the types of this one lack. */
const cold = { ...greedy, temperature: 0 } as typeof greedy;

const schema = { type: "object" as const, properties: { city: { enum: ["ab", "b"] } }, required: ["city"], additionalProperties: false };
const tools = [{ name: "weather", description: "the weather", input_schema: schema }];

test("a message comes whole, and the same in a stream, whose events make the same message", async () => {
  const whole = await client().messages.create(cold);
  expect(whole).toMatchObject({
    ...{ type: "message", role: "assistant", model: "tiny", stop_reason: "max_tokens", stop_sequence: null },
    content: [{ type: "text", text: expect.any(String) }],
    usage: { output_tokens: 8, cache_creation_input_tokens: 0 },
  });
  const stream = client().messages.stream(cold);
  const types: string[] = [];
  for await (const event of stream) types.push(event.type);
  const streamed = await stream.finalMessage();
  expect(streamed.content).toEqual(whole.content);
  const told = streamed.usage;
  expect((told.input_tokens ?? 0) + (told.cache_read_input_tokens ?? 0)).toBe(
    whole.usage.input_tokens + (whole.usage.cache_read_input_tokens ?? 0),
  );
  expect(types[0]).toBe("message_start");
  expect(types.filter((type) => type !== "content_block_delta")).toEqual([
    ...["message_start", "content_block_start", "content_block_stop", "message_delta", "message_stop"],
  ]);
  const counted = await client().messages.countTokens({ model: "tiny", messages });
  expect(counted.input_tokens).toBe(whole.usage.input_tokens + (whole.usage.cache_read_input_tokens ?? 0));
});

test("a stop sequence is named, and is no part of the text", async () => {
  const [free] = (await client().messages.create({ ...cold, max_tokens: 20 })).content;
  const text = free?.type === "text" ? free.text : "";
  const stop = text.slice(5, 7);
  const cut = await client().messages.create({ ...cold, max_tokens: 20, stop_sequences: [stop] });
  expect(cut).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: stop });
  expect(cut.content.map((block) => block.type === "text" && block.text).join("")).toBe(text.slice(0, text.indexOf(stop)));
});

test("a tool that must be called is called with arguments of its schema, whole and in a stream; results go on from there", async () => {
  const asked = { ...greedy, max_tokens: 200, tools, tool_choice: { type: "any" as const, disable_parallel_tool_use: true } };
  const stream = client().messages.stream(asked);
  const json: string[] = [];
  stream.on("inputJson", (part) => json.push(part));
  const called = await stream.finalMessage();
  const call = called.content.find((block) => block.type === "tool_use");
  expect(called.stop_reason).toBe("tool_use");
  expect(call).toMatchObject({ name: "weather", input: { city: expect.stringMatching(/^a?b$/) } });
  expect(JSON.parse(json.join(""))).toEqual(call?.type === "tool_use" && call.input);
  const whole = await client().messages.create(asked);
  expect(whole.content.find((block) => block.type === "tool_use")).toMatchObject({ input: { city: expect.stringMatching(/^a?b$/) } });
  const id = call?.type === "tool_use" ? call.id : "";
  const result = { role: "user" as const, content: [{ type: "tool_result" as const, tool_use_id: id, content: "sun" }] };
  const history = [...messages, { role: "assistant" as const, content: called.content }, result];
  const next = await client().messages.create({ ...greedy, messages: history, tools, tool_choice: { type: "none" } });
  expect(next.content.every(({ type }) => type === "text")).toBe(true);
});

test("a call that max_tokens cuts has no input", async () => {
  const asked = { ...cold, tools, tool_choice: { type: "any" as const } };
  const inputs: unknown[] = [];
  for (const max_tokens of [24, 32, 40, 48]) {
    const whole = await client().messages.create({ ...asked, max_tokens });
    expect(whole.stop_reason).toBe("max_tokens");
    const stream = await post(`${server().url}/v1/messages`, { ...asked, max_tokens, stream: true });
    expect(stream.text).toContain('"stop_reason":"max_tokens"');
    inputs.push(...whole.content.map((block) => (block.type === "tool_use" ? block.input : undefined)));
  }
  expect(inputs).toContainEqual({});
});

test("an answer keeps to a schema; tools that cannot be run here are left out and named", async () => {
  const format = { type: "json_schema" as const, schema };
  const { content } = await client().messages.create({ ...greedy, max_tokens: 100, output_config: { format } });
  expect(content[0]?.type === "text" && JSON.parse(content[0].text)).toEqual({ city: expect.stringMatching(/^a?b$/) });
  const { response } = await client()
    .messages.create({ ...greedy, tools: [{ type: "web_search_20250305", name: "web_search" }] })
    .withResponse();
  expect(response.headers.get("x-cria-ignored-tools")).toBe("web_search_20250305");
});

test("what is wrong is told in the protocol's own form, with the parameter's name", async () => {
  await expect(client().messages.create({ ...greedy, model: "nobody" })).rejects.toThrow(NotFoundError);
  await expect(client().messages.create({ ...greedy, max_tokens: 0 })).rejects.toThrow(BadRequestError);
  const image = { type: "image" as const, source: { type: "url" as const, url: "https://example.org/a.png" } };
  await expect(client().messages.create({ ...greedy, messages: [{ role: "user", content: [image] }] })).rejects.toThrow(/image/);
  const wrong = await post(`${server().url}/v1/messages`, { ...greedy, container: "x" }, { "anthropic-version": "2023-06-01" });
  expect(wrong).toMatchObject({
    status: 400,
    json: { type: "error", error: { type: "invalid_request_error", message: expect.stringContaining("container") } },
  });
  const odd = [
    [{ output_config: { effort: "high" } }, 'output_config.effort is "high", but'],
    [{ output_config: { format: { type: "json_schema", schema: { typ: 1 } } } }, "output_config.format: "],
    [{ tools: [{ name: "a", input_schema: { type: "string" } }] }, 'tools[0].input_schema.type is "string"'],
    [{ tools: [{ name: "a b", input_schema: schema }] }, 'tools[0].name is "a b"'],
  ] as const;
  for (const [change, message] of odd) {
    const { status, json } = await post(`${server().url}/v1/messages`, { ...greedy, ...change });
    expect({ status, message: json.error.message }).toEqual({ status: 400, message: expect.stringContaining(message) });
  }
  for (const path of ["/v1/messages/batches", "/v1/messages/count_tokens/x"]) {
    const nothing = await post(`${server().url}${path}`, greedy);
    expect(nothing).toMatchObject({ status: 404, json: { type: "error", error: { type: "not_found_error" } } });
  }
  const unknown = await post(`${server().url}/v1/messages`, { ...greedy, max_token: 3 });
  expect(unknown.json.error.message).toContain("max_tokens");
});

test("a client that hangs up is let go", async () => {
  const stream = client().messages.stream({ ...greedy, max_tokens: 400 });
  for await (const event of stream) if (event.type === "content_block_delta") break;
  stream.abort();
  const { usage } = await client().messages.create(greedy);
  expect(usage.output_tokens).toBe(8);
});
