// A conversation in the terminal: what was said, how answers are drawn, and the words that begin with a slash. It prints by what it is given, and reads nothing.
import { CriaError, check, didYouMean, UsageError } from "../../base/index.ts";
import type { Message } from "../../chat/index.ts";
import { atomicWriteJson, readTextFile } from "../../files/index.ts";
import type { GenerateOptions, Llama } from "../../index.ts";
import type { Flags } from "../command.ts";
import { readSampling, samplingFlags } from "../sampling-flags.ts";

const where = "chat";

/** Where answers go. */
export interface TalkOutput {
  /** A piece of an answer. */
  said(text: string): void;
  /** A piece of what the model thinks before it answers. */
  thought(text: string): void;
  /** A line that is no part of the conversation. */
  told(line: string): void;
}

/** An answer that has ended. */
export interface Answer {
  readonly content: string;
  readonly reasoning: string;
  readonly finishReason: string;
  readonly promptTokens: number;
  readonly tokens: number;
  readonly seconds: number;
}

/** What a line led to: an answer, nothing more than what was told, a mistake that was told, or the end. */
export type Reply =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "told" }
  | { readonly kind: "refused"; readonly problem: string }
  | { readonly kind: "leave" };

/** What is said of each word with a slash. */
const slashes = {
  "/system": "/system [TEXT]       show the system's message, or set it",
  "/save": "/save FILE           write the conversation to a file, as --messages of cria generate reads it",
  "/load": "/load FILE           go on with a conversation from such a file",
  "/retry": "/retry               another answer to the last message",
  "/reset": "/reset               forget what was said, but for the system's message",
  "/set": "/set [NAME VALUE]    show how answers are drawn, or set it: temperature 0.5, top-k 40, max-tokens 200, …",
  "/tokens": "/tokens              how much of the context is used, and how fast the last answer was",
  "/help": "/help                these lines; // begins a message that begins with a slash",
  "/exit": "/exit                leave, as Ctrl-D does",
} as const;

type Slash = keyof typeof slashes;

/** A conversation with a model. */
export class Talk {
  readonly #llama: Llama;
  readonly #output: TalkOutput;
  #messages: Message[] = [];
  #system: string | undefined;
  #flags: Flags;
  #last: Answer | undefined;

  /** @param flags of sampling, and max-tokens, as the command line has them */
  constructor(llama: Llama, output: TalkOutput, flags: Flags, system?: string) {
    [this.#llama, this.#output, this.#flags, this.#system] = [llama, output, flags, system];
  }

  /** Whether the model answers; without a chat template it only continues each text by itself. */
  get chats(): boolean {
    return this.#llama.chatTemplates.length > 0;
  }

  /** Takes a line: a message, or a word with a slash. Its mistakes are told, and the conversation stays as it was. @param signal stops an answer, of which what was written stays */
  async take(line: string, signal: AbortSignal): Promise<Reply> {
    try {
      if (line.startsWith("//")) return await this.#ask(line.slice(1), signal);
      return line.startsWith("/") ? await this.#obey(line.trim(), signal) : await this.#ask(line, signal);
    } catch (error) {
      if (!(error instanceof CriaError)) throw error;
      this.#output.told(error.message);
      return { kind: "refused", problem: error.message };
    }
  }

  async #obey(line: string, signal: AbortSignal): Promise<Reply> {
    const [word = "", rest = ""] = /^(\S+)\s*([\s\S]*)$/.exec(line)?.slice(1) ?? [];
    const acts: Readonly<Record<Slash, () => Promise<Reply | undefined> | Reply | undefined>> = {
      "/system": () => this.#setSystem(rest),
      "/save": () => this.#save(rest),
      "/load": () => this.#load(rest),
      "/retry": () => this.#retry(signal),
      "/reset": () => {
        this.#messages = [];
        this.#output.told("forgotten");
        return undefined;
      },
      "/set": () => this.#set(rest),
      "/tokens": () => this.#tellTokens(),
      "/help": () => {
        for (const help of Object.values(slashes)) this.#output.told(help);
        return undefined;
      },
      "/exit": () => ({ kind: "leave" }),
    };
    const act = Object.entries(acts).find(([name]) => name === word)?.[1];
    if (act === undefined)
      throw new UsageError(where, `${word} is not known${didYouMean(word, Object.keys(slashes)) || ": /help lists what is"}`);
    return (await act()) ?? { kind: "told" };
  }

  #setSystem(text: string): undefined {
    if (text !== "") this.#checkChats("/system");
    if (text !== "") this.#system = text;
    this.#output.told(this.#system === undefined ? "there is no system's message" : `system: ${this.#system}`);
  }

  /** What a model is to answer to needs a template to put it into. */
  #checkChats(word: Slash): void {
    check(this.chats, where, () => `${word}: this model has no chat template, it goes on from each text by itself`);
  }

  async #save(path: string): Promise<undefined> {
    if (path === "") throw new UsageError(where, "/save needs a file's name");
    await atomicWriteJson(path, { messages: this.#withSystem() }, where);
    this.#output.told(`saved in ${path}`);
  }

  async #load(path: string): Promise<undefined> {
    if (path === "") throw new UsageError(where, "/load needs a file's name");
    this.#checkChats("/load");
    const { system, messages } = conversationIn(await readTextFile(path, where), path);
    [this.#system, this.#messages] = [system, messages];
    this.#output.told(`${messages.length} messages from ${path}`);
  }

  async #retry(signal: AbortSignal): Promise<Reply> {
    const last = this.#messages.findLastIndex(({ role }) => role === "user");
    if (last < 0) throw new UsageError(where, "/retry: nothing was said yet");
    const before = this.#messages;
    this.#messages = before.slice(0, last);
    try {
      return await this.#ask(String(before[last]?.content ?? ""), signal);
    } catch (error) {
      this.#messages = before;
      throw error;
    }
  }

  /** A setting is kept only if the sampler takes it. */
  #set(rest: string): undefined {
    const [name = "", value] = rest.split(/\s+/, 2);
    const row = [...samplingFlags, { name: "max-tokens", type: "number" as const }].find((flag) => flag.name === name);
    if (name !== "") {
      if (row === undefined || row.type !== "number")
        throw new UsageError(
          where,
          `${name} is no setting${
            didYouMean(
              name,
              samplingFlags.map((flag) => flag.name),
            ) || ": cria generate --help lists them"
          }`,
        );
      const number = Number(value);
      if (value === undefined || !Number.isFinite(number)) throw new UsageError(where, `${name} is "${value ?? ""}" but must be a number`);
      const flags = { ...this.#flags, [name]: number };
      readSampling(flags, where);
      if (name === "max-tokens" && !(Number.isSafeInteger(number) && number > 0))
        throw new UsageError(where, `max-tokens is ${number} but must be an integer above 0`);
      this.#flags = flags;
    }
    const set = Object.entries(this.#flags).filter(([, one]) => typeof one === "number");
    this.#output.told(set.length === 0 ? "all is as the model has it" : set.map(([key, one]) => `${key} ${one}`).join(", "));
  }

  #tellTokens(): undefined {
    const { contextLength } = this.#llama;
    const last = this.#last;
    const used = last === undefined ? 0 : last.promptTokens + last.tokens;
    const rate =
      last === undefined ? "" : `; the last answer had ${last.tokens} tokens, ${(last.tokens / last.seconds).toFixed(1)} per second`;
    this.#output.told(`${used} of ${contextLength} tokens of context are used${rate}`);
  }

  #withSystem(): Message[] {
    return [...(this.#system === undefined ? [] : [{ role: "system" as const, content: this.#system }]), ...this.#messages];
  }

  /** A message is part of the conversation once the model has begun to answer. */
  async #ask(text: string, signal: AbortSignal): Promise<Reply> {
    const asked: Message[] = [...this.#messages, { role: "user", content: text }];
    const answer = this.chats ? await this.#answer(asked, signal) : await this.#continue(text, signal);
    this.#messages = [...asked, { role: "assistant", content: answer.content }];
    this.#last = answer;
    return { kind: "answer", answer };
  }

  async #answer(asked: readonly Message[], signal: AbortSignal): Promise<Answer> {
    const system = this.#withSystem().slice(0, this.#system === undefined ? 0 : 1);
    const { ids, writing, parser } = this.#llama.openDialogue([...system, ...asked]);
    const reading = parser([]);
    const pieces = this.#llama.pieces(ids, { ...this.#options(signal), ...writing });
    return await this.#told({ promptTokens: ids.length, signal }, pieces, (text, isLast) => [
      ...reading.push(text),
      ...(isLast ? reading.end().parts : []),
    ]);
  }

  async #continue(text: string, signal: AbortSignal): Promise<Answer> {
    const ids = this.#llama.promptIds(text);
    const pieces = this.#llama.pieces(ids, this.#options(signal));
    return await this.#told({ promptTokens: ids.length, signal }, pieces, (more) =>
      more === "" ? [] : [{ type: "content" as const, text: more }],
    );
  }

  #options(signal: AbortSignal): GenerateOptions {
    const { seed: _, ...sampling } = readSampling(this.#flags, where);
    const { seed, "max-tokens": most } = this.#flags;
    return { ...sampling, ...(typeof seed === "number" && { seed }), ...(typeof most === "number" && { maxTokens: most }), signal };
  }

  /** Tells an answer as it comes; one that is stopped ends where it stands. */
  async #told(
    { promptTokens, signal }: { readonly promptTokens: number; readonly signal: AbortSignal },
    pieces: AsyncIterable<{ readonly text: string; readonly finishReason?: string }>,
    partsOf: (text: string, isLast: boolean) => readonly { readonly type: string; readonly text?: string }[],
  ): Promise<Answer> {
    const began = performance.now();
    let [content, reasoning, tokens, finishReason] = ["", "", 0, "stopped"];
    try {
      for await (const { text, finishReason: reason } of pieces) {
        tokens++;
        for (const { type, text: more = "" } of partsOf(text, reason !== undefined)) {
          if (type === "content") this.#output.said(more);
          if (type === "reasoning") this.#output.thought(more);
          if (type === "content") content += more;
          if (type === "reasoning") reasoning += more;
        }
        finishReason = reason ?? finishReason;
      }
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    }
    return { content, reasoning, finishReason, promptTokens, tokens, seconds: (performance.now() - began) / 1000 };
  }
}

/** The system's message and the others of a file. @throws CriaError naming what is wrong with it */
function conversationIn(text: string, path: string): { readonly system: string | undefined; readonly messages: Message[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CriaError(where, `${path} is no JSON: load what /save has written`, { cause });
  }
  const messages = (Array.isArray(value) ? value : (value as { readonly messages?: unknown } | null)?.messages) as unknown;
  if (!Array.isArray(messages)) throw new CriaError(where, `${path} has no list of messages: load what /save has written`);
  for (const [i, message] of messages.entries()) {
    const { role, content } = (message ?? {}) as { readonly role?: unknown; readonly content?: unknown };
    if (!["system", "user", "assistant"].includes(String(role)) || typeof content !== "string")
      throw new CriaError(where, `${path}: messages[${i}] must have a role (system, user or assistant) and content that is text`);
  }
  const known = messages as Message[];
  const system = known[0]?.role === "system" ? String(known[0].content) : undefined;
  return { system, messages: system === undefined ? known : known.slice(1) };
}
