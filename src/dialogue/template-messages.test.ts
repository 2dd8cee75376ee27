import { describe, expect, test } from "vitest";
import { type Message, renderChat } from "../chat/index.ts";
import { anthropicMessages, dialogueFor, ollamaMessages, openAiMessages, responsesMessages, type Tool } from "./index.ts";
import { callingTemplates, type TemplateName, templates } from "./templates.test.helper.ts";

const now: Tool = { type: "function", function: { name: "now", parameters: { type: "object", properties: { zone: { type: "string" } } } } };

/** A conversation with a call and its result, as each of the protocols has it. */
const protocols = {
  openai: openAiMessages([
    { role: "user", content: [{ type: "text", text: "Time?" }] },
    {
      ...{ role: "assistant", content: null, refusal: null, annotations: [], audio: null },
      tool_calls: [{ id: "call_0001", index: 0, type: "function", function: { name: "now", arguments: '{"zone": "UTC"}' } }],
    },
    { role: "tool", tool_call_id: "call_0001", content: "noon" },
  ]),
  anthropic: anthropicMessages({
    messages: [
      { role: "user", content: "Time?" },
      { role: "assistant", content: [{ type: "tool_use", id: "call_0001", name: "now", input: { zone: "UTC" } }] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "call_0001", content: [{ type: "text", text: "noon" }] }] },
    ],
  }),
  ollama: ollamaMessages([
    { role: "user", content: "Time?" },
    { role: "assistant", content: "", tool_calls: [{ id: "call_0001", function: { index: 0, name: "now", arguments: { zone: "UTC" } } }] },
    { role: "tool", tool_name: "now", content: "noon" },
  ]),
  responses: responsesMessages({
    input: [
      { role: "user", content: [{ type: "input_text", text: "Time?" }] },
      { type: "function_call", id: "fc_1", call_id: "call_0001", name: "now", arguments: '{"zone": "UTC"}', status: "completed" },
      { type: "function_call_output", call_id: "call_0001", output: "noon" },
    ],
  }),
};

function render(name: TemplateName, messages: readonly Message[], tools: readonly Tool[] = [now]) {
  const dialogue = dialogueFor({ template: templates[name], tools, preamble: true });
  const { tools: given, variables } = dialogue;
  return renderChat(templates[name], dialogue.messages(messages), {
    tools: given,
    variables,
    specials: { bos_token: "", eos_token: "</s>" },
  }).text;
}

describe.each(Object.entries(protocols))("a call and its result in %s's messages", (_, messages) => {
  test.each([...callingTemplates, "without tools" as const])("%s: the template writes them", (name) => {
    const text = render(name, messages);
    expect(text).toMatch(/Time\?.*now.*zone.*UTC.*noon/s);
  });
});

test.each<[TemplateName, string]>([
  ["hermes", '<tool_call>\n{"name": "now", "arguments": {"zone": "UTC"}}\n</tool_call>'],
  [
    "mistral",
    `[TOOL_CALLS][{"name": "now", "arguments": {"zone": "UTC"}, "id": "4fd3b8eb0"}]</s>[TOOL_RESULTS]{"content": "noon", "call_id": "4fd3b8eb0"}`,
  ],
  ["smollm3", '<tool_call>\n{"name": "now", "arguments": {"zone": "UTC"}}\n</tool_call>'],
  ["granite that writes no calls", '<|tool_call|>[{"name": "now", "arguments": {"zone": "UTC"}}]'],
])("%s: %s", (name, expected) => {
  const compact = (text: string) => text.replaceAll(/(?<=[:,]) /g, "").replaceAll(/[0-9a-f]{9}/g, "id");
  expect(compact(render(name, protocols.openai))).toContain(compact(expected));
});

test("ids that the template wants short are so wherever they stand, and those that are short stay", () => {
  const ids = (id: string) =>
    [
      ...render("mistral", JSON.parse(JSON.stringify(protocols.openai).replaceAll("call_0001", id))).matchAll(/"(?:call_)?id": "(\w+)"/g),
    ].map(([, found]) => found);
  expect(ids("abcDEF123")).toEqual(["abcDEF123", "abcDEF123"]);
  const [first, second] = ids("toolu_01A09q90qw90lq917835lq9");
  expect(first).toMatch(/^[a-z0-9]{9}$/);
  expect(second).toBe(first);
});

test("a preamble describes tools where a template knows none", () => {
  const text = render("without tools", [{ role: "user", content: "Time?" }]);
  expect(text).toMatch(/^<start_of_turn>user\nYou can call functions.*"name":"now".*<tool_call>.*\n\nTime\?<end_of_turn>/s);
  expect(render("without tools", [{ role: "user", content: "Time?" }], [])).toBe(
    "<start_of_turn>user\nTime?<end_of_turn>\n<start_of_turn>model\n",
  );
});

test("tools as text of the system message, where the template reads them there", () => {
  const tools = '[{"name":"now","description":"","parameters":{"type":"object","properties":{"zone":{"type":"string"}}}}]';
  expect(render("phi-4-mini", [{ role: "user", content: "Time?" }])).toBe(
    `<|system|><|tool|>${tools}<|/tool|><|end|><|user|>Time?<|end|><|assistant|>`,
  );
  expect(render("phi-4-mini", [{ role: "system", content: "Be brief." }])).toContain(`<|system|>Be brief.<|tool|>${tools}<|/tool|>`);
});

test("results in a row are one message where the template has none", () => {
  const more: Message[] = [...protocols.openai, { role: "tool", content: "late" }];
  expect(render("without tools", more)).toContain(
    "<start_of_turn>user\n<tool_response>\nnoon\n</tool_response>\n<tool_response>\nlate\n</tool_response><end_of_turn>",
  );
});

test("developer becomes system where the template knows no developer", () => {
  const source = dialogueFor({ template: templates.mistral });
  expect(source.messages([{ role: "developer", content: "Be brief." }])).toEqual([{ role: "system", content: "Be brief." }]);
  expect(dialogueFor({ template: templates.hermes }).messages([{ role: "developer", content: "a" }])).toEqual([
    { role: "developer", content: "a" },
  ]);
});

test("calls that a template has no words for are refused by name, and told in the form of a preamble where one may be", () => {
  expect(() => dialogueFor({ template: templates["without tools"] }).messages(protocols.openai)).toThrow(
    "a message has tool_calls, but this model's template has no words for them",
  );
  const told = dialogueFor({ template: templates["without tools"], preamble: true }).messages(protocols.openai);
  expect(told[1]?.content).toBe('<tool_call>\n{"name": "now", "arguments": {"zone": "UTC"}}\n</tool_call>');
});

describe("OpenAI", () => {
  test("calls without arguments have an empty object", () => {
    for (const given of ["", " ", null, undefined]) {
      const [message] = openAiMessages([
        { role: "assistant", tool_calls: [{ id: "a", type: "function", function: { name: "now", arguments: given } }] },
      ]);
      expect(message?.tool_calls?.[0]?.function.arguments).toBe("{}");
    }
  });

  test.each([
    [[{ role: "user", content: [{ type: "image_url", image_url: { url: "…" } }] }], 'messages[0].content[0] is of the type "image_url"'],
    [[{ role: "assistant", refusal: "no", content: "a" }], 'messages[0] has "refusal"'],
    [[{ role: "user" }], "messages[0] has no content"],
    [[1], "messages[0] must be an object"],
    ["hi", "messages must be a list"],
    [[{ role: "assistant", tool_calls: [{ function: { name: "f", arguments: "{" } }] }], "messages[0].tool_calls[0].function.arguments"],
  ])("%j is refused by its place", (messages, message) => {
    expect(() => renderChat(templates.hermes, openAiMessages(messages))).toThrow(message);
  });
});

describe("Anthropic", () => {
  test("system, thinking, text and uses of tools", () => {
    const messages = anthropicMessages({
      system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "hm", signature: "s" },
            { type: "redacted_thinking", data: "…" },
            { type: "text", text: "c" },
            { type: "tool_use", id: "t", name: "now", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "t", is_error: true, content: "no clock" },
            { type: "text", text: "d" },
          ],
        },
      ],
    });
    expect(messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "a\nb" },
      {
        ...{ role: "assistant", content: "c", reasoning_content: "hm" },
        tool_calls: [{ id: "t", type: "function", function: { name: "now", arguments: {} } }],
      },
      { role: "tool", tool_call_id: "t", content: "Error: no clock" },
      { role: "user", content: "d" },
    ]);
  });

  test.each([
    [
      [{ role: "user", content: [{ type: "image", source: {} }] }],
      'messages[0].content[0] is of the type "image": cria\'s models read text only',
    ],
    [
      [{ role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: [{ type: "image" }] }] }],
      'messages[0].content[0].content is of the type "image"',
    ],
    [[{ role: "system", content: "a" }], 'messages[0].role is "system": it must be user or assistant'],
    [[{ role: "assistant", content: [{ type: "tool_use", id: 1 }] }], "messages[0].content[0].id is 1, but must be a text"],
    [[{ role: "user", content: 1 }], "messages[0].content must be a text or a list of blocks"],
    [[{ role: "user", content: [1] }], "messages[0].content[0] must be an object with a type"],
  ])("%j is refused by its place", (messages, message) => {
    expect(() => anthropicMessages({ messages })).toThrow(message);
  });
});

describe("Ollama", () => {
  test("results answer the first open call of their tool", () => {
    const call = (name: string) => ({ function: { name, arguments: {} } });
    const messages = ollamaMessages([
      { role: "assistant", content: "", thinking: "hm", tool_calls: [call("now"), call("get"), call("now")] },
      ...["now", "now", "get", "else"].map((tool_name) => ({ role: "tool", tool_name, content: "1" })),
    ]);
    const ids = messages[0]?.tool_calls?.map(({ id }) => id) ?? [];
    expect(new Set(ids).size).toBe(3);
    expect(messages.slice(1).map((message) => message.tool_call_id)).toEqual([ids[0], ids[2], ids[1], undefined]);
    expect(messages[0]?.reasoning_content).toBe("hm");
  });

  test("images are refused by their place", () => {
    expect(() => ollamaMessages([{ role: "user", content: "a", images: ["iVBO"] }])).toThrow(
      "messages[0].images: cria's models read text only",
    );
    expect(ollamaMessages([{ role: "user", content: "a", images: [] }])).toEqual([{ role: "user", content: "a" }]);
  });
});

describe("Responses", () => {
  test("instructions, reasoning, messages and calls: a turn of the assistant is one message", () => {
    const call = (call_id: string) => ({ type: "function_call", call_id, name: "now", arguments: "" });
    const messages = responsesMessages({
      instructions: "Be brief.",
      input: [
        { type: "message", role: "developer", content: "Really." },
        {
          role: "user",
          content: [
            { type: "input_text", text: "a" },
            { type: "input_text", text: "b" },
          ],
        },
        {
          type: "reasoning",
          id: "rs_1",
          summary: [{ type: "summary_text", text: "short" }],
          content: [{ type: "reasoning_text", text: "hm" }],
        },
        {
          type: "message",
          id: "msg_1",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: "c", annotations: [] }],
        },
        call("one"),
        call("two"),
        { type: "function_call_output", call_id: "one", output: "1" },
        { type: "function_call_output", call_id: "two", output: [{ type: "input_text", text: "2" }] },
        { type: "reasoning", id: "rs_2", summary: [], encrypted_content: "…" },
        { role: "assistant", content: [{ type: "refusal", refusal: "no" }] },
        { role: "assistant", content: "d" },
      ],
    });
    const made = (id: string) => ({ id, type: "function", function: { name: "now", arguments: "{}" } });
    expect(messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "developer", content: "Really." },
      { role: "user", content: "a\nb" },
      { role: "assistant", content: "c", reasoning_content: "hm", tool_calls: [made("one"), made("two")] },
      { role: "tool", tool_call_id: "one", content: "1" },
      { role: "tool", tool_call_id: "two", content: "2" },
      { role: "assistant", content: "no" },
      { role: "assistant", content: "d" },
    ]);
    expect(responsesMessages({ input: "a" })).toEqual([{ role: "user", content: "a" }]);
  });

  test.each([
    [
      [{ role: "user", content: [{ type: "input_file", file_id: "f" }] }],
      'input[0].content[0] is of the type "input_file": cria\'s models read text only',
    ],
    [[{ type: "web_search_call", id: "w" }], 'input[0] is of the type "web_search_call"'],
    [[{ type: "item_reference", id: "msg_1" }], "nothing is stored here"],
    [[{ role: "tool", content: "a" }], 'input[0].role is "tool"'],
    [[{ type: "function_call", call_id: "c", name: "f", arguments: "[]" }], "input[0].arguments must be JSON of an object"],
    [[{ type: "function_call", call_id: "c", name: "f", arguments: "{" }], "input[0].arguments is not JSON"],
    [[{ type: "function_call_output", output: "a" }], "input[0].call_id is undefined, but must be a text"],
    [[{}], "input[0] is of the type undefined"],
    [["a"], "input[0] must be an object with a type"],
  ])("%j is refused by its place", (input, message) => {
    expect(() => responsesMessages({ input })).toThrow(message);
  });
});
