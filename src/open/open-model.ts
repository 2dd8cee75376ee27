// A model by its files: what kind it is, its config, its parameters where they lie, its tokenizer. No parameter is read before it is asked for.
import { check } from "../base/index.ts";
import type { GenerationConfig, TensorFile } from "../formats/index.ts";
import type { LlamaConfig, WeightSource } from "../model/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { FilePlace, ModelFiles } from "./model-files.ts";
import { type OpenChat, openChat } from "./open-chat.ts";
import { isHfFolder, openFolder } from "./open-folder.ts";
import { findGguf, openGguf } from "./open-gguf.ts";
import { findLlama2c, openLlama2c } from "./open-llama2c.ts";
import { isMetaFolder, openMeta } from "./open-meta.ts";
import { isGguf, type OnWarning, openModelTokenizer } from "./open-tokenizer.ts";
import { OpenedSources } from "./opened-sources.ts";

/** The formats of models. */
export type ModelFormat = "Hugging Face folder" | "GGUF" | "llama2.c" | "Meta folder";

/** A model's config, and its tensors where they lie. */
export interface ModelParts {
  readonly format: ModelFormat;
  /** The kind of model in the words of its files: `model_type` of config.json, `general.architecture` of GGUF; "llama" where the format has no other. */
  readonly architecture: string;
  readonly config: LlamaConfig;
  /** The tensors under the names of the format, Hugging Face's where it has none; they are all there, in the config's shapes. */
  readonly tensors: TensorFile;
  /** The parameters by our names, wherever they lie. */
  readonly weights: WeightSource;
  /** A sentence for each file that says something which cria neither follows nor refuses; most models have none. */
  readonly warnings: readonly string[];
  /** How its makers would have it sampled; empty where they say nothing. */
  readonly generation: Omit<GenerationConfig, "eosTokenIds">;
  /** The file of the tokenizer beside the model. @throws CriaError when there is none, or no way to choose. */
  findTokenizer(): Promise<string>;
  /** The file with the model's own tokenizer, where chat templates for a tokenizer that lies elsewhere may stand in it or beside it. */
  readonly templatePlace?: FilePlace;
  /**
   * The small files of a Hugging Face folder as they are, by name: configuration, tokenizer and chat templates. Absent where the model is in another form.
   */
  readonly documents?: () => Promise<ReadonlyMap<string, Uint8Array>>;
  /** Tokens that end a text, as the first of the model's files has it that names any; else the tokenizer's. */
  namedEnds(tokenizer: Tokenizer): readonly number[];
}

/** @template Place what names another tokenizer: a file beside others, or a path where there are paths */
export interface OpenModel<Place = FilePlace> extends ModelParts {
  /** The path of a folder or a file, as messages say it. */
  readonly path: string;
  /** The tokenizer beside the model, or the one in `file`. @throws CriaError when it is missing, damaged or another model's. */
  openTokenizer(file?: Place, onWarning?: OnWarning): Promise<Tokenizer>;
  /**
   * The chat templates and the ids that end a turn, for the tokenizer beside the model or the one from `file`.
   * @throws CriaError when a file is damaged, a template writes a token that the model lacks, or no text could end, because the model or the
   * tokenizer lacks all tokens which the files name as ends.
   */
  openChat(tokenizer: Tokenizer, file?: Place, onWarning?: OnWarning): Promise<OpenChat>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Which file is the model, and what stops opening it. */
export interface OpenModelOptions {
  /** The GGUF or the llama2.c .bin among the files, or one of Meta's; by default they are a Hugging Face folder's or Meta's, or have one such file. */
  readonly file?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens the files of a run folder, of a Hugging Face folder, of Meta's, a GGUF or a llama2.c .bin: reads headers only, and of a tied model that stores its output projection
 * nonetheless both tensors once, a piece at a time.
 * @throws CriaError when they are none of these, a part is missing, or the parts do not fit each other; the signal's reason when it aborts.
 */
export async function openModel(files: ModelFiles, { file, signal }: OpenModelOptions = {}): Promise<OpenModel> {
  const opened = new OpenedSources(files);
  try {
    const parts = file === undefined ? await openAny(files, opened, signal) : await openOne({ files, file }, opened);
    const path = file === undefined ? files.name : files.pathOf(file);
    const tokenizerPlace = async (place: FilePlace | undefined) => place ?? { files, file: await parts.findTokenizer() };
    return {
      path,
      ...parts,
      openTokenizer: async (place, onWarning) => openModelTokenizer(await tokenizerPlace(place), parts.config, onWarning),
      openChat: async (tokenizer, place, onWarning) =>
        openChat(await tokenizerPlace(place), tokenizer, {
          ...{ modelSize: parts.config.vocabSize, namedEnds: checkedEnds(path, parts, tokenizer) },
          ...{ templatePlace: parts.templatePlace, onWarning },
        }),
      close: () => opened.close(),
      [Symbol.asyncDispose]: () => opened.close(),
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** An end that cannot come disturbs nobody as long as another one can. */
function checkedEnds(path: string, { config, namedEnds }: ModelParts, tokenizer: Tokenizer): readonly number[] {
  const ids = namedEnds(tokenizer);
  const canEnd = ids.length === 0 || ids.some((id) => id < config.vocabSize && id < tokenizer.vocabSize);
  check(
    canEnd,
    "model",
    () =>
      `${path}: token ${ids[0]} ends a text, but the model has ${config.vocabSize} tokens and the tokenizer ${tokenizer.vocabSize}: correct eos_token_id or the tokenizer`,
  );
  return ids;
}

/** A Hugging Face folder's or Meta's, or the one file that is a model. */
async function openAny(files: ModelFiles, opened: OpenedSources, signal: AbortSignal | undefined): Promise<ModelParts> {
  const names = await files.list();
  if (isHfFolder(names)) return openFolder(files, opened, signal);
  if (isMetaFolder(names)) return openMeta(files, opened);
  const file = findLlama2c(names) ?? findGguf(files.name, names);
  return file === undefined ? openFolder(files, opened, signal) : openOne({ files, file }, opened);
}

/** A file: one of Meta's stands for its folder, and a GGUF shows in its first bytes, whatever its name is. */
async function openOne(place: FilePlace, opened: OpenedSources): Promise<ModelParts> {
  if (isMetaFolder([place.file])) return openMeta(place.files, opened);
  return place.file.endsWith(".gguf") || (await isGguf(place)) ? openGguf(place, opened) : openLlama2c(place, opened);
}
