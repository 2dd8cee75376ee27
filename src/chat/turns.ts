// Which characters of a rendered chat the assistant writes, and so learns to write.
import { CriaError, fail } from "../base/index.ts";
import type { Message } from "./messages.ts";
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

const where = "chat";

/**
 * The assistant's turns in a rendered chat. Where the template marks them by `{% generation %}`, these are the blocks. Otherwise a turn begins
 * where the model begins to write: behind what the chat up to it renders to with a generation prompt, if the whole begins with that, or else
 * behind as much of the template's own text as stands between the last character of the message before and that end. It ends with the token
 * that ends turns, sought behind the last character of its message ({@link encodeChat} finds it).
 * @param text the whole, rendered without a generation prompt
 * @throws CriaError where origin is lost, or a turn's beginning cannot be told: such a template is refused for fine-tuning
 */
export function assistantTurns(template: ChatTemplate, messages: readonly Message[], options: RenderChatOptions, text: Text): Turn[] {
  const places = placesOf(text.segments);
  if (places.some(({ segment }) => segment.origin?.from === "mixed"))
    return fail(
      where,
      `${template.name}: it changes texts so that nobody can tell whose they are: it serves for inference, but not for fine-tuning`,
    );
  if (template.marksGeneration) return blocks(places);
  return [...messages.keys()]
    .filter((i) => messages[i]!.role === "assistant")
    .map((i) => turnOf(template, messages, options, text, places, i));
}

interface Place {
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
}

function placesOf(segments: readonly Segment[]): Place[] {
  let at = 0;
  return segments.map((segment) => {
    at += segment.text.length;
    return { segment, start: at - segment.text.length, end: at };
  });
}

function blocks(places: readonly Place[]): Turn[] {
  const turns: Turn[] = [];
  for (const { segment, start, end } of places) {
    if (segment.generated !== true) continue;
    const last = turns.at(-1);
    if (last?.end === start) turns[turns.length - 1] = { ...last, own: end, end };
    else turns.push({ start, own: end, end, isBlock: true });
  }
  return turns;
}

function isOf({ segment: { origin } }: Place, holds: (message: number) => boolean): boolean {
  return origin?.from === "message" && holds(origin.message);
}

function turnOf(
  template: ChatTemplate,
  messages: readonly Message[],
  options: RenderChatOptions,
  text: Text,
  places: readonly Place[],
  i: number,
): Turn {
  const own = places.filter((place) => isOf(place, (message) => message === i));
  const before = prefix(template, messages.slice(0, i), { ...options, addGenerationPrompt: true });
  const start = startOf(text, before, places, own[0]?.start, i) ?? refuse(template, i, "where it begins cannot be told from its template");
  const last = own.at(-1)?.end ?? start;
  const through = prefix(template, messages.slice(0, i + 1), { ...options, addGenerationPrompt: false });
  const next = places.find((place) => place.start >= last && isOf(place, (message) => message !== i))?.start ?? text.text.length;
  const end = through !== undefined && through.text.length >= last && text.text.startsWith(through.text) ? through.text.length : next;
  const isMingled = places.some((place) => place.start >= start && place.end <= last && isOf(place, (message) => message !== i));
  if (isMingled || last < start) return refuse(template, i, "its text stands among that of other messages");
  return { start, own: last, end, isBlock: false, message: i };
}

function refuse(template: ChatTemplate, i: number, why: string): never {
  return fail(
    where,
    `${template.name}: the assistant's part of messages[${i}] is not known, ${why}: it serves for inference, but not for fine-tuning`,
  );
}

/** Undefined where the template refuses such a chat. */
function prefix(template: ChatTemplate, messages: readonly Message[], options: RenderChatOptions): Text | undefined {
  try {
    return render(template, messages, options);
  } catch (error) {
    if (error instanceof CriaError) return undefined;
    throw error;
  }
}

function startOf(
  text: Text,
  before: Text | undefined,
  places: readonly Place[],
  ownStart: number | undefined,
  i: number,
): number | undefined {
  if (before === undefined) return undefined;
  if (text.text.startsWith(before.text) && before.text.length <= (ownStart ?? text.text.length)) return before.text.length;
  // A template that writes earlier turns otherwise than the last one: what it puts between two messages is still the same.
  const tail = tailOf(before.segments);
  const from = places.findLast((place) => place.start < (ownStart ?? -1) && isOf(place, (message) => message < i))?.end;
  const isSame = from !== undefined && ownStart !== undefined && from + tail.length <= ownStart && text.text.startsWith(tail, from);
  return isSame ? from + tail.length : undefined;
}

/** The template's text behind the last character of a message. */
function tailOf(segments: readonly Segment[]): string {
  const last = segments.findLastIndex(({ origin }) => origin !== undefined);
  return segments
    .slice(last + 1)
    .map(({ text }) => text)
    .join("");
}
