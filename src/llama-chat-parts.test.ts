// Messages of a tiny random model as parts: whatever it draws, calls that end are valid, and a special token may mark them.
import { beforeAll, describe, expect, test } from "vitest";
import { referenceBackend } from "./backend/reference/index.ts";
import { type ChatPartsOptions, jsonSchemaGrammar, Llama, type Message, type Tool } from "./index.ts";
import { folderForAll, writeTinyChat, writeTinyFolder } from "./load/tiny-model.test.helper.ts";

/** Calls are a special token, a name and arguments. */
const template =
  "{{ bos_token }}{{ tools[0].function.name if tools }}{% for m in messages %}{{ m.content if m.content }}" +
  "{% for call in m.tool_calls %}<|go|>{{ call.function.name }}{{ call.function.arguments | tojson }}{% endfor %}<|over|>{% endfor %}{% if add_generation_prompt %}a{% endif %}";
const go = 263;
const hi: readonly Message[] = [{ role: "user", content: "a" }];
const made = folderForAll(async (folder) => {
  await writeTinyFolder(folder);
  await writeTinyChat(folder, template);
});
let llama: Llama;
beforeAll(async () => {
  llama = await Llama.load(made(), { backend: referenceBackend() });
  return () => llama.dispose();
});

async function message(options: ChatPartsOptions, messages = hi) {
  const found = { ids: [] as number[], content: "", calls: [] as [string, string][], finishReason: undefined as string | undefined };
  for await (const { id, parts, finishReason } of llama.chatParts(messages, options)) {
    found.ids.push(id);
    found.finishReason = finishReason;
    for (const part of parts)
      if (part.type === "call") found.calls.push([part.name, ""]);
      else if (part.type === "arguments") found.calls[part.index]![1] += part.text;
      else found.content += part.text;
  }
  return found;
}

/** Schemas of the argument `a` whose instances take few tokens. */
const schemas = [
  { enum: [1, true, "b"] },
  { type: "array", items: { type: "boolean" }, maxItems: 1 },
  { type: ["integer", "null"], maximum: 99, minimum: 0 },
];
const parametersOf = (schema: object) => ({ type: "object", properties: { a: schema }, required: ["a"] });
const toolsOf = (parameters: object): readonly Tool[] => [{ type: "function", function: { name: "f", parameters } }];
const tools = toolsOf(parametersOf({ const: 1 }));

describe("calls", () => {
  test.each(["required", "auto"] as const)("%s: those that end are valid, drawn greedily or not", async (toolChoice) => {
    const seen = { whole: 0, special: 0 };
    for (let seed = 0; seed < 24; seed++) {
      const parameters = parametersOf(schemas[seed % 3] ?? {});
      const given = toolChoice === "auto" ? { logitBias: new Map([[go, 12]]) } : {};
      const { ids, content, calls, finishReason } = await message({
        tools: toolsOf(parameters),
        toolChoice,
        parallel: false,
        seed,
        temperature: seed % 3,
        ...given,
      });
      if (finishReason !== "tool_calls") continue;
      expect([...calls.map(([name]) => name), toolChoice === "auto" || content === ""]).toEqual(["f", true]);
      const text = calls[0]?.[1] ?? "";
      expect([text, jsonSchemaGrammar(parameters).accepts(text)]).toEqual([text, true]);
      seen.whole++;
      if (ids.includes(go)) seen.special++;
    }
    expect(seen.whole).toBeGreaterThan(5);
    expect(seen.special).toBeGreaterThan(toolChoice === "auto" ? 5 : 0);
  });

  test("none come where none may", async () => {
    for (let seed = 0; seed < 6; seed++) {
      const { ids, calls, finishReason } = await message({ tools, toolChoice: "none", logitBias: new Map([[go, 12]]), maxTokens: 8, seed });
      expect([calls, ids.includes(go)]).toEqual([[], false]);
      expect(["stop", "length"]).toContain(finishReason);
    }
  });

  test("of earlier turns and their results are read", () => {
    const turns: readonly Message[] = [
      ...hi,
      { role: "assistant", content: null, tool_calls: [{ id: "1", function: { name: "f", arguments: '{"a": 1}' } }] },
      { role: "tool", tool_call_id: "1", content: "b" },
    ];
    expect(llama.openDialogue(turns, { tools }).text).toBe('<s>fa<|over|><|go|>f{"a": 1}<|over|>b<|over|>a');
  });
});

test("an answer keeps to its form", async () => {
  for (let seed = 0; seed < 6; seed++) {
    const { content, finishReason } = await message({ responseFormat: { type: "json_schema", schema: { enum: ["a", 12] } }, seed });
    expect([content, finishReason]).toEqual([expect.stringMatching(/^\s*("a"|12)$/), "stop"]);
  }
});

test("a stop string ends an answer, beside tools too", async () => {
  const { content: whole } = await message({ tools, seed: 1, maxTokens: 12 });
  expect(whole.length).toBeGreaterThan(4);
  const stop = [whole.slice(2, 4)];
  expect(await message({ tools, seed: 1, maxTokens: 12, stop })).toMatchObject({
    content: whole.slice(0, whole.indexOf(stop[0]!)),
    finishReason: "stop",
  });
});

test("an answer that is cut says so", async () => {
  expect(await message({ tools, toolChoice: "required", maxTokens: 2 })).toMatchObject({ finishReason: "length" });
});

test.each<[object, string]>([
  [{ grammar: 'root ::= "a"' }, "grammar"],
  [{ toolChoice: "any" }, 'the option toolChoice is "any" but must be "auto", "none", "required" or the name of a tool'],
  [{ tools: {} }, "the option tools is an object but must be an array"],
  [{ template: "other" }, 'there is no chat template "other"'],
])("%j is refused", (options, message) => {
  expect(() => llama.chatParts(hi, options)).toThrow(message);
});
