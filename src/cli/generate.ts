// cria generate: a model continues a text, or answers in a chat.
import type { Backend } from "../backend/index.ts";
import { decodeUtf8, type StateDType, stateDTypes, UsageError } from "../base/index.ts";
import { type GenerateOptions, type Grammar, Llama, lookupDraft, type TextPiece } from "../index.ts";
import { contextEnds } from "../infer/index.ts";
import { chatFlags, isChat, readChat } from "./chat-flags.ts";
import type { Command, CommandIo, Flags } from "./command.ts";
import { booleanFlag, oneOfFlag, stringFlag, wholeFlag } from "./flag-values.ts";
import { grammarFlags, readGrammar } from "./grammar-flags.ts";
import { openBackend } from "./open-backend.ts";
import { messagesExample } from "./read-messages.ts";
import { readSampling, samplingFlags } from "./sampling-flags.ts";
import { type Asked, openSession, sessionFlag } from "./session.ts";

const where = "generate";

const usualMaxTokens = 256;

const examples = `\
cria generate runs/demo "Once upon a time"
cria generate hf:HuggingFaceTB/SmolLM2-135M-Instruct "Why is the sky blue?" --chat    # downloaded once, from Hugging Face's hub
cria generate hf:OWNER/NAME@REVISION:FILE "Once upon a time"                           # a branch, tag or commit; a file or folder of it
`;

/** The command `cria generate`. */
export const generate: Command = {
  name: "generate",
  summary: "continue a text with a model (a folder, a GGUF, a llama2.c .bin or hf:owner/name), or answer in a chat",
  usage: 'MODEL "PROMPT"|-|--messages FILE [--chat] [--max-tokens N] [--temperature T] [--seed S] [--json-schema FILE|TEXT] …',
  flags: [
    { name: "max-tokens", type: "number", help: `stop after so many tokens (default: what the model says, else ${usualMaxTokens})` },
    ...samplingFlags,
    { name: "stop", type: "string", repeat: true, help: "stop before this text; may be given several times" },
    {
      name: "context",
      type: "number",
      isLength: true,
      help: "tokens that prompt and text may have together; fewer take less memory (default: the model's)",
    },
    {
      name: "context-end",
      type: "string",
      value: contextEnds.join("|"),
      help: "where prompt and text fill the context: stop there, slide (drop the oldest half and go on), or refuse what might not fit beforehand (default: stop)",
    },
    {
      name: "keep",
      type: "number",
      help: "with --context-end slide, tokens at the beginning that stay (default: 1, mostly begin-of-text)",
    },
    {
      name: "cache",
      type: "string",
      value: stateDTypes.join("|"),
      help: "how keys and values of the text are stored: in 4, 2 or about 1 bytes per number (default: f32)",
    },
    {
      name: "draft",
      type: "string",
      value: "MODEL|lookup",
      help: "a small model of the same tokens that guesses ahead, or lookup, which guesses what the text said before; the text stays the same",
    },
    ...grammarFlags,
    ...chatFlags,
    sessionFlag,
    { name: "special", type: "boolean", help: "special pieces spelled out in the prompt become their ids, as in a rendered chat" },
    {
      name: "tokenizer",
      type: "string",
      help: "a tokenizer's file or folder, in any form, or hf:owner/name, where it is not beside the model",
    },
  ],
  example: { title: "examples, and a file for --messages", text: `${examples}\n${messagesExample}` },
  async run([path, prompt, ...rest], flags, io) {
    if (path === undefined) throw new UsageError(where, "MODEL is missing: name a model's folder or file, or hf:owner/name");
    if (rest.length > 0) throw new UsageError(where, `"${rest[0]}" follows the prompt: put the prompt in quotes`);
    const options = readOptions(flags);
    const grammar = await readGrammar(where, flags);
    const given = await readAsked(prompt, flags, io);
    const start = performance.now();
    await using backend = await openBackend(io);
    await using llama = await load(path, flags, io, backend);
    await using draft = await openDraft(flags, llama, io, backend);
    const loaded = performance.now();
    for (const warning of llama.warnings) io.stderr(`${warning}\n`);
    const { asked, ...session } = await openSession(flags, llama, given, io);
    const { said, promptTokens, pieces } = ask(
      llama,
      asked,
      { ...usualLimit(llama), ...options, ...draft.option, ...(grammar !== undefined && { grammar }), signal: io.signal },
      io,
    );
    const written = await write(pieces, io);
    const kept = await session.save(written);
    const report = {
      ...{ model: path, ...said, promptTokens, ...written },
      ...{ backend: backend.name, seed: options.seed, loadSeconds: seconds(start, loaded), warnings: llama.warnings },
      ...draft.said(),
      ...(kept !== undefined && { session: kept }),
    };
    if (io.json) io.stdout(`${JSON.stringify(report, null, 2)}\n`);
    else {
      tellContextEnd(written, options.maxTokens, llama.contextLength, io);
      if (grammar !== undefined) tellIncomplete(written, grammar, io);
      if (process.stderr.isTTY) io.stderr(`${summary(report)}\n`);
    }
    return 0;
  },
};

interface OpenDraft extends AsyncDisposable {
  readonly option: Pick<GenerateOptions, "draft">;
  /** What the report says of it. */
  said(): Readonly<Record<string, unknown>>;
}

/** Opens what guesses ahead, where something does. */
async function openDraft(flags: Flags, llama: Llama, io: CommandIo, backend: Backend): Promise<OpenDraft> {
  const path = stringFlag(flags, "draft");
  if (path === undefined) return { option: {}, said: () => ({}), async [Symbol.asyncDispose]() {} };
  const small = path === "lookup" ? undefined : await Llama.load(path, { backend, signal: io.signal, onProgress: io.progress });
  const draft = small?.draftFor(llama) ?? lookupDraft();
  return {
    option: { draft },
    said: () => ({ draft: { model: path, proposed: draft.proposed, accepted: draft.accepted } }),
    [Symbol.asyncDispose]: async () => small?.dispose(),
  };
}

async function readAsked(prompt: string | undefined, flags: Flags, io: CommandIo): Promise<Asked> {
  if (isChat(where, flags, prompt)) return readChat(where, flags, io, () => readPrompt(prompt, io));
  return { prompt: await readPrompt(prompt, io) };
}

interface Asking {
  /** What the report says of the prompt or the conversation. */
  readonly said: Readonly<Record<string, unknown>>;
  readonly promptTokens: number;
  readonly pieces: AsyncIterable<TextPiece>;
}

/** Begins the text or the answer. What a template leaves out is told, as the answer knows nothing of it. */
function ask(llama: Llama, asked: Asked, { parseSpecial = false, ...options }: GenerateOptions, io: CommandIo): Asking {
  if ("prompt" in asked) {
    const { prompt, ids = llama.promptIds(prompt, { parseSpecial }) } = asked;
    return { said: { prompt }, promptTokens: ids.length, pieces: llama.pieces(ids, options) };
  }
  const { messages } = asked;
  const { ids, leftOut, template } = llama.renderChat(messages, asked.options);
  for (const i of leftOut) io.stderr(`[${where}] the template leaves messages[${i}] out, whose role is ${messages[i]?.role}\n`);
  const pieces = llama.chatPieces(messages, { ...options, ...asked.options });
  return { said: { messages, template, leftOut }, promptTokens: ids.length, pieces };
}

/** A terminal wants an end, so there is one where the model's makers set none. */
function usualLimit({ defaults }: Llama): GenerateOptions {
  return defaults.maxTokens === undefined && defaults.maxLength === undefined ? { maxTokens: usualMaxTokens } : {};
}

type Options = GenerateOptions & { readonly seed: number };

/** @throws UsageError for a number out of its range, before anything is loaded. */
function readOptions(flags: Flags): Options {
  const stop = (flags.stop ?? []) as readonly string[];
  const [maxTokens] = ["max-tokens", "context"].map((name) => wholeFlag(flags, where, name));
  cacheFlag(flags);
  const contextEnd = oneOfFlag(flags, where, "context-end", contextEnds);
  const contextKeep = wholeFlag(flags, where, "keep", 0);
  if (contextKeep !== undefined && contextEnd !== "slide")
    throw new UsageError(where, "--keep says what stays where the context slides: add --context-end slide, or omit --keep");
  const parseSpecial = booleanFlag(flags, "special");
  return {
    ...readSampling(flags, where),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(stop.length > 0 && { stop }),
    ...(contextEnd !== undefined && { contextEnd }),
    ...(contextKeep !== undefined && { contextKeep }),
    parseSpecial,
  };
}

/** The prompt comes from the command line, or from stdin where it is "-" or piped; the newline that ends what `echo` prints is not part of it. */
async function readPrompt(prompt: string | undefined, io: CommandIo): Promise<string> {
  if (prompt !== undefined && prompt !== "-") return prompt;
  if (prompt === undefined && process.stdin.isTTY)
    throw new UsageError(where, 'the prompt is missing: give one in quotes, "" to start from nothing');
  return decodeUtf8(await io.stdin(), "stdin", where, "convert it first, for example with iconv -t UTF-8").replace(/^\ufeff|\r?\n$/g, "");
}

async function load(path: string, flags: Flags, io: CommandIo, backend: Backend): Promise<Llama> {
  const tokenizer = stringFlag(flags, "tokenizer");
  const contextLength = wholeFlag(flags, where, "context");
  const cacheType = cacheFlag(flags);
  return Llama.load(path, {
    ...{ backend, signal: io.signal, onProgress: io.progress },
    ...(tokenizer !== undefined && { tokenizer }),
    ...(contextLength !== undefined && { contextLength }),
    ...(cacheType !== undefined && { cacheType }),
  });
}

function cacheFlag(flags: Flags): StateDType | undefined {
  const name = stringFlag(flags, "cache");
  const known = stateDTypes.find((dtype) => dtype === name);
  if (name !== undefined && known === undefined) throw new UsageError(where, `--cache is "${name}" but must be ${stateDTypes.join(", ")}`);
  return known;
}

interface Written {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly finishReason: TextPiece["finishReason"];
  /** Tokens that the model saw no more at the end, as the context slid over them. */
  readonly droppedTokens: number;
  /** Seconds until the first token was there. */
  readonly promptSeconds: number;
  /** Seconds from the first token to the last. */
  readonly generationSeconds: number;
}

/** Prints the text as it comes, and ends it with a line end. */
async function write(written: AsyncIterable<TextPiece>, io: CommandIo): Promise<Written> {
  const start = performance.now();
  let first = start;
  const pieces: TextPiece[] = [];
  const print = (text: string) => {
    if (!io.json && text !== "") io.stdout(text);
  };
  try {
    for await (const piece of written) {
      if (pieces.push(piece) === 1) first = performance.now();
      print(piece.text);
    }
  } finally {
    if (
      pieces.length > 0 &&
      !pieces
        .map((piece) => piece.text)
        .join("")
        .endsWith("\n")
    )
      print("\n");
  }
  return {
    text: pieces.map((piece) => piece.text).join(""),
    tokens: pieces.map((piece) => piece.id),
    finishReason: pieces.at(-1)?.finishReason,
    droppedTokens: pieces.reduce((sum, { dropped = 0 }) => sum + dropped, 0),
    promptSeconds: seconds(start, first),
    generationSeconds: seconds(first, performance.now()),
  };
}

/** A text that the context ended looks like any other, and so does one whose beginning the model has forgotten. */
function tellContextEnd(written: Written, asked: number | undefined, contextLength: number, io: CommandIo): void {
  const { tokens, finishReason, droppedTokens } = written;
  if (finishReason === "context")
    io.stderr(
      `note: the text stops after ${tokens.length} tokens${asked === undefined ? "" : `, not ${asked}`}: with its prompt it fills the context of ${contextLength} tokens (--context-end slide goes on)\n`,
    );
  if (droppedTokens > 0)
    io.stderr(
      `note: the context of ${contextLength} tokens was full: ${droppedTokens} tokens were dropped, which the model sees no more\n`,
    );
}

/** A text that was cut looks like any other, but is none of the grammar's. */
function tellIncomplete({ text, finishReason }: Written, grammar: Grammar, io: CommandIo): void {
  if (grammar.accepts(text)) return;
  const why =
    finishReason === "stuck" ? "no token of the model can follow" : "it is cut at its length, which --max-tokens and --context say";
  io.stderr(`note: the text is not complete by its grammar or schema: ${why}\n`);
}

/** How a text ended, as the summary says it. */
const ends: Readonly<Record<NonNullable<TextPiece["finishReason"]>, string>> = {
  length: "cut at the length",
  context: "cut at the context's end",
  stop: "ended by itself",
  stuck: "stopped where no token can follow",
};

function summary({
  promptTokens,
  promptSeconds,
  tokens,
  generationSeconds,
  finishReason,
  seed,
  backend,
}: Written & { readonly promptTokens: number; readonly seed: number; readonly backend: string }): string {
  const rate = (count: number, time: number) => `${count} tokens${count > 0 && time > 0 ? ` at ${(count / time).toPrecision(3)}/s` : ""}`;
  const end = finishReason === undefined ? "ended by itself" : ends[finishReason];
  // The first token belongs to the prompt's run.
  return `prompt ${rate(promptTokens, promptSeconds)} · text ${rate(tokens.length - 1, generationSeconds)}, ${end} · seed ${seed} · ${backend}`;
}

function seconds(from: number, to: number): number {
  return (to - from) / 1000;
}
