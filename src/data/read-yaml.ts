// A YAML (or JSON) file that a schema types.
import { readFile } from "node:fs/promises";
import { parseDocument } from "yaml";
import type { z } from "zod";
import { fail } from "../base/index.ts";
import { explainIo } from "../files/index.ts";
import { parseWith } from "./explain-zod.ts";

/** @throws CriaError when the file cannot be read, is not YAML (with line and column) or is not what the schema asks for */
export async function readYaml<Schema extends z.ZodType>(path: string, schema: Schema, where: string): Promise<z.output<Schema>> {
  const bytes = await readFile(path).catch((error) => {
    throw explainIo(where, path, error);
  });
  return parseWith(schema, parseYaml(path, decode(path, bytes, where), where), where, path);
}

function decode(path: string, bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    return fail(where, `${path}: its text is not UTF-8: is it another file?`, { cause });
  }
}

function parseYaml(path: string, text: string, where: string): unknown {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) fail(where, `${path}: it is not YAML, ${oneLine(error)}: correct it there`, { cause: error });
  try {
    return document.toJS();
  } catch (cause) {
    return fail(where, `${path}: it is not YAML, ${oneLine(cause as Error)}: correct it`, { cause });
  }
}

/** Behind the first line the parser shows the place. */
function oneLine({ message }: Error): string {
  return lowerFirst(message.split("\n")[0]!.replace(/:$/, ""));
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
