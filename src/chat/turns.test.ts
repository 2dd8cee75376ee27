// The assistant's turns told by a few of them, against every turn rendered by itself.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Rng } from "../base/index.ts";
import { sharedData } from "../load/shared-data.test.helper.ts";
import { countsMessages } from "./counts-messages.ts";
import { type Message, parseChatTemplate } from "./index.ts";
import { compareRandom, compareTurns, randomChat, usual, wholeText } from "./turns.test.helper.ts";
import { assistantTurns } from "./turns.ts";

describe("turns are those that rendering every one of them gives", () => {
  test("in templates and chats drawn at random", () => {
    const counts = compareRandom(7, 60);
    expect(counts["same turns"]).toBeGreaterThan(30);
    expect(counts["both refuse"]).toBeGreaterThan(10);
  });

  /** Alternating messages that look alike, one of which has other words. */
  const alike = (count: number, at: number, words: string): Message[] =>
    Array.from({ length: count }, (_, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content: i === at ? words : `say ${i}` }));

  test("where the words of one message tell far behind it, and where a number does", () => {
    const asks = (condition: string) =>
      parseChatTemplate(
        `{% set ns = namespace(at=none, far='a long way to go'|length) %}{% for m in messages %}{{ '<a>' if m.role == 'assistant' }}{{ m.content }}</s>{% if m.content == 'now' %}{% set ns.at = loop.index0 %}{% endif %}{% endfor %}{% if add_generation_prompt %}<a>{{ '<t>' if ${condition} }}{% endif %}`,
      );
    const farBehind = asks("ns.at is not none and messages|length - ns.at > ns.far");
    expect(compareTurns(farBehind, alike(60, -1, ""))).toBe("same turns");
    expect(compareTurns(farBehind, alike(60, 12, "now"))).toBe("both refuse");
    expect(compareTurns(asks("messages|length == 31"), alike(60, -1, ""))).toBe("both refuse");
    expect(compareTurns(asks("messages[-1].content == 'now'"), alike(60, 30, "now"))).toBe("both refuse");
  });

  const golden: { readonly conversations: Readonly<Record<string, Given>>; readonly published: Readonly<Record<string, unknown>> } =
    JSON.parse(readFileSync(new URL("../../test/goldens/chat-templates.golden.json", import.meta.url), "utf8"));
  const folders = ["conformance/llama.cpp/templates", "conformance/minja/tests_files"].map(sharedData);
  const rng = new Rng(11);
  const tools = golden.conversations.result?.tools;
  const chats: readonly Given[] = [
    ...[true, true].map((isPlain) => ({ messages: randomChat(rng, 12, isPlain) })),
    ...[false, false].map((isPlain) => ({ messages: randomChat(rng, 8, isPlain), tools })),
    { messages: alike(30, 17, "<think>so</think>yes") },
    { messages: alike(30, 22, "") },
  ];

  test.skipIf(folders.includes(undefined))("in published templates (skipped where the public data is not there)", () => {
    const counts = { "same turns": 0, "both refuse": 0, "no text": 0 };
    for (const name of Object.keys(golden.published)) {
      const path = folders.map((folder) => join(folder ?? "", name)).find(existsSync);
      const template = parseChatTemplate(readFileSync(path ?? "", "utf8"), name);
      expect(countsMessages(template.body), name).toBe(false);
      for (const { messages, tools } of chats) counts[compareTurns(template, messages, { ...usual, tools })]++;
    }
    expect(counts["same turns"]).toBeGreaterThan(30);
    expect(counts["both refuse"]).toBeGreaterThan(10);
  });
});

interface Given {
  readonly messages: readonly Message[];
  readonly tools?: readonly unknown[] | undefined;
}

/** How often parts of the messages are rendered again for the turns, and how many messages these have together. */
function rendersFor(source: string, messages: readonly Message[]) {
  const template = parseChatTemplate(source);
  const lengths: number[] = [];
  const watched = new Proxy(messages, {
    get(target, key) {
      if (key !== "slice") return Reflect.get(target, key);
      return (from: number, to: number) => {
        const part = target.slice(from, to);
        lengths.push(part.length);
        return part;
      };
    },
  });
  const text = wholeText(template, messages, usual);
  expect(text).toBeDefined();
  const turns = text === undefined ? [] : assistantTurns(template, watched, usual, text);
  expect(turns.length).toBe(messages.length / 2);
  return { renders: lengths.length, messages: lengths.reduce((sum, length) => sum + length, 0) };
}

test.each([
  "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
  "{% for m in messages %}<{{ m.role }}>{{ m.content if loop.last else m.content.split('|')[-1] }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}",
  "{{ messages[0].content }}{% for m in messages[1:] %}{{ '<a>' if loop.index0 % 2 == 0 }}{{ m.content }}{{ '</s>' if m.role == 'assistant' }}{% endfor %}{% if add_generation_prompt %}<a>{% endif %}",
])("the messages that are rendered again grow with their number, not with its square: %s", (source) => {
  const chat = (length: number): Message[] =>
    Array.from({ length }, (_, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content: `thought|say ${i}` }));
  const [some, many] = [rendersFor(source, chat(200)), rendersFor(source, chat(800))];
  expect(many.renders / 800).toBeLessThan(1.2);
  expect(many.messages).toBeLessThan(5 * some.messages);
  expect(many.messages).toBeLessThan(800 * 12);
});

test.each([
  ["{{ '#' if loop.index == 7 }}", true],
  ["{{ messages[5:] }}", true],
  ["{{ loop.cycle('a', 'b', 'c') }}", true],
  ["{{ 'x' if messages|length > 20 }}", true],
  ["{{ messages|select('divisibleby', 3) }}", true],
  ["{% for x in [1, 2] %}{% endfor %}", true],
  ["{{ 'x' if loop.index0 % 2 == 0 }}{{ messages[-1] }}{{ messages[1:] }}{{ messages|length - 1 }}", false],
  ["{{ tools|tojson(indent=4)|indent(8) }}{{ 'x' if m.tool_call_id|length != 9 }}{{ 'x' if 200 < m['content']|length }}", false],
])("%s counts messages: %s", (source, expected) => {
  expect(countsMessages(parseChatTemplate(source).body)).toBe(expected);
});
