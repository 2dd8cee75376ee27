// How decoding spells the pieces of a vocabulary.
import { spaceMark, type TokenizerModel } from "./model.ts";
import type { Normalise } from "./normaliser.ts";

/** The pieces; one that is sought in the normalised text is spelt as the normaliser spells it, as in Hugging Face's library. */
export function spelledPieces(model: TokenizerModel, normalise: Normalise | undefined, escapesSpaces: boolean): readonly string[] {
  const normalized = normalise === undefined ? [] : (model.matching ?? []).filter((rule) => rule.normalized);
  if (normalise === undefined || normalized.length === 0) return model.pieces;
  const pieces = [...model.pieces];
  for (const { id } of normalized) {
    const piece = normalise(pieces[id]!, "text");
    pieces[id] = escapesSpaces ? piece.replaceAll(" ", spaceMark) : piece;
  }
  return pieces;
}
