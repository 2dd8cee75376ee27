// The textbook kind in Hugging Face's terms. Their BPE begins with single characters, so `</w>` is written as one private-use character
// that a normaliser puts behind every word.
import { fail } from "../base/index.ts";
import { eachMerge, endOfWord, type WordModel } from "../tokenizer/index.ts";
import type { JsonObject } from "./json.ts";

/** Matches the empty place between a word and what follows it. */
export const wordEndPattern = "(?<=\\S)(?=\\s|\\z)";

/** Words are what stands between white space; their WhitespaceSplit means another set of characters in JavaScript. */
export const wordSplit = { type: "Split", pattern: { Regex: "\\s+" }, behavior: "Removed", invert: false };

/**
 * The mark becomes the space between words, and the last space goes. The first form is written; the second, which earlier builds wrote, lets
 * Hugging Face's library panic on a text without words.
 */
export function wordDecoders(mark: string): JsonObject[] {
  const spaces = { type: "Replace", pattern: { String: mark }, content: " " };
  const lastSpace = { type: "Replace", pattern: { Regex: " (?![\\s\\S])" }, content: "" };
  return [lastSpace, { type: "Strip", content: " ", start: 0, stop: 1 }].map((last) => ({
    type: "Sequence",
    decoders: [spaces, { type: "Fuse" }, last],
  }));
}

/** A character of the private use area that no piece holds. */
export function wordMark({ pieces }: WordModel): string {
  for (let code = 0xe000; code < 0xf900; code++) {
    const char = String.fromCharCode(code);
    if (!pieces.some((piece) => piece.includes(char))) return char;
  }
  return fail("tokenizer.json", "every private-use character is a piece: none is left to mark the end of words");
}

/** @throws CriaError when a merge spells `</w>` out of its letters: their format cannot tell the two apart. */
export function markedPieces(model: WordModel, mark: string): string[] {
  eachMerge(model.merges, (left, right) => {
    if (model.pieces[left]! + model.pieces[right]! === endOfWord)
      fail(
        "tokenizer.json",
        `a merge spells ${endOfWord} out of letters, which this format cannot hold: leave that text out of the corpus`,
      );
  });
  return model.pieces.map((piece) => (piece.endsWith(endOfWord) ? piece.slice(0, -endOfWord.length) + mark : piece));
}

/** A piece of the file as the textbook kind has it: `</w>` in the place of the mark. */
export function unmarkedPiece(piece: string, mark: string): string {
  return piece.endsWith(mark) ? piece.slice(0, -mark.length) + endOfWord : piece;
}
