// Training byte-level BPE (Radford et al. 2019): all 256 bytes are pieces from the start, words are cut by a pattern.
import { check } from "../base/index.ts";
import type { BpeTrainer } from "./bpe-trainer.ts";
import { byteLevelBytes, byteToChar } from "./byte-pieces.ts";
import { utf8Bytes } from "./codec.ts";
import { MergeLearner } from "./learn-merges.ts";
import { mergeList } from "./model.ts";
import { UnreservedPieces } from "./piece-rules.ts";
import { listSpecials, type SpecialPieces, specialRoles } from "./special-pieces.ts";
import { wordPatterns } from "./split-pattern.ts";
import type { TieRule } from "./tie-rules.ts";
import { eachWordOf } from "./words/index.ts";
import { WordsBuilder } from "./words-builder.ts";

/** Options of byte-level training. */
export interface BytesTrainOptions {
  readonly kind: "bytes";
  /** @default "llama3" */
  readonly pattern?: (typeof wordPatterns)[number];
  /** Every \p{N} is a word of its own. @default false */
  readonly splitDigits?: boolean;
  /** @default bos `<|begin_of_text|>`, eos `<|end_of_text|>` */
  readonly specials?: SpecialPieces & { readonly unk?: never };
}

const llama3Specials = { bos: "<|begin_of_text|>", eos: "<|end_of_text|>" };

/** Ids: the bytes in order, merges in order, special pieces last. */
export function bytesTrainer(options: BytesTrainOptions, ties: TieRule): BpeTrainer {
  const { pattern = "llama3", splitDigits = false, specials = llama3Specials } = options;
  const isKnown = wordPatterns.includes(pattern);
  check(isKnown, "tokenizer", () => `unknown split pattern ${JSON.stringify(pattern)}: one of ${wordPatterns.join(", ")}`);
  const reserved = listSpecials(specials);
  return {
    reserved,
    rules: { kind: "bytes", pattern, splitDigits },
    layOut: async (counts) => {
      const builder = await WordsBuilder.roomFor(counts);
      for await (const block of counts.blocks())
        eachWordOf(block, (start, end, count) => {
          for (let at = start; at < end; at++) builder.push(block.bytes[at]!);
          builder.close(count);
        });
      return {
        words: builder.build(),
        pieces: byteToChar,
        rules: new UnreservedPieces(reserved),
        bytesOf: (piece) => byteLevelBytes(piece) ?? utf8Bytes(piece),
        areBytes: true,
      };
    },
    learner: (alphabet) => new MergeLearner(alphabet, ties),
    finish: (pieces, merges) => ({
      kind: "bytes",
      pieces: [...pieces, ...reserved],
      merges: mergeList(merges),
      pattern,
      splitDigits,
      ignoreMerges: false,
      ...specialRoles(specials, pieces.length),
    }),
  };
}
