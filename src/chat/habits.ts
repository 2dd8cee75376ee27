// What a template does with what it can be given in several ways, found out by small conversations, as no file says it.
import { CriaError } from "../base/index.ts";
import { type Habits, type Message, messageValues } from "./messages.ts";
import { type ChatTemplate, renderTemplate } from "./template.ts";
import { Text } from "./text.ts";
import { Dict, List, type Value } from "./values.ts";

const known = new WeakMap<ChatTemplate, Habits>();

/** Kept by the template. */
export function habitsOf(template: ChatTemplate): Habits {
  const habits = known.get(template) ?? findHabits(template);
  known.set(template, habits);
  return habits;
}

const question = "cria-probe-question";
const user: Message = { role: "user", content: question };

function findHabits(template: ChatTemplate): Habits {
  const plain: Habits = { readsParts: false, argumentsAsText: false, noContent: "absent" };
  const parts: Message = { role: "user", content: [{ type: "text", text: question }] };
  const readsParts = shows(template, [parts], { ...plain, readsParts: true }, [question], "'type'");
  const call = (content: string | null): Message => ({
    role: "assistant",
    content,
    tool_calls: [
      { id: "callprobe", type: "function", function: { name: "cria_probe_tool", arguments: { cria_probe_key: "cria_probe_value" } } },
    ],
  });
  const result: Message = { role: "tool", content: "cria-probe-result", tool_call_id: "callprobe", name: "cria_probe_tool" };
  const wanted = ["cria_probe_tool", "cria_probe_value"];
  for (const argumentsAsText of [false, true])
    for (const [noContent, content] of ways) {
      const habits: Habits = { readsParts, argumentsAsText, noContent };
      const conversation = [user, call(content), result];
      const isQuotedTwice = () => shows(template, conversation, habits, ['\\"cria_probe_key'], "\0");
      if (shows(template, conversation, habits, wanted, "'cria_probe_key'") && !(argumentsAsText && isQuotedTwice())) return habits;
    }
  return { ...plain, readsParts };
}

/** The first way in which a template shows a call counts. */
const ways = [
  ["absent", null],
  ["null", null],
  ["empty", null],
  ["absent", " "],
] as const;

/** Whether a conversation renders with all of `texts` in it and without `sign`, which Python's way of printing a list or a dict would leave. */
function shows(template: ChatTemplate, messages: readonly Message[], habits: Habits, texts: readonly string[], sign: string): boolean {
  try {
    const { text } = renderTemplate(template, {
      values: new Map<string, Value>([
        ["messages", messageValues(messages, habits)],
        ["tools", tools],
        ["documents", null],
        ["add_generation_prompt", false],
        ["bos_token", Text.of("")],
        ["eos_token", Text.of("")],
      ]),
      now: new Date(0),
      size: 1000,
    });
    return texts.every((one) => text.includes(one)) && !text.includes(sign);
  } catch (error) {
    if (error instanceof CriaError) return false;
    throw error;
  }
}

const dict = (entries: Readonly<Record<string, Value>>) => new Dict(Object.entries(entries).map(([key, value]) => [Text.of(key), value]));
const parameters = dict({
  type: Text.of("object"),
  properties: dict({ cria_probe_key: dict({ type: Text.of("string"), description: Text.of("") }) }),
  required: new List([]),
});
const tools = new List([
  dict({ type: Text.of("function"), function: dict({ name: Text.of("declared_tool"), description: Text.of(""), parameters }) }),
]);
