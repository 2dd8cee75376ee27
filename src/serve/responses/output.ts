// The items of a response, made of the parts that an answer comes in: reasoning, a message, and a call of a tool each are one.
import { randomBytes } from "node:crypto";
import type { DialoguePart } from "../../dialogue/index.ts";

/** An item as a response has it. */
export type Item =
  | { readonly type: "reasoning"; readonly id: string; readonly summary: []; readonly content: TextContent[]; status: ItemStatus }
  | { readonly type: "message"; readonly id: string; readonly role: "assistant"; readonly content: TextContent[]; status: ItemStatus }
  | {
      readonly type: "function_call";
      readonly id: string;
      readonly call_id: string;
      readonly name: string;
      arguments: string;
      status: ItemStatus;
    };

/** How far an item is. */
export type ItemStatus = "in_progress" | "completed" | "incomplete";

/** The text of an item. */
export type TextContent =
  | { readonly type: "reasoning_text"; text: string }
  | { readonly type: "output_text"; text: string; readonly annotations: []; readonly logprobs: unknown[] };

/** An event of a stream before it gets its number. */
export interface ItemEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** The items of a response while it is written. */
export class Output {
  readonly items: Item[] = [];
  /** Log-probabilities of tokens whose text is not settled yet. */
  #logprobs: unknown[] = [];

  /**
   * What parts of the answer change: events in the order of the protocol.
   * @param logprob of the token that brought the parts, where it is asked for
   */
  add(parts: readonly DialoguePart[], logprob?: unknown): ItemEvent[] {
    if (logprob !== undefined) this.#logprobs.push(logprob);
    return parts.flatMap((part) => this.#addPart(part));
  }

  /** Ends the last item. */
  end(status: Exclude<ItemStatus, "in_progress">): ItemEvent[] {
    const item = this.#last;
    if (item === undefined || item.status !== "in_progress") return [];
    item.status = status;
    return [...this.#textDone(item), { type: "response.output_item.done", output_index: this.#index, item: copyOf(item) }];
  }

  get #last(): Item | undefined {
    return this.items.at(-1);
  }

  get #index(): number {
    return this.items.length - 1;
  }

  #addPart(part: DialoguePart): ItemEvent[] {
    switch (part.type) {
      case "reasoning":
      case "content":
        return part.text === "" ? [] : this.#addText(part.type === "content" ? "message" : "reasoning", part.text);
      case "call":
        this.#logprobs = [];
        return this.#begin({
          ...{ type: "function_call", id: newId("fc"), call_id: part.id, name: part.name, arguments: "", status: "in_progress" },
        });
      case "arguments":
        return this.#addArguments(part.text);
      default:
        return part satisfies never;
    }
  }

  #addText(type: "message" | "reasoning", text: string): ItemEvent[] {
    const isOpen = this.#last?.type === type && this.#last.status === "in_progress";
    const begun = isOpen ? [] : this.#beginText(type);
    const content = contentOf(this.#last);
    if (content === undefined) return begun;
    content.text += text;
    const at = this.#place();
    if (content.type === "reasoning_text") {
      this.#logprobs = [];
      return [...begun, { type: "response.reasoning_text.delta", ...at, delta: text }];
    }
    const logprobs = this.#logprobs.splice(0);
    content.logprobs.push(...logprobs);
    return [...begun, { type: "response.output_text.delta", ...at, delta: text, logprobs }];
  }

  #addArguments(text: string): ItemEvent[] {
    this.#logprobs = [];
    const item = this.#last;
    if (item?.type !== "function_call") return [];
    item.arguments += text;
    return [{ type: "response.function_call_arguments.delta", item_id: item.id, output_index: this.#index, delta: text }];
  }

  #beginText(type: "message" | "reasoning"): ItemEvent[] {
    const begun = this.#begin(
      type === "message"
        ? { type, id: newId("msg"), role: "assistant", content: [], status: "in_progress" }
        : { type, id: newId("rs"), summary: [], content: [], status: "in_progress" },
    );
    const part: TextContent =
      type === "message" ? { type: "output_text", text: "", annotations: [], logprobs: [] } : { type: "reasoning_text", text: "" };
    const item = this.#last;
    if (item !== undefined && item.type !== "function_call") item.content.push(part);
    return [...begun, { type: "response.content_part.added", ...this.#place(), part: copyOf(part) }];
  }

  #begin(item: Item): ItemEvent[] {
    const ended = this.end("completed");
    this.items.push(item);
    return [...ended, { type: "response.output_item.added", output_index: this.#index, item: copyOf(item) }];
  }

  /** Events that end an item's text or arguments. */
  #textDone(item: Item): ItemEvent[] {
    if (item.type === "function_call") {
      const { id: item_id, name, arguments: given } = item;
      return [{ type: "response.function_call_arguments.done", item_id, output_index: this.#index, name, arguments: given }];
    }
    const part = contentOf(item);
    if (part === undefined) return [];
    const at = this.#place();
    const done =
      part.type === "output_text"
        ? { type: "response.output_text.done", ...at, text: part.text, logprobs: [...part.logprobs] }
        : { type: "response.reasoning_text.done", ...at, text: part.text };
    return [done, { type: "response.content_part.done", ...at, part: copyOf(part) }];
  }

  #place() {
    return { item_id: this.#last?.id, output_index: this.#index, content_index: 0 };
  }
}

/** The one text of an item. */
function contentOf(item: Item | undefined): TextContent | undefined {
  return item === undefined || item.type === "function_call" ? undefined : item.content[0];
}

/** What an event says of an item stays as it is while the item grows. */
function copyOf<T>(value: T): T {
  return structuredClone(value);
}

function newId(kind: string): string {
  return `${kind}_${randomBytes(16).toString("hex")}`;
}
