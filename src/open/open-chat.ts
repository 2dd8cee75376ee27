// A model's chat templates and the ids that end a turn, from wherever they stand beside its tokenizer.
import { CriaError } from "../base/index.ts";
import { type ChatTemplate, type ChatTemplates, checkChatFits, endOfTurnIds, parseChatTemplate } from "../chat/index.ts";
import { type ChatSources, ggufChatSources, readChatTemplates, readEndIds, readGgufMetadata } from "../formats/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { type FilePlace, type ModelFiles, pathOf } from "./model-files.ts";
import { isConfigured, isGguf, type OnWarning } from "./open-tokenizer.ts";
import { withSource } from "./opened-sources.ts";
import { readJsonPart, readTextPart } from "./read-parts.ts";

/** A model's chat templates and the ends of its turns. */
export interface OpenChat {
  /** The one without a name is "default". Empty where the model has none. */
  readonly templates: ChatTemplates;
  /** All ids that end a turn. */
  readonly endOfTurn: readonly number[];
}

/** What templates and ends of turns are looked for with. */
export interface OpenChatOptions {
  /** Tokens of the model. @default as many as the tokenizer has */
  readonly modelSize?: number;
  /** Ids that the model's files name as ends of a text. */
  readonly namedEnds?: readonly number[];
  /** The model's files, whose templates count where there are none beside a tokenizer that lies elsewhere. */
  readonly modelFiles?: ModelFiles | undefined;
  /** Hears of templates that cannot be read. */
  readonly onWarning?: OnWarning | undefined;
}

/**
 * The chat templates of the model whose tokenizer is a file: a GGUF's own, else of chat_template.jinja and
 * additional_chat_templates/, else of tokenizer_config.json. A template that is not in Jinja's language, or in a part of it that is not supported, does
 * not stand in the way of a model that continues texts: its error is thrown where it is chosen.
 * @throws CriaError where a file is damaged, or a template writes a token that the model lacks
 */
export async function openChat(
  place: FilePlace,
  tokenizer: Tokenizer,
  { modelSize = tokenizer.vocabSize, namedEnds = [], modelFiles, onWarning = () => undefined }: OpenChatOptions = {},
): Promise<OpenChat> {
  const sources = await readSources(place, modelFiles);
  const templates = new Map(
    [...sources.templates].map(([name, source]) => [name, readTemplate(source, `${sources.name}: the chat template ${name}`)]),
  );
  const readable: ChatTemplate[] = [];
  for (const template of templates.values())
    if (template instanceof CriaError) onWarning(`${template.message}: the model continues texts, but renders no chat by this template`);
    else readable.push(template);
  for (const template of readable) checkChatFits(template, tokenizer, modelSize);
  const named = [...namedEnds, ...sources.endIds];
  return { templates, endOfTurn: endOfTurnIds(tokenizer, { named, templates: readable, modelSize }) };
}

function readTemplate(source: string, name: string): ChatTemplate | CriaError {
  try {
    return parseChatTemplate(source, name);
  } catch (error) {
    if (error instanceof CriaError) return error;
    throw error;
  }
}

/** What stands beside the tokenizer, and templates of the model's own files where there are none. */
async function readSources(place: FilePlace, modelFiles: ModelFiles | undefined): Promise<ChatSources & { readonly name: string }> {
  const own = (await isGguf(place))
    ? await readGguf(place)
    : isConfigured(place.file)
      ? await readFolder(place.files)
      : { templates: new Map(), endIds: [] };
  if (own.templates.size > 0 || modelFiles === undefined || modelFiles.identity === place.files.identity)
    return { ...own, name: pathOf(place) };
  return { ...own, templates: (await readFolder(modelFiles)).templates, name: modelFiles.name };
}

async function readGguf(place: FilePlace): Promise<ChatSources> {
  const { pairs } = await withSource(place.files, place.file, readGgufMetadata);
  return ggufChatSources(pairs, pathOf(place));
}

async function readFolder(files: ModelFiles): Promise<ChatSources> {
  const config = "tokenizer_config.json";
  const said = readChatTemplates((await readJsonPart(files, config))?.chat_template, files.pathOf(config));
  const alone = await readTextPart(files, "chat_template.jinja");
  const more = await readMore(files);
  const ends = ["generation_config.json", "config.json"].map(async (name) =>
    readEndIds(files.pathOf(name), (await readJsonPart(files, name)) ?? {}),
  );
  return {
    templates:
      alone === undefined && more.length === 0 ? said : new Map([...(alone === undefined ? said : [["default", alone] as const]), ...more]),
    endIds: (await Promise.all(ends)).flat(),
  };
}

const moreTemplates = "additional_chat_templates";

async function readMore(files: ModelFiles): Promise<[string, string][]> {
  const names = (await files.list(moreTemplates)).filter((name) => name.endsWith(".jinja")).sort();
  return Promise.all(
    names.map(
      async (name): Promise<[string, string]> => [name.slice(0, -6), (await readTextPart(files, `${moreTemplates}/${name}`)) ?? ""],
    ),
  );
}
