// Byte pair encoding whose pieces say where in a word they stand (huggingface/tokenizers, models/bpe/model.rs): a prefix such as `##` within a word,
// a suffix such as `</w>` at its end.
import { byteFallbackIds } from "./byte-pieces.ts";
import { utf8Bytes } from "./codec.ts";
import type { IdBuffer } from "./id-buffer.ts";
import type { MergeTable } from "./merge-table.ts";
import type { PieceLookup, SentencePieceModel } from "./model.ts";
import { wellFormed } from "./text-steps.ts";

/**
 * Writes the ids of a word.
 * @param pieces the pieces that text can become
 * @throws CriaError when byte fallback is asked for and a byte has no piece
 */
export function affixedWords(
  model: SentencePieceModel,
  ids: PieceLookup,
  pieces: ReadonlyMap<string, number>,
  table: MergeTable,
): (word: string, out: IdBuffer) => void {
  const { ignoreMerges = false } = model;
  const symbolsOf = symbolsIn(model, ids, pieces);
  return (word, out) => {
    const whole = ignoreMerges ? pieces.get(word) : undefined;
    if (whole !== undefined) {
      out.push(whole);
      return;
    }
    const symbols = Int32Array.from(symbolsOf(word));
    const length = table.merge(symbols, symbols.length);
    for (let i = 0; i < length; i++) out.push(symbols[i]!);
  };
}

/** The ids that merging begins with. An unknown character's bytes are those with its prefix and suffix; without bytes and unknown it is left out. */
function symbolsIn(
  { unkId, byteFallback, fusesUnknown = true, continuingPrefix = "", wordSuffix = "" }: SentencePieceModel,
  ids: PieceLookup,
  pieces: ReadonlyMap<string, number>,
): (word: string) => number[] {
  const byteIds = byteFallback ? byteFallbackIds(ids) : undefined;
  return (word) => {
    const characters = Array.from(wellFormed(word));
    const symbols: number[] = [];
    let afterUnknown = false;
    characters.forEach((char, i) => {
      const spelt = `${i > 0 ? continuingPrefix : ""}${char}${i === characters.length - 1 ? wordSuffix : ""}`;
      const id = pieces.get(spelt);
      if (id !== undefined) symbols.push(id);
      else if (byteIds !== undefined) for (const byte of utf8Bytes(spelt)) symbols.push(byteIds[byte]!);
      else if (unkId !== undefined && !(afterUnknown && fusesUnknown)) symbols.push(unkId);
      afterUnknown = id === undefined && byteIds === undefined;
    });
    return symbols;
  };
}
