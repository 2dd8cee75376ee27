// One turn of the assistant in a rendered chat, found by rendering the chat up to it.
import { CriaError, fail } from "../base/index.ts";
import type { Message } from "./messages.ts";
import { endBefore, isMingled, type RenderedTurns, startBehind } from "./places.ts";
import { type RenderChatOptions, render } from "./render.ts";
import type { ChatTemplate } from "./template.ts";
import type { Segment, Text } from "./text.ts";

/** A stretch of a rendered chat, in UTF-16 units. */
export interface Turn {
  readonly start: number;
  /** Where the assistant's own last character ends; the token that ends the turn stands behind it, before `end`. */
  readonly own: number;
  readonly end: number;
  /** Whether it is the whole of a generation block, which ends where the block does. */
  readonly isBlock: boolean;
  /** The assistant's message; absent for a block. */
  readonly message?: number;
}

/** What a template makes of the chat up to a turn; absent where it refuses such a chat. */
export interface Prefixes {
  /** The messages before it, with a generation prompt. */
  readonly before: Text | undefined;
  /** The turn's message too, without one. */
  readonly through: Text | undefined;
}

/** The chat rendered up to message i with a generation prompt, and through message i without. */
export function prefixesAt({ template, messages, options }: Pick<RenderedTurns, "template" | "messages" | "options">, i: number): Prefixes {
  return {
    before: prefix(template, messages.slice(0, i), { ...options, addGenerationPrompt: true }),
    through: prefix(template, messages.slice(0, i + 1), { ...options, addGenerationPrompt: false }),
  };
}

function prefix(template: ChatTemplate, messages: readonly Message[], options: RenderChatOptions): Text | undefined {
  try {
    return render(template, messages, options);
  } catch (error) {
    if (error instanceof CriaError) return undefined;
    throw error;
  }
}

/**
 * The turn of a message: it begins behind what the chat up to it renders to with a generation prompt, if the whole begins with that, or else behind as
 * much of the template's own text as stands between the last character of the message before and that end. It ends where the template's text ends that
 * stands behind it.
 * @throws CriaError where its beginning cannot be told
 */
export function turnOf(chat: RenderedTurns, i: number, { before, through }: Prefixes = prefixesAt(chat, i)): Turn {
  const { template, places, own } = chat;
  const last = own.get(i)?.[1];
  const start = startOf(chat, before, i) ?? refuse(template, i, "where it begins cannot be told from its template");
  const ownEnd = (last === undefined ? undefined : places[last]?.end) ?? start;
  return checkedTurn(chat, i, { start, own: ownEnd, end: endOf(chat, through, i, ownEnd) });
}

/** @throws CriaError where the turn's text stands among that of other messages */
export function checkedTurn(chat: RenderedTurns, i: number, turn: Pick<Turn, "start" | "own" | "end">): Turn {
  if (turn.own < turn.start || isMingled(chat, i, turn.start, turn.own))
    return refuse(chat.template, i, "its text stands among that of other messages");
  return { ...turn, isBlock: false, message: i };
}

function refuse(template: ChatTemplate, i: number, why: string): never {
  return fail(
    "chat",
    `${template.name}: the assistant's part of messages[${i}] is not known, ${why}: it serves for inference, but not for fine-tuning`,
  );
}

function startOf(chat: RenderedTurns, before: Text | undefined, i: number): number | undefined {
  const { text, places, own } = chat;
  if (before === undefined) return undefined;
  const first = own.get(i)?.[0];
  const ownStart = first === undefined ? undefined : places[first]?.start;
  if (text.text.startsWith(before.text) && before.text.length <= (ownStart ?? text.text.length)) return before.text.length;
  // A template that writes earlier turns otherwise than the last one: what it puts between two messages is still the same.
  const tail = tailOf(before.segments);
  const from = endBefore(chat, i);
  const isSame = from !== undefined && ownStart !== undefined && from + tail.length <= ownStart && text.text.startsWith(tail, from);
  return isSame ? from + tail.length : undefined;
}

/** The end of what the template writes behind the message where it is the last, if the whole has that there; else where another message's text begins. */
function endOf(chat: RenderedTurns, through: Text | undefined, i: number, ownEnd: number): number {
  const next = startBehind(chat, i, ownEnd);
  if (through === undefined) return next;
  const tail = tailOf(through.segments);
  const end = chat.own.has(i) ? ownEnd + tail.length : through.text.length;
  const isSame = chat.own.has(i) ? chat.text.text.startsWith(tail, ownEnd) : chat.text.text.startsWith(through.text);
  return isSame && end >= ownEnd && end <= next ? end : next;
}

/** The template's text behind the last character of a message. */
export function tailOf(segments: readonly Segment[]): string {
  const last = segments.findLastIndex(({ origin }) => origin !== undefined);
  return segments
    .slice(last + 1)
    .map(({ text }) => text)
    .join("");
}
