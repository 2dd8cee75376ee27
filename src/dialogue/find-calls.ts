// How a template's model writes its calls, found by rendering messages that have some and looking where names and arguments land.
import { type ChatTemplate, type Message, turnEndPieces } from "../chat/index.ts";
import { behindSpace, withoutLastSpace } from "./literal.ts";
import type { ArgumentTags, CallFormat, CallSlot, ReasoningFormat } from "./output-format.ts";
import { answerText, calling, callTexts, endOfText, question, questionText, rendered, tool } from "./probe.ts";

/** Where a part of a call stands in a rendered message. */
interface Found {
  readonly slot: CallSlot;
  readonly start: number;
  readonly end: number;
  readonly tags?: ArgumentTags | undefined;
}

/** Undefined where the template does not write calls, or not in a form that has the name first and then the arguments. */
export function findCalls(template: ChatTemplate, reasoning: ReasoningFormat | undefined): CallFormat | undefined {
  const render = renderer(template);
  const one = render([question, calling([1])]);
  const slots = one === undefined ? undefined : foundCall(one, 1, 0);
  const [first] = slots ?? [];
  const last = slots?.at(-1);
  if (one === undefined || slots === undefined || first?.slot !== "name" || last === undefined) return undefined;
  const head = one.slice(0, first.start);
  const length = headLength(render, head);
  if (length === undefined) return undefined;
  const before = withoutReasoning(head.slice(length), reasoning);
  const tags = slots.find((found) => found.slot === "arguments")?.tags;
  const format = {
    ...{ name: "found", before, slots: slots.map(({ slot }) => slot) },
    within: slots.slice(1).map(({ start }, i) => one.slice(slots[i]?.end, start)),
    ...{ between: findBetween(render), after: withoutEnd(render, one.slice(last.end)), marker: markerOf(before), tags },
  };
  return isTold(format) ? format : undefined;
}

type Render = (messages: readonly Message[], addGenerationPrompt?: boolean) => string | undefined;

/** Renders with tools, which some templates need to write calls, or else without. */
function renderer(template: ChatTemplate): Render {
  const tools = rendered(template, [question, calling([1])], { tools: [tool] }) === undefined ? undefined : [tool];
  return (messages, addGenerationPrompt = false) => rendered(template, messages, { tools, addGenerationPrompt });
}

function foundCall(text: string, number: number, from: number): readonly Found[] | undefined {
  const { name, id } = callTexts(number);
  const named = foundText(text, "name", name, from);
  const given = named && (jsonArguments(text, number, from) ?? taggedArguments(text, number, named.end));
  const numbered = foundText(text, "id", id, from);
  if (named === undefined || given === undefined) return undefined;
  return [named, given, ...(numbered === undefined ? [] : [numbered])].sort((a, b) => a.start - b.start);
}

function foundText(text: string, slot: CallSlot, value: string, from: number): Found | undefined {
  const start = text.indexOf(value, from);
  return start < 0 ? undefined : { slot, start, end: start + value.length };
}

function jsonArguments(text: string, number: number, from: number): Found | undefined {
  const { firstKey, firstValue, lastKey, lastValue } = callTexts(number);
  const pair = (key: string, value: string) => `"${key}"\\s*:\\s*"${value}"`;
  const pattern = new RegExp(`\\{\\s*${pair(firstKey, firstValue)}\\s*,\\s*${pair(lastKey, lastValue)}\\s*\\}`, "g");
  pattern.lastIndex = from;
  const found = pattern.exec(text);
  return found === null ? undefined : { slot: "arguments", start: found.index, end: found.index + found[0].length };
}

/** Arguments one by one: what stands between two of them ends the first and begins the last, which begins as the first does. */
function taggedArguments(text: string, number: number, from: number): Found | undefined {
  const { firstKey, firstValue, lastKey, lastValue } = callTexts(number);
  const parts = new RegExp(`(.*?)${firstKey}(.*?)${firstValue}(.*?)${lastKey}(.*?)${lastValue}`, "s").exec(text.slice(from));
  if (parts === null) return undefined;
  const [whole, begin = "", middle = "", between = "", again] = parts;
  const cut = Math.max(between.lastIndexOf("<"), between.lastIndexOf("["));
  const tags = { open: between.slice(cut), middle, close: between.slice(0, cut) };
  const end = from + whole.length + tags.close.length;
  const isTagged = cut > 0 && middle !== "" && middle === again && begin.endsWith(tags.open) && text.slice(0, end).endsWith(tags.close);
  return isTagged ? { slot: "arguments", start: from + begin.length - tags.open.length, end, tags } : undefined;
}

/** What stands between two calls of a message, where that is the same between any two. */
function findBetween(render: Render): string | undefined {
  const text = render([question, calling([1, 2, 3])]);
  if (text === undefined) return undefined;
  const calls = [1, 2, 3].map((number) => foundCall(text, number, text.indexOf(callTexts(number).name)));
  const gaps = [0, 1].map((i) => {
    const [end, start] = [calls[i]?.at(-1)?.end, calls[i + 1]?.[0]?.start];
    return end === undefined || start === undefined || start < end ? undefined : text.slice(end, start);
  });
  return gaps[0] === gaps[1] ? gaps[0] : undefined;
}

/**
 * How much of a text stands in front of what the assistant says, which is what stands in front of a plain answer, or the prompt for one. Undefined
 * where it begins with neither: the template writes calls in another place.
 */
function headLength(render: Render, head: string): number | undefined {
  const plain = render([question, { role: "assistant", content: answerText }]);
  const others = [plain?.slice(0, plain.indexOf(answerText)), render([question], true)].filter((text) => text !== undefined);
  const asked = head.indexOf(questionText) + questionText.length;
  const common = others
    .map((other) => ({ length: commonLength(head, other), whole: withoutLastSpace(other) }))
    .filter(({ length }) => length >= asked);
  const lengths = common.filter(({ length, whole }) => length >= whole).map(({ length }) => length);
  return lengths.length === 0 ? undefined : Math.min(...lengths);
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a[length] === b[length]) length++;
  return length;
}

function withoutReasoning(text: string, reasoning: ReasoningFormat | undefined): string {
  const at = reasoning === undefined ? -1 : text.lastIndexOf(reasoning.close);
  const rest = reasoning === undefined || at < 0 ? text : text.slice(at + reasoning.close.length);
  return rest.slice(behindSpace(rest, 0));
}

/** What stands behind the last call, up to what ends the turn. */
function withoutEnd(render: Render, text: string): string {
  const ends = [endOfText, ...turnEndPieces].map((piece) => text.indexOf(piece)).filter((at) => at >= 0);
  const plain = render([question, { role: "assistant", content: answerText }]) ?? "";
  const tail = plain.slice(plain.indexOf(answerText) + answerText.length);
  const end = ends.length > 0 ? Math.min(...ends) : text.endsWith(tail) ? text.length - tail.length : text.length;
  return text.slice(0, withoutLastSpace(text.slice(0, end)));
}

/**
 * What shows that calls begin: the first tag of what stands in front of the name, or else all of it up to where JSON begins. A word of letters
 * alone is none, because content may have it: the brackets behind it belong to the marker then.
 */
function markerOf(before: string): string | undefined {
  const json = /(?:\[\s*)?\{\s*"/.exec(before);
  const text = before.slice(0, withoutLastSpace(before.slice(0, json?.index ?? before.length)));
  if (text === "") return undefined;
  const tag = /^(?:<[^<>\s]+>|\[[A-Z_]+\])/.exec(text)?.[0];
  if (tag !== undefined) return tag;
  return /\w$/.test(text) && json !== null ? before.slice(0, json.index + json[0].length - 1) : text;
}

/** Whether a parser can tell such calls from content: a marker with white space varies, and one whose end is its beginning could overlap itself. */
function isTold({ before, marker }: CallFormat): boolean {
  if (marker === undefined) return before.startsWith("{");
  for (let length = 1; length < marker.length; length++) if (marker.endsWith(marker.slice(0, length))) return false;
  return !/\s/.test(marker);
}
