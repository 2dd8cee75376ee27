// A model's tokenizer by its file: Hugging Face's tokenizer.json or llama2.c's tokenizer .bin.
import { dirname, join } from "node:path";
import { check } from "../base/index.ts";
import { openFile, readTextFile } from "../files/index.ts";
import { llama2cTokenizerModel, parseJsonObject, readLlama2cTokenizer, readTokenizerJson } from "../formats/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import { createTokenizer, type Tokenizer } from "../tokenizer/index.ts";

/** Hears a sentence about a file that says something which cria neither follows nor refuses. */
export type OnWarning = (warning: string) => void;

/**
 * @throws CriaError when the file is missing, damaged, of another kind, or another model's: it has pieces beyond the model's tokens that are not
 * added ones, which many tokenizers have without a use, or puts one around every text.
 */
export async function openTokenizer(path: string, { vocabSize }: LlamaConfig, onWarning?: OnWarning): Promise<Tokenizer> {
  const tokenizer = path.endsWith(".bin") ? await openBin(path, vocabSize) : await openTokenizerJson(path, onWarning);
  const { specials, added = [], template } = tokenizer.model;
  const apart = new Set([...specials, ...added]);
  const isFine = tokenizer.model.pieces.every((_, id) => id < vocabSize || apart.has(id));
  check(
    isFine,
    "model",
    () => `${path}: it has ${tokenizer.vocabSize} pieces but the model has ${vocabSize} tokens: it belongs to another model`,
  );
  const outside = [...(template?.before ?? []), ...(template?.after ?? [])].find((id) => id >= vocabSize);
  check(
    outside === undefined,
    "model",
    () =>
      `${path}: it puts token ${outside} (${tokenizer.idToPiece(outside!)}) around every text, but the model has ${vocabSize} tokens: it belongs to another model`,
  );
  return tokenizer;
}

async function openBin(path: string, vocabSize: number): Promise<Tokenizer> {
  await using file = await openFile(path, "model");
  return createTokenizer(llama2cTokenizerModel(await readLlama2cTokenizer(file, vocabSize)));
}

/**
 * A tokenizer.json, with tokenizer_config.json, special_tokens_map.json and added_tokens.json where they stand beside.
 * @throws CriaError when a file is missing, damaged or not supported.
 */
export async function openTokenizerJson(path: string, onWarning: OnWarning = () => undefined): Promise<Tokenizer> {
  const names = {
    configName: join(dirname(path), "tokenizer_config.json"),
    specialTokensMapName: join(dirname(path), "special_tokens_map.json"),
    addedTokensName: join(dirname(path), "added_tokens.json"),
  };
  const [text, config, specialTokensMap, addedTokens] = await Promise.all([
    readTextFile(path, "model", "tokenizer"),
    readBeside(names.configName),
    readBeside(names.specialTokensMapName),
    readBeside(names.addedTokensName),
  ]);
  return createTokenizer(readTokenizerJson(text, { name: path, ...names, config, specialTokensMap, addedTokens, onWarning }));
}

/** The document, or undefined where the file is not there: tokenizer.json speaks for itself then. */
async function readBeside(path: string): Promise<unknown> {
  const text = await readTextFile(path, "model").catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  return text === undefined ? undefined : parseJsonObject("model", path, text, { unique: true });
}

function isMissing(error: Error): boolean {
  return (error.cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
}
