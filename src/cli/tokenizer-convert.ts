// cria tokenizer convert: one form of a tokenizer into another, every id kept
import { didYouMean, UsageError } from "../base/index.ts";
import type { TiktokenKind } from "../formats/index.ts";
import { tokenizerForms } from "../open/index.ts";
import { type SplitName, splitPatterns } from "../tokenizer/index.ts";
import type { Command, Flags } from "./command.ts";
import { booleanFlag, stringFlag } from "./flag-values.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { aboutForm, formNames, outputHelp, outputOf, writeTokenizer } from "./tokenizer-output.ts";

const where = "tokenizer convert";

const splitNames = Object.keys(splitPatterns) as SplitName[];
/** Flags that say what goes with ranks. */
const rankFlags = ["pattern", "split-digits", "special", "bos", "eos", "pad"];

/** The command `cria tokenizer convert`. */
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
    title: `a TOKENIZER is a folder, a file or hf:owner/name: ${tokenizerForms}; OUT`,
    text: outputHelp,
  },
  async run([path, out, ...rest], flags, io) {
    if (path === undefined) throw new UsageError(where, `TOKENIZER is missing: name a folder, a file or hf:owner/name: ${tokenizerForms}`);
    if (out === undefined) throw new UsageError(where, "OUT is missing: name the file to write, or a folder");
    if (rest.length > 0) throw new UsageError(where, `"${rest[0]}" is one too many: name one tokenizer and one OUT`);
    const output = await outputOf(out, stringFlag(flags, "to"), path, where);
    const tiktoken = tiktokenKind(flags);
    const { model } = await loadTokenizer(path, io, tiktoken === undefined ? {} : { tiktoken });
    await writeTokenizer(model, output, where);
    const { file, form } = output;
    const summary = { out: file, form, kind: model.kind, vocabSize: model.pieces.length };
    io.stdout(
      io.json ? `${JSON.stringify(summary)}\n` : `${file}: ${summary.vocabSize.toLocaleString("en-US")} pieces as ${aboutForm(form)}\n`,
    );
    return 0;
  },
};

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
