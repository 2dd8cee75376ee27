// cria tokenizer extend: more pieces, learned from a new corpus, behind those that a tokenizer has
import { UsageError } from "../base/index.ts";
import { tokenizerForms } from "../open/index.ts";
import { type ExtendOptions, extendTokenizer, extensionRules } from "../tokenizer/index.ts";
import type { Command, Flags } from "./command.ts";
import { countFlags, countOptions, countWords } from "./count-words.ts";
import { numberFlag, required, stringFlag, wholeFlag } from "./flag-values.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { openAndTell, textFlags, textOptions } from "./text-flags.ts";
import { formNames, outputHelp, outputOf, writeTokenizer } from "./tokenizer-output.ts";

const where = "tokenizer extend";

/** The command `cria tokenizer extend`. */
export const extendCommand: Command = {
  name: "extend",
  summary: "add pieces learned from new texts to a tokenizer; the ids it has stay",
  usage: "TOKENIZER --vocab-size N --out OUT TEXT...",
  flags: [
    { name: "vocab-size", type: "number", isLength: true, required: true, help: "pieces in all, those that are there included" },
    {
      name: "character-coverage",
      type: "number",
      help: "sentencepiece: share of the texts' characters that have a piece of their own afterwards (0.99995 unless given)",
    },
    { name: "max-piece-length", type: "number", help: "sentencepiece: characters in the longest new piece (16 unless given)" },
    { name: "out", type: "string", required: true, value: "OUT", help: "the file to write, or a folder" },
    { name: "to", type: "string", value: formNames.join("|"), help: "the form of OUT (by its ending unless given)" },
    ...countFlags,
    ...textFlags,
  ],
  example: { title: `a TOKENIZER is a folder, a file or hf:owner/name: ${tokenizerForms}; OUT`, text: outputHelp },
  async run([path, ...files], flags, io) {
    if (path === undefined) throw new UsageError(where, `TOKENIZER is missing: name a folder, a file or hf:owner/name: ${tokenizerForms}`);
    const options = extendOptions(flags);
    const counting = countOptions(flags, where);
    const reading = textOptions(flags, where);
    const output = await outputOf(required(stringFlag(flags, "out"), where, "out"), stringFlag(flags, "to"), path, where);
    if (files.length === 0) throw new UsageError(where, "no texts: name files, folders or patterns, or - for standard input");
    const { model } = await loadTokenizer(path, io);
    const rules = extensionRules(model);
    await using texts = await openAndTell(files, reading, io, where);
    const counts = await countWords(texts, rules, counting, { out: output.file, where, io });
    const extended = await extendTokenizer(model, counts, { ...options, onProgress: io.progress, signal: io.signal });
    await writeTokenizer(extended.model, output, where);
    await counts.remove();
    const { model: larger, ...report } = extended;
    const summary = {
      out: output.file,
      oldVocabSize: model.pieces.length,
      vocabSize: larger.pieces.length,
      ...report,
      bytes: counts.textBytes,
    };
    io.stdout(io.json ? `${JSON.stringify(summary)}\n` : asText(summary));
    return 0;
  },
};

/** @throws UsageError for a value out of range */
function extendOptions(flags: Flags): ExtendOptions {
  const vocabSize = required(wholeFlag(flags, where, "vocab-size"), where, "vocab-size");
  const characterCoverage = numberFlag(flags, "character-coverage");
  if (characterCoverage !== undefined && !(characterCoverage > 0 && characterCoverage <= 1))
    throw new UsageError(where, `--character-coverage is ${characterCoverage} but must be above 0 and at most 1`);
  const maxPieceLength = wholeFlag(flags, where, "max-piece-length");
  return {
    vocabSize,
    ...(characterCoverage === undefined ? {} : { characterCoverage }),
    ...(maxPieceLength === undefined ? {} : { maxPieceLength }),
  };
}

interface Summary {
  readonly out: string;
  readonly oldVocabSize: number;
  readonly vocabSize: number;
  readonly characters: number;
  readonly words: number;
  readonly changedWords: number;
  readonly tokensBefore: number;
  readonly tokensAfter: number;
}

function asText({ out, oldVocabSize, vocabSize, characters, words, changedWords, tokensBefore, tokensAfter }: Summary): string {
  const number = (value: number) => value.toLocaleString("en-US");
  const added = vocabSize - oldVocabSize;
  return [
    `${out}: ${number(vocabSize)} pieces, ${number(added)} of them new (${number(characters)} characters, ${number(added - characters)} merged)\n`,
    `ids below ${number(oldVocabSize)} mean what they meant; a model needs ${number(added)} more rows of embeddings\n`,
    `texts in which a new piece can be made are encoded otherwise: of these texts ${number(changedWords)} of ${number(words)} different words, `,
    `${number(tokensBefore)} tokens become ${number(tokensAfter)}\n`,
  ].join("");
}
