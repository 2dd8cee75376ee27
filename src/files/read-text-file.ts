// A small text file, whole.
import { readFile } from "node:fs/promises";
import { decodeUtf8 } from "../base/index.ts";
import { explainIo } from "./explain-io.ts";

/** Its text without a byte order mark. @throws CriaError when the file is missing, unreadable or not UTF-8. */
export async function readTextFile(path: string, where = "files"): Promise<string> {
  const bytes = await readFile(path).catch((error) => {
    throw explainIo(where, path, error);
  });
  return decodeUtf8(bytes, path, where).replace(/^\ufeff/, "");
}
