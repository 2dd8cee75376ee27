// Tools and forms with a real model, SmolLM2-135M-Instruct, whose template knows no tools. The file comes by tools/fetch-smollm2.mjs; without it the tests
// are skipped and say so.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ChatPartsOptions, jsonSchemaGrammar, Llama, type Message, type Tool } from "./index.ts";

const file = fileURLToPath(new URL("../models/SmolLM2-135M-Instruct.Q4_1.gguf", import.meta.url));
const isHere = existsSync(file);
if (!isHere) console.log(`${file} is not there, so that its tests are skipped: node tools/fetch-smollm2.mjs`);

const city = {
  type: "object",
  properties: { city: { type: "string", minLength: 1, maxLength: 40 } },
  required: ["city"],
  additionalProperties: false,
};
const tools: readonly Tool[] = [
  { type: "function", function: { name: "get_weather", description: "Today's weather in a city", parameters: city } },
  { type: "function", function: { name: "now", description: "The time of day" } },
];
const question: readonly Message[] = [{ role: "user", content: "What is the weather in Paris today?" }];

describe.skipIf(!isHere)("SmolLM2-135M-Instruct", () => {
  let llama: Llama;
  beforeAll(async () => {
    llama = await Llama.load(file, { contextLength: 1024 });
  });
  afterAll(() => llama?.dispose());

  async function message(options: ChatPartsOptions, messages = question) {
    const found = { content: "", calls: [] as [string, string][], finishReason: undefined as string | undefined };
    for await (const { parts, finishReason } of llama.chatParts(messages, { maxTokens: 200, ...options })) {
      found.finishReason = finishReason;
      for (const part of parts)
        if (part.type === "call") found.calls.push([part.name, ""]);
        else if (part.type === "arguments") found.calls[part.index]![1] += part.text;
        else found.content += part.text;
    }
    return found;
  }

  test("refuses tools, but for a preamble", () => {
    expect(() => llama.chatParts(question, { tools })).toThrow("knows no tools: omit tools, or ask for a preamble");
  });

  test("calls the tool that it is asked for, with the city", async () => {
    const { calls, finishReason } = await message({ tools, preamble: true, toolChoice: "required", parallel: false, temperature: 0 });
    expect([calls, finishReason]).toEqual([[["get_weather", expect.stringContaining("Paris")]], "tool_calls"]);
  });

  test("whatever is drawn, calls that end are valid", { timeout: 600_000 }, async () => {
    const grammars = new Map([
      ["get_weather", jsonSchemaGrammar(city)],
      ["now", jsonSchemaGrammar({ const: {} })],
    ]);
    let whole = 0;
    for (let seed = 0; seed < 12; seed++) {
      const toolChoice = seed % 3 === 0 ? "auto" : "required";
      const { calls, finishReason } = await message({
        tools,
        preamble: true,
        toolChoice,
        parallel: seed % 2 === 0, // the model repeats calls where it may
        temperature: 0.5 + seed / 8,
        seed,
        maxTokens: 120,
      });
      if (finishReason !== "tool_calls") continue;
      whole++;
      for (const [name, given] of calls) expect([name, given, grammars.get(name)?.accepts(given)]).toEqual([name, given, true]);
    }
    expect(whole).toBeGreaterThan(3);
  });

  test("answers with what a tool gave back", async () => {
    const turns: readonly Message[] = [
      ...question,
      { role: "assistant", content: null, tool_calls: [{ id: "1", function: { name: "get_weather", arguments: { city: "Paris" } } }] },
      { role: "tool", tool_call_id: "1", content: "sunny, 31 °C" },
    ];
    const { content } = await message({ tools, preamble: true, toolChoice: "none", temperature: 0, maxTokens: 60 }, turns);
    expect(content).toMatch(/sunny|31/i);
  });

  test("answers in a form", async () => {
    const schema = {
      type: "object",
      properties: { capital: { enum: ["Paris", "Rome"] } },
      required: ["capital"],
      additionalProperties: false,
    };
    const asked: readonly Message[] = [{ role: "user", content: "What is the capital of France? Answer as JSON." }];
    const { content } = await message({ responseFormat: { type: "json_schema", schema }, temperature: 0 }, asked);
    expect(JSON.parse(content)).toEqual({ capital: "Paris" });
  });
});
