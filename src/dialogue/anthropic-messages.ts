// Messages as Anthropic's protocol has them: blocks of text, thinking, uses of tools and their results.
import { check, fail, isObject, type JsonObject } from "../base/index.ts";
import type { Message, ToolCall } from "../chat/index.ts";

const where = "dialogue";

/** The part of a request that a conversation is made of, not yet checked. */
export interface AnthropicConversation {
  /** A text or a list of blocks of text. */
  readonly system?: unknown;
  readonly messages: unknown;
}

/**
 * The messages in the form of room chat: results of tools become messages of their own, in front of what the user says beside them, and one that is an
 * error says so. Thinking that its maker has encrypted (`redacted_thinking`) is left out, as no other model can read it.
 * @throws CriaError naming the place of a block that is not well-formed or not text, such as an image
 */
export function anthropicMessages({ system, messages }: AnthropicConversation): readonly Message[] {
  check(Array.isArray(messages), where, () => "messages must be a list of objects with role and content");
  const told = system === undefined || system === null ? "" : textOf(system, "system");
  const first: readonly Message[] = told === "" ? [] : [{ role: "system", content: told }];
  return [...first, ...(messages as readonly unknown[]).flatMap((message, i) => messagesOf(message, `messages[${i}]`))];
}

function messagesOf(message: unknown, place: string): readonly Message[] {
  if (!isObject(message)) return fail(where, `${place} must be an object with role and content`);
  const { role, content } = message;
  if (role !== "user" && role !== "assistant") return fail(where, `${place}.role is ${JSON.stringify(role)}: it must be user or assistant`);
  if (typeof content === "string") return [{ role, content }];
  check(Array.isArray(content), where, () => `${place}.content must be a text or a list of blocks`);
  const blocks = (content as readonly unknown[]).map((block, i) => blockOf(block, `${place}.content[${i}]`));
  return role === "user" ? userMessages(blocks) : [assistantMessage(blocks)];
}

/** A block and its place. */
interface Block {
  readonly place: string;
  readonly type: string;
  readonly block: JsonObject;
}

function blockOf(block: unknown, place: string): Block {
  if (!isObject(block) || typeof block.type !== "string") return fail(where, `${place} must be an object with a type`);
  return { place, type: block.type, block };
}

function userMessages(blocks: readonly Block[]): readonly Message[] {
  const texts: string[] = [];
  const results: Message[] = [];
  for (const { place, type, block } of blocks) {
    if (type === "tool_result") results.push(resultOf(block, place));
    else if (type === "text") texts.push(textOf([block], place));
    else refuse(type, place, "text and tool_result");
  }
  return [...results, ...(texts.length > 0 || results.length === 0 ? [{ role: "user" as const, content: texts.join("\n") }] : [])];
}

function resultOf({ tool_use_id: id, content = "", is_error: isError }: JsonObject, place: string): Message {
  if (typeof id !== "string") return fail(where, `${place}.tool_use_id is ${JSON.stringify(id)}, but must be the id of a tool_use`);
  const text = textOf(content ?? "", `${place}.content`);
  return { role: "tool", tool_call_id: id, content: isError === true ? `Error: ${text}` : text };
}

function assistantMessage(blocks: readonly Block[]): Message {
  const texts: string[] = [];
  const thoughts: string[] = [];
  const calls: ToolCall[] = [];
  for (const { place, type, block } of blocks) {
    if (type === "text") texts.push(textOf([block], place));
    else if (type === "thinking") thoughts.push(textIn(block, "thinking", place));
    else if (type === "tool_use") calls.push(callOf(block, place));
    else if (type !== "redacted_thinking") refuse(type, place, "text, thinking and tool_use");
  }
  return {
    role: "assistant",
    content: texts.join("\n"),
    ...(thoughts.length > 0 && { reasoning_content: thoughts.join("\n") }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function callOf({ id, name, input = {} }: JsonObject, place: string): ToolCall {
  if (typeof id !== "string") return fail(where, `${place}.id is ${JSON.stringify(id)}, but must be a text`);
  if (typeof name !== "string") return fail(where, `${place}.name is ${JSON.stringify(name)}, but must be a text`);
  if (!isObject(input)) return fail(where, `${place}.input must be an object`);
  return { id, type: "function", function: { name, arguments: input } };
}

/** A text, or the texts of blocks, one below the other. */
function textOf(content: unknown, place: string): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return fail(where, `${place} must be a text or a list of blocks`);
  return content
    .map((one, i) => {
      const { type, block, place: at } = blockOf(one, content.length === 1 ? place : `${place}[${i}]`);
      return type === "text" ? textIn(block, "text", at) : refuse(type, at, "text");
    })
    .join("\n");
}

function textIn(block: JsonObject, key: string, place: string): string {
  const text = block[key];
  return typeof text === "string" ? text : fail(where, `${place}.${key} is ${JSON.stringify(text)}, but must be a text`);
}

function refuse(type: string, place: string, supported: string): never {
  return fail(where, `${place} is of the type ${JSON.stringify(type)}: cria's models read text only, here ${supported}`);
}
