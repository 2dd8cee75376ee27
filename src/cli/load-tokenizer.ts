// A tokenizer by its path: a tokenizer.json, or a folder that holds one.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { openTokenizerJson } from "../load/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";

/** @throws CriaError when a file is missing, damaged or not supported. */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  return openTokenizerJson((await isFolder(path)) ? join(path, "tokenizer.json") : path);
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
