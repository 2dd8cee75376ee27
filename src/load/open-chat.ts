// A model's chat templates and the ids that end a turn, from wherever they stand beside its tokenizer.
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ChatTemplate } from "../chat/index.ts";
import { openFile } from "../files/index.ts";
import { type ChatSources, ggufChatSources, readChatTemplates, readEndIds, readGgufMetadata } from "../formats/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { findTokenizer, isFolder, isGguf } from "./open-tokenizer.ts";
import { readBeside, readTextBeside } from "./read-beside.ts";

export interface OpenChat {
  /** By name; the one without a name is "default". Empty where the model has none. */
  readonly templates: ReadonlyMap<string, ChatTemplate>;
  /** All ids that end a turn. */
  readonly endOfTurn: readonly number[];
}

export interface OpenChatOptions {
  /** Tokens of the model. @default as many as the tokenizer has */
  readonly modelSize?: number;
}

/**
 * The chat templates of the model whose tokenizer is at a path, a folder or a file: a GGUF's own, else of chat_template.jinja and
 * additional_chat_templates/, else of tokenizer_config.json.
 * @throws CriaError where a file is damaged, a template is not in Jinja's language, or a template writes a token that the model
 * lacks
 */
export async function openChat(
  path: string,
  tokenizer: Tokenizer,
  { modelSize = tokenizer.vocabSize }: OpenChatOptions = {},
): Promise<OpenChat> {
  const { checkChatFits, endOfTurnIds, parseChatTemplate } = await import("../chat/index.ts"); // models are opened without it, too
  const file = (await isFolder(path)) ? await findTokenizer(path) : path;
  const { templates: sources, endIds } = (await isGguf(file)) ? await readGguf(file) : await readFolder(dirname(file));
  const templates = new Map([...sources].map(([name, source]) => [name, parseChatTemplate(source, `${file}: the chat template ${name}`)]));
  for (const template of templates.values()) checkChatFits(template, tokenizer, modelSize);
  return { templates, endOfTurn: endOfTurnIds(tokenizer, endIds, modelSize) };
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
