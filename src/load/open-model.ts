// A model by its path: what kind it is, its config, its parameters where they lie, its tokenizer. No parameter is read before it is asked for.
import { stat } from "node:fs/promises";
import { check } from "../base/index.ts";
import { explainIo } from "../files/index.ts";
import { type GenerationConfig, hfWeights, type TensorFile } from "../formats/index.ts";
import type { LlamaConfig, WeightSource } from "../model/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { type OpenChat, openChat } from "./open-chat.ts";
import { OpenFiles } from "./open-files.ts";
import { openFolder } from "./open-folder.ts";
import { findLlama2c, openLlama2c } from "./open-llama2c.ts";
import { type OnWarning, openTokenizer } from "./open-tokenizer.ts";
import { understood } from "./understood.ts";

export type ModelFormat = "Hugging Face folder" | "llama2.c";

export interface ModelParts {
  readonly format: ModelFormat;
  readonly config: LlamaConfig;
  /** Under Hugging Face's names; they are all there in the config's shapes. */
  readonly tensors: TensorFile;
  /** A sentence for each file that says something which cria neither follows nor refuses; most models have none. */
  readonly warnings: readonly string[];
  /** How its makers would have it sampled; empty where they say nothing. */
  readonly generation: Omit<GenerationConfig, "eosTokenIds">;
  /** The file of the tokenizer beside the model. @throws CriaError when there is none, or no way to choose. */
  findTokenizer(): Promise<string>;
  /** The folder that may have chat templates for a tokenizer that lies elsewhere. */
  readonly folder?: string;
  /** Tokens that end a text, as the first of the model's files has it that names any; else the tokenizer's. */
  namedEnds(tokenizer: Tokenizer): readonly number[];
}

export interface OpenModel extends ModelParts {
  readonly path: string;
  readonly weights: WeightSource;
  /** The tokenizer beside the model, or the one in `file`. @throws CriaError when it is missing, damaged or another model's. */
  openTokenizer(file?: string, onWarning?: OnWarning): Promise<Tokenizer>;
  /**
   * The chat templates and the ids that end a turn, for the tokenizer beside the model or the one from `file`.
   * @throws CriaError when a file is damaged, a template writes a token that the model lacks, or no text could end, because the model or the
   * tokenizer lacks all tokens which the files name as ends.
   */
  openChat(tokenizer: Tokenizer, file?: string, onWarning?: OnWarning): Promise<OpenChat>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a run folder, a Hugging Face folder or a llama2.c .bin: reads headers only, and of a tied model that stores its output projection
 * nonetheless both tensors once, a piece at a time.
 * @throws CriaError when the path is none of these, a part is missing, or the parts do not fit each other; the signal's reason when it aborts.
 */
export async function openModel(path: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<OpenModel> {
  check(typeof path === "string" && path !== "", "model", () => `the path is ${JSON.stringify(path)} but must be a text that is not empty`);
  check(!path.startsWith("hf:"), "model", () => `${path}: cria does not download models: download it and name the folder; ${understood}`);
  const files = new OpenFiles();
  try {
    const parts = (await isFolder(path)) ? await openAnyFolder(path, files, signal) : await openLlama2c(path, files);
    const tokenizerPath = async (file: string | undefined) => file ?? (await parts.findTokenizer());
    return {
      path,
      ...parts,
      weights: hfWeights(parts.tensors),
      openTokenizer: async (file, onWarning) => openTokenizer(await tokenizerPath(file), parts.config, onWarning),
      openChat: async (tokenizer, file, onWarning) =>
        openChat(await tokenizerPath(file), tokenizer, {
          ...{ modelSize: parts.config.vocabSize, namedEnds: checkedEnds(path, parts, tokenizer) },
          ...{ modelFolder: parts.folder, onWarning },
        }),
      close: () => files.close(),
      [Symbol.asyncDispose]: () => files.close(),
    };
  } catch (error) {
    await files.close();
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

/** Hugging Face's, or one that holds a llama2.c .bin and its tokenizer. */
async function openAnyFolder(path: string, files: OpenFiles, signal: AbortSignal | undefined): Promise<ModelParts> {
  const bin = await findLlama2c(path);
  return bin === undefined ? openFolder(path, files, signal) : openLlama2c(bin, files);
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((error) => {
    throw explainIo("model", path, error);
  });
  return found.isDirectory();
}
