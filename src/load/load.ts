// Models, tokenizers and chat templates by path: a file of one of the forms, or a folder.
import { stat } from "node:fs/promises";
import { check } from "../base/index.ts";
import { explainIo } from "../files/index.ts";
import * as open from "../open/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { folderFiles, placeOf } from "./folder-files.ts";

/** A model whose other tokenizers are named by paths, too. */
export type OpenModel = open.OpenModel<string>;

/**
 * Opens a run folder, a Hugging Face folder, one of Meta's or a llama2.c .bin: reads headers only, and of a tied model that stores its output projection
 * nonetheless both tensors once, a piece at a time.
 * @throws CriaError when the path is none of these, a part is missing, or the parts do not fit each other; the signal's reason when it aborts.
 */
export async function openModel(path: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<OpenModel> {
  check(typeof path === "string" && path !== "", "model", () => `the path is ${JSON.stringify(path)} but must be a text that is not empty`);
  check(
    !path.startsWith("hf:"),
    "model",
    () => `${path}: cria does not download models: download it and name the folder; ${open.understood}`,
  );
  const { files, file } = (await isFolder(path)) ? { files: folderFiles(path) } : { ...placeOf(path) };
  const model = await open.openModel(files, { file, signal });
  const placed = async (other: string | undefined) => (other === undefined ? undefined : await tokenizerPlace(other));
  return {
    ...model,
    openTokenizer: async (other, onWarning) => model.openTokenizer(await placed(other), onWarning),
    openChat: async (tokenizer, other, onWarning) => model.openChat(tokenizer, await placed(other), onWarning),
  };
}

/**
 * The tokenizer at a path: a file of one of the forms, or a folder with a tokenizer.json, else a tokenizer.model, else one .gguf. Beside a
 * tokenizer.json or a tokenizer.model the configuration counts that lies there.
 * @throws CriaError when it is missing, damaged or not supported.
 */
export async function openAnyTokenizer(path: string, options: open.OpenTokenizerOptions = {}): Promise<Tokenizer> {
  return open.openTokenizer(await tokenizerPlace(path), options);
}

/** The chat templates of the model whose tokenizer is at a path, a folder or a file. @throws CriaError as `openChat` of the room open does */
export async function openChat(path: string, tokenizer: Tokenizer, options: open.OpenChatOptions = {}): Promise<open.OpenChat> {
  return open.openChat(await tokenizerPlace(path), tokenizer, options);
}

async function tokenizerPlace(path: string): Promise<open.FilePlace> {
  if (!(await isFolder(path, "tokenizer"))) return placeOf(path);
  const files = folderFiles(path);
  return { files, file: await open.findTokenizer(files) };
}

async function isFolder(path: string, where = "model"): Promise<boolean> {
  const found = await stat(path).catch((error) => {
    throw explainIo(where, path, error);
  });
  return found.isDirectory();
}
