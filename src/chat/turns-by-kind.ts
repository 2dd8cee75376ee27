// The turns of a chat by a few of them. Rendering the chat up to every turn takes time with the square of the turns.
import { CriaError } from "../base/index.ts";
import { countsMessages } from "./counts-messages.ts";
import type { Message } from "./messages.ts";
import { endBefore, type RenderedTurns, startBehind } from "./places.ts";
import { checkedTurn, type Prefixes, prefixesAt, type Turn, tailOf, turnOf } from "./turn.ts";

/** Where a turn lies, as far as the whole text shows it. */
interface Sight {
  /** The end of the last text of an earlier message in front of it. */
  readonly from: number;
  /** The end of its own last character. */
  readonly own: number;
  /** Equal for turns that look alike: the text in front of and behind their own, and what kinds of messages stand around them. */
  readonly kind: string;
}

/** What {@link turnOf} says of the turns of one kind. */
interface Offsets {
  /** The distance from the end of the message before to the turn's start. */
  readonly start: number;
  /** The distance from the turn's own last character to its end. */
  readonly end: number;
  /** What {@link tailsOf} gives. */
  readonly tails: string;
}

/**
 * The first, the middle and the last of the turns that look alike are found by rendering the chat up to them ({@link turnOf}). Where these three agree, each of
 * the others is told by them if the template, given the beginning of the chat and the messages right before the turn alone, writes the same behind
 * those. All other turns are rendered by themselves: the first ones, those that show no text of their own, and those of templates that count
 * messages. So the time grows with the length of the chat, unless a template treats every turn in its own way.
 * @throws CriaError as {@link turnOf}
 */
export function turnsByKind(chat: RenderedTurns): Turn[] {
  const turns = assistantIn(chat.messages);
  if (countsMessages(chat.template.body)) return turns.map((i) => turnOf(chat, i));
  const sights = new Map(turns.filter((i) => i > shortLength).map((i) => [i, sightOf(chat, i)]));
  const members = new Map<string, number[]>();
  for (const [i, sight] of sights) if (sight !== undefined) grow(members, sight.kind, i);
  const offsets = new Map([...members].map(([kind, all]) => [kind, offsetsOf(chat, sights, all)]));
  return turns.map((i) => {
    const sight = sights.get(i);
    const found = sight === undefined ? undefined : offsets.get(sight.kind);
    if (sight === undefined || found === undefined || tailsOf(prefixesAt(shortened(chat, i), shortLengthAt(i))) !== found.tails)
      return turnOf(chat, i);
    return checkedTurn(chat, i, { start: sight.from + found.start, own: sight.own, end: sight.own + found.end });
  });
}

/** Indices of the assistant's messages. */
export function assistantIn(messages: readonly Message[]): number[] {
  return [...messages.keys()].filter((i) => messages[i]?.role === "assistant");
}

function grow(lists: Map<string, number[]>, key: string, item: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

/** Undefined where the turn shows no text of its own, or no message stands before it. */
function sightOf(chat: RenderedTurns, i: number): Sight | undefined {
  const { places, own, text, messages } = chat;
  const [first, last] = own.get(i) ?? [-1, -1];
  const [start, end, from] = [places[first]?.start, places[last]?.end, endBefore(chat, i)];
  if (start === undefined || end === undefined || from === undefined) return undefined;
  const around = [text.text.slice(from, start), text.text.slice(end, startBehind(chat, i, end))];
  const neighbours = [i - 2, i - 1, i, i + 1].map((at) => describe(messages[at]));
  return { from, own: end, kind: JSON.stringify([...around, ...neighbours, i % 2]) };
}

function describe(message: Message | undefined): unknown {
  if (message === undefined) return null;
  const { role, content, reasoning_content: thoughts, tool_calls: calls } = message;
  return [role, typeof content, content === "", (thoughts ?? "") !== "", calls?.length ?? 0];
}

/** Undefined where the first, the middle and the last of the turns do not agree, or one is refused. */
function offsetsOf(chat: RenderedTurns, sights: ReadonlyMap<number, Sight | undefined>, members: readonly number[]): Offsets | undefined {
  if (members.length <= 3) return undefined; // three turns take three renders either way
  const some = [0, members.length >> 1, members.length - 1].map((at) => members[at] ?? -1);
  const [first, ...others] = some.map((i) => offsetsAt(chat, i, sights.get(i)));
  const isSame = (one: Offsets | undefined) =>
    one !== undefined && one.start === first?.start && one.end === first.end && one.tails === first.tails;
  return others.every(isSame) ? first : undefined;
}

function offsetsAt(chat: RenderedTurns, i: number, sight: Sight | undefined): Offsets | undefined {
  const prefixes = prefixesAt(chat, i);
  const tails = tailsOf(prefixes);
  if (sight === undefined || tails === undefined) return undefined;
  try {
    const { start, end } = turnOf(chat, i, prefixes);
    return { start: start - sight.from, end: end - sight.own, tails };
  } catch (error) {
    if (error instanceof CriaError) return undefined;
    throw error;
  }
}

/** What a template writes behind the messages before a turn, and behind the turn's own; undefined where it refuses such a chat. */
function tailsOf({ before, through }: Prefixes): string | undefined {
  return before === undefined || through === undefined ? undefined : JSON.stringify([tailOf(before.segments), tailOf(through.segments)]);
}

/** So many messages before a turn are rendered in any case. */
const shortLength = 9;

/** How many of the messages before a turn a shortened chat has: an even number is left out, so that roles still take turns. */
function shortLengthAt(i: number): number {
  return shortLength - ((i - shortLength) % 2);
}

/** The chat up to and with a turn's message: its beginning, and the six messages in front of that. */
function shortened(chat: RenderedTurns, i: number): Pick<RenderedTurns, "template" | "messages" | "options"> {
  const { messages } = chat;
  return { ...chat, messages: [...messages.slice(0, shortLengthAt(i) - 6), ...messages.slice(i - 6, i + 1)] };
}
