// A tokenizer by its path: a tokenizer.json, or a folder that holds one.
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { explainIo } from "../files/index.ts";
import { readTokenizerJson } from "../formats/index.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/index.ts";
import { decodeUtf8 } from "./text-files.ts";

/** Reads tokenizer_config.json too, where it stands beside. @throws CriaError when a file is missing, damaged or not supported. */
export async function loadTokenizer(path: string, where: string): Promise<Tokenizer> {
  const file = (await isFolder(path)) ? join(path, "tokenizer.json") : path;
  const text = await readText(file, where);
  const config = await readConfig(join(dirname(file), "tokenizer_config.json"));
  return createTokenizer(readTokenizerJson(text, { name: file, config }));
}

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function readText(path: string, where: string): Promise<string> {
  const bytes = await readFile(path).catch((error) => {
    throw explainIo(where, path, error);
  });
  return decodeUtf8(bytes, 0, path, where);
}

/** The roles in it are a convenience: without the file, or with one that is no JSON, tokenizer.json speaks for itself. */
async function readConfig(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    return undefined;
  }
}
