// A text or chat that a file keeps from one call of `cria generate` to the next: what was said, and what the model has computed of it.
import { access } from "node:fs/promises";
import { fail, isObject, UsageError } from "../base/index.ts";
import type { Message } from "../chat/index.ts";
import type { Llama, RestoredText } from "../index.ts";
import type { AskedChat } from "./chat-flags.ts";
import type { CommandIo, FlagRow, Flags } from "./command.ts";
import { booleanFlag, stringFlag } from "./flag-values.ts";

const where = "generate";

/** The flag that names the file. */
export const sessionFlag: FlagRow = {
  name: "session",
  type: "string",
  value: "FILE",
  help: 'go on from the text or chat in this file, where it is there, and save it there when the answer has ended; a prompt of "" goes on at once',
};

/** What a model is asked: to go on from a text, which may be ids, or to answer in a chat. */
export type Asked = { readonly prompt: string; readonly ids?: readonly number[] | Uint32Array } | AskedChat;

/** What a model has written. */
interface Written {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly finishReason?: string | undefined;
}

/** What the report says of a session. */
interface Kept {
  readonly path: string;
  /** Tokens that the file had, and those of them that need not be computed again. */
  readonly foundTokens: number;
  readonly restoredTokens: number;
  readonly savedTokens: number;
}

interface OpenSession {
  /** What is asked, what the file has in front of it. */
  readonly asked: Asked;
  /** Saves all of it with the answer. */
  save(written: Written): Promise<Kept | undefined>;
}

/** A text, and whether special pieces that are spelled out in it are their ids. */
interface TextNote {
  readonly text: string;
  readonly parseSpecial: boolean;
}

/** What the file has beside the tokens. */
type Note = TextNote | { readonly messages: readonly Message[] };

/** Opens the file that the flags name, and tells what was found. @throws CriaError where it holds another kind of text, or does not fit the model */
export async function openSession(flags: Flags, llama: Llama, asked: Asked, io: CommandIo): Promise<OpenSession> {
  const path = stringFlag(flags, "session");
  if (path === undefined) return { asked, save: async () => undefined };
  checkFlags(flags);
  const parseSpecial = booleanFlag(flags, "special");
  const found = (await isThere(path)) ? await llama.restore(path) : undefined;
  tell(path, found, io);
  const whole = found === undefined ? asked : following(path, found, asked, flags);
  return {
    asked: whole,
    save: async (written) => {
      const { ids, note } = toSave(llama, whole, written, parseSpecial);
      const saved = Array.from(ids).slice(0, llama.contextLength); // the last token may have been drawn at the context's end, and is not read
      await llama.save(path, saved, { note, signal: io.signal });
      return { path, foundTokens: found?.ids.length ?? 0, restoredTokens: found?.restoredTokens ?? 0, savedTokens: saved.length };
    },
  };
}

function checkFlags(flags: Flags): void {
  if (flags["context-end"] === "slide")
    throw new UsageError(where, "--session keeps a text from its beginning, which --context-end slide drops: omit one of them");
  if (flags.messages !== undefined)
    throw new UsageError(where, "--session keeps the conversation, and --messages gives another one: give the next message with --chat");
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function tell(path: string, found: RestoredText | undefined, io: CommandIo): void {
  if (found === undefined) return io.stderr(`session ${path}: it is not there yet, and begins\n`);
  const { ids, restoredTokens, target } = found;
  const rest = ids.length - restoredTokens;
  const again = rest === 0 ? "nothing is computed again" : `${rest} are computed again, as ${target} has computed them or memory was short`;
  io.stderr(`session ${path}: ${ids.length} tokens found, ${again}\n`);
}

/** What was said before, and what is asked now behind it. */
function following(path: string, { ids, note }: RestoredText, asked: Asked, flags: Flags): Asked {
  const before = readNote(path, note);
  if ("text" in before) {
    if (!("prompt" in asked)) return fail(where, `${path} holds a text and no chat: omit --chat, or name another file`);
    checkSpecial(path, before, booleanFlag(flags, "special"));
    return asked.prompt === "" ? { prompt: before.text, ids } : { prompt: before.text + asked.prompt };
  }
  if ("prompt" in asked) return fail(where, `${path} holds a chat: add --chat, or name another file`);
  if (flags.system !== undefined)
    throw new UsageError(
      where,
      `--system stands at a chat's beginning, and ${path} holds one that has begun: omit it, or name another file`,
    );
  return { ...asked, messages: [...before.messages, ...asked.messages] };
}

/** The text is encoded again with what follows, and would become other ids. */
function checkSpecial(path: string, before: TextNote, parseSpecial: boolean): void {
  if (before.parseSpecial && !parseSpecial)
    throw new UsageError(where, `${path} holds a text that was begun with --special: add it, or name another file`);
  if (!before.parseSpecial && parseSpecial)
    throw new UsageError(where, `--special is given, and ${path} holds a text that was begun without it: omit it, or name another file`);
}

function readNote(path: string, note: unknown): Note {
  if (isObject(note) && typeof note.text === "string") return { text: note.text, parseSpecial: note.parseSpecial === true };
  if (isObject(note) && Array.isArray(note.messages)) return { messages: note.messages };
  return fail(where, `${path} holds what another program saved, and neither a text nor a chat of this command's: name another file`);
}

/** All that was said, and its ids: those that were drawn, so that the text goes on as if it had not ended, unless something else than a length ended it. */
function toSave(
  llama: Llama,
  asked: Asked,
  { text, tokens, finishReason }: Written,
  parseSpecial: boolean,
): { readonly ids: ArrayLike<number>; readonly note: Note } {
  if ("messages" in asked) {
    const messages: readonly Message[] = [...asked.messages, { role: "assistant", content: text }];
    return { ids: llama.renderChat(messages, { ...asked.options, addGenerationPrompt: false }).ids, note: { messages } };
  }
  const { prompt, ids = llama.promptIds(prompt, { parseSpecial }) } = asked;
  const whole = prompt + text;
  const isDrawn = finishReason === "length" || finishReason === "context";
  return { ids: isDrawn ? [...Array.from(ids), ...tokens] : llama.promptIds(whole, { parseSpecial }), note: { text: whole, parseSpecial } };
}
