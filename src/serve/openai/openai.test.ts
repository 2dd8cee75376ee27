// OpenAI's own client against a running server: what it asks for comes back in the types that it promises.
import OpenAI, { APIError, NotFoundError } from "openai";
import { describe, expect, test } from "vitest";
import { post, serverForAll } from "../serve.test.helper.ts";

const server = serverForAll();
const client = () => new OpenAI({ baseURL: `${server().url}/v1`, apiKey: "none", maxRetries: 0 });
const messages = [{ role: "user" as const, content: "ab a" }];
const greedy = { model: "tiny", messages, temperature: 0, max_tokens: 8 };

describe("chats", () => {
  test("a message comes whole, and the same in a stream: the role first, usage in a chunk without choices", async () => {
    const whole = await client().chat.completions.create(greedy);
    expect(whole).toMatchObject({
      ...{ object: "chat.completion", model: "tiny" },
      choices: [{ index: 0, finish_reason: "length", message: { role: "assistant", content: expect.any(String), refusal: null } }],
      usage: { completion_tokens: 8 },
    });
    expect(whole.usage?.total_tokens).toBe((whole.usage?.prompt_tokens ?? 0) + 8);
    const chunks = [];
    for await (const chunk of await client().chat.completions.create({ ...greedy, stream: true, stream_options: { include_usage: true } }))
      chunks.push(chunk);
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "", refusal: null });
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(whole.choices[0]?.message.content);
    expect(chunks.filter(({ choices }) => choices[0]?.delta.role !== undefined)).toHaveLength(1);
    expect(chunks.at(-2)?.choices[0]).toMatchObject({ delta: {}, finish_reason: "length" });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { ...whole.usage, prompt_tokens_details: expect.anything() } });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  test("what was read before is counted as cached, for the same asker", async () => {
    const long = [{ role: "user" as const, content: "ab ".repeat(60) }];
    const ask = async () => (await client().chat.completions.create({ ...greedy, messages: long })).usage;
    const [first, second] = [await ask(), await ask()];
    expect(first?.prompt_tokens_details?.cached_tokens).toBeLessThan(64);
    expect(second?.prompt_tokens_details?.cached_tokens).toBeGreaterThan(100);
    expect(second?.prompt_tokens).toBe(first?.prompt_tokens);
  });

  test("n texts of one seed differ, and are the same again; log-probabilities have bytes", async () => {
    const more = { temperature: 2, max_tokens: 30, n: 3, seed: 5, logprobs: true, top_logprobs: 2 };
    const ask = () => client().chat.completions.create({ ...greedy, ...more });
    const [once, again] = [await ask(), await ask()];
    const texts = once.choices.map(({ message }) => message.content);
    expect(new Set(texts).size).toBeGreaterThan(1);
    expect(again.choices.map(({ message }) => message.content)).toEqual(texts);
    expect(once.usage?.completion_tokens).toBeLessThanOrEqual(90);
    for (const { logprobs } of once.choices)
      for (const { token, bytes, logprob, top_logprobs } of logprobs?.content ?? []) {
        expect(logprob).toBeLessThanOrEqual(0);
        expect(top_logprobs).toHaveLength(2);
        if (!token.startsWith("bytes:")) expect(Buffer.from(bytes ?? []).toString()).toBe(token);
      }
  });

  test("a developer is the system, and content in parts is text", async () => {
    const asked = [
      { role: "developer" as const, content: "ab" },
      {
        role: "user" as const,
        content: [
          { type: "text" as const, text: "a" },
          { type: "text" as const, text: "b" },
        ],
      },
    ];
    const parts = await client().chat.completions.create({ ...greedy, messages: asked });
    const texts = [
      { role: "system" as const, content: "ab" },
      { role: "user" as const, content: "a\nb" },
    ];
    const plain = await client().chat.completions.create({ ...greedy, messages: texts });
    expect(parts.choices).toEqual(plain.choices);
    expect(parts.usage?.prompt_tokens).toBe(plain.usage?.prompt_tokens);
  });

  test("a schema is kept to, and a stop string ends a text before it", async () => {
    const schema = { type: "object", properties: { a: { enum: ["ab", "b"] } }, required: ["a"], additionalProperties: false };
    const format = { type: "json_schema" as const, json_schema: { name: "answer", strict: true, schema } };
    const whole = await client().chat.completions.create({ ...greedy, max_tokens: 60, temperature: 1, response_format: format });
    expect(JSON.parse(whole.choices[0]?.message.content ?? "")).toEqual({ a: expect.stringMatching(/^a?b$/) });
    expect(whole.choices[0]?.finish_reason).toBe("stop");
    const free = (await client().chat.completions.create({ ...greedy, max_tokens: 20 })).choices[0]?.message.content ?? "";
    const stop = free.slice(5, 7);
    const cut = await client().chat.completions.create({ ...greedy, max_tokens: 20, stop: [stop] });
    expect(cut.choices[0]).toMatchObject({ finish_reason: "stop", message: { content: free.slice(0, free.indexOf(stop)) } });
  });

  test("a biased token is the only one, null is absence, and harmless keys change nothing", async () => {
    const biased = await client().chat.completions.create({ ...greedy, logit_bias: { 260: 100 }, max_tokens: 3 });
    expect(biased.choices[0]?.message.content).toBe("aaa");
    const plain = await post(`${server().url}/v1/chat/completions`, greedy);
    const harmless = { user: "me", metadata: { a: "b" }, store: true, service_tier: "auto", prompt_cache_key: "x", safety_identifier: "y" };
    const odd = await post(`${server().url}/v1/chat/completions`, {
      ...greedy,
      ...harmless,
      top_p: null,
      seed: null,
      n: null,
      stop: null,
      tools: null,
    });
    expect(odd.json.choices).toEqual(plain.json.choices);
  });
});

describe("tools", () => {
  const parameters = {
    ...{ type: "object", properties: { where: { enum: ["ab", "b"] }, days: { type: "integer", minimum: 1, maximum: 9 } } },
    ...{ required: ["where", "days"], additionalProperties: false },
  };
  const tools = [{ type: "function" as const, function: { name: "weather", description: "The weather", parameters } }];
  const asked = { ...greedy, temperature: 1, seed: 7, max_tokens: 300, tools, tool_choice: "required" as const };
  const argumentsHold = (text: string) =>
    expect(JSON.parse(text)).toEqual({ where: expect.stringMatching(/^a?b$/), days: expect.toSatisfy((days) => days >= 1 && days <= 9) });

  test("a call keeps to its tool's schema, whole and in a stream, and its result goes on in the next turn", async () => {
    const { choices } = await client().chat.completions.create(asked);
    expect(choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
    const call = choices[0]?.message.tool_calls?.[0];
    if (call?.type !== "function") throw new Error("no call");
    expect(call.function.name).toBe("weather");
    argumentsHold(call.function.arguments);
    const deltas = [];
    for await (const chunk of await client().chat.completions.create({ ...asked, stream: true }))
      deltas.push(...(chunk.choices[0]?.delta.tool_calls ?? []));
    const [first] = deltas;
    expect(first).toMatchObject({
      index: 0,
      type: "function",
      id: expect.stringMatching(/^call_\w+$/),
      function: { name: "weather", arguments: "" },
    });
    expect(deltas.filter(({ id }) => id !== undefined)).toHaveLength(deltas.filter((delta) => delta.function?.name !== undefined).length);
    const own = deltas.filter(({ index }) => index === 0).map((delta) => delta.function?.arguments ?? "");
    expect(own.join("")).toBe(call.function.arguments);
    const answer = { role: "tool" as const, tool_call_id: call.id, content: "rain" };
    const next = await client().chat.completions.create({
      ...asked,
      tool_choice: "none",
      max_tokens: 4,
      messages: [...messages, choices[0]!.message, answer],
    });
    expect(next.choices[0]?.message.tool_calls).toBeUndefined();
  });

  test("one tool is called by its name; kinds that cannot be run are left out and named", async () => {
    const other = { type: "function" as const, function: { name: "clock" } };
    const named = await client().chat.completions.create({
      ...asked,
      tools: [...tools, other],
      tool_choice: { type: "function", function: { name: "clock" } },
    });
    expect(named.choices[0]?.message.tool_calls?.every((call) => call.type === "function" && call.function.name === "clock")).toBe(true);
    const odd = await post(`${server().url}/v1/chat/completions`, { ...asked, tools: [...tools, { type: "web_search" }] });
    expect(odd).toMatchObject({ status: 200, headers: { "x-cria-ignored-tools": "web_search" } });
    const wrong = await post(`${server().url}/v1/chat/completions`, { ...asked, tools: [{ type: "function", function: { name: "a b" } }] });
    expect(wrong).toMatchObject({ status: 400, json: { error: { param: "tools[0].function.name" } } });
  });
});

describe("completions", () => {
  test("echo gives the prompt's own tokens, each with its place", async () => {
    const { choices, usage } = await client().completions.create({
      ...{ model: "tiny", prompt: "ab aé", echo: true, logprobs: 2, max_tokens: 2, temperature: 0 },
    });
    const { text, logprobs } = choices[0]!;
    expect(text.startsWith("ab aé")).toBe(true);
    expect(logprobs?.tokens).toHaveLength((usage?.prompt_tokens ?? 0) + 2);
    expect(logprobs?.token_logprobs?.[0]).toBeNull();
    expect(logprobs?.token_logprobs?.slice(1).every((one) => one <= 0)).toBe(true);
    expect(logprobs?.tokens?.slice(0, 6)).toEqual(["<s>", " a", "b", " a", "bytes:\\xc3", "bytes:\\xa9"]);
    expect(logprobs?.text_offset?.slice(0, 6)).toEqual([0, 0, 1, 2, 4, 5]);
  });

  test("scores without writing, prompts in batches as texts and as ids", async () => {
    const scored = await client().completions.create({
      model: "tiny",
      prompt: [[1, 260, 261], [260]],
      echo: true,
      logprobs: 0,
      max_tokens: 0,
    });
    expect(scored.choices.map(({ logprobs }) => logprobs?.tokens?.length)).toEqual([3, 1]);
    expect(scored.usage).toMatchObject({ prompt_tokens: 4, completion_tokens: 0 });
    const ask = async (prompt: string | string[]) =>
      (await client().completions.create({ model: "tiny", prompt, max_tokens: 6, seed: 3, n: 2 })).choices.map(({ text }) => text);
    const [both, first, second] = [await ask(["ab", "b a"]), await ask("ab"), await ask("b a")];
    expect(both).toEqual([...first, ...second]);
  });

  test("a stream is the whole text in pieces, whatever bytes its tokens are", async () => {
    const body = { model: "tiny", prompt: "ab", max_tokens: 40, seed: 11, temperature: 1.8 };
    const whole = await client().completions.create(body);
    let text = "";
    for await (const { choices } of await client().completions.create({ ...body, stream: true })) text += choices[0]?.text ?? "";
    expect(text).toBe(whole.choices[0]?.text);
  });
});

describe("embeddings", () => {
  test("vectors have length 1, and are the same in base64, in numbers, and among others", async () => {
    const ask = async (input: string | string[] | number[][], encoding_format: "float" | "base64") =>
      (await client().embeddings.create({ model: "tiny", input, encoding_format })).data.map(({ embedding }) => embedding);
    const [[alone], both, ids] = [await ask("ab a", "float"), await ask(["b", "ab a"], "float"), await ask([[1, 260]], "float")];
    expect(alone).toHaveLength(16);
    expect(Math.hypot(...alone!)).toBeCloseTo(1, 5);
    expect(both[1]).toEqual(alone);
    expect(ids).toHaveLength(1);
    const usual = await client().embeddings.create({ model: "tiny", input: "ab a" });
    expect(usual.data[0]?.embedding).toEqual(alone?.map(Math.fround));
    expect(usual.usage).toEqual({ prompt_tokens: 4, total_tokens: 4 });
    const coded = (await ask("ab a", "base64")) as unknown as string[];
    expect(Buffer.from(coded[0]!, "base64")).toHaveLength(64);
  });

  test("what cannot be a vector is refused", async () => {
    for (const [body, param, message] of [
      [{ input: "ab", dimensions: 4 }, "dimensions", "dimensions is 4, but this model's vectors have 16"],
      [{ input: "ab ".repeat(1500) }, "input", "but the model's context holds 2048: shorten it"],
      [{ input: [] }, "input", "input"],
      [{ input: [[5000]] }, "input", "of another vocabulary"],
      [{ input: "ab", encoding_format: "int8" }, "encoding_format", "encoding_format"],
    ] as const)
      expect(await post(`${server().url}/v1/embeddings`, { model: "tiny", ...body })).toMatchObject({
        ...{ status: 400, json: { error: { param, message: expect.stringContaining(message) } } },
      });
  });
});

describe("clients", () => {
  test("models are listed, and one by its id", async () => {
    expect((await client().models.list()).data).toMatchObject([{ id: "tiny", object: "model", owned_by: "cria" }]);
    expect(await client().models.retrieve("tiny")).toMatchObject({ id: "tiny" });
    await expect(client().models.retrieve("tini")).rejects.toThrow(NotFoundError);
  });

  test("errors have the codes that clients know", async () => {
    const long = client().chat.completions.create({ ...greedy, messages: [{ role: "user", content: "ab ".repeat(1500) }] });
    const error = (await long.catch((thrown: unknown) => thrown)) as APIError;
    expect(error).toBeInstanceOf(APIError);
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded", type: "invalid_request_error" });
    expect(error.message).toMatch(/the prompt has \d+ tokens, but the model's context holds 2048/);
    expect(error.headers?.get("x-should-retry")).toBe("false");
    await expect(client().chat.completions.create({ ...greedy, model: "gpt-4" })).rejects.toMatchObject({
      status: 404,
      code: "model_not_found",
    });
  });

  test("an aborted stream ends, and its pages are free again", async () => {
    const stream = await client().chat.completions.create({ ...greedy, max_tokens: 400, stream: true, logit_bias: { 260: 100 } });
    let chunks = 0;
    for await (const _ of stream) if (++chunks === 3) stream.controller.abort();
    const model = server().server.shelf.list[0]?.model;
    await expect.poll(() => model?.counts.heldPages).toBe(0);
    expect(model?.admission.running).toBe(0);
    expect(chunks).toBeLessThan(400);
  });
});
