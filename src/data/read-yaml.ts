// A YAML (or JSON) file that a schema types.
import { parseDocument } from "yaml";
import type { z } from "zod";
import { fail } from "../base/index.ts";
import { readTextFile } from "../files/index.ts";
import { parseWith } from "./explain-zod.ts";

/** @throws CriaError when the file cannot be read, is not YAML (with line and column) or is not what the schema asks for */
export async function readYaml<Schema extends z.ZodType>(path: string, schema: Schema, where: string): Promise<z.output<Schema>> {
  return parseWith(schema, parseYaml(path, await readTextFile(path, where), where), where, path);
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
