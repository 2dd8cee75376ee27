// Small files of a model, whole.
import { decodeUtf8, fail, type SizeLimit } from "../base/index.ts";
import { type JsonObject, parseJsonObject } from "../formats/index.ts";
import type { ModelFiles } from "./model-files.ts";

const where = "model";

/** All bytes of a file that must be there. */
export async function readPart(files: ModelFiles, file: string, limit: SizeLimit = "config"): Promise<Uint8Array> {
  return (await files.read(file, limit)) ?? fail(where, `${files.pathOf(file)}: there is no such file`);
}

/** The document, or undefined where the file is not there: the tokenizer speaks for itself then. */
export async function readJsonPart(files: ModelFiles, file: string): Promise<JsonObject | undefined> {
  const text = await readTextPart(files, file);
  return text === undefined ? undefined : parseJsonObject(where, files.pathOf(file), text, { unique: true });
}

/** The text without a byte order mark, or undefined where the file is not there. */
export async function readTextPart(files: ModelFiles, file: string): Promise<string | undefined> {
  const bytes = await files.read(file, "config");
  return bytes && decodeUtf8(bytes, files.pathOf(file), where).replace(/^\ufeff/, "");
}
