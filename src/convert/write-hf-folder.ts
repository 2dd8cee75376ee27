// Any open model as a Hugging Face folder: config.json, generation_config.json, the tokenizer's files, chat templates, and weights as safetensors.
import { mkdir, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { check, type OnProgress } from "../base/index.ts";
import { atomicFolder, atomicWrite, atomicWriteJson, explainIo } from "../files/index.ts";
import {
  type FloatType,
  hfWeightFiles,
  inPairing,
  type JsonObject,
  modelDocuments,
  parseJsonObject,
  writeHfConfig,
} from "../formats/index.ts";
import type { OnWarning, OpenModel } from "../open/index.ts";

/** How a folder is written. */
export interface HfFolderOptions {
  /** The type of all weights. @default "float32" */
  readonly type?: FloatType;
  /** The most bytes of a file of weights, where it has more than one tensor. @default 5e9, as transformers has it */
  readonly maxShardBytes?: number;
  /** Another tokenizer than the model's own, by its path. */
  readonly tokenizer?: string;
  /** Hears a sentence about what the model's files say and cria does not follow. */
  readonly onWarning?: OnWarning;
  readonly progress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** A folder that was written. */
export interface WrittenHfFolder {
  /** Bytes by file name. */
  readonly files: ReadonlyMap<string, number>;
}

const where = "convert";

/**
 * Writes a model as a Hugging Face folder, whole or not at all, a piece of a tensor in memory at a time. Neighbours that RoPE turns together become
 * halves, as there; whatever can be a class of transformers' is written as one. A model that comes from such a folder keeps its small files as
 * they are, but for the type of its weights in config.json.
 * @throws CriaError where the folder is there and not empty, or its files cannot hold the model; the signal's reason when it aborts
 */
export async function writeHfFolder(folder: string, model: OpenModel<string>, options: HfFolderOptions = {}): Promise<WrittenHfFolder> {
  await checkEmpty(folder);
  const halves = inPairing("half", model);
  const { files, index, bytes } = hfWeightFiles(halves, options);
  const documents = { ...(await documentsOf(model, halves.config, options)), ...(index && { "model.safetensors.index.json": index }) };
  const hear = hearer(bytes, options);
  const written = new Map<string, number>();
  const fill = async (partial: string) => {
    for (const [name, content] of Object.entries(documents)) await writeDocument(join(partial, name), content);
    for (const [name, chunks] of files) await atomicWrite(join(partial, name), watched(chunks, hear), where);
    for (const name of [...Object.keys(documents), ...files.keys()]) written.set(name, (await stat(join(partial, name))).size);
  };
  await atomicFolder(folder, fill, where);
  return { files: written };
}

async function writeDocument(path: string, content: object | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (content instanceof Uint8Array) await atomicWrite(path, content, where);
  else await atomicWriteJson(path, content, where);
}

/** Tells how far all files are, and stops where the signal says so. */
function hearer(total: number, { progress, signal }: HfFolderOptions): (chunk: Uint8Array) => void {
  let done = 0;
  return ({ length }) => {
    signal?.throwIfAborted();
    done = Math.min(done + length, total); // headers are not counted
    progress?.({ task: "writing weights", done, total, unit: "bytes" });
  };
}

async function* watched(chunks: AsyncIterable<Uint8Array>, hear: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hear(chunk);
    yield chunk;
  }
}

async function checkEmpty(folder: string): Promise<void> {
  const names: readonly string[] = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw explainIo(where, folder, error);
  });
  check(names.length === 0, where, () => `${folder}: it is not empty (it holds ${names[0]}): choose another folder`, { ways: ["out"] });
}

type Documents = Readonly<Record<string, object | Uint8Array>>;

async function documentsOf(model: OpenModel<string>, config: OpenModel["config"], options: HfFolderOptions): Promise<Documents> {
  const { type = "float32", tokenizer: path, onWarning } = options;
  const own = path === undefined ? await model.documents?.() : undefined;
  if (own !== undefined) return { ...Object.fromEntries(own), "config.json": configOf(model, config, own.get("config.json"), type) };
  const tokenizer = await model.openTokenizer(path, onWarning);
  const { endOfTurn, templateTexts } = await model.openChat(tokenizer, path, onWarning);
  // The tokenizer's own end comes first, because some programs read one id only.
  const endIds = [...endOfTurn].sort((a, b) => Number(b === tokenizer.eosId) - Number(a === tokenizer.eosId));
  const said = { type, endIds, generation: model.generation, templates: templateTexts };
  return modelDocuments(config, tokenizer.model, said);
}

const idKeys = ["bos_token_id", "eos_token_id", "pad_token_id"] as const;

/** The folder's own document, where the config did not change on the way. */
function configOf(
  model: OpenModel<string>,
  config: OpenModel["config"],
  bytes: Uint8Array = new Uint8Array(),
  type: FloatType,
): JsonObject {
  const own = parseJsonObject(where, `${model.path}: config.json`, bytes, { unique: true });
  const typeKey = "dtype" in own ? "dtype" : "torch_dtype"; // transformers 5 and 4
  if (config === model.config) return { ...own, [typeKey]: type };
  const ids = Object.fromEntries(idKeys.filter((key) => key in own).map((key) => [key, own[key]]));
  return { ...writeHfConfig({ config, eosTokenIds: [] }, type), ...ids };
}
