// What templates tell of their models: small ones written here, and published ones.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseChatTemplate } from "../chat/index.ts";
import { sharedData } from "../load/shared-data.test.helper.ts";
import { factsOf } from "./index.ts";
import { type TemplateName, templates } from "./templates.test.helper.ts";

const json = ["name", "arguments"];

test.each<[TemplateName, object]>([
  ["hermes", { name: "hermes", marker: "<tool_call>", slots: json, after: "}\n</tool_call>" }],
  ["qwen3", { name: "hermes", marker: "<tool_call>", slots: json, before: '<tool_call>\n{"name": "' }],
  ["qwen3-coder", { name: "tagged", marker: "<tool_call>", tags: { open: "<parameter=", middle: ">\n", close: "\n</parameter>\n" } }],
  ["glm", { name: "tagged", tags: { open: "<arg_key>", middle: "</arg_key>\n<arg_value>", close: "</arg_value>\n" } }],
  ["llama-3", { name: "llama-3", marker: undefined, prefix: "<|python_tag|>", between: undefined, within: ['", "parameters": '] }],
  ["mistral", { name: "mistral", marker: "[TOOL_CALLS]", slots: [...json, "id"], before: '[TOOL_CALLS][{"name": "', after: '"}]' }],
  ["mistral with names first", { name: "mistral", slots: json, within: ["[ARGS]"], between: "[TOOL_CALLS]", after: "" }],
  ["mistral with ids", { name: "mistral", slots: ["name", "id", "arguments"], within: ["[CALL_ID]", "[ARGS]"] }],
  ["deepseek", { name: "deepseek", marker: "<｜tool▁calls▁begin｜>", within: ["\n```json\n"] }],
  ["functionary", { name: "functionary-3.1", marker: "<function=", between: "</function><function=" }],
  ["granite", { name: "granite-3", marker: "<|tool_call|>", between: '}, {"name": "', after: "}]" }],
  ["granite that writes no calls", { name: "granite-3", marker: "<|tool_call|>", between: '}, {"name": "', after: "}]" }],
  ["phi-4-mini", { name: "phi-4-mini", marker: "<|tool_call|>", after: "}]<|/tool_call|>" }],
  ["smollm3", { name: "hermes", marker: "<tool_call>", between: '}\n</tool_call>\n<tool_call>\n{"name": "' }],
])("the calls of %s", (name, calls) => {
  expect(factsOf(templates[name]).calls).toMatchObject(calls);
});

test.each<[TemplateName, object]>([
  ["qwen3", { reasoning: { open: "<think>", close: "</think>" }, reasoningSwitch: "enable_thinking", toolsIn: "tools", showsCalls: true }],
  ["hermes", { reasoning: undefined, reasoningSwitch: undefined, showsResults: true, knowsSystem: true }],
  ["mistral", { wantsShortIds: true, knowsSystem: false, knowsDeveloper: false }],
  ["smollm3", { toolsIn: "xml_tools", showsCalls: false }],
  ["phi-4-mini", { toolsIn: "system message", showsCalls: false }],
  ["without tools", { calls: undefined, toolsIn: undefined, showsCalls: false, knowsSystem: false, wantsShortIds: false }],
])("what else %s tells", (name, facts) => {
  expect(factsOf(templates[name])).toMatchObject(facts);
});

const folders = ["conformance/llama.cpp/templates", "conformance/minja/tests_files"].map(sharedData);

describe.skipIf(folders.includes(undefined))("published templates (skipped where the public data is not there)", () => {
  const hermes = { name: "hermes", marker: "<tool_call>", slots: json };
  const llama = { name: "llama-3", before: '{"name": "', within: ['", "parameters": '], after: "}", between: undefined };
  const deepseek = { name: "deepseek", within: ["\n```json\n"], slots: json };
  test.each([
    ["NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", { calls: hermes }],
    ["NousResearch-Hermes-3-Llama-3.1-8B-tool_use", { calls: hermes }],
    ["Qwen-Qwen2.5-7B-Instruct", { calls: { ...hermes, between: '}\n</tool_call>\n<tool_call>\n{"name": "' } }],
    ["Qwen-Qwen3-Coder-30B-A3B-Instruct", { calls: { name: "tagged", before: "<tool_call>\n<function=", within: [">\n"] } }],
    ["meta-llama-Llama-3.1-8B-Instruct", { calls: llama }],
    ["meta-llama-Llama-3.2-3B-Instruct", { calls: llama }],
    ["meta-llama-Llama-3.3-70B-Instruct", { calls: llama }],
    ["mistralai-Mistral-Nemo-Instruct-2407", { calls: { name: "mistral", slots: [...json, "id"] }, wantsShortIds: true }],
    ["meetkai-functionary-medium-v3.1", { calls: { name: "functionary-3.1", before: "<function=", within: [">"], after: "</function>" } }],
    ["CohereForAI-c4ai-command-r7b-12-2024-tool_use", { calls: { name: "command-r7b", between: undefined } }],
    [
      "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B",
      { calls: deepseek, toolsIn: undefined, reasoning: { open: "<think>", close: "</think>" } },
    ],
    ["deepseek-ai-DeepSeek-R1-Distill-Llama-8B", { calls: deepseek, toolsIn: undefined }],
    ["CohereForAI-c4ai-command-r-plus-tool_use", { calls: undefined, toolsIn: "tools" }],
    ["meetkai-functionary-medium-v3.2", { calls: undefined, toolsIn: "tools" }],
    ["fireworks-ai-llama-3-firefunction-v2", { toolsIn: undefined }],
    ["google-gemma-2-2b-it", { calls: undefined, toolsIn: undefined }],
    ["microsoft-Phi-3.5-mini-instruct", { calls: undefined, toolsIn: undefined }],
  ])("%s", (name, facts) => {
    const path = folders.map((folder) => join(folder ?? "", `${name}.jinja`)).find(existsSync);
    expect(factsOf(parseChatTemplate(readFileSync(path ?? "", "utf8"), name))).toMatchObject(facts);
  });
});
