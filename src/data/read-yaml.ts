// A YAML (or JSON) file that a schema types.
import { readFile } from "node:fs/promises";
import { parseDocument } from "yaml";
import type { z } from "zod";
import { fail } from "../base/index.ts";
import { explainIo } from "../files/index.ts";
import { parseWith } from "./explain-zod.ts";

/** @throws CriaError when the file cannot be read, is not YAML (with line and column) or is not what the schema asks for */
export async function readYaml<Schema extends z.ZodType>(path: string, schema: Schema, where: string): Promise<z.output<Schema>> {
  const text = await readFile(path, "utf8").catch((error) => {
    throw explainIo(where, path, error);
  });
  return parseWith(schema, parseYaml(path, text, where), where, path);
}

function parseYaml(path: string, text: string, where: string): unknown {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) fail(where, `${path}: it is not YAML: ${error.message.split("\n")[0]}`, { cause: error });
  try {
    return document.toJS();
  } catch (cause) {
    return fail(where, `${path}: it is not YAML: ${(cause as Error).message}`, { cause });
  }
}
