// Files that may stand beside another one.
import { readTextFile } from "../files/index.ts";
import { type JsonObject, parseJsonObject } from "../formats/index.ts";

/** The document, or undefined where the file is not there: the tokenizer speaks for itself then. */
export async function readBeside(path: string): Promise<JsonObject | undefined> {
  const text = await readTextBeside(path);
  return text === undefined ? undefined : parseJsonObject("model", path, text, { unique: true });
}

/** The text, or undefined where the file is not there. */
export async function readTextBeside(path: string): Promise<string | undefined> {
  return readTextFile(path, "model").catch((error) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
}

function isMissing(error: Error): boolean {
  return (error.cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT";
}
