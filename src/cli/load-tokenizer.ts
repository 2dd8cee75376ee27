// A tokenizer by its path: a tokenizer.json, or a folder that holds one.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { openTokenizerJson } from "../load/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { CommandIo } from "./command.ts";

/** What its files say that cria does not follow goes to stderr. @throws CriaError when a file is missing, damaged or not supported. */
export async function loadTokenizer(path: string, io: Pick<CommandIo, "stderr">): Promise<Tokenizer> {
  return openTokenizerJson((await isFolder(path)) ? join(path, "tokenizer.json") : path, (warning) => io.stderr(`${warning}\n`));
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
