// The textbook form (Sennrich et al. 2016, section 3.2): white space separates words, `</w>` ends each. Lossy by design.
import { check, fail } from "../base/index.ts";
import { Newline, Space, unitClasses, White } from "./char-class.ts";
import { type Codec, replacement, utf8Bytes } from "./codec.ts";
import type { IdBuffer } from "./id-buffer.ts";
import { MergeTable, mergeRules } from "./merge-table.ts";
import { endOfWord, type PieceLookup, type WordModel } from "./model.ts";
import { isWhiteBorder } from "./stream-borders.ts";
import { WordCache } from "./word-cache.ts";

/** @param ids piece → id of the whole vocabulary. @throws CriaError when `</w>` is not a piece. */
export function wordCodec(model: WordModel, ids: PieceLookup): Codec {
  const endId = ids.get(endOfWord) ?? fail("tokenizer", `the word kind needs the piece ${endOfWord}: it ends every word`);
  check(!model.specials.includes(endId), "tokenizer", () => `${endOfWord} may not be a special piece: text is made of it`);
  const table = new MergeTable(mergeRules(model, model.merges, ids));
  const encodeWord = (word: string, out: IdBuffer) => {
    const symbols = Int32Array.from([...Array.from(word, (char) => ids.get(char) ?? model.unkId), endId]);
    const length = table.merge(symbols, symbols.length);
    for (let i = 0; i < length; i++) out.push(symbols[i]!);
  };
  const cache = new WordCache(encodeWord);
  return {
    encode: (text, _start, out) => {
      for (const word of words(text)) cache.encode(word, out);
    },
    encodeInvalid: (_bytes, out) => cache.encode("\ufffd", out),
    decoded: (id) => (id === model.unkId ? replacement : decoded(model.pieces[id]!)),
    escapesSpaces: false,
    isBorder: isWhiteBorder,
  };
}

/** Text cut at Unicode's White_Space. */
export function words(text: string): string[] {
  const found: string[] = [];
  eachSpan(text, (start, end) => found.push(text.slice(start, end)));
  return found;
}

/** Calls back with where each word lies. */
export function eachSpan(text: string, each: (start: number, end: number) => void): void {
  const classes = unitClasses();
  let start = -1;
  for (let at = 0; at < text.length; at++) {
    const unitClass = classes[text.charCodeAt(at)]!;
    const isWhite = unitClass === Space || unitClass === Newline || unitClass === White;
    if (!isWhite && start < 0) start = at;
    if (!isWhite || start < 0) continue;
    each(start, at);
    start = -1;
  }
  if (start >= 0) each(start, text.length);
}

function decoded(piece: string): Uint8Array {
  return utf8Bytes(piece.endsWith(endOfWord) ? `${piece.slice(0, -endOfWord.length)} ` : piece);
}
