// Training the textbook form (Sennrich et al. 2016, section 3.2): characters and `</w>`, merged by count.
import { endOfWord } from "./model.ts";
import { listSpecials, type SpecialPieces, specialRoles } from "./special-pieces.ts";
import type { Trainee } from "./trainee.ts";
import { words } from "./word-codec.ts";
import { WordsBuilder } from "./words-builder.ts";

export interface WordTrainOptions {
  readonly kind: "word";
  /** @default unk `<unk>`, bos `<s>`, eos `</s>` */
  readonly specials?: SpecialPieces & { readonly unk: string };
}

/** Ids: special pieces, `</w>`, characters by code point, merges in order. */
export function wordTrainee({ specials = { unk: "<unk>", bos: "<s>", eos: "</s>" } }: WordTrainOptions): Trainee {
  const reserved = listSpecials(specials);
  return {
    reserved,
    count: (text, counter) => {
      for (const word of words(text.replace(/\p{Cs}/gu, "\ufffd"))) counter.add(word);
    },
    layOut: (counter) => {
      const characters = new Set<string>();
      for (const [word] of counter) for (const char of word) characters.add(char);
      const pieces = [endOfWord, ...[...characters].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!)];
      const symbolOf = new Map(pieces.map((piece, symbol) => [piece, symbol]));
      const builder = new WordsBuilder();
      for (const [word, count] of counter) {
        for (const char of word) builder.push(symbolOf.get(char)!);
        builder.push(0);
        builder.close(count);
      }
      return { words: builder.build(), pieces };
    },
    mayMerge: () => true,
    finish: (pieces, merges) => ({
      kind: "word",
      pieces: [...reserved, ...pieces],
      merges: merges.map(([left, right]) => [left + reserved.length, right + reserved.length] as const),
      unkId: 0,
      ...specialRoles(specials, 0),
    }),
  };
}
