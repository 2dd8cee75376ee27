// Messages → the text that a model reads, and where each of its characters came from.
import { check } from "../base/index.ts";
import { habitsOf } from "./habits.ts";
import { checkMessages, jsonValue, type Message, messageValues, sizeOfJson } from "./messages.ts";
import { type ChatTemplate, renderTemplate } from "./template.ts";
import { type Segment, Text } from "./text.ts";
import type { Value } from "./values.ts";

/** What a template may be given beside the messages. */
export interface RenderChatOptions {
  /** Ends with what comes in front of the assistant's next message. @default true */
  readonly addGenerationPrompt?: boolean | undefined;
  /** Tools as OpenAI's protocol describes them: `{ type: "function", function: { name, description, parameters } }`. */
  readonly tools?: readonly unknown[] | undefined;
  /** Documents for templates that know them. */
  readonly documents?: readonly unknown[] | undefined;
  /** Special pieces by the names that templates have for them: bos_token, eos_token and others. Their spelling is the template's own text. */
  readonly specials?: Readonly<Record<string, string>> | undefined;
  /** What else the template reads, values of JSON: enable_thinking, date_string. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  /** What `strftime_now` tells. @default now */
  readonly now?: Date | undefined;
}

/** A chat as text, and where its characters came from. */
export interface RenderedChat {
  readonly text: string;
  /** The text in runs of one origin, in order; joined they are the text. */
  readonly segments: readonly Segment[];
  /** Indices of messages with content of which no character is in the text: the template left them out. */
  readonly leftOut: readonly number[];
}

const reserved = ["messages", "tools", "documents", "add_generation_prompt"];

/**
 * Renders a conversation as transformers' apply_chat_template does. Every character of the outcome has its origin: a text that came from a
 * message keeps it through filters, slices and joins, whatever else changes; text of the template itself has none. The rule about origins:
 * - What an operation takes out of a text keeps its origin; what it puts in (`replace`, `join`, `indent`, `tojson`'s brackets) has the origin of
 *   where that stands. Quotes and escapes of `tojson` and of Python's printed lists belong to the template and to the text respectively.
 * - Where an operation changes characters so that none can be told whose it is, its outcome has the origin `mixed`.
 * - Numbers, booleans and lengths have none: they can spell no special piece.
 * {@link encodeChat} takes special pieces only from text without origin, so that no message and no tool ever becomes one; a chat with `mixed`
 * text is encoded so as well, but refused for fine-tuning.
 * @throws CriaError for messages that are not well-formed; with the template's own sentence where it raises one; or where it takes too long
 */
export function renderChat(template: ChatTemplate, messages: readonly Message[], options: RenderChatOptions = {}): RenderedChat {
  checkMessages(messages);
  const text = render(template, messages, options);
  const { segments } = text;
  const seen = new Set(segments.map(({ origin }) => (origin?.from === "message" ? origin.message : -1)));
  const isMixed = segments.some(({ origin }) => origin?.from === "mixed");
  const leftOut = isMixed ? [] : [...messages.keys()].filter((i) => hasContent(messages[i]!) && !seen.has(i));
  return { text: text.text, segments, leftOut };
}

function hasContent({ content, tool_calls }: Message): boolean {
  const text = typeof content === "string" ? content : (content ?? []).map((part) => part.text).join("");
  return text.trim() !== "" || (tool_calls ?? []).length > 0;
}

/** @param messages that were checked */
export function render(template: ChatTemplate, messages: readonly Message[], options: RenderChatOptions): Text {
  const { addGenerationPrompt = true, tools, documents, specials = {}, variables = {}, now = new Date() } = options;
  const taken = Object.keys({ ...specials, ...variables }).find((key) => reserved.includes(key));
  check(taken === undefined, "chat", () => `the variable ${taken} is given by an option of its own`);
  const values = new Map<string, Value>([
    ...Object.entries(specials).map(([key, piece]): [string, Value] => [key, Text.of(piece)]),
    ...Object.entries(variables).map(([key, value]): [string, Value] => [key, jsonValue(value, { from: "variables" }, key)]),
    ["messages", messageValues(messages, habitsOf(template))],
    ["tools", tools === undefined ? null : jsonValue(tools, { from: "tools" }, "tools")],
    ["documents", documents === undefined ? null : jsonValue(documents, { from: "variables" }, "documents")],
    ["add_generation_prompt", addGenerationPrompt],
  ]);
  return renderTemplate(template, { values, now, size: sizeOfJson([messages, tools, documents, variables]) });
}
