// Two models can work on one text only where their tokens are the same.
import { check } from "../base/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";

/** Compares pieces, not files. @throws CriaError naming the first token that differs */
export function checkSameTokens(small: Tokenizer, large: Tokenizer): void {
  if (small === large) return;
  const count = Math.min(small.vocabSize, large.vocabSize);
  let same = 0;
  while (same < count && small.idToPiece(same) === large.idToPiece(same)) same++;
  check(
    same === count,
    "llama",
    () =>
      `token ${same} is ${JSON.stringify(small.idToPiece(same))} in the model that guesses, but ${JSON.stringify(large.idToPiece(same))} in the other: a draft needs the same tokens`,
  );
}
