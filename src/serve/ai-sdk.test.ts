// The AI SDK against a running server, by its provider for servers that speak as OpenAI's does.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, embed, embedMany, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from "ai";
import { expect, test } from "vitest";
import { z } from "zod";
import { serverForAll } from "./serve.test.helper.ts";

const server = serverForAll();
const provider = () =>
  createOpenAICompatible({ name: "cria", baseURL: `${server().url}/v1`, includeUsage: true, supportsStructuredOutputs: true });
const asked = () => ({ model: provider()("tiny"), prompt: "ab a", temperature: 0, maxOutputTokens: 8, maxRetries: 0 });
const city = z.object({ city: z.enum(["ab", "b"]) });

test("a text comes whole, and the same in a stream, with counts of tokens", async () => {
  const whole = await generateText(asked());
  expect(whole).toMatchObject({ finishReason: "length", usage: { outputTokens: 8 } });
  expect(whole.usage.inputTokens).toBeGreaterThan(3);
  const stream = streamText(asked());
  let text = "";
  for await (const piece of stream.textStream) text += piece;
  expect(text).toBe(whole.text);
  expect(await stream.finishReason).toBe("length");
  expect((await stream.usage).inputTokens).toBe(whole.usage.inputTokens);
  expect((await stream.usage).outputTokens).toBe(8);
});

test("a tool is called and run, and what it returns goes on in the next step", async () => {
  const given: unknown[] = [];
  const weather = tool({
    description: "the weather",
    inputSchema: city,
    execute: async (input) => {
      given.push(input);
      return { weather: "rain" };
    },
  });
  for (const write of [generateText, streamText]) {
    given.length = 0;
    const result = write({
      ...{ ...asked(), maxOutputTokens: 300, temperature: 1, seed: 7, tools: { weather }, toolChoice: "required" as const },
      stopWhen: stepCountIs(2),
      prepareStep: ({ stepNumber }) => (stepNumber === 0 ? {} : { toolChoice: "none" as const }),
    });
    const steps = await (await result).steps;
    expect(steps).toHaveLength(2);
    expect(steps[0]).toMatchObject({ finishReason: "tool-calls" });
    expect(given.length).toBeGreaterThan(0);
    for (const input of given) expect(city.safeParse(input).success).toBe(true);
    expect(steps[1]?.toolCalls).toEqual([]);
  }
});

test("an object keeps to its schema, by zod or by JSON Schema, whole and in a stream", async () => {
  const more = { maxOutputTokens: 100, temperature: 1 };
  const whole = await generateText({ ...asked(), ...more, output: Output.object({ schema: city }) });
  expect(city.safeParse(whole.output).success).toBe(true);
  const schema = jsonSchema<{ n: number }>({
    ...{ type: "object", properties: { n: { type: "integer", minimum: 1, maximum: 9 } }, required: ["n"], additionalProperties: false },
  });
  const stream = streamText({ ...asked(), ...more, output: Output.object({ schema }) });
  const { n } = await stream.output;
  expect([1, 2, 3, 4, 5, 6, 7, 8, 9]).toContain(n);
});

test("texts are embedded, one or several", async () => {
  const model = provider().embeddingModel("tiny");
  const one = await embed({ model, value: "ab a" });
  expect(Math.hypot(...one.embedding)).toBeCloseTo(1, 5);
  const several = await embedMany({ model, values: ["b", "ab a"] });
  expect(several.embeddings[1]).toEqual(one.embedding);
  expect(one.usage.tokens).toBe(4);
});

test("a stream that is aborted costs nothing further, and errors have their status and are not tried again", async () => {
  const controller = new AbortController();
  const stream = streamText({ ...asked(), maxOutputTokens: 1500, abortSignal: controller.signal });
  let pieces = 0;
  for await (const part of stream.fullStream) if (part.type === "text-delta" && ++pieces === 2) controller.abort();
  const model = server().server.shelf.list[0]?.model;
  await expect.poll(() => model?.counts.heldPages).toBe(0);
  const failed = await generateText({ ...asked(), model: provider()("nobody"), maxRetries: 2 }).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(APICallError);
  expect(failed).toMatchObject({ statusCode: 404, isRetryable: false, message: expect.stringContaining("nobody") });
});
