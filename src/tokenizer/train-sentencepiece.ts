// Training LLaMA's form with the settings read from its released model (Touvron et al. 2023; sentencepiece, trainer_interface.cc):
// identity normaliser, dummy prefix, no pieces across white space, scripts or digits.
import { check } from "../base/index.ts";
import type { BpeTrainer } from "./bpe-trainer.ts";
import { byteFallbackPiece } from "./byte-pieces.ts";
import { utf8Bytes } from "./codec.ts";
import { CachedSentencePieceLearner } from "./learn-cached-sentencepiece.ts";
import { type Alphabet, MergeLearner } from "./learn-merges.ts";
import { SentencePieceLearner } from "./learn-sentencepiece.ts";
import { mergeList, type SentencePieceModel, spaceMark } from "./model.ts";
import type { Words } from "./pair-counts.ts";
import { SentencePieces } from "./sentence-pieces.ts";
import { listSpecials, type SpecialPieces, specialRoles } from "./special-pieces.ts";
import { unknownMark } from "./split-sentence.ts";
import type { TieRule } from "./tie-rules.ts";
import { eachSpeltWord, type WordCounts, WordTable } from "./words/index.ts";
import { sizesOf, WordsBuilder } from "./words-builder.ts";

/**
 * Whose merges are learned: "exact" merges the truly most frequent pair at every step; "spm" gives the pieces, ids and scores of SentencePiece
 * 0.2.3's trainer, "spm-0.1.97" those of 0.1.97 and before (Debian's `spm_train`).
 */
export type TrainingMode = "exact" | "spm" | "spm-0.1.97";

/** The names of all modes. */
export const trainingModes: readonly TrainingMode[] = ["exact", "spm", "spm-0.1.97"];

/** Options of SentencePiece's training. */
export interface SentencePieceTrainOptions {
  readonly kind: "sentencepiece";
  /** @default "exact" */
  readonly mode?: TrainingMode;
  /** Lines of more bytes of UTF-8 are left out. @default none is; in the modes of SentencePiece those above 4192 bytes */
  readonly maxSentenceLength?: number;
  /** The share of the corpus' characters that get a piece, most frequent first; the rest goes by bytes. In (0, 1]. @default 0.99995 */
  readonly characterCoverage?: number;
  /** The most characters of a piece, the ▁ included. @default 16 */
  readonly maxPieceLength?: number;
  /** @default true */
  readonly splitDigits?: boolean;
  /** @default true */
  readonly splitByUnicodeScript?: boolean;
  /** Runs of spaces may become pieces. @default true */
  readonly allowWhitespaceOnlyPieces?: boolean;
  /** @default unk `<unk>`, bos `<s>`, eos `</s>` */
  readonly specials?: SpecialPieces & { readonly unk: string };
}

const bytePieces: readonly string[] = Array.from({ length: 256 }, (_, byte) => byteFallbackPiece(byte));

/** Ids: special pieces, bytes, merges in order, then characters by frequency, as in LLaMA's own vocabulary. */
export function sentencePieceTrainer(options: SentencePieceTrainOptions, ties: TieRule): BpeTrainer {
  checkOptions(options, ties);
  const { mode = "exact", characterCoverage = 0.99995, maxPieceLength = 16, allowWhitespaceOnlyPieces = true } = options;
  const { splitDigits = true, splitByUnicodeScript = true, specials = { unk: "<unk>", bos: "<s>", eos: "</s>" } } = options;
  const maxSentenceBytes = options.maxSentenceLength ?? (mode === "exact" ? undefined : 4192);
  const reserved = [...listSpecials(specials), ...bytePieces];
  const boundary = mode === "spm-0.1.97" ? "\t" : "\u001f";
  const limits = { maxPieceLength, splitDigits, splitByUnicodeScript, allowWhitespaceOnlyPieces };
  let characters = 0;
  let seen: readonly string[] = [];
  return {
    reserved,
    rules: {
      kind: "sentencepiece",
      splitDigits,
      splitByUnicodeScript,
      reserved,
      boundary,
      reservesUnknownMark: mode !== "exact",
      ...(mode === "spm-0.1.97" ? { onlyAt: allowWhitespaceOnlyPieces ? "runs of spaces" : "spaces" } : {}),
      ...(maxSentenceBytes === undefined ? {} : { maxSentenceBytes }),
    },
    layOut: async (counts, onRead) => {
      const pieces = await coveredCharacters(counts, characterCoverage, boundary);
      if (mode === "exact" && !pieces.includes(spaceMark)) pieces.unshift(spaceMark);
      characters = pieces.length;
      const rules = () => new SentencePieces(limits);
      const laidOut =
        mode === "spm-0.1.97" ? await layOutByFrequency(counts, pieces, rules(), onRead) : { words: await layOut(counts, pieces), seen };
      seen = laidOut.seen;
      return { words: laidOut.words, pieces, rules: rules(), bytesOf: utf8Bytes, areBytes: false };
    },
    learner: (alphabet) => learnerOf(mode, alphabet, seen, ties),
    finish: (pieces, merges) => {
      const merged = pieces.length - characters;
      const idOf = (symbol: number) => reserved.length + (symbol < characters ? merged + symbol : symbol - characters);
      const all = [...reserved, ...pieces.slice(characters), ...pieces.slice(0, characters)];
      return {
        kind: "sentencepiece",
        pieces: all,
        ...(mode === "exact" ? { merges: mergeList(merges).map(idOf) } : { scores: scoresInOrder(all.length, reserved.length) }),
        byteFallback: true,
        dummyPrefix: "each",
        prefixBeforeSpace: true,
        unkId: 0,
        ...specialRoles(specials, 0),
      };
    },
  };
}

function checkOptions(
  { mode = "exact", characterCoverage = 1, maxPieceLength = 1, maxSentenceLength = 1 }: SentencePieceTrainOptions,
  ties: TieRule,
): void {
  const isMode = trainingModes.includes(mode);
  check(isMode, "tokenizer", () => `unknown mode ${JSON.stringify(mode)}: one of ${trainingModes.join(", ")}`);
  const fits = mode === "exact" || ties === "shorter-piece";
  check(fits, "tokenizer", () => `mode ${mode} has the rule for ties shorter-piece, not ${ties}: leave it out, or ask for mode exact`);
  const isShare = characterCoverage > 0 && characterCoverage <= 1;
  check(isShare, "tokenizer", () => `characterCoverage must be above 0 and at most 1, but it is ${characterCoverage}`);
  checkLength("maxPieceLength", maxPieceLength);
  checkLength("maxSentenceLength", maxSentenceLength);
}

function checkLength(name: string, length: number): void {
  const isLength = Number.isInteger(length) && length >= 1;
  check(isLength, "tokenizer", () => `${name} must be a whole number from 1 on, but it is ${length}`);
}

function learnerOf(mode: TrainingMode, alphabet: Alphabet, seen: readonly string[], ties: TieRule) {
  if (mode === "exact") return new MergeLearner(alphabet, ties);
  return mode === "spm" ? new SentencePieceLearner(alphabet) : new CachedSentencePieceLearner(alphabet, seen);
}

/** 0 for every special piece and byte, then -0, -1, -2, … */
function scoresInOrder(size: number, fixed: number): NonNullable<SentencePieceModel["scores"]> {
  return Array.from({ length: size }, (_, id) => (id < fixed ? 0 : -(id - fixed)));
}

/** The most frequent characters until they make up the share, which SentencePiece compares in float32. */
export async function coveredCharacters(words: WordCounts, share: number, boundary: string): Promise<string[]> {
  const counts = new Map<number, number>();
  let total = 0;
  for await (const block of words.blocks())
    eachSpeltWord(block, (word, count) => {
      for (const point of word) {
        if (point === 0) continue;
        counts.set(point, (counts.get(point) ?? 0) + count);
        total += count;
      }
    });
  const sorted = [...counts].map(([point, count]) => ({ char: characterOf(point), count })).sort(byFrequency);
  const covered: string[] = [];
  let done = 0;
  for (const { char, count } of sorted) {
    if (Math.fround(done / total) >= Math.fround(share)) break;
    done += count;
    if (char !== boundary) covered.push(char);
  }
  return covered;
}

interface Frequency {
  readonly char: string;
  readonly count: number;
}

function byFrequency(a: Frequency, b: Frequency): number {
  return b.count - a.count || (a.char.codePointAt(0) ?? 0) - (b.char.codePointAt(0) ?? 0);
}

function characterOf(point: number): string {
  return point === 0x20 ? spaceMark : String.fromCodePoint(point);
}

/** A character without a piece ends a word and begins another. */
async function layOut(words: WordCounts, pieces: readonly string[]): Promise<Words> {
  const symbolOf = symbolsByCharacter(pieces);
  const builder = await WordsBuilder.roomFor(words);
  for await (const block of words.blocks())
    eachSpeltWord(block, (word, count) => {
      for (const point of word) {
        const symbol = symbolOf.get(point);
        if (symbol === undefined) builder.close(count);
        else builder.push(symbol);
      }
      builder.close(count);
    });
  return builder.build();
}

/**
 * The same with the most frequent words first, then in the order of their UTF-8, which words have with a ▅ for every character without a piece. They
 * are cut where no piece reaches across, and each part counts where it comes first: the trainer's order is that in which pairs are first met.
 */
async function layOutByFrequency(
  words: WordCounts,
  pieces: readonly string[],
  rules: SentencePieces,
  onRead: () => void,
): Promise<{ words: Words; seen: readonly string[] }> {
  const symbolOf = symbolsByCharacter(pieces);
  for (const piece of pieces) rules.add(piece);
  const sizes = await sizesOf(words);
  const spelt = new WordTable(sizes);
  for await (const block of words.blocks())
    eachSpeltWord(block, (word, count) => {
      let text = "";
      for (const point of word) text += symbolOf.has(point) ? characterOf(point) : unknownMark;
      spelt.add(text, 0, text.length, count);
    });
  onRead();
  const builder = new WordsBuilder(sizes);
  const seen = new Set<number>();
  for (const block of spelt.blocksByCount())
    eachSpeltWord(block, (word, count) => {
      let before: number | undefined;
      for (const point of word) {
        seen.add(point);
        const symbol = symbolOf.get(point);
        if (symbol === undefined || before === undefined || !rules.mayMerge(before, symbol)) builder.closeOnce(count);
        if (symbol !== undefined) builder.push(symbol);
        before = symbol;
      }
      builder.closeOnce(count);
    });
  return { words: builder.build(), seen: Array.from(seen, characterOf) };
}

/** Words write a ▁ as a space. */
function symbolsByCharacter(pieces: readonly string[]): Map<number, number> {
  const symbolOf = new Map(pieces.map((piece, symbol) => [piece.codePointAt(0) ?? 0, symbol]));
  const space = pieces.indexOf(spaceMark);
  return space < 0 ? symbolOf : symbolOf.set(0x20, space);
}
