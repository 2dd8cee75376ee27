// Reads the calls of a message as their text arrives.
import { JsonExtent } from "./json-extent.ts";
import { behindSpace, endOfAny, endOfLiteral } from "./literal.ts";
import { beginsOf, type CallFormat } from "./output-format.ts";
import { nameCharacters } from "./request.ts";

/** A call's beginning: its place among the message's calls, an id of its own, and the tool's name. */
export interface CallPart {
  readonly type: "call";
  readonly index: number;
  readonly id: string;
  readonly name: string;
}

/** Some more of a call's arguments, which are JSON when they are joined. */
export interface ArgumentsPart {
  readonly type: "arguments";
  readonly index: number;
  readonly text: string;
}

/** What reads the arguments of one call and gives them as JSON. */
export interface ArgumentsReader {
  /** The place up to which a text was read, and the JSON that came of it; undefined where it holds no arguments. */
  read(text: string, start: number): { readonly end: number; readonly json: string; readonly isWhole: boolean } | undefined;
}

/** How calls are read. */
export interface CallReading {
  readonly format: CallFormat;
  /** What reads the arguments of a tool; undefined for the names of others, whose calls are none. */
  readonly argumentsOf: (tool: string) => ArgumentsReader | undefined;
  readonly newId: () => string;
}

/** What became of a text. */
export interface CallsRead {
  /** The place up to which it was read. */
  readonly taken: number;
  readonly parts: readonly (CallPart | ArgumentsPart)[];
  /** More is needed; a call is whole, and what is behind it was not looked at; the calls are over; or this is none. */
  readonly state: "open" | "whole" | "over" | "broken";
}

const longestName = 128;
const nameRun = new RegExp(`[${nameCharacters}]*`, "y");
const idRun = /[A-Za-z0-9_-]*/y;

/** What one step found: it leads to the next one, or it ends the reading for now. */
interface Step {
  readonly end: number;
  readonly parts: readonly (CallPart | ArgumentsPart)[];
  readonly state: "next" | "open" | "over";
}

/** Reads calls one after the other, from what begins them on. */
export class CallReader {
  readonly #reading: CallReading;
  /** 0 in front of the first call, odd in a slot, even behind one. */
  #step = 0;
  /** The number of the call that is being read. */
  #index: number;
  #hasWhole = false;
  #arguments: ArgumentsReader | undefined;
  #isNamed = false;

  /** @param first the number of the first call */
  constructor(reading: CallReading, first: number) {
    this.#reading = reading;
    this.#index = first - 1;
  }

  /** @param text from the last place on that was taken */
  read(text: string): CallsRead {
    const parts: (CallPart | ArgumentsPart)[] = [];
    for (let taken = 0; ; ) {
      const step = this.#step % 2 === 1 ? this.#slot(text, taken) : this.#literal(text, taken);
      if (step === undefined) return { taken, parts, state: "broken" };
      parts.push(...step.parts);
      taken = step.end;
      if (step.state !== "next") return { taken, parts, state: step.state };
      this.#step++;
      if (this.#step !== this.#behind) continue;
      this.#hasWhole = true;
      this.#isNamed = false;
      return { taken, parts, state: "whole" };
    }
  }

  /** Whether a call's name was read, but not all of its arguments. */
  get isInCall(): boolean {
    return this.#isNamed;
  }

  /** Whether calls that are whole may end with this text, which is what was not taken. */
  mayEnd(text: string): boolean {
    const { between = "", after } = this.#reading.format;
    return this.#step === this.#behind && (endOfLiteral(after, text, 0) === text.length || endOfLiteral(between, text, 0) === "cut");
  }

  /** The step behind a call's last slot. */
  get #behind(): number {
    return 2 * this.#reading.format.slots.length;
  }

  /** The place behind what ends calls that are whole, if a text that was taken for more of them begins so. */
  endOfWhole(text: string): number | undefined {
    const end = this.#hasWhole ? endOfLiteral(this.#reading.format.after, text, 0) : undefined;
    return end === "cut" ? undefined : end;
  }

  #literal(text: string, start: number): Step | undefined {
    const { format } = this.#reading;
    if (this.#step === this.#behind) return this.#between(text, start);
    const literals = this.#step === 0 ? beginsOf(format) : [format.within[this.#step / 2 - 1]!];
    return stepTo(endOfAny(literals, text, start), start, "next");
  }

  /** What leads to the next call may begin as what ends the last one does: it is looked for first. */
  #between(text: string, start: number): Step | undefined {
    const { between, after } = this.#reading.format;
    const next = between === undefined ? undefined : endOfLiteral(between, text, start);
    if (next === undefined) return stepTo(endOfLiteral(after, text, start), start, "over");
    if (next !== "cut") this.#step = 0;
    return stepTo(next, start, "next");
  }

  #slot(text: string, start: number): Step | undefined {
    const slot = this.#reading.format.slots[(this.#step - 1) / 2];
    if (slot === "name") return this.#name(text, start);
    return slot === "id" ? skippedId(text, start) : this.#value(text, start);
  }

  /** White space at the end of the literal before may still have come. */
  #name(text: string, from: number): Step | undefined {
    const start = behindSpace(text, from);
    const end = endOfRun(nameRun, text, start);
    if (end - start > longestName) return undefined;
    if (end === text.length) return { end: start, parts: [], state: "open" };
    const name = text.slice(start, end);
    this.#arguments = this.#reading.argumentsOf(name);
    if (this.#arguments === undefined) return undefined;
    this.#index++;
    this.#isNamed = true;
    return { end, parts: [{ type: "call", index: this.#index, id: this.#reading.newId(), name }], state: "next" };
  }

  #value(text: string, start: number): Step | undefined {
    const found = this.#arguments?.read(text, start);
    if (found === undefined) return undefined;
    const parts: ArgumentsPart[] = found.json === "" ? [] : [{ type: "arguments", index: this.#index, text: found.json }];
    return { end: found.end, parts, state: found.isWhole ? "next" : "open" };
  }
}

function stepTo(end: number | "cut" | undefined, start: number, state: Step["state"]): Step | undefined {
  if (end === undefined) return undefined;
  return end === "cut" ? { end: start, parts: [], state: "open" } : { end, parts: [], state };
}

/** The model's own id of a call comes behind what was given out already, so that it is passed over. */
function skippedId(text: string, start: number): Step {
  const end = endOfRun(idRun, text, behindSpace(text, start));
  return { end, parts: [], state: end === text.length ? "open" : "next" };
}

function endOfRun(run: RegExp, text: string, start: number): number {
  run.lastIndex = start;
  return start + (run.exec(text)?.[0].length ?? 0);
}

/** Arguments as an object of JSON, white space in front of it left out. */
export class JsonArguments implements ArgumentsReader {
  readonly #extent = new JsonExtent();
  #hasBegun = false;

  read(text: string, start: number): ReturnType<ArgumentsReader["read"]> {
    const from = this.#hasBegun ? start : behindSpace(text, start);
    const found = this.#extent.take(text, from);
    if (found === undefined) return undefined;
    this.#hasBegun ||= found.end > from;
    return { ...found, json: text.slice(from, found.end) };
  }
}

/** The place from which calls without a marker are read, if they begin at a place of a text; "cut" where more of it must be seen. */
export function beginOfCalls({ format, argumentsOf }: CallReading, text: string, start: number): number | "cut" | undefined {
  const { prefix, within } = format;
  const behindPrefix = prefix === undefined ? undefined : endOfLiteral(prefix, text, start);
  if (behindPrefix !== undefined)
    return behindPrefix === "cut" || behindSpace(text, behindPrefix) === text.length ? "cut" : behindSpace(text, behindPrefix);
  const name = endOfAny(beginsOf(format), text, start);
  if (name === "cut" || name === undefined) return name;
  const end = endOfRun(nameRun, text, name);
  if (end === text.length) return "cut";
  const isCall = argumentsOf(text.slice(name, end)) !== undefined && within[0]?.[0] === text[end];
  return isCall ? start : undefined;
}
