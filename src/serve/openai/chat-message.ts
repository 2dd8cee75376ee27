// A message in the form of OpenAI's protocol.
import type { ChatMessage } from "../chat-message.ts";

/** The message; its content is null where there are only calls. */
export function messageOf({ content, reasoning, calls }: ChatMessage): unknown {
  const told = calls.map(({ id, name, arguments: given }) => ({ id, type: "function", function: { name, arguments: given } }));
  return {
    ...{ role: "assistant", content: told.length > 0 && content === "" ? null : content, refusal: null },
    ...(reasoning !== "" && { reasoning_content: reasoning }),
    ...(told.length > 0 && { tool_calls: told }),
  };
}
