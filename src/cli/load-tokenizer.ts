// A tokenizer by its path, a file of any form or a folder that holds one, or by its name on Hugging Face's hub.
import { UsageError } from "../base/index.ts";
import { type OpenTokenizerOptions, openAnyTokenizer } from "../load/index.ts";
import { tokenizerForms } from "../open/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { CommandIo } from "./command.ts";

/** What loading a tokenizer tells, and what stops it. */
export type LoadIo = Pick<CommandIo, "stderr" | "signal" | "progress">;

/** What its files say that cria does not follow goes to stderr. @throws CriaError when a file is missing, damaged or not supported. */
export async function loadTokenizer(
  path: string,
  { stderr, signal, progress }: LoadIo,
  options: Omit<OpenTokenizerOptions, "onWarning" | "signal" | "onProgress"> = {},
): Promise<Tokenizer> {
  return openAnyTokenizer(path, { ...options, signal, onProgress: progress, onWarning: (warning) => stderr(`${warning}\n`) });
}

/** The tokenizer that a command was called with. @throws UsageError where none was named */
export function openNamed(path: string | undefined, where: string, io: LoadIo): Promise<Tokenizer> {
  if (path === undefined) throw new UsageError(where, `TOKENIZER is missing: name a folder, a file or hf:owner/name: ${tokenizerForms}`);
  return loadTokenizer(path, io);
}
