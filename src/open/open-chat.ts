// A model's chat templates and the ids that end a turn, from wherever they stand beside its tokenizer.
import { CriaError, type Sliced, wholly } from "../base/index.ts";
import type { ChatTemplate, ChatTemplates, EncodeChatOptions, EncodedChat, Message } from "../chat/index.ts";
import { type ChatSources, ggufChatSources, readChatTemplates, readEndIds } from "../formats/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { ggufMetadataOf } from "./gguf-metadata-of.ts";
import { type FilePlace, type ModelFiles, pathOf } from "./model-files.ts";
import { isConfigured, isGguf, type OnWarning } from "./open-tokenizer.ts";
import { readJsonPart, readTextPart } from "./read-parts.ts";

/** A model's chat templates and the ends of its turns. */
export interface OpenChat {
  /** The one without a name is "default". Empty where the model has none. */
  readonly templates: ChatTemplates;
  /** The same as they stand in the files, those that cannot be read among them. */
  readonly templateTexts: ReadonlyMap<string, string>;
  /** All ids that end a turn. */
  readonly endOfTurn: readonly number[];
  /**
   * A conversation as the model reads it, by the template that is named, or by the usual one.
   * @throws CriaError where there is no such template or it cannot be read, and where it refuses the conversation
   */
  encode(messages: readonly Message[], options?: RenderByNameOptions): RenderedConversation;
  /** Encodes as `encode` does, in slices. */
  encodeSliced(messages: readonly Message[], options?: RenderByNameOptions): Sliced<RenderedConversation>;
}

/** How a conversation is encoded. */
export interface RenderByNameOptions extends EncodeChatOptions {
  /** The name of one of the model's templates. @default the usual one */
  readonly template?: string | undefined;
}

/** A conversation as a model reads it. */
export interface RenderedConversation extends EncodedChat {
  /** The template that rendered it, as messages name it. */
  readonly template: string;
}

/** What templates and ends of turns are looked for with. */
export interface OpenChatOptions {
  /** Tokens of the model. @default as many as the tokenizer has */
  readonly modelSize?: number;
  /** Ids that the model's files name as ends of a text. */
  readonly namedEnds?: readonly number[];
  /** The file of the model's own tokenizer, or the one that holds it: templates there count where there are none with a tokenizer that lies elsewhere. */
  readonly templatePlace?: FilePlace | undefined;
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
  { modelSize = tokenizer.vocabSize, namedEnds = [], templatePlace, onWarning = () => undefined }: OpenChatOptions = {},
): Promise<OpenChat> {
  const [sources, { checkChatFits, chooseTemplate, encodeChatSliced, endOfTurnIds, parseChatTemplate }] = await Promise.all([
    readSources(place, templatePlace),
    import("../chat/index.ts"), // many modules, which programs need that open a model
  ]);
  const read = (text: string, name: string) => orProblem(() => parseChatTemplate(text, name));
  const templates = new Map(
    [...sources.templates].map(([name, { text, file }]) => [name, read(text, `${file}: the chat template ${name}`)]),
  );
  const readable: ChatTemplate[] = [];
  for (const template of templates.values())
    if (template instanceof CriaError) onWarning(`${template.message}: the model continues texts, but renders no chat by this template`);
    else readable.push(template);
  for (const template of readable) checkChatFits(template, tokenizer, modelSize);
  const named = [...namedEnds, ...sources.endIds];
  const templateTexts = new Map([...sources.templates].map(([name, { text }]) => [name, text]));
  const endOfTurn = endOfTurnIds(tokenizer, { named, templates: readable, modelSize });
  function* encodeSliced(messages: readonly Message[], { template: name, ...given }: RenderByNameOptions = {}) {
    const template = chooseTemplate(templates, (given.tools?.length ?? 0) > 0, name);
    return { ...(yield* encodeChatSliced(tokenizer, template, messages, given)), template: template.name };
  }
  const encode: OpenChat["encode"] = (messages, options) => wholly(encodeSliced(messages, options));
  return { templates, templateTexts, endOfTurn, encode, encodeSliced };
}

/** A template's text, and the file where it stands. */
interface FoundTemplate {
  readonly text: string;
  readonly file: string;
}

interface FoundSources extends Pick<ChatSources, "endIds"> {
  /** Templates by name. */
  readonly templates: ReadonlyMap<string, FoundTemplate>;
}

function found(templates: ChatSources["templates"], file: string): FoundSources["templates"] {
  return new Map([...templates].map(([name, text]) => [name, { text, file }]));
}

function orProblem<T>(read: () => T): T | CriaError {
  try {
    return read();
  } catch (error) {
    if (error instanceof CriaError) return error;
    throw error;
  }
}

/** What stands with the tokenizer, and templates of the model's own where there are none. */
async function readSources(place: FilePlace, templatePlace: FilePlace | undefined): Promise<FoundSources> {
  const own = await readPlace(place);
  if (own.templates.size > 0 || templatePlace === undefined || isSamePlace(place, templatePlace)) return own;
  return { ...own, templates: (await readPlace(templatePlace)).templates };
}

/** A folder's templates speak of all tokenizers there, a GGUF's of its own. */
function isSamePlace(place: FilePlace, other: FilePlace): boolean {
  return place.files.identity === other.files.identity && (place.file === other.file || isConfigured(other.file));
}

async function readPlace(place: FilePlace): Promise<FoundSources> {
  if (await isGguf(place)) return readGguf(place);
  return isConfigured(place.file) ? readFolder(place.files) : { templates: new Map(), endIds: [] };
}

async function readGguf(place: FilePlace): Promise<FoundSources> {
  const file = pathOf(place);
  const { templates, endIds } = ggufChatSources((await ggufMetadataOf(place)).pairs, file);
  return { templates: found(templates, file), endIds };
}

async function readFolder(files: ModelFiles): Promise<FoundSources> {
  const said = await readSaid(files);
  const alone = await readJinja(files, "default", "chat_template.jinja");
  const more = await readMore(files);
  const ends = ["generation_config.json", "config.json"].map(async (name) =>
    readEndIds(files.pathOf(name), (await readJsonPart(files, name)) ?? {}),
  );
  return { templates: new Map([...(alone.length > 0 ? alone : said), ...more]), endIds: (await Promise.all(ends)).flat() };
}

async function readSaid(files: ModelFiles): Promise<FoundSources["templates"]> {
  const config = "tokenizer_config.json";
  const file = files.pathOf(config);
  return found(readChatTemplates((await readJsonPart(files, config))?.chat_template, file), file);
}

/** @returns nothing where the file is not there */
async function readJinja(files: ModelFiles, name: string, file: string): Promise<[string, FoundTemplate][]> {
  const text = await readTextPart(files, file);
  return text === undefined ? [] : [[name, { text, file: files.pathOf(file) }]];
}

/** The folder of a model's further templates. */
export const moreTemplates = "additional_chat_templates";

async function readMore(files: ModelFiles): Promise<[string, FoundTemplate][]> {
  const names = (await files.list(moreTemplates)).filter((name) => name.endsWith(".jinja")).sort();
  return (await Promise.all(names.map((name) => readJinja(files, name.slice(0, -6), `${moreTemplates}/${name}`)))).flat();
}
