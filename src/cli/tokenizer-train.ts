// cria tokenizer train
import { dirname, join } from "node:path";
import { didYouMean, UsageError } from "../base/index.ts";
import { atomicWriteJson, makeFolder } from "../files/index.ts";
import { tokenizerConfigJson, tokenizerJson } from "../formats/index.ts";
import { type TokenizerModel, type TrainOptions, trainingRules, trainOnWords, wordPatterns } from "../tokenizer/index.ts";
import type { Command, Flags } from "./command.ts";
import { countFlags, countOptions, countWords } from "./count-words.ts";
import { booleanFlag, numberFlag, required, stringFlag, wholeFlag } from "./flag-values.ts";
import { isFolder } from "./load-tokenizer.ts";
import { formsHelp, openAndTell, textFlags, textOptions } from "./text-flags.ts";

const where = "tokenizer train";

/** Flags that only some kinds know. */
const flagsOfKind: Readonly<Record<string, readonly string[]>> = {
  word: [],
  sentencepiece: ["character-coverage", "max-piece-length"],
  bytes: ["pattern", "split-digits"],
};

export const trainCommand: Command = {
  name: "train",
  summary: "learn a BPE tokenizer from texts",
  usage: "--kind word|sentencepiece|bytes --vocab-size N --out FILE|FOLDER TEXT...",
  flags: [
    { name: "kind", type: "string", required: true, help: "word (textbook BPE), sentencepiece (LLaMA's) or bytes (GPT-2's, LLaMA 3's)" },
    {
      name: "vocab-size",
      type: "number",
      isLength: true,
      required: true,
      help: "pieces in all: special ones, bytes, characters and merges",
    },
    { name: "max-merges", type: "number", help: "stop after so many merges even if the vocabulary is smaller then" },
    { name: "pattern", type: "string", help: `bytes: how text is cut into words, ${wordPatterns.join(", ")} (llama3 unless given)` },
    { name: "split-digits", type: "boolean", help: "bytes: every digit a token of its own (sentencepiece always does)" },
    {
      name: "character-coverage",
      type: "number",
      help: "sentencepiece: share of characters with a piece of their own (0.99995 unless given)",
    },
    { name: "max-piece-length", type: "number", help: "sentencepiece: characters in the longest piece (16 unless given)" },
    {
      name: "out",
      type: "string",
      required: true,
      help: "the tokenizer.json to write, or a folder that is there, or a path that ends in /, for it and tokenizer_config.json; folders are made",
    },
    ...countFlags,
    ...textFlags,
  ],
  example: {
    title: "a TEXT is a file, folder, pattern (texts/**/*.{txt,md}) or - for standard input, each also with .gz or .zst",
    text: formsHelp,
  },
  async run(files, flags, io) {
    const options = trainOptions(flags);
    const out = required(stringFlag(flags, "out"), where, "out");
    const reading = textOptions(flags, where);
    const counting = countOptions(flags, where);
    if (files.length === 0) throw new UsageError(where, "no texts: name files, folders or patterns, or - for standard input");
    const toFolder = /[/\\]$/.test(out) || (await isFolder(out));
    await using texts = await openAndTell(files, reading, io, where);
    await makeFolder(toFolder ? out : dirname(out), where);
    const file = toFolder ? join(out, "tokenizer.json") : out;
    const counts = await countWords(texts, trainingRules(options), counting, { out: file, where, io });
    const model = await trainOnWords(counts, { ...options, onProgress: io.progress, signal: io.signal });
    await save(model, file, toFolder);
    await counts.remove();
    const bytes = counts.textBytes;
    const summary = { out: file, kind: model.kind, vocabSize: model.pieces.length, merges: model.merges?.length ?? 0, bytes };
    if (io.json) io.stdout(`${JSON.stringify(summary)}\n`);
    else io.stdout(`${file}: ${summary.vocabSize} pieces, ${summary.merges} merges, learned from ${bytes} bytes\n`);
    return 0;
  },
};

async function save(model: TokenizerModel, file: string, withConfig: boolean): Promise<void> {
  await atomicWriteJson(file, tokenizerJson(model), where);
  if (withConfig) await atomicWriteJson(join(dirname(file), "tokenizer_config.json"), tokenizerConfigJson(model), where);
}

/** @throws UsageError for an unknown kind, or a flag that the kind does not have. */
function trainOptions(flags: Flags): TrainOptions {
  const kind = required(stringFlag(flags, "kind"), where, "kind");
  const kinds = Object.keys(flagsOfKind);
  if (!Object.hasOwn(flagsOfKind, kind))
    throw new UsageError(where, `unknown kind "${kind}"${didYouMean(kind, kinds) || ":"} one of ${kinds.join(", ")}`);
  for (const name of Object.values(flagsOfKind).flat()) {
    const isGiven = flags[name] !== undefined && flags[name] !== false;
    if (isGiven && !flagsOfKind[kind]!.includes(name))
      throw new UsageError(where, `--${name} does not go with --kind ${kind}: leave it out`);
  }
  const sizes = defined({
    vocabSize: required(wholeFlag(flags, where, "vocab-size"), where, "vocab-size"),
    maxMerges: wholeFlag(flags, where, "max-merges", 0),
  });
  if (kind === "word") return { kind, ...sizes };
  if (kind === "bytes") {
    const pattern = patternFlag(flags);
    return { kind, ...sizes, splitDigits: booleanFlag(flags, "split-digits"), ...defined({ pattern }) };
  }
  const characterCoverage = numberFlag(flags, "character-coverage");
  if (characterCoverage !== undefined && !(characterCoverage > 0 && characterCoverage <= 1))
    throw new UsageError(where, `--character-coverage is ${characterCoverage} but must be above 0 and at most 1`);
  const maxPieceLength = wholeFlag(flags, where, "max-piece-length");
  return { kind: "sentencepiece", ...sizes, ...defined({ characterCoverage, maxPieceLength }) };
}

function patternFlag(flags: Flags): (typeof wordPatterns)[number] | undefined {
  const pattern = stringFlag(flags, "pattern");
  const found = wordPatterns.find((name) => name === pattern);
  if (pattern !== undefined && found === undefined)
    throw new UsageError(where, `unknown pattern "${pattern}": one of ${wordPatterns.join(", ")}`);
  return found;
}

/** Without the members that are undefined. */
function defined<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
