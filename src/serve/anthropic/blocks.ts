// A message in blocks: what the engine says of it becomes blocks that begin, grow and end, each behind the other.
import type { DialoguePart } from "../../dialogue/index.ts";
import { wholeArguments } from "../chat-message.ts";
import type { TextEnd } from "../generation.ts";

/** A block as a message has it. */
export type Block =
  | { readonly type: "text"; text: string; readonly citations: null }
  | { readonly type: "thinking"; thinking: string; readonly signature: "" }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; input: unknown };

/** An event of a stream, by the name of its type. */
export interface BlockEvent {
  readonly type: "content_block_start" | "content_block_delta" | "content_block_stop";
  readonly index: number;
  readonly content_block?: Block;
  readonly delta?: Readonly<Record<string, string>>;
}

/** The blocks of a message while it is written. */
export class Blocks {
  readonly blocks: Block[] = [];
  #arguments = "";
  #isOpen = false;

  /** What parts of the message change: events in the order of the protocol. */
  add(parts: readonly DialoguePart[]): BlockEvent[] {
    return parts.flatMap((part) => this.#addPart(part));
  }

  /** Ends the last block. A call within whose arguments the text ended has none. */
  end(): BlockEvent[] {
    if (!this.#isOpen) return [];
    const last = this.blocks.at(-1);
    if (last?.type === "tool_use") last.input = wholeArguments(this.#arguments) ?? {};
    this.#isOpen = false;
    return [{ type: "content_block_stop", index: this.blocks.length - 1 }];
  }

  #addPart(part: DialoguePart): BlockEvent[] {
    if (part.type === "call") return this.#begin({ type: "tool_use", id: part.id, name: part.name, input: {} });
    if (part.type === "arguments") {
      this.#arguments += part.text;
      return [this.#delta({ type: "input_json_delta", partial_json: part.text })];
    }
    if (part.text === "") return [];
    const isText = part.type === "content";
    const wanted = isText ? "text" : "thinking";
    const begun =
      this.#isOpen && this.blocks.at(-1)?.type === wanted
        ? []
        : this.#begin(isText ? { type: "text", text: "", citations: null } : { type: "thinking", thinking: "", signature: "" });
    const block = this.blocks.at(-1);
    if (block?.type === "text") block.text += part.text;
    if (block?.type === "thinking") block.thinking += part.text;
    return [...begun, this.#delta(isText ? { type: "text_delta", text: part.text } : { type: "thinking_delta", thinking: part.text })];
  }

  #begin(block: Block): BlockEvent[] {
    const ended = this.end();
    this.#arguments = "";
    this.#isOpen = true;
    this.blocks.push(block);
    return [...ended, { type: "content_block_start", index: this.blocks.length - 1, content_block: { ...block } }];
  }

  #delta(delta: Readonly<Record<string, string>>): BlockEvent {
    return { type: "content_block_delta", index: this.blocks.length - 1, delta };
  }
}

/** Why a message ended, in the protocol's words. */
export function stopOf({ finishReason, stopString }: TextEnd): { readonly stop_reason: string; readonly stop_sequence: string | null } {
  const ends = { tool_calls: "tool_use", length: "max_tokens", stop: "end_turn" } as const;
  return stopString === undefined
    ? { stop_reason: ends[finishReason], stop_sequence: null }
    : { stop_reason: "stop_sequence", stop_sequence: stopString };
}
