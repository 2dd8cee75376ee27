// What follows from a template and a request: refusals by name, forms of answers, reasoning, and which grammar is kept.
import { describe, expect, test } from "vitest";
import { parseChatTemplate } from "../chat/index.ts";
import { createTokenizer } from "../tokenizer/index.ts";
import { type DialogueRequest, dialogueFor, type Tool } from "./index.ts";
import { type TemplateName, templates } from "./templates.test.helper.ts";

const tool = (name: string, parameters?: object): Tool => ({ type: "function", function: { name, ...(parameters && { parameters }) } });
const now = tool("now");
const rome = tool("get_weather", {
  type: "object",
  properties: { city: { const: "Rom" } },
  required: ["city"],
  additionalProperties: false,
});

function make(name: TemplateName, request: Partial<DialogueRequest>) {
  return dialogueFor({ template: templates[name], ...request });
}

/** Which of some texts a grammar lets through. */
function accepted(name: TemplateName, request: Partial<DialogueRequest>, texts: readonly string[]): readonly string[] {
  const { grammar } = make(name, request);
  return texts.filter((text) => grammar?.accepts(text) ?? true);
}

describe("refused by name", () => {
  test.each<[TemplateName, object, string]>([
    ["without tools", { tools: [now] }, "the template without tools knows no tools: omit tools, or ask for a preamble"],
    ["without tools", { reasoning: true }, "the template without tools knows no reasoning: omit the wish for it"],
    ["deepseek", { reasoning: false }, "the template deepseek has nothing that turns reasoning off: omit the wish for none"],
    ["hermes", { tools: "all" }, "tools must be a list"],
    ["hermes", { tools: [{ type: "web_search" }] }, 'tools[0].type is "web_search": only "function" is supported'],
    ["hermes", { tools: [tool("a b")] }, 'tools[0].function.name is "a b", but must have 1 to 128 letters'],
    ["hermes", { tools: [now, now] }, 'tools[1].function.name is "now", which another tool has: names must differ'],
    [
      "hermes",
      { tools: [{ type: "function", function: { name: "a", parameters: 1 } }] },
      "tools[0].function.parameters must be a JSON schema",
    ],
    [
      "hermes",
      { tools: [{ type: "function", function: { name: "a", description: 1 } }] },
      "tools[0].function.description is 1, but must be a text",
    ],
    ["hermes", { tools: [now], toolChoice: "required", constrain: false }, 'constrain is false and tool_choice "required"'],
    ["hermes", { responseFormat: { type: "json_object" }, constrain: false }, 'constrain is false and response_format "json_object"'],
    ["hermes", { toolChoice: "required" }, 'tool_choice is "required", but there are no tools: give one at least'],
    ["hermes", { tools: [now], toolChoice: { name: "nov" } }, 'tool_choice names "nov", which is none of the tools'],
    ["hermes", { tools: [now], toolChoice: "any" }, 'tool_choice is "any", but must be "auto", "none", "required" or the name of a tool'],
    [
      "hermes",
      { tools: [tool("f", { type: "object", properties: { a: { type: "string", pattern: "(?=a)" } } })] },
      "tools: the parameters of f: [json-schema] /properties/a/pattern",
    ],
    [
      "hermes",
      { tools: [tool("f", { type: "object", unevaluatedProperties: false })] },
      "the parameters of f: [json-schema] /unevaluatedProperties",
    ],
    ["hermes", { tools: [tool("f", { type: "array" })] }, 'tools[0].function.parameters.type is "array", but arguments are an object'],
    [
      "hermes",
      { tools: [now, tool("f", { type: "object", properties: { a: { enum: [1], type: "string" } }, required: ["a"] })] },
      "the parameters of f, the schema: no text is valid, and one must be",
    ],
    ["hermes", { responseFormat: { type: "json_schema", schema: { minimum: "1" } } }, "response_format: [json-schema] /minimum"],
    ["hermes", { responseFormat: { type: "json_schema", schema: { allOf: [{ type: "string" }, { type: "null" }] } } }, "no text is valid"],
    [
      "llama-3",
      { tools: [now], responseFormat: { type: "json_object" } },
      "a response_format beside tools is not supported by this model's template",
    ],
    ["qwen3-coder", { tools: [tool("f", { type: "object", minProperties: 1 })] }, "the parameters of f: [dialogue] /minProperties"],
    [
      "qwen3-coder",
      { tools: [now, tool("f", { properties: { a: { type: "string", enum: [1] } }, required: ["a"] })] },
      "the parameters of f: [dialogue] /properties/a: no value is valid",
    ],
    ["qwen3-coder", { tools: [tool("f", { required: ["a"] })] }, '/required: "a" is required but not one of the properties'],
  ])("%s, %j", (name, request, message) => {
    expect(() => make(name, request as Partial<DialogueRequest>)).toThrow(message);
  });

  test("a template that shows tools and has no form of calls that can be told", () => {
    const source = "{{ tools | tojson if tools else '' }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}";
    expect(() => dialogueFor({ template: parseChatTemplate(source, "mine.jinja"), tools: [now] })).toThrow(
      "mine.jinja describes tools to its model, but not in which form the model calls them",
    );
  });
});

const call = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Rom"}}\n</tool_call>';
const other = '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>';
const wrong = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>';

describe("what a message may be", () => {
  const texts = [
    "Yes.",
    call,
    `Yes.\n${call}`,
    wrong,
    `${call}\n${other}`,
    "<tool_call>",
    `<think>hm</think>\n\n${call}`,
    "<think>hm</think>Yes.",
    "<think>hm",
  ];
  const both = { tools: [rome, now] };
  test.each<[string, Partial<DialogueRequest>, readonly number[]]>([
    ["as the model likes", both, [0, 1, 2, 4, 6, 7]],
    ["one call at most", { ...both, parallel: false }, [0, 1, 2, 6, 7]],
    ["a call", { ...both, toolChoice: "required" }, [1, 4, 6]],
    ["a call of one tool", { ...both, toolChoice: { name: "get_weather" } }, [1, 6]],
    ["no call", { ...both, toolChoice: "none" }, [0, 7]],
    ["without reasoning", { ...both, reasoning: false, toolChoice: "required" }, [1, 4]],
    ["anything", {}, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
  ])("%s", (_, request, which) => {
    expect(accepted("qwen3", request, texts)).toEqual(which.map((i) => texts[i]));
  });

  test("without a grammar, where the caller wants none", () => {
    expect(make("hermes", { ...both, constrain: false }).grammar).toBeUndefined();
  });

  test.each<[TemplateName, Partial<DialogueRequest>, readonly string[]]>([
    ["hermes", { responseFormat: { type: "json_object" } }, ['{"a": [1]}', '\n{"a": [1]}']],
    ["hermes", { responseFormat: { type: "json_schema", schema: { enum: [1, "a"] } } }, ["1", '"a"']],
    [
      "hermes",
      { responseFormat: { type: "text" } },
      ["1", "<think>hm</think>1", '{"a": [1]}', "<think>hm</think>\n1", "a", '\n{"a": [1]}', '"a"'],
    ],
    ["qwen3", { responseFormat: { type: "json_schema", schema: { const: 1 } } }, ["1", "<think>hm</think>1", "<think>hm</think>\n1"]],
    ["deepseek", { responseFormat: { type: "json_schema", schema: { const: 1 } } }, ["<think>hm</think>1", "<think>hm</think>\n1"]],
  ])("a form: %s, %j", (name, request, expected) => {
    const all = ["1", "<think>hm</think>1", '{"a": [1]}', "<think>hm</think>\n1", "a", '\n{"a": [1]}', '"a"'];
    expect(accepted(name, request, all)).toEqual(expected);
  });

  test("a form or a call", () => {
    const request: Partial<DialogueRequest> = { ...both, responseFormat: { type: "json_schema", schema: { const: 1 } } };
    expect(accepted("hermes", request, ["1", call, "2", `1${call}`, wrong])).toEqual(["1", call]);
    expect(accepted("hermes", { ...request, toolChoice: "required" }, ["1", call])).toEqual([call]);
  });

  test("Llama's answers are told from its calls by how they begin", () => {
    const good = '{"name": "get_weather", "parameters": {"city": "Rom"}}';
    const bad = '{"name": "get_weather", "parameters": {"city": "Paris"}}';
    const all = [
      good,
      bad,
      `<|python_tag|>${good}`,
      "<|python_tag|>print(1)",
      `It is ${bad}`,
      '{"name": "get"}',
      "{",
      "  Yes.",
      bad.replace("{", '{"type": "function", '),
      bad.replace(": ", ":\r"),
      `\r\n${bad}`,
    ];
    expect(accepted("llama-3", both, all)).toEqual([good, all[2], all[4], all[5], all[6], all[7]]);
    expect(accepted("llama-3", { ...both, toolChoice: "none" }, all)).toEqual(all.slice(4, 8));
    expect(accepted("llama-3", { ...both, toolChoice: "required" }, all)).toEqual([good, all[2]]);
  });

  test("arguments one by one: strings as they are, others as JSON", () => {
    const parameters = {
      type: "object",
      properties: {
        text: { type: "string", maxLength: 5 },
        count: { anyOf: [{ $ref: "#/$defs/count" }, { type: "null" }] },
        either: { type: ["string", "integer"] },
      },
      required: ["text"],
      $defs: { count: { type: "integer", minimum: 1 } },
    };
    const request = { tools: [tool("f", parameters)], toolChoice: "required" as const };
    const text = (...pairs: readonly [string, string][]) =>
      `<tool_call>\n<function=f>\n${pairs.map(([key, value]) => `<parameter=${key}>\n${value}\n</parameter>\n`).join("")}</function>\n</tool_call>`;
    const good: [string, string][][] = [
      [["text", 'a\n"b']],
      [
        ["text", ""],
        ["count", "3"],
      ],
      [
        ["text", "3"],
        ["count", "null"],
        ["either", "3"],
      ],
      [
        ["text", "3"],
        ["either", "three"],
      ],
    ];
    const bad: [string, string][][] = [
      [],
      [["count", "3"]],
      [["text", "longer"]],
      [
        ["text", "a"],
        ["count", "0"],
      ],
      [
        ["text", "a"],
        ["count", "x"],
      ],
    ];
    expect(
      accepted(
        "qwen3-coder",
        request,
        [...good, ...bad].map((pairs) => text(...pairs)),
      ),
    ).toEqual(good.map((pairs) => text(...pairs)));
    const parsed = good.map((pairs) => {
      const parser = make("qwen3-coder", request).parser();
      const { parts } = { parts: [...parser.push(text(...pairs)), ...parser.end().parts] };
      return JSON.parse(parts.map((part) => (part.type === "arguments" ? part.text : "")).join(""));
    });
    expect(parsed).toEqual([
      { text: 'a\n"b' },
      { text: "", count: 3 },
      { text: "3", count: null, either: 3 },
      { text: "3", either: "three" },
    ]);
  });
});

test("arguments have no members that their schema does not name, but where it speaks of them", () => {
  const point = { type: "object", properties: { x: { type: "integer" } } };
  const parameters = (more: object) => ({
    type: "object",
    properties: { at: point, all: { type: "array", items: point }, any: { anyOf: [point] } },
    ...more,
  });
  const texts = ["{}", '{"at": {"x": 1}}', '{"at": {"y": 1}}', '{"all": [{"y": 1}]}', '{"any": {"y": 1}}', '{"b": 1}'];
  const given = (more: object) =>
    texts.filter(
      (text) => accepted("functionary", { tools: [tool("f", parameters(more))] }, [`<function=f>${text}</function>`]).length > 0,
    );
  expect(given({})).toEqual([texts[0], texts[1], texts[4]]);
  expect(given({ additionalProperties: true })).toEqual([texts[0], texts[1], texts[4], texts[5]]);
  expect(given({ required: ["b"] })).toEqual([texts[5]]);
  expect(accepted("functionary", { tools: [now] }, ["<function=now>{}</function>", '<function=now>{"a": 1}</function>'])).toHaveLength(1);
});

test("what the template is given", () => {
  const described = { type: "function", function: { name: "now", description: "", parameters: { type: "object", properties: {} } } };
  expect(make("hermes", { tools: [now] }).tools).toEqual([described]);
  expect(make("hermes", { tools: [now], toolChoice: "none" }).tools).toBeUndefined();
  expect(make("hermes", {}).tools).toBeUndefined();
  expect(make("without tools", { tools: [now], preamble: true }).tools).toBeUndefined();
  expect(make("qwen3", { reasoning: false, variables: { a: 1 } }).variables).toEqual({ a: 1, enable_thinking: false });
  expect(make("qwen3", { variables: { enable_thinking: false } }).variables).toEqual({ enable_thinking: false });
  expect(make("hermes", { reasoning: false }).variables).toEqual({});
});

test("where a variable turns reasoning off, no text is taken for it", () => {
  const parser = make("qwen3", { variables: { enable_thinking: false } }).parser();
  expect(parser.push("<think>a")).toEqual([{ type: "content", text: "<think>a" }]);
});

test("equal requests have one grammar", () => {
  const request = () => ({ tools: [tool("f", { type: "object", properties: { a: { type: "string" } } })] });
  expect(make("hermes", request()).grammar).toBe(make("hermes", request()).grammar);
  expect(make("hermes", { ...request(), parallel: false }).grammar).not.toBe(make("hermes", request()).grammar);
});

test("ids of calls", () => {
  const idOf = (name: TemplateName, text: string) => {
    const [part] = make(name, { tools: [now] })
      .parser()
      .push(text);
    return part?.type === "call" ? part.id : undefined;
  };
  expect(idOf("hermes", other)).toMatch(/^call_[A-Za-z0-9]{24}$/);
  expect(idOf("hermes", other)).not.toBe(idOf("hermes", other));
  expect(idOf("mistral", '[TOOL_CALLS][{"name": "now", "arguments": {}')).toMatch(/^[A-Za-z0-9]{9}$/);
});

test("special tokens that the marks are spelt with", () => {
  const pieces = [
    "<unk>",
    "</s>",
    "[TOOL_CALLS]",
    "[INST]",
    ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  ];
  const tokenizer = createTokenizer({
    ...{ kind: "sentencepiece", pieces, scores: pieces.map(() => 0), specials: [0, 1, 2, 3], unkId: 0, eosId: 1, byteFallback: true },
    ...{ dummyPrefix: "first", prefixBeforeSpace: true },
  });
  expect(make("mistral", { tools: [now] }).markIds(tokenizer)).toEqual([2]);
  expect(make("hermes", { tools: [now] }).markIds(tokenizer)).toEqual([]);
});
