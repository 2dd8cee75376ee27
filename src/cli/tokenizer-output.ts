// Where a command writes a tokenizer, and in which form: by the ending of OUT, or by a flag.
import { dirname, join } from "node:path";
import { didYouMean, UsageError } from "../base/index.ts";
import { atomicWrite, atomicWriteJson, makeFolder } from "../files/index.ts";
import { ggufTokenizerBytes, loadSentencePiece, tiktokenText, tokenizerConfigJson, tokenizerJson } from "../formats/index.ts";
import type { TokenizerModel } from "../tokenizer/index.ts";
import { isFile, isFolder, isSameFile } from "./paths.ts";

/** One form that is written. */
interface Form {
  readonly ending: string;
  readonly about: string;
  /** The file's content. @throws CriaError naming what the form cannot say */
  write(model: TokenizerModel): Uint8Array | object | Promise<Uint8Array>;
}

const forms = {
  json: { ending: ".json", about: "Hugging Face's tokenizer.json", write: tokenizerJson },
  model: { ending: ".model", about: "SentencePiece's tokenizer.model", write: writeSentencePiece },
  gguf: { ending: ".gguf", about: "a GGUF with the vocabulary and no tensors", write: ggufTokenizerBytes },
  tiktoken: {
    ending: ".tiktoken",
    about: "ranks, without pattern and special pieces",
    write: (model) => new TextEncoder().encode(tiktokenText(model)),
  },
} as const satisfies Record<string, Form>;

async function writeSentencePiece(model: TokenizerModel): Promise<Uint8Array> {
  return (await loadSentencePiece()).sentencePieceModelBytes(model);
}

/** The name of a form in which a tokenizer is written. */
export type FormName = keyof typeof forms;

/** The names of all forms. */
export const formNames = Object.keys(forms) as FormName[];
/** What OUT may be, as help lists it. */
export const outputHelp = [
  ...Object.values(forms).map(({ ending, about }) => `${ending.padEnd(10)} ${about}\n`),
  `${"a folder".padEnd(10)} one that is there, or a path that ends in /: tokenizer.json and tokenizer_config.json\n`,
].join("");

/** What a form is, in words. */
export function aboutForm(form: FormName): string {
  return forms[form].about;
}

/** Where a tokenizer is written, and in which form. */
export interface TokenizerOutput {
  readonly file: string;
  readonly form: FormName;
  /** A folder gets tokenizer_config.json, too. */
  readonly toFolder: boolean;
}

/**
 * @param form what a flag says; undefined goes by the ending
 * @param source the tokenizer that is read, which may not be written over
 * @throws UsageError for a form that is none, an ending that says none, or a file of the source
 */
export async function outputOf(out: string, form: string | undefined, source: string, where: string): Promise<TokenizerOutput> {
  const toFolder = /[/\\]$/.test(out) || (await isFolder(out));
  const file = toFolder ? join(out, "tokenizer.json") : out;
  if (await isPartOf(file, source))
    throw new UsageError(where, `OUT is ${file}, a file of the tokenizer ${source} itself, and would replace it: name another OUT`);
  return { file, form: formOf(form, out, toFolder, where), toFolder };
}

/** @throws CriaError naming what the form cannot say; nothing is written then */
export async function writeTokenizer(model: TokenizerModel, { file, form, toFolder }: TokenizerOutput, where: string): Promise<void> {
  const content = await forms[form].write(model);
  await makeFolder(dirname(file), where);
  if (content instanceof Uint8Array) await atomicWrite(file, content, where);
  else await atomicWriteJson(file, content, where);
  if (toFolder) await atomicWriteJson(join(dirname(file), "tokenizer_config.json"), tokenizerConfigJson(model), where);
}

/** Whether the file is there and is the tokenizer's own: the same file, or one in the tokenizer's folder. */
export async function isPartOf(file: string, tokenizer: string): Promise<boolean> {
  return (await isSameFile(file, tokenizer)) || ((await isFile(file)) && (await isSameFile(dirname(file), tokenizer)));
}

function formOf(given: string | undefined, out: string, toFolder: boolean, where: string): FormName {
  const named = formNames.find((name) => name === given);
  if (given !== undefined && named === undefined)
    throw new UsageError(where, `--to is "${given}"${didYouMean(given, formNames) || ":"} one of ${formNames.join(", ")}`);
  if (toFolder && named !== undefined && named !== "json")
    throw new UsageError(where, `--to is ${named}, but OUT is a folder, which gets a tokenizer.json: name a file`);
  const found = named ?? (toFolder ? "json" : formNames.find((name) => out.endsWith(forms[name].ending)));
  if (found !== undefined) return found;
  const endings = formNames.map((name) => forms[name].ending).join(", ");
  throw new UsageError(
    where,
    `${out}: its ending says no form: let it end in one of ${endings}, or in / for a folder, or say --to ${formNames.join("|")}`,
  );
}
