// The pieces that a language model of n-grams reads: words between white space, those of a tokenizer that is named, or of one that is learned from the texts
// of the model themselves.
import { CriaError, Rng, UsageError } from "../base/index.ts";
import { linesOf } from "../clean/index.ts";
import type { Texts } from "../corpus/texts/index.ts";
import { tokenizerJson } from "../formats/index.ts";
import { createTokenizer, type Tokenizer, type TokenizerModel, trainTokenizer } from "../tokenizer/index.ts";
import type { CommandIo, FlagRow, Flags } from "./command.ts";
import { booleanFlag, stringFlag, wholeFlag } from "./flag-values.ts";
import { loadTokenizer } from "./load-tokenizer.ts";
import { partsOf } from "./text-flags.ts";

/** Pieces of a tokenizer that is learned: those of LLaMA's. */
const usualPieces = 32_000;
/** Bytes of text that a tokenizer is learned from; of larger texts a share is drawn. */
const learnedBytes = 1 << 28;

/** Flags that say what is read. */
export const pieceFlags: readonly FlagRow[] = [
  {
    name: "tokenizer",
    type: "string",
    help: "whose pieces are learned from (those of a BPE tokenizer, learned from the texts, unless given)",
  },
  { name: "vocab-size", type: "number", isLength: true, help: `pieces of the tokenizer that is learned (${usualPieces} unless given)` },
  { name: "words", type: "boolean", help: "learn from words between white space instead of pieces" },
];

/** What is read, and the tokenizer as the file of the model holds it. */
export interface NgramPieces {
  /** Words between white space when absent. */
  readonly tokenizer?: Tokenizer;
  /** A tokenizer.json; absent where the tokenizer cannot be written as one. */
  readonly json?: Uint8Array;
}

/** Checks the flags, and opens or learns the tokenizer. @throws UsageError for flags that exclude each other */
export async function openPieces(texts: Texts, flags: Flags, io: CommandIo, where: string): Promise<NgramPieces> {
  const [named, size] = [stringFlag(flags, "tokenizer"), wholeFlag(flags, where, "vocab-size")];
  const given = ["words", "tokenizer", "vocab-size"].filter((name) => flags[name] !== undefined && flags[name] !== false);
  if (given.length > 1) throw new UsageError(where, `--${given[0]} and --${given[1]} say two things of what is read: leave one out`);
  if (booleanFlag(flags, "words")) return {};
  const normalise = !booleanFlag(flags, "as-written");
  const tokenizer =
    named === undefined
      ? createTokenizer(await learn(texts, { size: size ?? usualPieces, normalise }, io))
      : await loadTokenizer(named, io);
  return { tokenizer, ...jsonOf(tokenizer, named, io) };
}

/** A share of the lines is enough for a tokenizer, drawn evenly, so that its memory has a bound. */
async function learn(texts: Texts, { size, normalise }: { size: number; normalise: boolean }, io: CommandIo): Promise<TokenizerModel> {
  const share = Math.min(1, learnedBytes / Math.max(1, texts.textBytes));
  const rng = new Rng(0);
  async function* lines() {
    for await (const text of partsOf(texts, io)) if (share === 1 || rng.uniform() < share) yield* linesOf(text, normalise);
  }
  const options = { kind: "sentencepiece", vocabSize: size, mayBeSmaller: true } as const;
  return trainTokenizer(lines(), { ...options, onProgress: io.progress, signal: io.signal });
}

function jsonOf({ model }: Tokenizer, named: string | undefined, io: CommandIo): { readonly json?: Uint8Array } {
  try {
    return { json: new TextEncoder().encode(JSON.stringify(tokenizerJson(model))) };
  } catch (error) {
    if (!(error instanceof CriaError)) throw error;
    io.stderr(`note: the model's file cannot hold ${named}, which the step perplexity has to name: ${error.message}\n`);
    return {};
  }
}
