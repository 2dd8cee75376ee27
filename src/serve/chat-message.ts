// A message that is told as a whole: its parts joined.
import { isObject, type JsonObject } from "../base/index.ts";
import type { DialoguePart } from "../dialogue/index.ts";

/** A call of a tool, its arguments as JSON. */
export interface Call {
  readonly id: string;
  readonly name: string;
  arguments: string;
}

/** Arguments as an object; undefined where the text ended within them. */
export function wholeArguments(json: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** An assistant's message while it is written. */
export class ChatMessage {
  content = "";
  reasoning = "";
  readonly calls: Call[] = [];

  add(parts: readonly DialoguePart[]): void {
    for (const part of parts) {
      if (part.type === "content") this.content += part.text;
      if (part.type === "reasoning") this.reasoning += part.text;
      if (part.type === "call") this.calls[part.index] = { id: part.id, name: part.name, arguments: "" };
      const call = part.type === "arguments" ? this.calls[part.index] : undefined;
      if (call !== undefined && part.type === "arguments") call.arguments += part.text;
    }
  }
}
