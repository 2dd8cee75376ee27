import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { type Dialogue, type DialoguePart, type DialogueRequest, dialogueFor, type Tool } from "./index.ts";
import { type TemplateName, templates } from "./templates.test.helper.ts";

const weather: Tool = {
  type: "function",
  function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } } } },
};
const now: Tool = { type: "function", function: { name: "now" } };

const dialogues = new Map<string, Dialogue>();

function dialogueOf(name: TemplateName, request: Partial<DialogueRequest>): Dialogue {
  const key = JSON.stringify([name, request]);
  const dialogue = dialogues.get(key) ?? dialogueFor({ template: templates[name], tools: [weather, now], newId: () => "id", ...request });
  dialogues.set(key, dialogue);
  return dialogue;
}

/** What a text comes to, cut at places. */
function read(
  name: TemplateName,
  text: string,
  request: Partial<DialogueRequest> = {},
  cuts: readonly number[] = [],
  stop: readonly string[] = [],
) {
  const parser = dialogueOf(name, request).parser(stop);
  const parts = [0, ...cuts].flatMap((from, i) => parser.push(text.slice(from, cuts[i] ?? text.length)));
  const end = parser.end();
  return { ...joined([...parts, ...end.parts]), finishReason: end.finishReason, isStopped: parser.isStopped };
}

function joined(parts: readonly DialoguePart[]) {
  const calls: [string, string][] = [];
  const said = { reasoning: "", content: "" };
  for (const part of parts)
    if (part.type === "call") calls.push([part.name, ""]);
    else if (part.type === "arguments") calls[part.index]![1] += part.text;
    else said[part.type] += part.text;
  return { ...said, calls };
}

const rome = '{"city": "Rom"}';
const two = [
  ["get_weather", rome],
  ["now", "{}"],
];

test.each<[TemplateName, string]>([
  [
    "hermes",
    `Let me see.\n<tool_call>\n{"name": "get_weather", "arguments": ${rome}}\n</tool_call>\n<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>`,
  ],
  [
    "hermes",
    `Let me see. <tool_call>{"name": "get_weather", "arguments":${rome}}</tool_call><tool_call>{"name":"now","arguments":{}}</tool_call>\n`.replace(
      '{"name":"now","arguments":{}}',
      '{"name": "now", "arguments": {}}',
    ),
  ],
  [
    "mistral",
    `Let me see.[TOOL_CALLS] [{"name": "get_weather", "arguments": ${rome}, "id": "abcdefgh1"}, {"name": "now", "arguments": {}, "id": "abcdefgh2"}]`,
  ],
  ["mistral with names first", `Let me see.[TOOL_CALLS]get_weather[ARGS]${rome}[TOOL_CALLS]now[ARGS]{}`],
  ["mistral with ids", `Let me see.[TOOL_CALLS]get_weather[CALL_ID]abcdefgh1[ARGS]${rome}[TOOL_CALLS]now[CALL_ID]abcdefgh2[ARGS]{}`],
  ["functionary", `Let me see.<function=get_weather>${rome}</function><function=now>{}</function>`],
  ["granite", `Let me see.<|tool_call|>[{"name": "get_weather", "arguments": ${rome}}, {"name": "now", "arguments": {}}]`],
  ["phi-4-mini", `Let me see.<|tool_call|>[{"name": "get_weather", "arguments": ${rome}}, {"name": "now", "arguments": {}}]<|/tool_call|>`],
  [
    "qwen3-coder",
    "Let me see.\n<tool_call>\n<function=get_weather>\n<parameter=city>\nRom\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=now>\n</function>\n</tool_call>",
  ],
  [
    "glm",
    "Let me see.\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Rom</arg_value>\n</tool_call>\n<tool_call>now\n</tool_call>",
  ],
])("two calls behind a sentence, as %s writes them", (name, text) => {
  expect(read(name, text)).toEqual({ reasoning: "", content: "Let me see.", calls: two, finishReason: "tool_calls", isStopped: false });
});

test("DeepSeek's calls, behind reasoning that the prompt has begun", () => {
  const call = (tool: string, given: string) =>
    `<｜tool▁call▁begin｜>function<｜tool▁sep｜>${tool}\n\`\`\`json\n${given}\n\`\`\`<｜tool▁call▁end｜>`;
  const calls = `<｜tool▁calls▁begin｜>${call("get_weather", rome)}\n${call("now", "{}")}<｜tool▁calls▁end｜>`;
  const expected = { reasoning: "Weather…", content: "", calls: two, finishReason: "tool_calls", isStopped: false };
  expect(read("deepseek", `Weather…\n</think>\n\n${calls}`)).toEqual(expected);
  expect(read("deepseek", `<think>\nWeather…\n</think>\n\n${calls}`)).toEqual(expected);
});

describe("Llama's calls have no marker", () => {
  const call = `{"name": "get_weather", "parameters": ${rome}}`;
  test.each([call, `\n${call}`, `<|python_tag|>${call}`, `<|python_tag|> \n${call}`, call.replace("{", '{"type": "function", ')])(
    "%j is one",
    (text) => {
      expect(read("llama-3", text)).toMatchObject({ content: "", calls: [["get_weather", rome]], finishReason: "tool_calls" });
    },
  );

  test.each([
    `It is: ${call}`,
    '{"name": "get_weather_now", "parameters": {}}',
    '{"name": "Ada", "age": 36}',
    '{"names": ["get_weather"]}',
    "{",
    '{"name": "get_weather',
  ])("%j is an answer", (text) => {
    expect(read("llama-3", text)).toEqual({ reasoning: "", content: text, calls: [], finishReason: "stop", isStopped: false });
  });
});

describe("reasoning", () => {
  test.each([
    ["<think>\nhm\n</think>\n\nYes.", "hm", "Yes."],
    ["\n<think>hm</think>Yes.", "hm", "Yes."],
    ["<think>\n\n</think>\n\nYes.", "", "Yes."],
    ["Yes, <think> is a mark.", "", "Yes, <think> is a mark."],
    ["<think> and no", "and no", ""],
    ["<thin", "", "<thin"],
    ["  Yes. ", "", "  Yes. "],
  ])("%j", (text, reasoning, content) => {
    for (const tools of [[], [weather]]) expect(read("qwen3", text, { tools })).toMatchObject({ reasoning, content, calls: [] });
  });

  test("where it is turned off, its mark is content", () => {
    expect(read("qwen3", "<think>hm</think>Yes.", { tools: [], reasoning: false })).toMatchObject({
      reasoning: "",
      content: "<think>hm</think>Yes.",
    });
  });
});

describe("what is no call", () => {
  const broken = [
    '<tool_call>\n{"name": "get_wether", "arguments": {}}\n</tool_call>',
    '<tool_call>\n{"name": "now", "arguments": []}\n</tool_call>',
    '<tool_call>\n{"name": "now", "arguments": {a}}\n</tool_call>',
    '<tool_call>\n{"arguments": {}, "name": "now"}\n</tool_call>',
    "The mark <tool_call> begins calls",
    '<tool_call>\n{"name": "now", "arguments": {"a": "',
    "<tool_call>\n{",
    "<tool_",
    "text \n ",
  ];

  test.each(broken)("%j comes as content, and nothing is lost, where no grammar holds the model", (text) => {
    expect(read("hermes", text, { constrain: false })).toMatchObject({ content: text, calls: [], finishReason: "stop" });
  });

  test("calls beside it are calls", () => {
    const call = '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>';
    for (const text of broken.slice(0, 4)) {
      expect(read("hermes", `${call}\n${text}`, { constrain: false })).toMatchObject({ content: text, calls: [["now", "{}"]] });
      expect(read("hermes", `${text}\n${call}`, { constrain: false })).toMatchObject({ content: text, calls: [["now", "{}"]] });
    }
  });

  test("a call that was cut is what came of it", () => {
    expect(read("hermes", '<tool_call>\n{"name": "now", "arguments": {"a": "b')).toMatchObject({
      content: "",
      calls: [["now", '{"a": "b']],
    });
    for (const end of ['",', '", "argum', '", "arguments": ', '", "arguments": {'])
      expect(read("hermes", `<tool_call>\n{"name": "now${end}`)).toMatchObject({
        content: "",
        calls: [["now", end.endsWith("{") ? "{" : ""]],
        finishReason: "tool_calls",
      });
    expect(read("hermes", '<tool_call>\n{"name": "now", "arguments": {}}\n</tool')).toMatchObject({ content: "", calls: [["now", "{}"]] });
  });
});

test("stop strings end content, and no call has them", () => {
  const text = 'One. Two.\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Two"}}\n</tool_call>';
  expect(read("hermes", text, {}, [], ["Two"])).toMatchObject({ content: "One. ", calls: [], finishReason: "stop", isStopped: true });
  expect(read("hermes", text.slice(5), {}, [], ["One", "Two.\n"])).toMatchObject({
    content: "Two.",
    isStopped: false,
    finishReason: "tool_calls",
  });
});

const fragments = [
  ...[
    "<tool_call>",
    "\n",
    " ",
    '{"name": "',
    "now",
    "get_weather",
    '", "arguments": ',
    "{}",
    rome,
    "}",
    "\n</tool_call>",
    "text",
    "<",
    "</think>",
    "<think>",
  ],
  ...[
    '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>',
    '{"name": "now", "parameters": {}}',
    "<|python_tag|>",
    "[TOOL_CALLS]",
    "[{",
    "]",
  ],
  ...[
    '[{"name": "now", "arguments": {}, "id": "',
    "abcdefgh1",
    '"}',
    ", ",
    "<function=now>",
    "<parameter=city>\n",
    "x\n</parameter>",
    "</function>",
  ],
];

test.each<TemplateName>(["hermes", "qwen3", "llama-3", "mistral", "mistral with names first", "deepseek", "qwen3-coder", "smollm3"])(
  "%s: however a text is cut, the same comes of it",
  (name) => {
    const rng = new Rng(7);
    for (let i = 0; i < 150; i++) {
      const text = Array.from({ length: 1 + rng.below(8) }, () => fragments[rng.below(fragments.length)]).join("");
      const request = { constrain: i % 2 === 0, tools: i % 5 === 0 ? [] : [weather, now] };
      const stop = i % 7 === 0 ? ["tex", "t<"] : [];
      const whole = { text, ...read(name, text, request, [], stop) };
      const cuts = Array.from({ length: rng.below(4) }, () => rng.below(text.length + 1)).sort((a, b) => a - b);
      expect({ text, ...read(name, text, request, cuts, stop) }).toEqual(whole);
      expect({
        text,
        ...read(
          name,
          text,
          request,
          Array.from(text, (_, at) => at),
          stop,
        ),
      }).toEqual(whole);
      for (const [, given] of whole.calls) if (!request.constrain) expect(JSON.parse(given ?? "")).toBeTypeOf("object");
      if (whole.calls.length === 0 && whole.reasoning === "" && !whole.isStopped && !/think/.test(text) && name !== "deepseek")
        expect(whole.content).toBe(text);
    }
  },
);
