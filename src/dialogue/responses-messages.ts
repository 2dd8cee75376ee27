// Messages as OpenAI's Responses have them: a list of items, of which a turn of the assistant is several: reasoning, a message, calls.
import { check, fail, isObject, type JsonObject, parseJson } from "../base/index.ts";
import type { Message, ToolCall } from "../chat/index.ts";

const where = "dialogue";

/** The part of a request that a conversation is made of, not yet checked. */
export interface ResponsesConversation {
  /** What the system says in front of everything. */
  readonly instructions?: string | undefined;
  /** What the user says, or a list of items. */
  readonly input: unknown;
}

/**
 * The messages in the form of room chat: items of one turn of the assistant become one message. Reasoning that its maker has encrypted is left out, as no
 * other model can read it.
 * @throws CriaError naming the place of an item that is not well-formed or not text, such as an image or a reference to what a server has stored
 */
export function responsesMessages({ instructions = "", input }: ResponsesConversation): readonly Message[] {
  const first: readonly Message[] = instructions === "" ? [] : [{ role: "system", content: instructions }];
  if (typeof input === "string") return [...first, { role: "user", content: input }];
  check(Array.isArray(input), where, () => "input must be a text or a list of items");
  const turns: Message[] = [...first];
  for (const [i, item] of (input as readonly unknown[]).entries()) {
    const added = messageOf(item, `input[${i}]`);
    const last = turns.at(-1);
    const joined = added === undefined || last === undefined ? undefined : joinedTurn(last, added);
    if (joined !== undefined) turns[turns.length - 1] = joined;
    else if (added !== undefined) turns.push(added);
  }
  return turns;
}

/** What an item says by itself; undefined where that is nothing which a model can read. */
function messageOf(item: unknown, place: string): Message | undefined {
  if (!isObject(item)) return fail(where, `${place} must be an object with a type`);
  const type = item.type ?? (item.role === undefined ? undefined : "message");
  switch (type) {
    case "message":
      return { role: roleOf(item, place), content: textOf(item.content, `${place}.content`, textParts) };
    case "reasoning":
      return reasoningOf(item, place);
    case "function_call":
      return { role: "assistant", content: null, tool_calls: [callOf(item, place)] };
    case "function_call_output":
      return {
        role: "tool",
        tool_call_id: stringIn(item, "call_id", place),
        content: textOf(item.output, `${place}.output`, ["input_text"]),
      };
    case "item_reference":
      return fail(where, `${place} refers to an item by its id, but nothing is stored here: send the item itself`);
    default:
      return fail(
        where,
        `${place} is of the type ${JSON.stringify(type)}: message, reasoning, function_call and function_call_output are supported`,
      );
  }
}

/** The turn with what follows in it; undefined where what follows is a message of its own. */
function joinedTurn(turn: Message, added: Message): Message | undefined {
  if (turn.role !== "assistant" || added.role !== "assistant") return undefined;
  const hasSpoken = (turn.content ?? "") !== "" || (turn.tool_calls ?? []).length > 0;
  if (added.tool_calls !== undefined) return { ...turn, tool_calls: [...(turn.tool_calls ?? []), ...(added.tool_calls ?? [])] };
  if (hasSpoken) return undefined;
  const thoughts = [turn.reasoning_content, added.reasoning_content].filter((text) => typeof text === "string");
  return { ...added, ...(thoughts.length > 0 && { reasoning_content: thoughts.join("\n") }) };
}

const speakers = ["user", "assistant", "system", "developer"] as const;

function roleOf({ role }: JsonObject, place: string): Message["role"] {
  const found = speakers.find((one) => one === role);
  return found ?? fail(where, `${place}.role is ${JSON.stringify(role)}: it must be one of ${speakers.join(", ")}`);
}

function reasoningOf(item: JsonObject, place: string): Message | undefined {
  const content = partsOf(item.content ?? [], `${place}.content`, ["reasoning_text", "text"]);
  const summary = partsOf(item.summary ?? [], `${place}.summary`, ["summary_text"]);
  const text = (content.length > 0 ? content : summary).join("\n");
  return text === "" ? undefined : { role: "assistant", content: "", reasoning_content: text };
}

/** Arguments that are blank are none. */
function callOf(item: JsonObject, place: string): ToolCall {
  const given = stringIn(item, "arguments", place);
  const text = given.trim() === "" ? "{}" : given;
  const isArguments = isObject(parseJson(where, `${place}.arguments`, text));
  check(isArguments, where, () => `${place}.arguments must be JSON of an object`);
  const called = { name: stringIn(item, "name", place), arguments: text };
  return { id: stringIn(item, "call_id", place), type: "function", function: called };
}

const textParts = ["input_text", "output_text", "text"];

function textOf(content: unknown, place: string, types: readonly string[]): string {
  return typeof content === "string" ? content : partsOf(content, place, types).join("\n");
}

function partsOf(parts: unknown, place: string, types: readonly string[]): readonly string[] {
  if (!Array.isArray(parts)) return fail(where, `${place} must be a text or a list of parts`);
  return parts.map((part, i) => partText(part, `${place}[${i}]`, types));
}

function partText(part: unknown, place: string, types: readonly string[]): string {
  if (!isObject(part)) return fail(where, `${place} must be an object with a type`);
  const { type } = part;
  if (type === "refusal") return stringIn(part, "refusal", place);
  const isText = typeof type === "string" && types.includes(type);
  check(isText, where, () => `${place} is of the type ${JSON.stringify(type)}: cria's models read text only, here ${types[0]}`);
  return stringIn(part, "text", place);
}

function stringIn(item: JsonObject, key: string, place: string): string {
  const text = item[key];
  return typeof text === "string" ? text : fail(where, `${place}.${key} is ${JSON.stringify(text)}, but must be a text`);
}
