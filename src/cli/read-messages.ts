// Conversations and tools in files of JSON, for the commands that take them.
import { decodeUtf8, fail, parseJson } from "../base/index.ts";
import type { Message } from "../chat/index.ts";
import { readTextFile } from "../files/index.ts";
import type { CommandIo } from "./command.ts";

/** What a file of messages may hold beside them. */
export interface GivenChat {
  readonly messages: readonly Message[];
  readonly tools?: readonly unknown[];
  readonly documents?: readonly unknown[];
  readonly variables?: Readonly<Record<string, unknown>>;
}

const keys = ["messages", "tools", "documents", "variables"];

/** How such a file looks, for help. */
export const messagesExample =
  'MESSAGES.json holds a list of messages, or an object with messages, tools, documents and variables of the template:\n  [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]\n';

/** @param file a path, or - for stdin. @throws CriaError when it is no JSON of a list of messages or of an object that has them */
export async function readMessages(where: string, file: string, io: CommandIo): Promise<GivenChat> {
  const name = file === "-" ? "stdin" : file;
  const value = parsed(where, name, file === "-" ? decodeUtf8(await io.stdin(), name, where) : await readTextFile(file, where));
  if (Array.isArray(value)) return { messages: value };
  const given: Partial<GivenChat> = typeof value === "object" && value !== null ? value : {};
  const odd = Object.keys(given).find((key) => !keys.includes(key));
  if (odd !== undefined) fail(where, `${name}: it has ${JSON.stringify(odd)}, but only ${keys.join(", ")} are read: leave it out`);
  return { ...given, messages: given.messages ?? fail(where, `${name}: it has no messages: give a list, or an object with messages`) };
}

/** @throws CriaError when it is no JSON of a list */
export async function readTools(where: string, file: string): Promise<readonly unknown[]> {
  const value = parsed(where, file, await readTextFile(file, where));
  return Array.isArray(value) ? value : fail(where, `${file}: it must hold a list of tools, as OpenAI's protocol describes them`);
}

function parsed(where: string, file: string, text: string): unknown {
  return parseJson(where, `${file}: its text`, text.replace(/^\ufeff/, ""), "correct it there");
}
