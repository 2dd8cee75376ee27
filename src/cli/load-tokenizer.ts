// A tokenizer by its path: a file of any form, or a folder that holds one.
import { UsageError } from "../base/index.ts";
import { openAnyTokenizer } from "../load/index.ts";
import { type OpenTokenizerOptions, tokenizerForms } from "../open/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { CommandIo } from "./command.ts";

/** What its files say that cria does not follow goes to stderr. @throws CriaError when a file is missing, damaged or not supported. */
export async function loadTokenizer(
  path: string,
  io: Pick<CommandIo, "stderr">,
  options: Omit<OpenTokenizerOptions, "onWarning"> = {},
): Promise<Tokenizer> {
  return openAnyTokenizer(path, { ...options, onWarning: (warning) => io.stderr(`${warning}\n`) });
}

/** The tokenizer that a command was called with. @throws UsageError where none was named */
export function openNamed(path: string | undefined, where: string, io: Pick<CommandIo, "stderr">): Promise<Tokenizer> {
  if (path === undefined) throw new UsageError(where, `TOKENIZER is missing: name a folder or a file: ${tokenizerForms}`);
  return loadTokenizer(path, io);
}
