// A model's text as it arrives → reasoning, content and calls. However the text is cut into pieces, what comes of it is the same.
import { isObject, StopFilter } from "../base/index.ts";
import { type ArgumentsPart, beginOfCalls, type CallPart, CallReader, type CallReading } from "./call-reader.ts";
import { behindSpace, endOfLiteral, withoutLastSpace } from "./literal.ts";
import type { ReasoningFormat } from "./output-format.ts";

/** Some more of a message. Joined, the texts of a kind are what the message has of it. */
export type DialoguePart =
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "content"; readonly text: string }
  | CallPart
  | ArgumentsPart;

/** The end of a message. */
export interface DialogueEnd {
  readonly parts: readonly DialoguePart[];
  /** Whether the message calls tools; where its text was cut by its length, the last call may not be whole. */
  readonly finishReason: "stop" | "tool_calls";
}

/** Reads one message. */
export interface DialogueParser {
  push(text: string): readonly DialoguePart[];
  /** Whether a stop string came: nothing behind it is read. */
  readonly isStopped: boolean;
  /** Which of them; undefined where none came. */
  readonly stopString: string | undefined;
  /** What was held back, and how the message ends. */
  end(): DialogueEnd;
}

/** What a parser looks for. */
export interface ParserOptions {
  readonly reasoning: ReasoningFormat | undefined;
  /** Whether the prompt ended inside of reasoning, outside of it, or the model may begin with it. */
  readonly start: "reasoning" | "content" | "either";
  readonly calls: CallReading | undefined;
  /** Whether a grammar holds the text to the form of calls: parts of a call come before it is whole then. */
  readonly isSure: boolean;
  /** Strings that end the message where its content has them; they are not part of it. */
  readonly stop: readonly string[];
}

/** "answer" is what follows reasoning, "text" is content in which nothing is looked for. */
type Stage = "start" | "reasoning" | "answer" | "content" | "calls" | "text";

/** A parser by the forms of a template's model. */
export class MessageParser implements DialogueParser {
  readonly #options: ParserOptions;
  #stage: Stage;
  /** What is not settled yet. */
  #held = "";
  /** White space that is the text's own only if more of it follows. */
  #space = "";
  /** Whether white space is left out until a text begins. */
  #isFresh: boolean;
  #reader: CallReader | undefined;
  /** The text of a call that is not whole, and what would come of it. */
  #raw = "";
  #waiting: (CallPart | ArgumentsPart)[] = [];
  #count = 0;
  readonly #stops: StopFilter;
  #isStopped = false;
  #out: DialoguePart[] = [];

  constructor(options: ParserOptions) {
    this.#options = options;
    this.#stops = new StopFilter(options.stop);
    const mayReason = options.reasoning !== undefined && options.start !== "content";
    this.#stage = mayReason ? "start" : "answer";
    this.#isFresh = mayReason && options.start === "reasoning";
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  get stopString(): string | undefined {
    return this.#stops.found;
  }

  push(text: string): readonly DialoguePart[] {
    this.#held += text;
    while (!this.#isStopped && this.#step(false)) {}
    return this.#given();
  }

  end(): DialogueEnd {
    while (!this.#isStopped && this.#step(true)) {}
    this.#endContent();
    return { parts: this.#given(), finishReason: this.#count > 0 ? "tool_calls" : "stop" };
  }

  #given(): readonly DialoguePart[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** @returns whether something is to be looked at once more */
  #step(isEnd: boolean): boolean {
    switch (this.#stage) {
      case "start":
        return this.#start(isEnd);
      case "reasoning":
        return this.#reasoning(isEnd);
      case "answer":
        return this.#answer(isEnd);
      case "content":
        return this.#content(isEnd);
      case "calls":
        return this.#calls(isEnd);
      case "text":
        return this.#text();
      default:
        return this.#stage satisfies never;
    }
  }

  #go(stage: Stage, from: number): true {
    this.#stage = stage;
    this.#held = this.#held.slice(from);
    return true;
  }

  /** A model may write the mark that opens its reasoning where the prompt ends with that mark, too. */
  #start(isEnd: boolean): boolean {
    const { reasoning, start } = this.#options;
    const at = behindSpace(this.#held, 0);
    const end = endOfLiteral(reasoning?.open ?? "", this.#held, at);
    if ((at === this.#held.length || end === "cut") && !isEnd) return false;
    if (typeof end === "number") {
      this.#begin();
      return this.#go("reasoning", end);
    }
    return start === "reasoning" ? this.#go("reasoning", 0) : this.#go("answer", 0);
  }

  #reasoning(isEnd: boolean): boolean {
    const close = this.#options.reasoning?.close ?? "";
    const found = this.#held.indexOf(close);
    const isClosed = found >= 0;
    const end = isClosed ? found : this.#certain(isEnd, [close]);
    this.#say("reasoning", this.#held.slice(0, end));
    if (isClosed || isEnd) this.#begin();
    if (isClosed) return this.#go("answer", found + close.length);
    this.#held = this.#held.slice(end);
    return false;
  }

  /** Calls without a marker are told here or nowhere: they are a message's first text. */
  #answer(isEnd: boolean): boolean {
    const { calls } = this.#options;
    if (calls === undefined) return this.#go("text", 0);
    if (calls.format.marker !== undefined) return this.#go("content", 0);
    const at = behindSpace(this.#held, 0);
    const begins = at === this.#held.length ? "cut" : beginOfCalls(calls, this.#held, at);
    if (begins === "cut" && !isEnd) return false;
    return typeof begins === "number" ? this.#callsFrom(begins) : this.#go("text", 0);
  }

  #content(isEnd: boolean): boolean {
    const marker = this.#options.calls?.format.marker ?? "";
    const found = this.#held.indexOf(marker);
    const end = found >= 0 ? found : this.#certain(isEnd, [marker]);
    this.#say("content", this.#held.slice(0, end));
    this.#held = this.#held.slice(end);
    if (found >= 0) return this.#callsFrom(0);
    if (isEnd && this.#count === 0) this.#giveSpace("content");
    return false;
  }

  #callsFrom(at: number): true {
    const { calls } = this.#options;
    if (calls !== undefined) this.#reader = new CallReader(calls, this.#count);
    this.#raw = this.#held.slice(0, at);
    return this.#go("calls", at);
  }

  #calls(isEnd: boolean): boolean {
    const reader = this.#reader;
    if (reader === undefined) return this.#go("text", 0);
    const { taken, parts, state } = reader.read(this.#held);
    this.#raw += this.#held.slice(0, taken);
    this.#held = this.#held.slice(taken);
    this.#waiting.push(...parts);
    if (this.#options.isSure) this.#settle();
    switch (state) {
      case "whole":
        if (!this.#options.isSure && !isObjectText(argumentsIn(this.#waiting))) return this.#giveUp();
        this.#settle();
        this.#raw = "";
        return true;
      case "over":
        this.#raw = "";
        return this.#behindCalls();
      case "broken":
        return this.#giveUp();
      case "open":
        if (isEnd && reader.mayEnd(this.#held)) this.#held = "";
        // What came of a call that was given out is no content, wherever it was cut.
        if (isEnd && this.#options.isSure && reader.isInCall) [this.#raw, this.#held] = ["", ""];
        return isEnd && (this.#held !== "" || this.#raw !== "") ? this.#giveUp() : false;
      default:
        return state satisfies never;
    }
  }

  /** Gives out what waited: it is of a call. */
  #settle(): void {
    if (this.#waiting.length === 0) return;
    this.#endContent();
    this.#count += this.#waiting.filter(({ type }) => type === "call").length;
    this.#out.push(...this.#waiting);
    this.#waiting = [];
    this.#raw = "";
    this.#space = "";
  }

  #behindCalls(): true {
    this.#reader = undefined;
    this.#begin();
    return this.#go(this.#options.calls?.format.marker === undefined ? "text" : "content", 0);
  }

  /** What was taken for a call is content, and calls may begin behind its marker. */
  #giveUp(): true {
    const marker = this.#options.calls?.format.marker ?? "";
    const all = this.#raw + this.#held;
    const behind = this.#reader?.endOfWhole(all);
    if (behind !== undefined) this.#begin();
    const text = all.slice(behind ?? 0);
    const skipped = text.startsWith(marker) ? marker : "";
    this.#raw = "";
    this.#waiting = [];
    this.#say("content", skipped);
    this.#held = text.slice(skipped.length);
    this.#reader = undefined;
    return this.#go(marker === "" ? "text" : "content", 0);
  }

  #text(): boolean {
    this.#say("content", this.#held);
    this.#giveSpace("content");
    this.#held = "";
    return false;
  }

  /** How much of the held text begins none of the marks. */
  #certain(isEnd: boolean, marks: readonly string[]): number {
    return isEnd ? this.#held.length : this.#held.length - undecided(this.#held, marks);
  }

  /** Text begins anew: white space in front of it is left out. */
  #begin(): void {
    this.#isFresh = true;
    this.#space = "";
  }

  /** White space at the end waits for what follows it. */
  #say(type: "reasoning" | "content", text: string): void {
    const from = this.#isFresh ? behindSpace(text, 0) : 0;
    const end = withoutLastSpace(text);
    if (end <= from) {
      if (!this.#isFresh) this.#space += text;
      return;
    }
    this.#isFresh = false;
    this.#giveSpace(type);
    this.#give(type, text.slice(from, end));
    this.#space = text.slice(end);
  }

  #giveSpace(type: "reasoning" | "content"): void {
    this.#give(type, this.#space);
    this.#space = "";
  }

  #give(type: "reasoning" | "content", text: string): void {
    const found = type === "content" ? this.#stops.push(text) : { text, stopped: false };
    if (found.text !== "" && !this.#isStopped) this.#out.push({ type, text: found.text });
    this.#isStopped ||= found.stopped;
  }

  /** What seemed to begin a stop string is content after all. */
  #endContent(): void {
    const text = this.#isStopped ? "" : this.#stops.flush();
    if (text !== "") this.#out.push({ type: "content", text });
  }
}

/** The length of the longest end of a text that begins one of the marks. */
function undecided(text: string, marks: readonly string[]): number {
  const longest = Math.max(...marks.map((mark) => mark.length - 1));
  for (let length = Math.min(longest, text.length); length > 0; length--)
    if (marks.some((mark) => mark.startsWith(text.slice(text.length - length)))) return length;
  return 0;
}

function argumentsIn(parts: readonly (CallPart | ArgumentsPart)[]): string {
  return parts.map((part) => (part.type === "arguments" ? part.text : "")).join("");
}

function isObjectText(text: string): boolean {
  try {
    return isObject(JSON.parse(text));
  } catch {
    return false;
  }
}
