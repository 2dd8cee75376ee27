// A tokenizer in every form in which one travels: what a file is shows in its first bytes, not in its name.
import { check, fail, inSlices, memorySource } from "../base/index.ts";
import {
  isTiktoken,
  llama2cTokenizerModel,
  loadSentencePiece,
  readGgufTokenizer,
  readLlama2cTokenizer,
  readTiktoken,
  readTokenizerJsonSliced,
  type TiktokenKind,
  withTokenizerConfig,
} from "../formats/index.ts";
import type { LlamaConfig } from "../model/index.ts";
import { makeTokenizer, type Tokenizer, type TokenizerModel } from "../tokenizer/index.ts";
import { ggufMetadataOf } from "./gguf-metadata-of.ts";
import { type FilePlace, type ModelFiles, pathOf } from "./model-files.ts";
import { withSource } from "./opened-sources.ts";
import { readJsonPart, readPart } from "./read-parts.ts";

/** Hears a sentence about a file that says something which cria neither follows nor refuses. */
export type OnWarning = (warning: string) => void;

/** What files of tokenizers do not say themselves. */
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
 * The tokenizer in a file of one of the forms. Beside a tokenizer.json or a tokenizer.model the configuration counts that lies there.
 * @throws CriaError when it is missing, damaged or not supported.
 */
export async function openTokenizer(place: FilePlace, options: OpenTokenizerOptions = {}): Promise<Tokenizer> {
  return inSlices(makeTokenizer(await readTokenizer(place, options)));
}

/** The share of a model's tokens that its tokenizer has at least: tables are padded, by 2 % at most in models that are known. */
const leastShare = 0.9;

/**
 * A model's tokenizer. One with far fewer pieces than the model has tokens is said to be another model's.
 * @throws CriaError when the file is missing, damaged, of another kind, or another model's: it has pieces beyond the model's tokens that are not
 * added ones, which many tokenizers have without a use, or puts one around every text.
 */
export async function openModelTokenizer(place: FilePlace, { vocabSize }: LlamaConfig, onWarning?: OnWarning): Promise<Tokenizer> {
  const tokenizer = await openTokenizer(place, { onWarning, vocabSize });
  const path = pathOf(place);
  const { specials, added = [], unused = [], template } = tokenizer.model;
  const apart = new Set([...specials, ...added, ...unused]);
  const isFine = tokenizer.model.pieces.every((_, id) => id < vocabSize || apart.has(id));
  check(
    isFine,
    "model",
    () => `${path}: it has ${tokenizer.vocabSize} pieces but the model has ${vocabSize} tokens: it belongs to another model`,
  );
  if (tokenizer.vocabSize < leastShare * vocabSize)
    onWarning?.(
      `[model] ${path}: it has ${tokenizer.vocabSize} pieces but the model has ${vocabSize} tokens: where it is another model's tokenizer, what is read and written makes no sense`,
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

/** The file that holds the tokenizer: a tokenizer.json, else a tokenizer.model, else one .gguf. @throws CriaError where there is none, or no way to choose. */
export async function findTokenizer(files: ModelFiles): Promise<string> {
  const names = await files.list();
  const usual = ["tokenizer.json", "tokenizer.model"].find((name) => names.includes(name));
  const ggufs = names.filter((name) => name.endsWith(".gguf"));
  const found = usual ?? (ggufs.length === 1 ? ggufs[0] : undefined);
  if (found !== undefined) return found;
  const problem = ggufs.length > 1 ? `it has ${ggufs.length} .gguf files` : "it has no tokenizer.json";
  return fail("tokenizer", `${files.name}: ${problem}: name a file: ${tokenizerForms}`);
}

async function readTokenizer(place: FilePlace, options: OpenTokenizerOptions): Promise<TokenizerModel> {
  const path = pathOf(place);
  if (await isGguf(place)) return readGguf(place, options);
  const bytes = await readPart(place.files, place.file, "tokenizer");
  check(bytes.length > 0, "tokenizer", () => `${path}: it is empty, and a tokenizer is needed: ${tokenizerForms}`);
  if (isJson(bytes)) return readJson(bytes, place, options);
  if (isTiktoken(bytes)) return configured(readTiktoken(bytes, path, options.tiktoken), place, options);
  if (isSentencePiece(bytes) || place.file.endsWith(".model")) {
    const { readSentencePieceModel } = await loadSentencePiece();
    return configured(readSentencePieceModel(bytes, path), place, options);
  }
  if (place.file.endsWith(".bin")) return llama2cTokenizerModel(await readLlama2cTokenizer(memorySource(path, bytes), options.vocabSize));
  check(place.file.endsWith(".json"), "tokenizer", () => `${path}: it is no tokenizer: name a ${tokenizerForms}`);
  return readJson(bytes, place, options); // it says what is wrong
}

/** A GGUF may be larger than memory, so that its head is looked at before it is read. */
export async function isGguf({ files, file }: FilePlace): Promise<boolean> {
  const head = await withSource(files, file, async (source) => source.read(0, Math.min(4, source.size)));
  return String.fromCharCode(...head) === "GGUF";
}

async function readGguf(place: FilePlace, options: OpenTokenizerOptions): Promise<TokenizerModel> {
  const { pairs } = await ggufMetadataOf(place);
  return inSlices(readGgufTokenizer(pairs, pathOf(place), options.onWarning ?? (() => undefined)));
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

/** The files of which tokenizer_config.json and the like speak: those that transformers opens with them, not every tokenizer that lies in the folder. */
const configuredNames: readonly string[] = ["tokenizer.json", "tokenizer.model"];

/** Whether what lies beside a tokenizer's file speaks of it. */
export function isConfigured(file: string): boolean {
  return configuredNames.includes(file);
}

/** What tokenizer_config.json, special_tokens_map.json and added_tokens.json say, where they stand beside and speak of this file. */
async function readAllBeside({ files, file }: FilePlace): Promise<Beside> {
  const beside = ["tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"] as const;
  const [configName, specialTokensMapName, addedTokensName] = beside.map(files.pathOf) as [string, string, string];
  const names = { configName, specialTokensMapName, addedTokensName };
  if (!isConfigured(file)) return names;
  const [config, specialTokensMap, addedTokens] = await Promise.all(beside.map((name) => readJsonPart(files, name)));
  return { ...names, config, specialTokensMap, addedTokens };
}

async function configured<T extends TokenizerModel>(model: T, place: FilePlace, { onWarning }: OpenTokenizerOptions): Promise<T> {
  return withTokenizerConfig(model, pathOf(place), await readAllBeside(place), onWarning ?? (() => undefined));
}

async function readJson(
  bytes: Uint8Array,
  place: FilePlace,
  { onWarning = () => undefined }: OpenTokenizerOptions,
): Promise<TokenizerModel> {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const beside = { name: pathOf(place), ...(await readAllBeside(place)), onWarning };
  return inSlices(readTokenizerJsonSliced(hasMark ? bytes.subarray(3) : bytes, beside));
}
