// cria tokenizer train
import { dirname, join } from "node:path";
import { didYouMean, UsageError } from "../base/index.ts";
import { atomicWrite, atomicWriteJson, makeFolder } from "../files/index.ts";
import { loadSentencePiece, tokenizerConfigJson, tokenizerJson } from "../formats/index.ts";
import {
  type TokenizerModel,
  type TrainOptions,
  tieRules,
  trainingModes,
  trainingRules,
  trainOnWords,
  wordPatterns,
} from "../tokenizer/index.ts";
import type { Command, Flags } from "./command.ts";
import { countFlags, countOptions, countWords } from "./count-words.ts";
import { booleanFlag, numberFlag, required, stringFlag, wholeFlag } from "./flag-values.ts";
import { isFolder } from "./paths.ts";
import { formsHelp, openAndTell, textFlags, textOptions } from "./text-flags.ts";

const where = "tokenizer train";
const modelEnding = ".model";

/** Flags that only some kinds know. */
const flagsOfKind: Readonly<Record<string, readonly string[]>> = {
  word: [],
  sentencepiece: ["mode", "character-coverage", "max-piece-length", "max-sentence-length"],
  bytes: ["pattern", "split-digits"],
};

/** The command `cria tokenizer train`. */
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
    {
      ...{ name: "ties", type: "string", value: tieRules.join("|") },
      help: "which of two equally frequent pairs merges first (shorter-piece, SentencePiece's rule, unless given)",
    },
    {
      ...{ name: "mode", type: "string", value: trainingModes.join("|") },
      help: "sentencepiece: the truly most frequent pair at every step (exact, unless given), or the pieces, ids and scores of SentencePiece 0.2.3's trainer (spm) or of 0.1.97's, Debian's spm_train (spm-0.1.97)",
    },
    { name: "pattern", type: "string", help: `bytes: how text is cut into words, ${wordPatterns.join(", ")} (llama3 unless given)` },
    { name: "split-digits", type: "boolean", help: "bytes: every digit a token of its own (sentencepiece always does)" },
    {
      name: "character-coverage",
      type: "number",
      help: "sentencepiece: share of characters with a piece of their own (0.99995 unless given)",
    },
    { name: "max-piece-length", type: "number", help: "sentencepiece: characters in the longest piece (16 unless given)" },
    {
      name: "max-sentence-length",
      type: "number",
      help: "sentencepiece: bytes of the longest line, longer ones are left out (none is unless given, in SentencePiece's modes above 4192)",
    },
    {
      name: "out",
      type: "string",
      required: true,
      help: "the tokenizer.json to write, or a tokenizer.model by its ending; or a folder that is there, or a path that ends in /, for tokenizer.json and a tokenizer_config.json that says how it was trained, for which a file alone has no place and which --json prints; folders are made",
    },
    ...countFlags,
    ...textFlags,
  ],
  example: {
    title:
      "a TEXT is a file, folder, pattern (texts/**/*.{txt,md}) address, data set of the hub (hf:datasets/owner/name) or - for standard input, each also with .gz, .zst, .bz2 or .lz4",
    text: formsHelp,
  },
  async run(files, flags, io) {
    const options = trainOptions(flags);
    const out = required(stringFlag(flags, "out"), where, "out");
    const reading = textOptions(flags, where);
    const counting = countOptions(flags, where);
    if (out.endsWith(modelEnding) && options.kind !== "sentencepiece")
      throw new UsageError(where, `--out ${out} is SentencePiece's form, which holds no --kind ${options.kind}: name a .json or a folder`);
    const toFolder = /[/\\]$/.test(out) || (await isFolder(out));
    if (!toFolder && !out.endsWith(".json") && !out.endsWith(modelEnding))
      throw new UsageError(where, `--out ${out}: its ending says no form: let it end in .json or ${modelEnding}, or in / for a folder`);
    if (files.length === 0) throw new UsageError(where, "no texts: name files, folders or patterns, or - for standard input");
    await using texts = await openAndTell(files, reading, io, where);
    await makeFolder(toFolder ? out : dirname(out), where);
    const file = toFolder ? join(out, "tokenizer.json") : out;
    const counts = await countWords(texts, trainingRules(options), counting, { out: file, where, io });
    const model = await trainOnWords(counts, { ...options, onProgress: io.progress, signal: io.signal }, () => counts.release());
    await save(model, file);
    if (toFolder) await atomicWriteJson(join(out, "tokenizer_config.json"), { ...tokenizerConfigJson(model), training: options }, where);
    await counts.remove();
    const bytes = counts.textBytes;
    const { pieces } = model;
    const merges = model.merges && model.merges.length / 2;
    const summary = {
      out: file,
      kind: model.kind,
      vocabSize: pieces.length,
      ...defined({ merges }),
      bytes,
      training: options,
    };
    const merged = merges === undefined ? "" : `, ${merges} merges`;
    io.stdout(io.json ? `${JSON.stringify(summary)}\n` : `${file}: ${pieces.length} pieces${merged}, learned from ${bytes} bytes\n`);
    return 0;
  },
};

async function save(model: TokenizerModel, file: string): Promise<void> {
  if (!file.endsWith(modelEnding)) await atomicWriteJson(file, tokenizerJson(model), where);
  else await atomicWrite(file, (await loadSentencePiece()).sentencePieceModelBytes(model), where);
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
  const ties = nameFlag(flags, "ties", tieRules) ?? "shorter-piece";
  if (kind === "word") return { kind, ...sizes, ties };
  if (kind === "bytes") {
    const pattern = nameFlag(flags, "pattern", wordPatterns);
    return { kind, ...sizes, ties, splitDigits: booleanFlag(flags, "split-digits"), ...defined({ pattern }) };
  }
  const mode = nameFlag(flags, "mode", trainingModes) ?? "exact";
  if (mode !== "exact" && ties !== "shorter-piece")
    throw new UsageError(
      where,
      `--ties ${ties} does not go with --mode ${mode}, whose rule is shorter-piece: leave it out, or name --mode exact`,
    );
  const characterCoverage = numberFlag(flags, "character-coverage");
  if (characterCoverage !== undefined && !(characterCoverage > 0 && characterCoverage <= 1))
    throw new UsageError(where, `--character-coverage is ${characterCoverage} but must be above 0 and at most 1`);
  const maxPieceLength = wholeFlag(flags, where, "max-piece-length");
  const maxSentenceLength = wholeFlag(flags, where, "max-sentence-length");
  return { kind: "sentencepiece", ...sizes, ties, mode, ...defined({ characterCoverage, maxPieceLength, maxSentenceLength }) };
}

/** @throws UsageError for another name */
function nameFlag<Name extends string>(flags: Flags, flag: string, names: readonly Name[]): Name | undefined {
  const given = stringFlag(flags, flag);
  const found = names.find((name) => name === given);
  if (given !== undefined && found === undefined)
    throw new UsageError(where, `unknown ${flag} "${given}"${didYouMean(given, names) || ":"} one of ${names.join(", ")}`);
  return found;
}

/** The members that are not undefined. */
function defined<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
