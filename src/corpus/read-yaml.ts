// YAML and JSON files that a schema types.
import type { z } from "zod";
import { CriaError, fail, parseJson } from "../base/index.ts";
import { readTextFile } from "../files/index.ts";
import { parseWith, yamlValue } from "../schema/index.ts";

/** @throws CriaError when the file cannot be read, is not YAML (with line and column) or is not what the schema asks for */
export async function readYaml<Schema extends z.ZodType>(path: string, schema: Schema, where: string): Promise<z.output<Schema>> {
  const text = await readTextFile(path, where, "recipe");
  try {
    return parseWith(schema, yamlValue(text), where, path);
  } catch (error) {
    if (error instanceof CriaError) throw error;
    return fail(where, `${path}: it is not YAML, ${(error as Error).message}: correct it there`, { cause: error });
  }
}

/** A JSON file of our own making, which may be larger than YAML that people write. @throws CriaError as {@link readYaml} */
export async function readJson<Schema extends z.ZodType>(path: string, schema: Schema, where: string): Promise<z.output<Schema>> {
  const text = await readTextFile(path, where);
  return parseWith(schema, parseJson(where, `${path}: its text`, text, "it is damaged, make it again"), where, path);
}
