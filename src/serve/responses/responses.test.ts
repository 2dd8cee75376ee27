// OpenAI's own client asks a running server for responses.
import OpenAI, { APIError } from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { post, serverForAll } from "../serve.test.helper.ts";

const server = serverForAll();
const hurried = serverForAll({ limits: { milliseconds: 20 } });
const client = () => new OpenAI({ baseURL: `${server().url}/v1`, apiKey: "none", maxRetries: 0 });
const url = () => `${server().url}/v1/responses`;
const greedy = { model: "tiny", input: "ab a", temperature: 0, max_output_tokens: 8 };

const parameters = { type: "object", properties: { city: { enum: ["ab", "b"] } }, required: ["city"], additionalProperties: false };
const weather = { type: "function" as const, name: "weather", description: "the weather", parameters, strict: true };
const calling = { ...greedy, temperature: 1, seed: 7, max_output_tokens: 300, tools: [weather], tool_choice: "required" as const };

async function eventsOf(body: object): Promise<ResponseStreamEvent[]> {
  const events: ResponseStreamEvent[] = [];
  for await (const event of client().responses.stream({ ...greedy, ...body })) events.push(event);
  return events;
}

/** Events without their pieces. */
const outline = (events: readonly ResponseStreamEvent[]) => events.map(({ type }) => type).filter((type) => !type.endsWith(".delta"));

test("a response comes whole, and the same in a stream, whose events are numbered", async () => {
  const whole = await client().responses.create(greedy);
  expect(whole).toMatchObject({
    ...{ object: "response", model: "tiny", status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, error: null },
    output: [{ type: "message", role: "assistant", status: "incomplete", content: [{ type: "output_text", annotations: [] }] }],
    ...{ usage: { output_tokens: 8, output_tokens_details: { reasoning_tokens: 0 } }, tools: [], previous_response_id: null },
  });
  const raw: ResponseStreamEvent[] = [];
  for await (const event of await client().responses.create({ ...greedy, stream: true })) raw.push(event);
  expect(outline(raw)).toEqual([
    ...["response.created", "response.in_progress", "response.output_item.added", "response.content_part.added"],
    ...["response.output_text.done", "response.content_part.done", "response.output_item.done", "response.incomplete"],
  ]);
  expect(raw.map(({ sequence_number: number }) => number)).toEqual(raw.map((_, i) => i));
  const pieces = raw.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join("");
  expect(pieces).toBe(whole.output_text);
  const last = raw.at(-1);
  expect(last?.type === "response.incomplete" && last.response.usage).toMatchObject({
    ...{ input_tokens: whole.usage?.input_tokens, output_tokens: 8, total_tokens: whole.usage?.total_tokens },
  });
});

test("the client's own stream gathers the final response; instructions and turns of before are read", async () => {
  const input = [
    { role: "user" as const, content: "ab" },
    { role: "assistant" as const, content: "b" },
    { role: "user" as const, content: [{ type: "input_text" as const, text: "a" }] },
  ];
  const asked = { ...greedy, input, instructions: "b b", stop: ["\u0000"], logit_bias: { 260: 100 }, metadata: { a: "b" } };
  const final = await client().responses.stream(asked).finalResponse();
  expect(final.output).toMatchObject([{ type: "message", content: [{ type: "output_text", text: "aaaaaaaa" }] }]);
  expect(final).toMatchObject({ instructions: "b b", metadata: { a: "b" } });
  const alone = await client().responses.create({ ...greedy, input: "a" });
  const told = await client().responses.create(asked);
  expect(told.usage?.input_tokens).toBeGreaterThan(alone.usage?.input_tokens ?? 0);
  expect(told.usage?.input_tokens_details.cached_tokens).toBeLessThan(told.usage?.input_tokens ?? 0);
});

describe("tools", () => {
  test("a call keeps to its schema, whole and in a stream, and its output goes on in the next turn", async () => {
    const events = await eventsOf({ ...calling, parallel_tool_calls: false });
    expect(outline(events).slice(2)).toEqual([
      ...["response.output_item.added", "response.function_call_arguments.done", "response.output_item.done", "response.completed"],
    ]);
    const whole = await client().responses.create({ ...calling, parallel_tool_calls: false });
    const call = whole.output.find((item) => item.type === "function_call");
    expect(call).toMatchObject({ name: "weather", status: "completed", call_id: expect.stringMatching(/^call_/) });
    expect(JSON.parse(call?.arguments ?? "")).toEqual({ city: expect.stringMatching(/^a?b$/) });
    const output = { type: "function_call_output" as const, call_id: call?.call_id ?? "", output: "rain" };
    const next = await client().responses.create({
      ...{ ...calling, tool_choice: "none", max_output_tokens: 4 },
      input: [{ role: "user", content: "ab" }, ...whole.output, output],
    });
    expect(next.output.every(({ type }) => type === "message")).toBe(true);
    const alone = await client().responses.create({ ...greedy, max_output_tokens: 4, input: "ab" });
    expect(next.usage?.input_tokens).toBeGreaterThan((alone.usage?.input_tokens ?? 0) + 20);
  });

  test("the arguments of a stream are those of its final response", async () => {
    const events = await eventsOf(calling);
    const pieces = events.flatMap((event) => (event.type === "response.function_call_arguments.delta" ? [event] : []));
    const last = events.at(-1);
    const calls = last?.type === "response.completed" ? last.response.output : [];
    expect(calls.length).toBeGreaterThan(0);
    for (const [i, call] of calls.entries()) {
      const own = pieces.filter(({ output_index: index }) => index === i);
      expect(call.type === "function_call" && call.arguments).toBe(own.map(({ delta }) => delta).join(""));
      expect(new Set(own.map(({ item_id: id }) => id))).toEqual(new Set([call.id]));
    }
  });

  test("one is called by its name, some are allowed, and kinds that cannot be run are left out and named", async () => {
    const clock = { type: "function", name: "clock", parameters: { type: "object", properties: {}, additionalProperties: false } };
    for (const tool_choice of [
      { type: "function", name: "clock" },
      { type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "clock" }] },
    ]) {
      const { status, json, headers } = await post(url(), { ...calling, tools: [weather, clock, { type: "web_search" }], tool_choice });
      expect({ status, ignored: headers["x-cria-ignored-tools"] }).toEqual({ status: 200, ignored: "web_search" });
      for (const item of json.output) expect(item).toMatchObject({ type: "function_call", name: "clock" });
      expect(json.tools.map(({ name }: { name: string }) => name)).toEqual(["weather", "clock"]);
    }
  });
});

test("an answer keeps to a schema, and the client parses it by zod", async () => {
  const answer = z.object({ city: z.enum(["ab", "b"]) });
  const asked = { ...greedy, max_output_tokens: 100, temperature: 1, text: { format: zodTextFormat(answer, "answer") } };
  const { output_parsed: parsed, status } = await client().responses.parse(asked);
  expect(answer.safeParse(parsed).success).toBe(true);
  expect(status).toBe("completed");
  const { json } = await post(url(), { ...greedy, max_output_tokens: 200, text: { format: { type: "json_object" } }, seed: 3 });
  if (json.status === "completed") expect(JSON.parse(json.output[0].content[0].text)).toBeTypeOf("object");
});

test("log-probabilities of the text's tokens come where they are included", async () => {
  const include = ["message.output_text.logprobs" as const];
  const asked = { ...greedy, include, logit_bias: { 260: 100 } };
  const { json } = await post(url(), { ...asked, top_logprobs: 2 });
  const { text, logprobs } = json.output[0].content[0];
  expect(logprobs).toHaveLength(8);
  const bytes = logprobs.flatMap((one: { bytes: number[] }) => one.bytes);
  expect(Buffer.from(bytes).toString()).toBe(text);
  for (const { logprob, top_logprobs: top } of logprobs) {
    expect(logprob).toBeLessThanOrEqual(0);
    expect(top).toHaveLength(2);
  }
  const events = await eventsOf(asked);
  const streamed = events.flatMap((event) => (event.type === "response.output_text.delta" ? event.logprobs : []));
  expect(streamed.map(({ token }) => token)).toEqual(logprobs.map(({ token }: { token: string }) => token));
});

test.each([
  [{ previous_response_id: "resp_1" }, "previous_response_id", "this server stores no responses"],
  [{ conversation: "conv_1" }, "conversation", "send the whole conversation"],
  [{ background: true }, "background", "background is not supported"],
  [{ truncation: "auto" }, "truncation", "nothing of a conversation is cut"],
  [{ prompt: { id: "p" } }, "prompt", "stores no prompts"],
  [{ input: [] }, "input", "input"],
  [{ input: undefined }, "input", "input"],
  [{ max_output_tokens: 0 }, "max_output_tokens", "max_output_tokens"],
  [{ max_tokens: 4 }, "max_tokens", "max_tokens is not known"],
  [{ top_logprobs: 2 }, "top_logprobs", "message.output_text.logprobs"],
  [{ include: ["everything"] }, "include[0]", "include[0]"],
  [{ reasoning: { effort: "high" } }, "reasoning.effort", 'reasoning.effort is "high", but this model\'s template knows no such levels'],
  [{ text: { verbosity: "low" } }, "text.verbosity", "text.verbosity is not supported"],
  [{ text: { format: { type: "json_schema", name: "x", schema: { typ: 1 } } } }, "text.format", "typ"],
  [{ tools: [{ type: "function", name: "a b" }] }, "tools[0].name", 'tools[0].name is "a b"'],
  [{ tool_choice: "required" }, "tool_choice", "there are no tools"],
  [{ tool_choice: { type: "web_search_preview" } }, "tool_choice.type", "tool_choice.type"],
  [{ grammar: 'root ::= "a"', tools: [weather] }, "grammar", "a text keeps to one of them"],
  [
    { input: [{ role: "user", content: [{ type: "input_image", image_url: "x" }] }] },
    "input[0].content[0]",
    '"input_image": cria\'s models read text only',
  ],
  [{ input: [{ type: "item_reference", id: "msg_1" }] }, "input[0]", "nothing is stored here"],
  [{ input: "ab ".repeat(1500) }, "input", "but the model's context holds 2048"],
])("%j is refused by name", async (change, param, message) => {
  const { status, json, headers } = await post(url(), { ...greedy, ...change });
  expect({ status, retry: headers["x-should-retry"], param: json.error?.param }).toEqual({ status: 400, retry: "false", param });
  expect(json.error.message).toContain(message);
});

test("what cannot change a text is accepted, and null is absence", async () => {
  const harmless = { store: true, user: "me", service_tier: "auto", safety_identifier: "x", prompt_cache_key: "y", max_tool_calls: 3 };
  const usual = { truncation: "disabled", background: false, previous_response_id: null, tools: null, text: { verbosity: "medium" } };
  const more = { include: ["reasoning.encrypted_content"], reasoning: { summary: "auto" }, stream_options: { include_obfuscation: false } };
  const [plain, odd] = [await post(url(), greedy), await post(url(), { ...greedy, ...harmless, ...usual, ...more })];
  expect(odd.json.output[0].content).toEqual(plain.json.output[0].content);
});

describe("failures", () => {
  test("an unknown model is not found", async () => {
    await expect(client().responses.create({ ...greedy, model: "gpt-5" })).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });

  test("a text that takes too long fails: whole by its status, in a stream as an event that clients throw for, and response.failed", async () => {
    const asked = { ...greedy, max_output_tokens: 1500, logit_bias: { 260: 100 } };
    const at = `${hurried().url}/v1/responses`;
    expect(await post(at, asked)).toMatchObject({ status: 504, json: { error: { type: "server_error" } } });
    const { text } = await post(at, { ...asked, stream: true });
    const events = text.split("\n\n").flatMap((block) => (block.includes("data: ") ? [JSON.parse(block.split("data: ")[1]!)] : []));
    const message = expect.stringContaining("0.02 s");
    expect(events.slice(-2)).toMatchObject([
      { type: "error", code: "time_limit", param: null, message, error: { type: "server_error", message } },
      { type: "response.failed", response: { status: "failed", error: { code: "server_error", message }, usage: expect.anything() } },
    ]);
    const impatient = new OpenAI({ baseURL: `${hurried().url}/v1`, apiKey: "none", maxRetries: 0 });
    await expect(impatient.responses.stream(asked).finalResponse()).rejects.toThrow(APIError);
  });

  test("an aborted stream ends, and its pages are free again", async () => {
    const endless = { ...greedy, max_output_tokens: 400, logit_bias: { 260: 100 } };
    const stream = await client().responses.create({ ...endless, stream: true });
    let events = 0;
    for await (const _ of stream) if (++events === 6) stream.controller.abort();
    const model = server().server.shelf.list[0]?.model;
    await expect.poll(() => model?.counts.heldPages).toBe(0);
    expect(events).toBeLessThan(400);
  });
});
