// Chats and templates drawn at random, and the judge of turns that are told by a few: every turn rendered by itself.
import { expect } from "vitest";
import { CriaError, Rng } from "../base/index.ts";
import { type ChatTemplate, type Message, parseChatTemplate, type RenderChatOptions, renderChat } from "./index.ts";
import { renderedTurns } from "./places.ts";
import { Text } from "./text.ts";
import { turnOf } from "./turn.ts";
import { assistantTurns } from "./turns.ts";
import { assistantIn } from "./turns-by-kind.ts";

export const usual: RenderChatOptions = {
  addGenerationPrompt: false,
  specials: { bos_token: "<s>", eos_token: "</s>" },
  now: new Date(0),
};

export type Compared = "same turns" | "both refuse" | "no text";

/** Holds the turns of a chat, or the error, against those by rendering every turn. @returns what there was to compare, so that a test can count it */
export function compareTurns(template: ChatTemplate, messages: readonly Message[], options = usual): Compared {
  const text = wholeText(template, messages, options);
  if (text === undefined) return "no text";
  const chat = renderedTurns(template, messages, options, text);
  const expected = outcome(() => assistantIn(messages).map((i) => turnOf(chat, i)));
  const found = outcome(() => assistantTurns(template, messages, options, text));
  expect(found, `${template.source}\n${JSON.stringify(messages)}`).toEqual(expected);
  return typeof expected === "string" ? "both refuse" : "same turns";
}

/** Compares the turns of random chats in random templates. */
export function compareRandom(seed: number, rounds: number): Record<Compared, number> {
  const rng = new Rng(seed);
  const counts = { "same turns": 0, "both refuse": 0, "no text": 0 };
  for (let round = 0; round < rounds; round++) {
    const template = parseChatTemplate(randomTemplate(rng));
    counts[compareTurns(template, randomChat(rng, 4 + rng.below(24), rng.uniform() < 0.7))]++;
  }
  return counts;
}

/** The text of a chat without a generation prompt; undefined where the template refuses it or nobody can tell whose it is. */
export function wholeText(template: ChatTemplate, messages: readonly Message[], options: RenderChatOptions): Text | undefined {
  const rendered = outcome(() => renderChat(template, messages, options));
  if (typeof rendered === "string" || rendered.segments.some(({ origin }) => origin?.from === "mixed")) return undefined;
  return new Text(rendered.segments);
}

/** What a function gives, or the message of its CriaError. */
function outcome<T>(act: () => T): T | string {
  try {
    return act();
  } catch (error) {
    if (error instanceof CriaError) return error.message;
    throw error;
  }
}

function pick<T>(rng: Rng, items: readonly [T, ...T[]]): T {
  return items[rng.below(items.length)] ?? items[0];
}

const words = ["hello", "a|b", "x", "/think", "no", "", "<t>y</t>z", " w ", "1", "two", "three"] as const;

/** A conversation of turns, with results of tools, thoughts and two messages in a row here and there. */
export function randomChat(rng: Rng, turns: number, isPlain: boolean): Message[] {
  const say = () => pick(rng, words) + (isPlain ? "." : "") + pick(rng, words);
  const chat: Message[] = rng.uniform() < 0.5 ? [{ role: "system", content: say() }] : [];
  for (let turn = 0; turn < turns; turn++) {
    chat.push({ role: "user", content: say() });
    if (!isPlain && rng.uniform() < 0.05) chat.push({ role: "user", content: say() });
    if (!isPlain && rng.uniform() < 0.2)
      chat.push(
        { role: "assistant", content: null, tool_calls: [{ function: { name: "f", arguments: { x: say() } } }] },
        { role: "tool", content: say() },
      );
    chat.push({ role: "assistant", content: say(), ...(!isPlain && rng.uniform() < 0.2 && { reasoning_content: say() }) });
  }
  return chat;
}

/** A template that writes chats as published ones do, with something odd in most: what differs by place, by neighbours, by the end, by words. */
function randomTemplate(rng: Rng): string {
  const isOdd = () => rng.uniform() < 0.25;
  const odd = (items: readonly [string, ...string[]]) => (isOdd() ? pick(rng, items) : "");
  const setting = odd([
    "{% set ns = namespace(last=-1) %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}",
    "{% set ns = namespace(last=messages|length - 1) %}",
    "{% set ns = namespace(last=0) %}{% for m in messages %}{% if '/think' in (m.content or '') %}{% set ns.last = loop.index0 %}{% endif %}{% endfor %}",
  ]);
  const last = setting === "" ? "loop.last" : "loop.index0 >= ns.last";
  const [head, opens] = pick<readonly [string, string]>(rng, [
    ["<|{{ m.role }}|>", "<|assistant|>"],
    ["<|{{ m.role }}|>\n", "<|assistant|>\n"],
    ["{{ '[I]' if m.role == 'user' else '[A]' }}", "[A]"],
    ["{{ '[I]' if m.role != 'assistant' }}", ""],
    ["{{ '#' if loop.index == 13 }}<|{{ m.role }}|>", "<|assistant|>"],
    ["{{ '!' if loop.first }}{{ '~' if loop.index0 % 2 }}<|{{ m.role }}|>", "{{ '~' if messages|length % 2 }}<|assistant|>"],
    ["{{ loop.index }}<|{{ m.role }}|>", "{{ messages|length + 1 }}<|assistant|>"],
  ]);
  const content = pick(rng, [
    "{{ m.content }}",
    "{{ m.content|trim }}",
    `{{ m.content if ${last} else (m.content or '').split('|')[-1] }}`,
    `{% if m.role == 'assistant' and m.reasoning_content and ${last} %}<t>{{ m.reasoning_content }}</t>{% endif %}{{ m.content }}`,
    `{% if m.role == 'assistant' %}{{ '<t></t>' if ${last} }}{% endif %}{{ m.content }}`,
    "{% for c in m.tool_calls %}<c>{{ c.function|tojson }}</c>{% endfor %}{{ m.content or '' }}",
  ]);
  const end = pick(rng, [
    "</s>",
    "<e>\n",
    "{{ '</s>' if m.role == 'assistant' }}",
    "{{ '' if loop.nextitem is defined and loop.nextitem.role == m.role else '</s>' }}",
    `</s>${odd([`{{ '$' if ${last} }}`, "{{ '$' if loop.last and '/think' in (m.content or '') }}", "{{ '$' if 'x' in (m.content or '') }}"])}`,
  ]);
  const asked =
    opens +
    odd([
      "<t>",
      "{{ '<t>' if messages[-1].role == 'tool' }}",
      "{{ '<t>' if '/think' in (messages[-1].content or '') }}",
      "{{ '<t>' if messages|length > 20 }}",
      "{{ '<t>' if messages|length == 13 or messages|length == 14 }}",
      "{% for m in messages %}{{ '<t>' if m.content == 'two.three' }}{% endfor %}",
      "{{ '<t>' if messages|length % 4 == 0 }}",
      "{{ raise_exception('no') if messages|length < 4 }}",
    ]);
  const over = isOdd() ? "messages[1:]" : "messages";
  const checked = odd([
    "{{ raise_exception('turns') if loop.index0 % 2 == 0 and m.role == 'assistant' }}",
    "{% if m.content %}{% endif %}",
  ]);
  return `${setting}{% for m in ${over} %}${checked}${head}${content}${end}{% endfor %}{% if add_generation_prompt %}${asked}{% endif %}`;
}
