// The flags of a command that asks a model in a chat instead of having it continue a text.
import { UsageError } from "../base/index.ts";
import type { Message } from "../chat/index.ts";
import type { RenderOptions } from "../index.ts";
import type { CommandIo, FlagRow, Flags } from "./command.ts";
import { booleanFlag, stringFlag } from "./flag-values.ts";
import { readMessages, readTools } from "./read-messages.ts";

/** Flags of commands that ask a model in a chat. */
export const chatFlags: readonly FlagRow[] = [
  {
    name: "chat",
    type: "boolean",
    help: "the prompt is a user's message: the model's chat template renders it, and the answer ends with the turn",
  },
  { name: "system", type: "string", help: "the system's message before the prompt of --chat" },
  { name: "messages", type: "string", value: "FILE", help: "a conversation in JSON to answer, or - for stdin, instead of a prompt" },
  {
    name: "template",
    type: "string",
    value: "NAME",
    help: "which of the model's chat templates; by default tool_use where there are tools, else default",
  },
  { name: "tools", type: "string", value: "FILE", help: "a list of tools in JSON, as OpenAI's protocol describes them, for chats" },
];

/** A conversation to answer, and how it is rendered. */
export interface AskedChat {
  readonly messages: readonly Message[];
  readonly options: RenderOptions;
}

/** Whether the flags ask for a chat. @throws UsageError for flags that do not go together, before anything is read */
export function isChat(where: string, flags: Flags, prompt: string | undefined): boolean {
  const [file, asks] = [stringFlag(flags, "messages"), booleanFlag(flags, "chat")];
  const alone = ["system", "template", "tools"].find((name) => flags[name] !== undefined);
  if (file === undefined && !asks && alone !== undefined)
    throw new UsageError(where, `--${alone} is for chats: give --chat or --messages FILE too`);
  if (file !== undefined && prompt !== undefined)
    throw new UsageError(where, `"${prompt}" is given beside --messages ${file}: put it into that file as the last message`);
  if (file !== undefined && flags.system !== undefined)
    throw new UsageError(where, `--system is given beside --messages ${file}: put it into that file as the first message`);
  if ((file !== undefined || asks) && flags.special === true)
    throw new UsageError(where, "--special is for prompts that are continued: in a chat the template alone writes special pieces");
  return file !== undefined || asks;
}

/** @param readPrompt gives the user's message where there is no file of messages. @throws CriaError when a file is not as it must be */
export async function readChat(where: string, flags: Flags, io: CommandIo, readPrompt: () => Promise<string>): Promise<AskedChat> {
  const [file, toolsFile] = [stringFlag(flags, "messages"), stringFlag(flags, "tools")];
  const [system, template] = [stringFlag(flags, "system"), stringFlag(flags, "template")];
  const before: readonly Message[] = system === undefined ? [] : [{ role: "system", content: system }];
  const given =
    file === undefined
      ? { messages: [...before, { role: "user", content: await readPrompt() } as const] }
      : await readMessages(where, file, io);
  const { messages, ...options } = given;
  if (toolsFile === undefined) return { messages, options: { ...options, template } };
  if ("tools" in options) throw new UsageError(where, `--tools ${toolsFile} is given, and ${file} has tools: give one of them`);
  return { messages, options: { ...options, template, tools: await readTools(where, toolsFile) } };
}
