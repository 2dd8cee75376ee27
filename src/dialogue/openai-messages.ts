// Messages as OpenAI's chat completions have them, and those of clients who speak its dialects.
import { isObject } from "../base/index.ts";
import type { Message } from "../chat/index.ts";

/** Keys of an answer that clients send back as they got them, and that no model reads. */
const unread = ["refusal", "audio", "function_call", "annotations"];

/**
 * The messages in the form of room chat, which checks them: calls without arguments have an empty object, what is null is absent, and keys of earlier
 * answers that say nothing to a model are left out where they are empty.
 * @param messages a request's `messages`, not yet checked
 */
export function openAiMessages(messages: unknown): readonly Message[] {
  // Whatever is not well-formed stays as it is, so that room chat names it.
  return (
    Array.isArray(messages) ? messages.map((message) => (isObject(message) ? messageOf(message) : message)) : messages
  ) as readonly Message[];
}

function messageOf(message: Readonly<Record<string, unknown>>): unknown {
  const { tool_calls: calls, ...others } = message;
  const kept = Object.entries(others).filter(([key, value]) => value !== null && !(unread.includes(key) && isEmpty(value)));
  const found = Array.isArray(calls)
    ? { tool_calls: calls.map(callOf) }
    : calls === null || calls === undefined
      ? {}
      : { tool_calls: calls };
  return { ...Object.fromEntries(kept), ...found };
}

function isEmpty(value: unknown): boolean {
  return value === "" || (Array.isArray(value) && value.length === 0);
}

/** Clients keep the place of a call among streamed ones, and send it back. */
function callOf(call: unknown): unknown {
  if (!isObject(call) || !isObject(call.function)) return call;
  const { index: _, ...rest } = call;
  const { arguments: given = "" } = call.function;
  const isBlank = typeof given === "string" && given.trim() === "";
  return { ...rest, function: { ...call.function, arguments: isBlank || given === null ? "{}" : given } };
}
