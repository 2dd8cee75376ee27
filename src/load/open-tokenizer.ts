// A tokenizer by its path, in every form in which one travels: what a file is shows in its first bytes, not in its name.
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { check, decodeUtf8, fail, memorySource } from "../base/index.ts";
import { explainIo, openFile, readWhole } from "../files/index.ts";
import {
  ggufTokenizerModel,
  isTiktoken,
  llama2cTokenizerModel,
  loadSentencePiece,
  readGgufMetadata,
  readLlama2cTokenizer,
  readTiktoken,
  readTokenizerJson,
  type TiktokenKind,
  withTokenizerConfig,
} from "../formats/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import { createTokenizer, type Tokenizer, type TokenizerModel } from "../tokenizer/index.ts";
import { readBeside } from "./read-beside.ts";

/** Hears a sentence about a file that says something which cria neither follows nor refuses. */
export type OnWarning = (warning: string) => void;

export interface OpenTokenizerOptions {
  readonly onWarning?: OnWarning | undefined;
  /** How many tokens a llama2.c .bin has, which does not say it. Absent: as many as fill the file. */
  readonly vocabSize?: number;
  /** What goes with a file of ranks, which does not say it. Absent: by the number of ranks. */
  readonly tiktoken?: (ranks: number) => TiktokenKind;
}

/** The forms of tokenizer that are read, as messages and help list them. */
export const tokenizerForms = "tokenizer.json, tokenizer.model (SentencePiece's, or ranks as tiktoken has them), .gguf, llama2.c's .bin";

/**
 * The tokenizer at a path: a file of one of the forms, or a folder with a tokenizer.json, else a tokenizer.model, else one .gguf. Beside a
 * tokenizer.json or a tokenizer.model the configuration counts that lies there.
 * @throws CriaError when it is missing, damaged or not supported.
 */
export async function openAnyTokenizer(path: string, options: OpenTokenizerOptions = {}): Promise<Tokenizer> {
  return createTokenizer(await readTokenizer((await isFolder(path)) ? await findTokenizer(path) : path, options));
}

/**
 * A model's tokenizer.
 * @throws CriaError when the file is missing, damaged, of another kind, or another model's: it has pieces beyond the model's tokens that are not
 * added ones, which many tokenizers have without a use, or puts one around every text.
 */
export async function openTokenizer(path: string, { vocabSize }: LlamaConfig, onWarning?: OnWarning): Promise<Tokenizer> {
  const tokenizer = await openAnyTokenizer(path, { onWarning, vocabSize });
  const { specials, added = [], unused = [], template } = tokenizer.model;
  const apart = new Set([...specials, ...added, ...unused]);
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

export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((error) => {
    throw explainIo("model", path, error);
  });
  return found.isDirectory();
}

/** The file of a folder that holds its tokenizer. @throws CriaError where there is none, or no way to choose. */
export async function findTokenizer(folder: string): Promise<string> {
  const names = await readdir(folder);
  const usual = ["tokenizer.json", "tokenizer.model"].find((name) => names.includes(name));
  const ggufs = names.filter((name) => name.endsWith(".gguf"));
  const found = usual ?? (ggufs.length === 1 ? ggufs[0] : undefined);
  return join(
    folder,
    found ??
      fail(
        "model",
        `${folder}: it has ${ggufs.length > 1 ? `${ggufs.length} .gguf files` : "no tokenizer.json"}: name a file: ${tokenizerForms}`,
      ),
  );
}

async function readTokenizer(path: string, options: OpenTokenizerOptions): Promise<TokenizerModel> {
  if (await isGguf(path)) return readGguf(path);
  const bytes = await readWhole(path, "model", "tokenizer");
  if (isJson(bytes)) return readJson(bytes, path, options);
  if (isTiktoken(bytes)) return configured(readTiktoken(bytes, path, options.tiktoken), path, options);
  if (isSentencePiece(bytes) || path.endsWith(".model")) {
    const { readSentencePieceModel } = await loadSentencePiece();
    return configured(readSentencePieceModel(bytes, path), path, options);
  }
  if (path.endsWith(".bin")) return llama2cTokenizerModel(await readLlama2cTokenizer(memorySource(path, bytes), options.vocabSize));
  return readJson(bytes, path, options); // it says what is wrong
}

/** A GGUF may be larger than memory, so that its head is looked at before it is read. */
export async function isGguf(path: string): Promise<boolean> {
  await using file = await openFile(path, "model");
  return file.size >= 4 && Buffer.from(await file.read(0, 4)).toString("latin1") === "GGUF";
}

async function readGguf(path: string): Promise<TokenizerModel> {
  await using file = await openFile(path, "model");
  return ggufTokenizerModel((await readGgufMetadata(file)).pairs, path);
}

function isJson(bytes: Uint8Array): boolean {
  return /^(\xef\xbb\xbf)?\s*\{/.test(String.fromCharCode(...bytes.subarray(0, 256)));
}

/** Its first field is a piece, whose first field is a text. */
function isSentencePiece(bytes: Uint8Array): boolean {
  return bytes[0] === 0x0a && bytes[2] === 0x0a;
}

interface Beside {
  readonly configName: string;
  readonly specialTokensMapName: string;
  readonly addedTokensName: string;
  readonly config?: unknown;
  readonly specialTokensMap?: unknown;
  readonly addedTokens?: unknown;
}

/** Of which files tokenizer_config.json and the like speak: of those that transformers opens with them, not of every tokenizer that lies in the folder. */
const configuredNames: readonly string[] = ["tokenizer.json", "tokenizer.model"];

/** Whether what lies beside a tokenizer's file speaks of it. */
export function isConfigured(path: string): boolean {
  return configuredNames.includes(basename(path));
}

/** What tokenizer_config.json, special_tokens_map.json and added_tokens.json say, where they stand beside and speak of this file. */
async function readAllBeside(path: string): Promise<Beside> {
  const names = {
    configName: join(dirname(path), "tokenizer_config.json"),
    specialTokensMapName: join(dirname(path), "special_tokens_map.json"),
    addedTokensName: join(dirname(path), "added_tokens.json"),
  };
  if (!isConfigured(path)) return names;
  const [config, specialTokensMap, addedTokens] = await Promise.all(Object.values(names).map(readBeside));
  return { ...names, config, specialTokensMap, addedTokens };
}

async function configured<T extends TokenizerModel>(model: T, path: string, { onWarning }: OpenTokenizerOptions): Promise<T> {
  return withTokenizerConfig(model, path, await readAllBeside(path), onWarning ?? (() => undefined));
}

async function readJson(bytes: Uint8Array, path: string, { onWarning = () => undefined }: OpenTokenizerOptions): Promise<TokenizerModel> {
  const text = decodeUtf8(bytes, path, "model").replace(/^\ufeff/, "");
  return readTokenizerJson(text, { name: path, ...(await readAllBeside(path)), onWarning });
}
