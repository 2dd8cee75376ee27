// cria chat: a conversation with a model in the terminal, or line by line through a pipe.
import { createInterface, type Interface } from "node:readline";
import { Readable } from "node:stream";
import { CriaError, type StateDType, stateDTypes, UsageError } from "../base/index.ts";
import { Llama } from "../index.ts";
import { historyPath, mostLines, readHistory, writeHistory } from "./chatting/history.ts";
import { MessageLines } from "./chatting/messages.ts";
import { type Reply, Talk, type TalkOutput } from "./chatting/talk.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { oneOfFlag, stringFlag, wholeFlag } from "./flag-values.ts";
import { openBackend } from "./open-backend.ts";
import { readSampling, samplingFlags } from "./sampling-flags.ts";

const where = "chat";
const [prompt, goesOn] = ["> ", ". "];
/** Milliseconds within which a second Ctrl-C leaves. */
const twiceMs = 2000;

const example = `\
cria chat hf:HuggingFaceTB/SmolLM2-135M-Instruct
cria chat model.gguf --system "You answer in one sentence." --temperature 0.5
printf 'Hello!\\nAnd in French?\\n' | cria chat model.gguf --json      # a message a line in, an answer a line out

A backslash at the end of a line goes on with the message in the next one, and so do lines between """ and """. /help lists what else there is.
`;

/** The command `cria chat`. */
export const chat: Command = {
  name: "chat",
  summary: "talk with a model in the terminal",
  usage: "MODEL [--system TEXT] [--max-tokens N] [--temperature T] …",
  flags: [
    { name: "system", type: "string", help: "what the model is told before the conversation" },
    { name: "max-tokens", type: "number", help: "tokens of an answer at most (default: what the model says, else what the context holds)" },
    ...samplingFlags,
    { name: "context", type: "number", isLength: true, help: "tokens that the conversation may have (default: the model's)" },
    {
      name: "cache",
      type: "string",
      value: stateDTypes.join("|"),
      help: "how keys and values are stored: in 4, 2 or about 1 bytes per number (default: f32)",
    },
    { name: "tokenizer", type: "string", help: "a tokenizer's file or folder, in any form, where it is not beside the model" },
  ],
  example: { title: "examples", text: example },
  async run([path, ...rest], flags, io) {
    if (path === undefined) throw new UsageError(where, "MODEL is missing: name a model's folder or file, or hf:owner/name");
    if (rest.length > 0) throw new UsageError(where, `"${rest[0]}" follows the model: messages come from the terminal or a pipe`);
    readSampling(flags, where);
    await using backend = await openBackend(io);
    await using llama = await Llama.load(path, { ...loadOptions(flags), backend, signal: io.signal, onProgress: io.progress });
    for (const warning of llama.warnings) io.stderr(`${warning}\n`);
    const talk = new Talk(llama, outputFor(io), flags, stringFlag(flags, "system"));
    if (!talk.chats) {
      if (flags.system !== undefined)
        throw new UsageError(where, "--system is given, but this model has no chat template to put it into: leave it out");
      io.stderr("this model has no chat template: it does not answer, it only goes on from each text by itself\n");
    }
    if (io.isTerminal && !io.json) await inTerminal(talk, io);
    else return await throughPipe(talk, io);
    return 0;
  },
};

function loadOptions(flags: Flags) {
  const contextLength = wholeFlag(flags, where, "context");
  const cacheType = oneOfFlag<StateDType>(flags, where, "cache", stateDTypes);
  const tokenizer = stringFlag(flags, "tokenizer");
  return {
    ...(contextLength !== undefined && { contextLength }),
    ...(cacheType !== undefined && { cacheType }),
    ...(tokenizer !== undefined && { tokenizer }),
  };
}

/** Thoughts are grey where there are colours, and go to stderr where stdout is for a program. */
function outputFor({ stdout, stderr, colours, isTerminal, json }: CommandIo): TalkOutput {
  return {
    said: (text) => (json ? undefined : stdout(text)),
    thought: (text) => (json ? undefined : isTerminal ? stdout(colours ? `\u001b[90m${text}\u001b[39m` : text) : stderr(text)),
    told: (line) => (isTerminal && !json ? stdout(`${line}\n`) : stderr(`${line}\n`)),
  };
}

/** What follows an answer: why it ended, where that is not its own end. */
function endOf(reply: Reply): string {
  if (reply.kind !== "answer") return "";
  const notes: Readonly<Record<string, string>> = {
    stopped: " [stopped]",
    length: " [cut: --max-tokens are written]",
    context: " [cut: the context is full, /reset begins anew]",
  };
  return `${notes[reply.answer.finishReason] ?? ""}\n`;
}

/** A message a line; with --json an answer is a line of JSON, and so is what stands in its place. A signal ends it behind what was written. @returns 1 where a line was refused */
async function throughPipe(talk: Talk, io: CommandIo): Promise<number> {
  const lines = createInterface({ input: Readable.from(io.stdinChunks()), crlfDelay: Number.POSITIVE_INFINITY });
  const messages = new MessageLines();
  let code = 0;
  for await (const line of lines) {
    const message = messages.push(line);
    if (message === undefined) continue;
    const reply = await talk.take(message, io.signal);
    if (reply.kind === "leave" || io.signal.aborted) break;
    if (reply.kind === "refused") code = 1;
    if (!io.json) io.stdout(endOf(reply));
    else if (reply.kind === "answer") io.stdout(`${JSON.stringify({ role: "assistant", ...reply.answer })}\n`);
    else if (reply.kind === "refused") io.stdout(`${JSON.stringify({ error: reply.problem })}\n`);
  }
  io.signal.throwIfAborted();
  if (messages.isOpen)
    throw new CriaError(
      where,
      "the input ended inside of a message that goes on: end it, or leave the backslash or the quotation marks out",
    );
  return code;
}

/** The terminal: lines with history, answers as they come. Ctrl-C stops an answer, or what is being typed; a second one leaves. */
async function inTerminal(talk: Talk, io: CommandIo): Promise<void> {
  const path = historyPath();
  const history = await readHistory(path);
  io.signal.throwIfAborted();
  const terminal = createInterface({ input: process.stdin, output: process.stdout, history, historySize: mostLines, prompt });
  const keep = (lines: string[]) => void history.splice(0, history.length, ...lines);
  terminal.on("history", keep);
  const messages = new MessageLines();
  const pressed = new Presses(terminal, messages);
  io.signal.addEventListener("abort", () => terminal.close(), { once: true });
  io.stdout("/help lists what there is beside messages\n");
  terminal.prompt();
  for await (const line of terminal) {
    const message = messages.push(line);
    if (message !== undefined) {
      const reply = await talk.take(message, pressed.begin());
      pressed.end();
      if (reply.kind === "leave") break;
      io.stdout(endOf(reply));
    }
    terminal.setPrompt(messages.isOpen ? goesOn : prompt);
    terminal.prompt();
  }
  terminal.close();
  await writeHistory(path, history);
}

/** What Ctrl-C means at each moment. */
class Presses {
  #answer: AbortController | undefined;
  #last = Number.NEGATIVE_INFINITY;

  constructor(terminal: Interface, messages: MessageLines) {
    terminal.on("SIGINT", () => {
      const now = performance.now();
      const isSecond = now - this.#last < twiceMs;
      this.#last = now;
      if (this.#answer !== undefined && !this.#answer.signal.aborted) return this.#answer.abort();
      if (isSecond) return terminal.close();
      messages.drop();
      process.stdout.write("\n(Ctrl-C once more leaves)\n");
      terminal.setPrompt(prompt);
      terminal.write(null, { ctrl: true, name: "u" });
      terminal.prompt();
    });
  }

  /** An answer begins, which the next Ctrl-C stops. */
  begin(): AbortSignal {
    this.#answer = new AbortController();
    return this.#answer.signal;
  }

  end(): void {
    this.#answer = undefined;
  }
}
