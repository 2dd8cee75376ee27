// A model's chat templates and the ids that end a turn, from wherever they stand beside its tokenizer.
import { readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { CriaError } from "../base/index.ts";
import type { ChatTemplate, ChatTemplates } from "../chat/index.ts";
import { openFile } from "../files/index.ts";
import { type ChatSources, ggufChatSources, readChatTemplates, readEndIds, readGgufMetadata } from "../formats/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { findTokenizer, isConfigured, isFolder, isGguf, type OnWarning } from "./open-tokenizer.ts";
import { readBeside, readTextBeside } from "./read-beside.ts";

export interface OpenChat {
  /** The one without a name is "default". Empty where the model has none. */
  readonly templates: ChatTemplates;
  /** All ids that end a turn. */
  readonly endOfTurn: readonly number[];
}

export interface OpenChatOptions {
  /** Tokens of the model. @default as many as the tokenizer has */
  readonly modelSize?: number;
  /** Ids that the model's files name as ends of a text. */
  readonly namedEnds?: readonly number[];
  /** The model's folder, whose templates count where there are none beside a tokenizer that lies elsewhere. */
  readonly modelFolder?: string | undefined;
  /** Hears of templates that cannot be read. */
  readonly onWarning?: OnWarning | undefined;
}

/**
 * The chat templates of the model whose tokenizer is at a path, a folder or a file: a GGUF's own, else of chat_template.jinja and
 * additional_chat_templates/, else of tokenizer_config.json. A template that is not in Jinja's language, or in a part of it that is not supported, does
 * not stand in the way of a model that continues texts: its error is thrown where it is chosen.
 * @throws CriaError where a file is damaged, or a template writes a token that the model lacks
 */
export async function openChat(
  path: string,
  tokenizer: Tokenizer,
  { modelSize = tokenizer.vocabSize, namedEnds = [], modelFolder, onWarning = () => undefined }: OpenChatOptions = {},
): Promise<OpenChat> {
  const chat = await import("../chat/index.ts"); // 15 ms that programs which only train need not spend
  const sources = await readSources(path, modelFolder);
  const templates = new Map(
    [...sources.templates].map(([name, source]) => [
      name,
      readTemplate(chat.parseChatTemplate, source, `${sources.name}: the chat template ${name}`),
    ]),
  );
  const readable: ChatTemplate[] = [];
  for (const template of templates.values())
    if (template instanceof CriaError) onWarning(`${template.message}: the model continues texts, but renders no chat by this template`);
    else readable.push(template);
  for (const template of readable) chat.checkChatFits(template, tokenizer, modelSize);
  const named = [...namedEnds, ...sources.endIds];
  return { templates, endOfTurn: chat.endOfTurnIds(tokenizer, { named, templates: readable, modelSize }) };
}

function readTemplate(parse: (source: string, name: string) => ChatTemplate, source: string, name: string): ChatTemplate | CriaError {
  try {
    return parse(source, name);
  } catch (error) {
    if (error instanceof CriaError) return error;
    throw error;
  }
}

/** What stands beside the tokenizer, and templates of the model's folder where there are none. */
async function readSources(path: string, modelFolder: string | undefined): Promise<ChatSources & { readonly name: string }> {
  const file = (await isFolder(path)) ? await findTokenizer(path) : path;
  const own = (await isGguf(file))
    ? await readGguf(file)
    : isConfigured(file)
      ? await readFolder(dirname(file))
      : { templates: new Map(), endIds: [] };
  if (own.templates.size > 0 || modelFolder === undefined || resolve(modelFolder) === resolve(dirname(file))) return { ...own, name: file };
  return { ...own, templates: (await readFolder(modelFolder)).templates, name: modelFolder };
}

async function readGguf(path: string): Promise<ChatSources> {
  await using file = await openFile(path, "model");
  return ggufChatSources((await readGgufMetadata(file)).pairs, path);
}

async function readFolder(folder: string): Promise<ChatSources> {
  const config = join(folder, "tokenizer_config.json");
  const said = readChatTemplates((await readBeside(config))?.chat_template, config);
  const alone = await readTextBeside(join(folder, "chat_template.jinja"));
  const more = await readMore(join(folder, "additional_chat_templates"));
  const ends = ["generation_config.json", "config.json"].map(async (name) =>
    readEndIds(join(folder, name), (await readBeside(join(folder, name))) ?? {}),
  );
  return {
    templates:
      alone === undefined && more.length === 0 ? said : new Map([...(alone === undefined ? said : [["default", alone] as const]), ...more]),
    endIds: (await Promise.all(ends)).flat(),
  };
}

async function readMore(folder: string): Promise<[string, string][]> {
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith(".jinja")).sort();
  return Promise.all(
    files.map(async (name): Promise<[string, string]> => [name.slice(0, -6), (await readTextBeside(join(folder, name))) ?? ""]),
  );
}
