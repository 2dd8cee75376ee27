// A message that is told as a whole: its parts joined.
import type { DialoguePart } from "../../dialogue/index.ts";

interface Call {
  readonly id: string;
  readonly name: string;
  arguments: string;
}

/** An assistant's message while it is written. */
export class ChatMessage {
  #content = "";
  #reasoning = "";
  readonly #calls: Call[] = [];

  add(parts: readonly DialoguePart[]): void {
    for (const part of parts) {
      if (part.type === "content") this.#content += part.text;
      if (part.type === "reasoning") this.#reasoning += part.text;
      if (part.type === "call") this.#calls[part.index] = { id: part.id, name: part.name, arguments: "" };
      const call = part.type === "arguments" ? this.#calls[part.index] : undefined;
      if (call !== undefined && part.type === "arguments") call.arguments += part.text;
    }
  }

  /** The message as OpenAI's protocol has it: content is null where there are only calls. */
  toJSON(): unknown {
    const calls = this.#calls.map(({ id, name, arguments: given }) => ({ id, type: "function", function: { name, arguments: given } }));
    return {
      ...{ role: "assistant", content: calls.length > 0 && this.#content === "" ? null : this.#content, refusal: null },
      ...(this.#reasoning !== "" && { reasoning_content: this.#reasoning }),
      ...(calls.length > 0 && { tool_calls: calls }),
    };
  }
}
