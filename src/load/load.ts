// Models, tokenizers and chat templates by path: a file of one of the forms, a folder, or a name on Hugging Face's hub.
import { stat } from "node:fs/promises";
import { CriaError, check } from "../base/index.ts";
import { explainIo } from "../files/index.ts";
import { type DownloadOptions, downloadConfig, downloadModel, downloadTokenizer, isHubName } from "../hub/index.ts";
import * as open from "../open/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { folderFiles, placeOf } from "./folder-files.ts";

/** A model whose other tokenizers are named by paths, too. */
export type OpenModel = open.OpenModel<string>;

/** What opening a model tells, and what stops it. */
export type OpenModelOptions = Pick<DownloadOptions, "signal" | "onProgress">;

/** What the files of a tokenizer do not say themselves, and how it is fetched. */
export type OpenTokenizerOptions = open.OpenTokenizerOptions & OpenModelOptions;

/**
 * Opens a run folder, a Hugging Face folder, one of Meta's, a GGUF, a llama2.c .bin, or such a one by its name on Hugging Face's hub, `hf:owner/name`, which is
 * downloaded where the cache lacks it. Reads headers only, and of a tied model that stores its output projection nonetheless both tensors once, a piece at a time.
 * @throws CriaError when the path is none of these, a part is missing, or the parts do not fit each other; the signal's reason when it aborts.
 */
export async function openModel(named: string, { signal, onProgress }: OpenModelOptions = {}): Promise<OpenModel> {
  checkNamed("model", named);
  const warnings: string[] = [];
  const onWarning = (warning: string) => warnings.push(warning);
  const path = isHubName(named) ? await downloadModel(named, { signal, onProgress, onWarning, beforeWeights }) : named;
  const { files, file } = (await isFolder(path)) ? { files: folderFiles(path) } : { ...placeOf(path) };
  const model = await open.openModel(files, { file, signal });
  const places = new Map<string, Promise<open.FilePlace>>();
  const placed = async (other: string | undefined, onWarning?: open.OnWarning) => {
    if (other === undefined) return undefined;
    const place = places.get(other) ?? tokenizerPlace(other, { signal, onProgress, onWarning });
    places.set(other, place);
    return place;
  };
  return {
    ...model,
    path: isHubName(named) ? named : model.path,
    warnings: [...warnings, ...model.warnings],
    openTokenizer: async (other, onWarning) => model.openTokenizer(await placed(other, onWarning), onWarning),
    openChat: async (tokenizer, other, onWarning) => model.openChat(tokenizer, await placed(other), onWarning),
  };
}

/** A model's config, for which nobody downloads its weights. @throws CriaError as {@link openModel} */
export async function openConfig(
  named: string,
  { signal, onProgress }: OpenModelOptions = {},
): Promise<Pick<OpenModel, "config" | "warnings">> {
  const warnings: string[] = [];
  const path = isHubName(named)
    ? await downloadConfig(named, { signal, onProgress, onWarning: (warning) => warnings.push(warning) })
    : named;
  const found = isHubName(named) && (await isFolder(path)) ? await open.readConfig(folderFiles(path)) : undefined;
  if (found !== undefined) return { config: found.config, warnings: [...warnings, ...found.warnings] };
  await using model = await openModel(path, { signal });
  return { config: model.config, warnings: [...warnings, ...model.warnings] };
}

/**
 * The tokenizer at a path: a file of one of the forms, `hf:owner/name`, or a folder with a tokenizer.json, else a tokenizer.model, else one .gguf. Beside a
 * tokenizer.json or a tokenizer.model the configuration counts that lies there.
 * @throws CriaError when it is missing, damaged or not supported.
 */
export async function openAnyTokenizer(path: string, options: OpenTokenizerOptions = {}): Promise<Tokenizer> {
  checkNamed("tokenizer", path);
  return open.openTokenizer(await tokenizerPlace(path, options), options);
}

/** The chat templates of the model whose tokenizer is at a path, a folder or a file. @throws CriaError as `openChat` of the room open does */
export async function openChat(
  path: string,
  tokenizer: Tokenizer,
  options: open.OpenChatOptions & OpenModelOptions = {},
): Promise<open.OpenChat> {
  return open.openChat(await tokenizerPlace(path, options), tokenizer, options);
}

/** Weights of a model that cannot be opened are not worth their download. */
async function beforeWeights(path: string): Promise<void> {
  if (await isFolder(path).catch(() => false)) await open.readConfig(folderFiles(path));
}

/** Programs without types may pass what they were not given. */
function checkNamed(where: string, path: unknown): void {
  check(typeof path === "string" && path !== "", where, () => `the path is ${JSON.stringify(path)} but must be a text that is not empty`);
}

async function tokenizerPlace(named: string, { signal, onProgress, onWarning }: DownloadOptions): Promise<open.FilePlace> {
  const path = isHubName(named) ? await downloadTokenizer(named, { signal, onProgress, onWarning }) : named;
  if (!(await isFolder(path, "tokenizer"))) return placeOf(path);
  const files = folderFiles(path);
  return { files, file: await open.findTokenizer(files) };
}

async function isFolder(path: string, where = "model"): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const isName = error.code === "ENOENT" && /^[\w.-]+\/[\w.-]+$/.test(path);
    if (isName)
      throw new CriaError(where, `${path}: no such file or folder: check the path, or name hf:${path} to download it`, { cause: error });
    throw explainIo(where, path, error);
  });
  return found.isDirectory();
}
