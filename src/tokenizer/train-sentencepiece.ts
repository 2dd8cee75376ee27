// Training LLaMA's form with the settings read from its released model (Touvron et al. 2023; sentencepiece, trainer_interface.cc):
// identity normaliser, dummy prefix, no pieces across white space, scripts or digits. The merges themselves are exact BPE.
import { check } from "../base/index.ts";
import { byteFallbackPiece } from "./byte-pieces.ts";
import { spaceMark } from "./model.ts";
import { listSpecials, type SpecialPieces, specialRoles } from "./special-pieces.ts";
import type { Trainee } from "./trainee.ts";
import { eachSpeltWord, type WordCounts } from "./word-counts.ts";
import { WordsBuilder } from "./words-builder.ts";

export interface SentencePieceTrainOptions {
  readonly kind: "sentencepiece";
  /** The share of the corpus' characters that get a piece, most frequent first; the rest goes by bytes. In (0, 1]. @default 0.99995 */
  readonly characterCoverage?: number;
  /** In characters, the ▁ included. @default 16 */
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
export function sentencePieceTrainee(options: SentencePieceTrainOptions): Trainee {
  const { characterCoverage = 0.99995, maxPieceLength = 16, allowWhitespaceOnlyPieces = true } = options;
  const { specials = { unk: "<unk>", bos: "<s>", eos: "</s>" } } = options;
  const isShare = characterCoverage > 0 && characterCoverage <= 1;
  check(isShare, "tokenizer", () => `characterCoverage must be above 0 and at most 1, but it is ${characterCoverage}`);
  const isLength = Number.isInteger(maxPieceLength) && maxPieceLength >= 1;
  check(isLength, "tokenizer", () => `maxPieceLength must be a whole number from 1 on, but it is ${maxPieceLength}`);
  const { splitDigits = true, splitByUnicodeScript = true } = options;
  const reserved = [...listSpecials(specials), ...bytePieces];
  let characters = 0;
  return {
    reserved,
    rules: { kind: "sentencepiece", splitDigits, splitByUnicodeScript },
    layOut: async (counts) => {
      const pieces = await coveredCharacters(counts, characterCoverage);
      characters = pieces.length;
      return { words: await layOut(counts, pieces), pieces };
    },
    mayMerge: (left, right) =>
      isPlacedWell(left, right, allowWhitespaceOnlyPieces) && isAtMost(left.length + right.length, left, right, maxPieceLength),
    finish: (pieces, merges) => {
      const merged = pieces.length - characters;
      const idOf = (symbol: number) => reserved.length + (symbol < characters ? merged + symbol : symbol - characters);
      return {
        kind: "sentencepiece",
        pieces: [...reserved, ...pieces.slice(characters), ...pieces.slice(0, characters)],
        merges: merges.map(([left, right]) => [idOf(left), idOf(right)] as const),
        byteFallback: true,
        dummyPrefix: "each",
        prefixBeforeSpace: true,
        unkId: 0,
        ...specialRoles(specials, 0),
      };
    },
  };
}

/** The most frequent characters until they make up the share; ▁ always. */
async function coveredCharacters(words: WordCounts, share: number): Promise<string[]> {
  const counts = new Map<number, number>();
  let total = 0;
  for await (const block of words.blocks())
    eachSpeltWord(block, (word, count) => {
      for (const point of word) counts.set(point, (counts.get(point) ?? 0) + count);
      total += word.length * count;
    });
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || a - b);
  const covered: string[] = [];
  let done = 0;
  for (const [point, count] of sorted) {
    if (done / total >= share) break;
    done += count;
    covered.push(point === 0x20 ? spaceMark : String.fromCodePoint(point));
  }
  return covered.includes(spaceMark) ? covered : [spaceMark, ...covered];
}

/** A character without a piece ends a word and begins another. */
async function layOut(words: WordCounts, pieces: readonly string[]) {
  const symbolOf = new Map(pieces.map((piece, symbol) => [piece === spaceMark ? 0x20 : piece.codePointAt(0)!, symbol]));
  const builder = new WordsBuilder();
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

/** ▁ stands at the start of a piece, once, or the piece is nothing but ▁; so one that ends in ▁ is nothing else. */
function isPlacedWell(left: string, right: string, allowWhitespaceOnlyPieces: boolean): boolean {
  if (!left.endsWith(spaceMark)) return true;
  if (right.startsWith(spaceMark)) return allowWhitespaceOnlyPieces && right.endsWith(spaceMark);
  return left === spaceMark;
}

function isAtMost(units: number, left: string, right: string, maxCharacters: number): boolean {
  return units <= maxCharacters || Array.from(left).length + Array.from(right).length <= maxCharacters;
}
