// Messages as the common protocols have them, checked, and as the values that templates read.
import { check, fail, isObject, parseJson } from "../base/index.ts";
import { plainJson, toJson } from "./json.ts";
import { checkDepth, jsonTextValue, wholeNumber } from "./json-text.ts";
import { type Origin, Text } from "./text.ts";
import { Dict, List, Num, type Value } from "./values.ts";

/** Roles whose names are the template's own words: they may become part of a special piece, so that no other is let through. */
export const roles = ["system", "developer", "user", "assistant", "tool", "function", "ipython"] as const;
/** Who a message is from. */
export type Role = (typeof roles)[number];

/** A part of a message's content that is text. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

/** A call of a tool by the assistant, as OpenAI's protocol has it. */
export interface ToolCall {
  readonly id?: string;
  readonly type?: "function";
  readonly function: {
    readonly name: string;
    /** An object, or JSON of one, whose keys keep their order and whose 1.0 stays a float, as in Python. */
    readonly arguments: { readonly [key: string]: unknown } | string;
  };
}

/** A message of a chat, as OpenAI's protocol has it. */
export interface Message {
  readonly role: Role;
  /** null or absent beside tool calls. */
  readonly content?: string | readonly TextPart[] | null;
  /** What the assistant thought before it answered, where the template reads it. */
  readonly reasoning_content?: string | null;
  readonly tool_calls?: readonly ToolCall[] | null;
  /** The call that a tool's result answers. */
  readonly tool_call_id?: string | null;
  readonly name?: string | null;
  /** Tools as text, where a template reads them from the system message, as Phi-4-mini's does. */
  readonly tools?: string | null;
}

/** How a template wants what it can be given in several ways; {@link habitsOf} finds it out. */
export interface Habits {
  /** Content as a list of parts is read as one; else it becomes one text, parts joined by a line end. */
  readonly readsParts: boolean;
  /** Arguments of calls are wanted as JSON text instead of an object. */
  readonly argumentsAsText: boolean;
  /** What stands for content that is null or absent: as transformers 5 has it, the key is left out; else null or an empty text. */
  readonly noContent: "absent" | "null" | "empty";
}

const where = "chat";
const keys = ["role", "content", "reasoning_content", "reasoning", "thinking", "tool_calls", "tool_call_id", "name", "tools"];

/** @throws CriaError naming the message, the key and what is wrong. */
export function checkMessages(messages: unknown): asserts messages is readonly Message[] {
  check(Array.isArray(messages), where, () => "messages must be a list of objects with role and content");
  const list = messages as readonly unknown[];
  check(list.length > 0, where, () => "messages is empty: give one at least");
  for (const [i, message] of list.entries()) checkMessage(message, `messages[${i}]`);
}

function checkMessage(message: unknown, name: string): void {
  if (!isObject(message)) return fail(where, `${name} must be an object with role and content`);
  const odd = Object.keys(message).find((key) => !keys.includes(key));
  check(odd === undefined, where, () => `${name} has ${quoted(odd)}, which no message has: leave it out`);
  const isKnown = typeof message.role === "string" && (roles as readonly string[]).includes(message.role);
  check(isKnown, where, () => `${name}.role is ${quoted(message.role)}: it must be one of ${roles.join(", ")}`);
  checkContent(message.content ?? null, name);
  for (const key of ["reasoning_content", "reasoning", "thinking", "tool_call_id", "name", "tools"] as const)
    checkText(message[key] ?? "", `${name}.${key}`);
  const mayHaveTools = message.role === "system" || message.role === "developer";
  check(
    (message.tools ?? null) === null || mayHaveTools,
    where,
    () => `${name} has tools, but its role is ${quoted(message.role)}: only a system message has them`,
  );
  const calls = message.tool_calls ?? [];
  check(Array.isArray(calls), where, () => `${name}.tool_calls must be a list`);
  check(
    calls.length === 0 || message.role === "assistant",
    where,
    () => `${name} has tool_calls, but its role is ${quoted(message.role)}: only the assistant calls tools`,
  );
  for (const [i, call] of (calls as readonly unknown[]).entries()) checkCall(call, `${name}.tool_calls[${i}]`);
  const hasSomething = (message.content ?? null) !== null || calls.length > 0 || message.role === "assistant";
  check(hasSomething, where, () => `${name} has no content: give a text, which may be empty`);
}

function checkContent(content: unknown, name: string): void {
  if (!Array.isArray(content)) return content === null ? undefined : checkText(content, `${name}.content`);
  for (const [i, part] of content.entries()) {
    const place = `${name}.content[${i}]`;
    check(isObject(part) && typeof part.type === "string", where, () => `${place} must be an object with type and text`);
    check(part.type === "text", where, () => `${place} is of the type ${quoted(part.type)}: cria's models read text only`);
    checkText(part.text, `${place}.text`);
  }
}

function checkCall(call: unknown, name: string): void {
  check(isObject(call) && isObject(call.function), where, () => `${name} must be an object with a function`);
  const kind = call.type ?? "function";
  check(kind === "function", where, () => `${name}.type is ${quoted(kind)}: only "function" is supported`);
  checkText(call.id ?? "", `${name}.id`);
  checkText(call.function.name, `${name}.function.name`);
  const given = call.function.arguments;
  check(typeof given === "string" || isObject(given), where, () => `${name}.function.arguments must be an object or JSON of one`);
}

function checkText(value: unknown, name: string): void {
  check(typeof value === "string", where, () => `${name} is ${quoted(value)}, but must be a text`);
}

function quoted(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 100) ?? String(value);
}

/** The messages as a template reads them. Every text but the role's name and the types' carries its message as origin. */
export function messageValues(messages: readonly Message[], habits: Habits): List {
  return new List(messages.map((message, i) => messageValue(message, i, habits)));
}

function messageValue(message: Message, index: number, habits: Habits): Dict {
  const origin: Origin = { from: "message", message: index };
  const own = (text: string) => Text.of(text, origin);
  const entries: [string, Value][] = [["role", Text.of(message.role)]];
  const content = contentValue(message.content ?? null, habits, own);
  if (content !== undefined) entries.push(["content", content]);
  entries.push(...reasoningEntries(message, own));
  const calls = message.tool_calls ?? [];
  if (calls.length > 0)
    entries.push(["tool_calls", new List(calls.map((call, i) => callValue(call, `messages[${index}].tool_calls[${i}]`, origin, habits)))]);
  for (const key of ["tool_call_id", "name"] as const) if (typeof message[key] === "string") entries.push([key, own(message[key])]);
  if (typeof message.tools === "string") entries.push(["tools", Text.of(message.tools, { from: "tools" })]);
  return dictOf(entries);
}

function dictOf(entries: readonly (readonly [string, Value])[]): Dict {
  return new Dict(entries.map(([key, value]) => [Text.of(key), value]));
}

function contentValue(content: Message["content"], { readsParts, noContent }: Habits, own: (text: string) => Text): Value | undefined {
  if (content === null || content === undefined) return { absent: undefined, null: null, empty: Text.of("") }[noContent];
  if (typeof content === "string") return own(content);
  if (!readsParts) return own(content.map(({ text }) => text).join("\n"));
  return new List(
    content.map(({ text }) =>
      dictOf([
        ["type", Text.of("text")],
        ["text", own(text)],
      ]),
    ),
  );
}

/** Gives the reasoning of a message under each name that templates have for it, as transformers does. */
function reasoningEntries(message: Message, own: (text: string) => Text): [string, Value][] {
  const said: { readonly reasoning_content?: unknown; readonly thinking?: unknown; readonly reasoning?: unknown } = message;
  const text = said.reasoning_content ?? said.thinking ?? said.reasoning;
  if (typeof text !== "string") return [];
  const names = typeof said.reasoning === "string" ? ["thinking", "reasoning", "reasoning_content"] : ["thinking", "reasoning_content"];
  return names.map((name) => [name, own(text)]);
}

function callValue(call: ToolCall, name: string, origin: Origin, { argumentsAsText }: Habits): Dict {
  const own = (text: string) => Text.of(text, origin);
  const { name: called, arguments: given } = call.function;
  const inner = argumentsAsText
    ? own(typeof given === "string" ? given : toJson(jsonValue(given, undefined, name), plainJson).text)
    : argumentsValue(given, origin, name);
  const entries: [string, Value][] = [];
  if (call.id !== undefined) entries.push(["id", own(call.id)]);
  entries.push(
    ["type", Text.of("function")],
    [
      "function",
      dictOf([
        ["name", own(called)],
        ["arguments", inner],
      ]),
    ],
  );
  return dictOf(entries);
}

function argumentsValue(given: ToolCall["function"]["arguments"], origin: Origin, name: string): Value {
  if (typeof given !== "string") return jsonValue(given, origin, name);
  const value = parseJson(where, `${name}.function.arguments`, given, "correct it there");
  if (!isObject(value)) return fail(where, `${name}.function.arguments is JSON of ${quoted(value)}, but must be an object's`);
  return jsonTextValue(given, origin, name);
}

/**
 * A value of JSON with an origin for all its texts, keys included. A number without a fraction is a whole one, and keys that are numbers come
 * first, as JavaScript has them; {@link jsonTextValue} has them as they are written.
 * @throws CriaError for a whole number beyond 2^53, of which JavaScript does not know all digits, for what JSON has not, and for lists and
 * objects that are nested too deep
 */
export function jsonValue(value: unknown, origin: Origin | undefined, name: string, depth = 0): Value {
  checkDepth(depth, name);
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return Text.of(value, origin);
  if (typeof value === "number") return Number.isInteger(value) ? wholeNumber(value, name) : new Num(value, true);
  if (Array.isArray(value)) return new List(value.map((item, i) => jsonValue(item, origin, `${name}[${i}]`, depth + 1)));
  if (!isObject(value)) return fail(where, `${name} is ${typeof value}, which JSON has not`);
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return new Dict(entries.map(([key, item]) => [Text.of(key, origin), jsonValue(item, origin, `${name}.${key}`, depth + 1)]));
}

/** How many characters a value of JSON has, roughly. */
export function sizeOfJson(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  return Object.entries(value).reduce((size, [key, item]) => size + key.length + sizeOfJson(item), 2);
}
