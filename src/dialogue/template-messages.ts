// Messages of a conversation in the words of a template: ids of calls in its form, and as texts what it does not write.
import { check, hexOf, Sha256 } from "../base/index.ts";
import type { Message, ToolCall } from "../chat/index.ts";
import type { CallFormat } from "./output-format.ts";
import { describedTools, type Tool } from "./request.ts";
import type { TemplateFacts } from "./template-facts.ts";

const where = "dialogue";

/** What a conversation is rendered with. */
export interface MessageRules {
  readonly facts: TemplateFacts;
  /** The form in which calls that the template does not write become text; undefined where there is none. */
  readonly calls: CallFormat | undefined;
  /** Whether calls and results are written in a form that is not the template's own. */
  readonly isForeign: boolean;
  /** Tools that a system message describes, because the template does not; none otherwise. */
  readonly preamble: readonly Tool[];
  /** Tools that the template reads as text from a system message; none otherwise. */
  readonly systemTools: readonly Tool[];
}

/** @throws CriaError where earlier messages call tools, and neither the template nor a form of its family has words for it */
export function templateMessages(messages: readonly Message[], rules: MessageRules): readonly Message[] {
  const { facts, calls, preamble, systemTools, isForeign } = rules;
  const changes: ((message: Message) => Message)[] = [
    ...(facts.knowsDeveloper ? [] : [withoutDeveloper]),
    ...(facts.wantsShortIds ? [withShortIds] : []),
    ...(facts.showsCalls && !isForeign ? [] : [(message: Message) => withCallsAsText(message, calls)]),
  ];
  const changed = messages.map((message) => changes.reduce((one, change) => change(one), message));
  const answered = facts.showsResults && !isForeign ? changed : withResultsAsText(changed);
  if (systemTools.length > 0) return withSystemTools(answered, systemTools);
  return preamble.length === 0 ? answered : withPreamble(answered, preambleOf(preamble), facts.knowsSystem);
}

function withoutDeveloper(message: Message): Message {
  return message.role === "developer" ? { ...message, role: "system" } : message;
}

/** An id of nine letters and digits stays; another one becomes nine digits of its hash, the same wherever it stands. */
function shortId(id: string): string {
  return /^[A-Za-z0-9]{9}$/.test(id) ? id : hexOf(new Sha256().update(id).digest()).slice(0, 9);
}

function withShortIds(message: Message): Message {
  const { tool_calls: calls, tool_call_id: answered } = message;
  return {
    ...message,
    ...(calls && { tool_calls: calls.map((call, i) => ({ ...call, id: shortId(call.id ?? `call ${i}`) })) }),
    ...(typeof answered === "string" && { tool_call_id: shortId(answered) }),
  };
}

/** The calls stand behind the content, as the model writes them. */
function withCallsAsText(message: Message, format: CallFormat | undefined): Message {
  const { tool_calls: calls, ...rest } = message;
  if (calls === undefined || calls === null || calls.length === 0) return message;
  check(
    format !== undefined,
    where,
    () => "a message has tool_calls, but this model's template has no words for them: leave them out, or ask for a preamble",
  );
  const content = textOf(message.content);
  return { ...rest, content: content + (content === "" ? "" : "\n") + callsText(calls, format) };
}

function textOf(content: Message["content"]): string {
  return typeof content === "string" ? content : (content ?? []).map(({ text }) => text).join("\n");
}

function callsText(calls: readonly ToolCall[], { slots, before, within, between = "\n", after }: CallFormat): string {
  const texts = calls.map(({ id = "", function: { name, arguments: given } }) => {
    const values = { name, id: shortId(id), arguments: typeof given === "string" ? given : JSON.stringify(given) };
    return slots.map((slot, i) => (i === 0 ? "" : within[i - 1]) + values[slot]).join("");
  });
  return before + texts.join(between) + after;
}

/** Results in a row are one message of the user, as templates of the form of Hermes have it. */
function withResultsAsText(messages: readonly Message[]): readonly Message[] {
  const found: Message[] = [];
  for (const [i, message] of messages.entries()) {
    const text = `<tool_response>\n${textOf(message.content)}\n</tool_response>`;
    const last = found.at(-1);
    if (message.role !== "tool") found.push(message);
    else if (last !== undefined && messages[i - 1]?.role === "tool")
      found[found.length - 1] = { ...last, content: `${textOf(last.content)}\n${text}` };
    else found.push({ role: "user", content: text });
  }
  return found;
}

/** The first message gets the tools, or an empty one of the system's does. */
function withSystemTools(messages: readonly Message[], tools: readonly Tool[]): readonly Message[] {
  const [first, ...rest] = messages;
  const text = JSON.stringify(describedTools(tools).map((tool) => tool.function));
  return first?.role === "system" ? [{ ...first, tools: text }, ...rest] : [{ role: "system", content: "", tools: text }, ...messages];
}

/** What a system message says of tools, in the form of {@link hermes}. */
function preambleOf(tools: readonly Tool[]): string {
  const list = describedTools(tools).map((tool) => JSON.stringify(tool));
  return [
    "You can call functions. These are described as JSON between <tools> and </tools>:",
    ...["<tools>", ...list, "</tools>"],
    "To call one, write a JSON object with its name and arguments between <tool_call> and </tool_call>:",
    ...["<tool_call>", '{"name": "the function\'s name", "arguments": {"an argument\'s name": "its value"}}', "</tool_call>"],
    "What it returns comes between <tool_response> and </tool_response>.",
  ].join("\n");
}

/** The preamble ends the system message; where a template has none, it begins the first message. */
function withPreamble(messages: readonly Message[], preamble: string, knowsSystem: boolean): readonly Message[] {
  const [first, ...rest] = messages;
  const isSystem = first?.role === "system" || first?.role === "developer";
  if (first !== undefined && isSystem) return [{ ...first, content: `${textOf(first.content)}\n\n${preamble}` }, ...rest];
  if (knowsSystem || first === undefined) return [{ role: "system", content: preamble }, ...messages];
  return [{ ...first, content: `${preamble}\n\n${textOf(first.content)}` }, ...rest];
}
