// transformers as the judge of rendered chats (test/goldens/chat_templates.py).
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { CriaError } from "../base/index.ts";
import { sharedData } from "../load/shared-data.test.helper.ts";
import { habitsOf } from "./habits.ts";
import { type ChatTemplate, type Message, parseChatTemplate, type RenderChatOptions, renderChat } from "./index.ts";
import { jsonValue } from "./messages.ts";
import { renderTemplate } from "./template.ts";
import { Text } from "./text.ts";
import { assistantTurns } from "./turns.ts";

interface Conversation {
  readonly messages: readonly Message[];
  readonly tools?: readonly unknown[];
  readonly variables?: Readonly<Record<string, unknown>>;
}

interface Outcome {
  readonly text?: string;
  readonly sha256?: string;
  readonly length?: number;
  /** What `raise_exception` was given. */
  readonly raises?: string;
  /** Python or Jinja raise another error. */
  readonly fails?: true;
}

interface Judged {
  readonly source?: string;
  readonly habits: object;
  readonly outcomes: Readonly<Record<string, readonly [without: Outcome, withPrompt: Outcome]>>;
}

interface Golden {
  readonly conversations: Readonly<Record<string, Conversation>>;
  readonly own: Readonly<Record<string, Judged>>;
  readonly published: Readonly<Record<string, Judged>>;
  /** Templates drawn at random, with what they were given; null where Python or Jinja raise an error. */
  readonly random: { readonly given: object; readonly templates: readonly (readonly [source: string, text: string | null])[] };
}

const golden: Golden = JSON.parse(readFileSync(new URL("../../test/goldens/chat-templates.golden.json", import.meta.url), "utf8"));

function renders(template: ChatTemplate, { messages, tools, variables }: Conversation, addGenerationPrompt: boolean) {
  const options: RenderChatOptions = {
    ...{ addGenerationPrompt, tools, variables },
    specials: { bos_token: "<s>", eos_token: "</s>" },
    now: new Date(2026, 2, 7, 9, 5, 2),
  };
  const { text, segments } = renderChat(template, messages, options);
  expect(segments.map((segment) => segment.text).join("")).toBe(text);
  return text;
}

function check(template: ChatTemplate, judged: Judged) {
  expect(habitsOf(template)).toEqual(judged.habits);
  for (const [name, outcomes] of Object.entries(judged.outcomes))
    for (const [i, expected] of outcomes.entries()) {
      const rendered = () => renders(template, golden.conversations[name]!, i === 1);
      if (expected.raises !== undefined) expect(rendered, name).toThrow(expected.raises);
      else if (expected.fails) expect(rendered, name).toThrow(/^\[chat\] /);
      else if (expected.text !== undefined) expect(rendered(), name).toBe(expected.text);
      else {
        const text = rendered();
        expect({ text, sha256: createHash("sha256").update(text).digest("hex").slice(0, 16) }, name).toEqual({
          text,
          sha256: expected.sha256,
        });
      }
    }
}

test.each(Object.entries(golden.own))("%s, as transformers has it", (name, judged) => {
  check(parseChatTemplate(judged.source ?? "", name), judged);
});

/** Methods of Jinja's Markup escape what they are given: they are refused by name. */
const usesMarkupMethods = /\|(e|safe)\b.*replace/;
const refusedByName = "refused";

function refusedOr(rendered: () => { readonly text: string }): string {
  try {
    return rendered().text;
  } catch (error) {
    if (error instanceof CriaError && error.message.includes("marked safe")) return refusedByName;
    throw error;
  }
}

test("templates drawn at random", () => {
  const { given, templates } = golden.random;
  const values = new Map(Object.entries(given).map(([key, value]) => [key, jsonValue(value, { from: "variables" }, key)]));
  for (const [source, text] of templates) {
    const rendered = () => renderTemplate(parseChatTemplate(source), { values, now: new Date(), size: 100 });
    if (text === null) expect(rendered, source).toThrow(CriaError);
    else if (usesMarkupMethods.test(source)) expect(refusedOr(rendered), source).toBeOneOf([text, refusedByName]);
    else expect(rendered().text, source).toBe(text);
  }
});

const folders = ["conformance/llama.cpp/templates", "conformance/minja/tests_files"].map(sharedData);

describe.skipIf(folders.includes(undefined))("published templates (skipped where the public data is not there)", () => {
  test.each(Object.entries(golden.published))("%s", (name, judged) => {
    const path = folders.map((folder) => join(folder ?? "", name)).find(existsSync);
    check(parseChatTemplate(readFileSync(path ?? "", "utf8"), name), judged);
  });

  const turnsOf = (name: string, messages: readonly Message[]) => {
    const path = folders.map((folder) => join(folder ?? "", name)).find(existsSync);
    const template = parseChatTemplate(readFileSync(path ?? "", "utf8"), name);
    const options = { addGenerationPrompt: false, specials: { bos_token: "<s>", eos_token: "</s>" } };
    const { text, segments } = renderChat(template, messages, options);
    return assistantTurns(template, messages, options, new Text(segments)).map(({ start, own, end }) => [
      text.slice(start, own),
      text.slice(own, end),
    ]);
  };
  const two: readonly Message[] = ["one", "two", "three", "four"].map((content, i) => ({
    role: i % 2 === 0 ? "user" : "assistant",
    content,
  }));

  test.each([
    ["meta-llama-Llama-3.1-8B-Instruct.jinja", "<|eot_id|>"],
    ["Qwen-Qwen2.5-7B-Instruct.jinja", "<|im_end|>\n"],
    ["Qwen-Qwen3-Coder-30B-A3B-Instruct.jinja", "<|im_end|>\n"],
    ["google-gemma-2-2b-it.jinja", "<end_of_turn>\n"],
    ["microsoft-Phi-3.5-mini-instruct.jinja", "<|end|>\n"],
    ["mistralai-Mistral-Nemo-Instruct-2407.jinja", "</s>"],
  ])("%s: the assistant's part", (name, end) => {
    const turns = turnsOf(name, two);
    expect(turns.map(([own]) => own)).toEqual(["two", "four"]);
    for (const [, behind] of turns) expect(behind?.startsWith(end)).toBe(true);
  });

  test("a template whose history differs from its generation prompt is refused for fine-tuning", () => {
    expect(() => turnsOf("llama-cpp-deepseek-r1.jinja", two)).toThrow("it serves for inference, but not for fine-tuning");
  });
});
