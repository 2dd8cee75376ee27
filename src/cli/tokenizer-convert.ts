// cria tokenizer convert: one form of a tokenizer into another, every id kept
import { dirname, join } from "node:path";
import { didYouMean, UsageError } from "../base/index.ts";
import { atomicWrite, atomicWriteJson, makeFolder } from "../files/index.ts";
import {
  ggufTokenizerBytes,
  loadSentencePiece,
  type TiktokenKind,
  tiktokenText,
  tokenizerConfigJson,
  tokenizerJson,
} from "../formats/index.ts";
import { tokenizerForms } from "../open/index.ts";
import { type SplitName, splitPatterns, type TokenizerModel } from "../tokenizer/index.ts";
import type { Command, Flags } from "./command.ts";
import { booleanFlag, stringFlag } from "./flag-values.ts";
import { isFile, isFolder, isSameFile, loadTokenizer } from "./load-tokenizer.ts";

const where = "tokenizer convert";

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

type FormName = keyof typeof forms;

const formNames = Object.keys(forms) as FormName[];
const splitNames = Object.keys(splitPatterns) as SplitName[];
/** Flags that say what goes with ranks. */
const rankFlags = ["pattern", "split-digits", "special", "bos", "eos", "pad"];

export const convertCommand: Command = {
  name: "convert",
  summary: "write a tokenizer in another form, with the same ids",
  usage: "TOKENIZER OUT",
  flags: [
    { name: "to", type: "string", value: formNames.join("|"), help: "the form of OUT (by its ending unless given)" },
    {
      ...{ name: "pattern", type: "string", repeat: true, value: "NAME" },
      help: `ranks whose kind is not known: how text is cut into words, one after another: ${splitNames.join(", ")}`,
    },
    { name: "split-digits", type: "boolean", help: "such ranks: every digit a token of its own" },
    {
      name: "special",
      type: "string",
      repeat: true,
      value: "PIECE",
      help: "such ranks: a special piece; the first has the id behind the ranks",
    },
    { name: "bos", type: "string", value: "PIECE", help: "such ranks: the special piece that begins a text" },
    { name: "eos", type: "string", value: "PIECE", help: "such ranks: the special piece that ends a text" },
    { name: "pad", type: "string", value: "PIECE", help: "such ranks: the special piece that fills up" },
  ],
  example: {
    title: `a TOKENIZER is a folder or a file: ${tokenizerForms}; OUT`,
    text: [
      ...Object.values(forms).map(({ ending, about }) => `${ending.padEnd(10)} ${about}\n`),
      `${"a folder".padEnd(10)} tokenizer.json and tokenizer_config.json\n`,
    ].join(""),
  },
  async run([path, out, ...rest], flags, io) {
    if (path === undefined) throw new UsageError(where, `TOKENIZER is missing: name a folder or a file: ${tokenizerForms}`);
    if (out === undefined) throw new UsageError(where, "OUT is missing: name the file to write, or a folder");
    if (rest.length > 0) throw new UsageError(where, `"${rest[0]}" is one too many: name one tokenizer and one OUT`);
    const toFolder = /[/\\]$/.test(out) || (await isFolder(out));
    const form = formOf(flags, out, toFolder);
    const tiktoken = tiktokenKind(flags);
    const file = toFolder ? join(out, "tokenizer.json") : out;
    if (await isPartOf(file, path))
      throw new UsageError(where, `OUT is ${file}, a file of the tokenizer ${path} itself, and would replace it: name another OUT`);
    const { model } = await loadTokenizer(path, io, tiktoken === undefined ? {} : { tiktoken });
    const content = await forms[form].write(model);
    await makeFolder(toFolder ? out : dirname(out), where);
    if (content instanceof Uint8Array) await atomicWrite(file, content);
    else await atomicWriteJson(file, content, where);
    if (toFolder) await atomicWriteJson(join(out, "tokenizer_config.json"), tokenizerConfigJson(model), where);
    const summary = { out: file, form, kind: model.kind, vocabSize: model.pieces.length };
    io.stdout(
      io.json ? `${JSON.stringify(summary)}\n` : `${file}: ${summary.vocabSize.toLocaleString("en-US")} pieces as ${forms[form].about}\n`,
    );
    return 0;
  },
};

/** Whether the file is there and is the tokenizer's own: the same file, or one in the tokenizer's folder. */
async function isPartOf(file: string, tokenizer: string): Promise<boolean> {
  return (await isSameFile(file, tokenizer)) || ((await isFile(file)) && (await isSameFile(dirname(file), tokenizer)));
}

/** @throws UsageError for a form that is none, or an ending that says none. */
function formOf(flags: Flags, out: string, toFolder: boolean): FormName {
  const given = stringFlag(flags, "to");
  const named = formNames.find((name) => name === given);
  if (given !== undefined && named === undefined)
    throw new UsageError(where, `--to is "${given}"${didYouMean(given, formNames) || ":"} one of ${formNames.join(", ")}`);
  if (toFolder && named !== undefined && named !== "json")
    throw new UsageError(where, `--to is ${named}, but OUT is a folder, which gets a tokenizer.json: name a file`);
  const found = named ?? (toFolder ? "json" : formNames.find((name) => out.endsWith(forms[name].ending)));
  if (found !== undefined) return found;
  const endings = formNames.map((name) => forms[name].ending).join(", ");
  throw new UsageError(where, `${out}: its ending says no form: let it end in one of ${endings}, or say --to ${formNames.join("|")}`);
}

/** What the flags say of ranks; their special pieces get ids behind the last rank. */
function tiktokenKind(flags: Flags): ((ranks: number) => TiktokenKind) | undefined {
  const given = rankFlags.filter(
    (name) => list(flags, name).length > 0 || stringFlag(flags, name) !== undefined || booleanFlag(flags, name),
  );
  if (given.length === 0) return undefined;
  const patterns = list(flags, "pattern").map((name) => {
    const found = splitNames.find((known) => known === name);
    if (found === undefined)
      throw new UsageError(where, `unknown pattern "${name}"${didYouMean(name, splitNames) || ":"} one of ${splitNames.join(", ")}`);
    return found;
  });
  if (patterns.length === 0)
    throw new UsageError(where, `--${given[0]} says what goes with ranks, but no pattern does: add --pattern NAME`);
  const specials = list(flags, "special");
  const roles = Object.fromEntries(["bos", "eos", "pad"].flatMap((name) => roleOf(flags, name, specials)));
  return (ranks) => ({
    pattern: patterns,
    splitDigits: booleanFlag(flags, "split-digits"),
    specials: specials.map((piece, i) => [piece, ranks + i] as const),
    ...roles,
  });
}

function list(flags: Flags, name: string): readonly string[] {
  const value = flags[name];
  return Array.isArray(value) ? value.map(String) : [];
}

function roleOf(flags: Flags, name: string, specials: readonly string[]): [string, string][] {
  const piece = stringFlag(flags, name);
  if (piece === undefined) return [];
  if (!specials.includes(piece)) throw new UsageError(where, `--${name} is "${piece}", which is no special piece: add --special ${piece}`);
  return [[name, piece]];
}
