// LangChain's OpenAI classes against a running server. They take a second to load, and so do not run with the ordinary tests.
import { AIMessage, HumanMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import { expect, test } from "vitest";
import { z } from "zod";
import { serverForAll } from "./serve.test.helper.ts";

const server = serverForAll();
const connection = () => ({ model: "tiny", apiKey: "none", maxRetries: 0, configuration: { baseURL: `${server().url}/v1` } });
const chat = (more: object = {}) => new ChatOpenAI({ ...connection(), temperature: 0, maxTokens: 8, ...more });
const city = z.object({ city: z.enum(["ab", "b"]) });
const weather = tool(async () => "rain", { name: "weather", description: "the weather", schema: city });

test.each([false, true])("a message comes whole, and the same in a stream (by responses: %s)", async (useResponsesApi) => {
  const model = chat({ useResponsesApi });
  const whole = await model.invoke("ab a");
  expect(whole.usage_metadata).toMatchObject({ output_tokens: 8 });
  let text = "";
  for await (const chunk of await model.stream("ab a")) {
    text += chunk.text;
  }
  expect(text).toBe(whole.text);
});

test.each([false, true])("a tool is called, and its result goes on in the next turn (by responses: %s)", async (useResponsesApi) => {
  const model = chat({ useResponsesApi, temperature: 1, maxTokens: 300 });
  const asked = new HumanMessage("ab a");
  const called = await model.bindTools([weather], { tool_choice: "weather" }).invoke([asked]);
  const [call] = called.tool_calls ?? [];
  expect(call?.name).toBe("weather");
  expect(city.safeParse(call?.args).success).toBe(true);
  const result = new ToolMessage({ content: "rain", tool_call_id: call?.id ?? "" });
  const next = await model.invoke([asked, called, result]);
  expect(next).toBeInstanceOf(AIMessage);
  expect(next.tool_calls).toEqual([]);
});

test.each(["jsonSchema", "functionCalling", "jsonMode"] as const)("an answer keeps to a schema (%s)", async (method) => {
  const model = chat({ temperature: 1, maxTokens: 300, modelKwargs: { seed: 3 } }).withStructuredOutput(city, { method });
  const answer = await model.invoke("ab a").catch((error: unknown) => error);
  // An object of any form is all that the last of them asks of the server.
  if (method === "jsonMode") expect(answer).not.toMatchObject({ status: expect.anything() });
  else expect(city.safeParse(answer).success).toBe(true);
});

test("texts are embedded, and errors have their status", async () => {
  const embeddings = new OpenAIEmbeddings(connection());
  const [vector] = await embeddings.embedDocuments(["ab a", "b"]);
  expect(await embeddings.embedQuery("ab a")).toEqual(vector);
  expect(Math.hypot(...(vector ?? []))).toBeCloseTo(1, 5);
  await expect(chat({ model: "nobody" }).invoke("a")).rejects.toMatchObject({ status: 404 });
});
