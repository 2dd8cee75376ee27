// Where the runs of a rendered chat lie, and which of them are whose.
import type { Message } from "./messages.ts";
import type { RenderChatOptions } from "./render.ts";
import type { ChatTemplate } from "./template.ts";
import type { Segment, Text } from "./text.ts";

/** A run of one origin, in UTF-16 units of the whole. */
export interface Place {
  readonly segment: Segment;
  readonly start: number;
  readonly end: number;
}

/** A chat, and what it renders to without a generation prompt. */
export interface RenderedTurns {
  readonly template: ChatTemplate;
  readonly messages: readonly Message[];
  readonly options: RenderChatOptions;
  readonly text: Text;
  readonly places: readonly Place[];
  /** The indices of the first and of the last place of a message, by every message of which the text has characters. */
  readonly own: ReadonlyMap<number, readonly [first: number, last: number]>;
}

/** A rendered chat with the places of its runs. @param text what `template` made of the messages */
export function renderedTurns(template: ChatTemplate, messages: readonly Message[], options: RenderChatOptions, text: Text): RenderedTurns {
  const places = placesOf(text.segments);
  return { template, messages, options, text, places, own: ownOf(places) };
}

/** Where each segment begins and ends, in UTF-16 units of the text. */
export function placesOf(segments: readonly Segment[]): Place[] {
  let at = 0;
  return segments.map((segment) => {
    at += segment.text.length;
    return { segment, start: at - segment.text.length, end: at };
  });
}

function ownOf(places: readonly Place[]): RenderedTurns["own"] {
  const own = new Map<number, readonly [number, number]>();
  for (const [at, place] of places.entries()) {
    const message = messageOf(place);
    if (message !== undefined) own.set(message, [own.get(message)?.[0] ?? at, at]);
  }
  return own;
}

/** The message that a place's text came from; undefined for all other text. */
export function messageOf({ segment: { origin } }: Place): number | undefined {
  return origin?.from === "message" ? origin.message : undefined;
}

/** The end of the last text of an earlier message in front of a message's own; undefined where there is none. */
export function endBefore({ places, own }: RenderedTurns, message: number): number | undefined {
  for (let at = (own.get(message)?.[0] ?? 0) - 1; at >= 0; at--) {
    const place = places[at];
    const other = place === undefined ? undefined : messageOf(place);
    if (place !== undefined && other !== undefined && other < message) return place.end;
  }
  return undefined;
}

/** The start of the first text of another message from a place on; the end of the whole where there is none. */
export function startBehind({ places, text }: RenderedTurns, message: number, from: number): number {
  for (let at = firstFrom(places, from); at < places.length; at++) {
    const place = places[at];
    const other = place === undefined ? undefined : messageOf(place);
    if (place !== undefined && other !== undefined && other !== message) return place.start;
  }
  return text.text.length;
}

/** Whether text of another message stands in a stretch that begins and ends where places do. */
export function isMingled({ places }: RenderedTurns, message: number, start: number, end: number): boolean {
  for (let at = firstFrom(places, start); at < places.length; at++) {
    const place = places[at];
    if (place === undefined || place.end > end) return false;
    if ((messageOf(place) ?? message) !== message) return true;
  }
  return false;
}

/** The runs of a stretch, cut where it begins and ends. */
export function segmentsBetween(places: readonly Place[], from: number, to: number): Segment[] {
  const cut: Segment[] = [];
  const first = firstWhere(places.length, (at) => (places[at]?.end ?? 0) > from);
  for (const { segment, start, end } of places.slice(
    first,
    firstWhere(places.length, (at) => (places[at]?.start ?? 0) >= to),
  ))
    cut.push({ ...segment, text: segment.text.slice(Math.max(from - start, 0), Math.min(to, end) - start) });
  return cut;
}

/** The index of the first place that starts at `from` or behind it. */
function firstFrom(places: readonly Place[], from: number): number {
  return firstWhere(places.length, (at) => (places[at]?.start ?? 0) >= from);
}

/** The first index below `count` at which a condition holds that then holds at all further ones; `count` where there is none. */
export function firstWhere(count: number, holds: (at: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
