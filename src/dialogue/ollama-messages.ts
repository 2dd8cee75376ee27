// Messages as Ollama's /api/chat has them: arguments are objects, and a result names its tool where other protocols name the call.
import { check, fail, isObject, type JsonObject } from "../base/index.ts";
import type { Message } from "../chat/index.ts";

const where = "dialogue";

/** A call that no result has answered yet. */
interface OpenCall {
  readonly id: string;
  readonly name: unknown;
}

/**
 * The messages in the form of room chat, which checks what is not told here. Calls get ids, and a result answers the first open call of its tool's name.
 * @param messages a request's `messages`, not yet checked
 * @throws CriaError for images, by their place
 */
export function ollamaMessages(messages: unknown): readonly Message[] {
  check(Array.isArray(messages), where, () => "messages must be a list of objects with role and content");
  const open: OpenCall[] = [];
  return (messages as readonly unknown[]).map((message, i) => messageOf(message, `messages[${i}]`, open)) as readonly Message[];
}

function messageOf(message: unknown, place: string, open: OpenCall[]): unknown {
  if (!isObject(message)) return fail(where, `${place} must be an object with role and content`);
  const { images, thinking, tool_calls: calls, tool_name: toolName, ...rest } = message;
  check(
    images === undefined || images === null || (Array.isArray(images) && images.length === 0),
    where,
    () => `${place}.images: cria's models read text only, leave images out`,
  );
  const found: JsonObject = { ...rest, ...(thinking !== undefined && thinking !== "" && { reasoning_content: thinking }) };
  if (Array.isArray(calls) && calls.length > 0)
    return { ...found, tool_calls: calls.map((call, i) => callOf(call, `${place} ${i}`, open)) };
  return message.role === "tool" ? { ...found, ...answered(rest, toolName, open) } : found;
}

function callOf(call: unknown, place: string, open: OpenCall[]): unknown {
  if (!isObject(call) || !isObject(call.function)) return call;
  const id = typeof call.id === "string" ? call.id : `call of ${place}`;
  open.push({ id, name: call.function.name });
  const { index: _, name, arguments: given = {} } = call.function;
  return { id, type: "function", function: { name, arguments: given } };
}

/** The id of the call that a result answers, where there is one. */
function answered({ tool_call_id: given }: JsonObject, toolName: unknown, open: OpenCall[]): JsonObject {
  const at = open.findIndex(({ id, name }) => (given === undefined ? toolName === undefined || name === toolName : id === given));
  const [call] = at < 0 ? [] : open.splice(at, 1);
  const name = toolName ?? call?.name;
  return { ...(call !== undefined && { tool_call_id: call.id }), ...(name !== undefined && { name }) };
}
