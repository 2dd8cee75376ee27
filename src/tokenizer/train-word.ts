// Training the textbook form (Sennrich et al. 2016, section 3.2): characters and `</w>`, merged by count.

import type { BpeTrainer } from "./bpe-trainer.ts";
import { utf8Bytes } from "./codec.ts";
import { MergeLearner } from "./learn-merges.ts";
import { endOfWord, mergeList } from "./model.ts";
import { UnreservedPieces } from "./piece-rules.ts";
import { listSpecials, type SpecialPieces, specialRoles } from "./special-pieces.ts";
import type { TieRule } from "./tie-rules.ts";
import { eachSpeltWord } from "./words/index.ts";
import { WordsBuilder } from "./words-builder.ts";

/** Options of the textbook's training. */
export interface WordTrainOptions {
  readonly kind: "word";
  /** @default unk `<unk>`, bos `<s>`, eos `</s>` */
  readonly specials?: SpecialPieces & { readonly unk: string };
}

/** Ids: special pieces, `</w>`, characters by code point, merges in order. */
export function wordTrainer({ specials = { unk: "<unk>", bos: "<s>", eos: "</s>" } }: WordTrainOptions, ties: TieRule): BpeTrainer {
  const reserved = listSpecials(specials);
  return {
    reserved,
    rules: { kind: "word" },
    layOut: async (counts) => {
      const characters = new Set<number>();
      for await (const block of counts.blocks()) eachSpeltWord(block, (word) => word.forEach((point) => characters.add(point)));
      const sorted = [...characters].sort((a, b) => a - b);
      const symbolOf = new Map(sorted.map((point, i) => [point, i + 1]));
      const builder = await WordsBuilder.roomFor(counts);
      for await (const block of counts.blocks())
        eachSpeltWord(block, (word, count) => {
          for (const point of word) builder.push(symbolOf.get(point)!);
          builder.push(0);
          builder.close(count);
        });
      return {
        words: builder.build(),
        pieces: [endOfWord, ...sorted.map((point) => String.fromCodePoint(point))],
        rules: new UnreservedPieces(reserved),
        bytesOf: utf8Bytes,
        areBytes: false,
      };
    },
    learner: (alphabet) => new MergeLearner(alphabet, ties),
    finish: (pieces, merges) => ({
      kind: "word",
      pieces: [...reserved, ...pieces],
      merges: mergeList(merges).map((symbol) => symbol + reserved.length),
      unkId: 0,
      ...specialRoles(specials, 0),
    }),
  };
}
