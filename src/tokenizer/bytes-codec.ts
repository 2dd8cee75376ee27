// Byte-level BPE (Radford et al. 2019): words cut by a pattern, their UTF-8 bytes merged. Lossless on any bytes.
import { check, fail } from "../base/index.ts";
import { byteLevelPiece, byteToChar, decodedBytes } from "./byte-pieces.ts";
import { type Codec, utf8Bytes } from "./codec.ts";
import type { IdBuffer } from "./id-buffer.ts";
import { ranksOfMerges } from "./merge-ranks.ts";
import { type MergeRule, MergeTable } from "./merge-table.ts";
import { type BytesModel, type Merge, ownDecoding } from "./model.ts";
import { normaliserOf } from "./normaliser.ts";
import { type PreTokenise, preTokeniserOf } from "./pre-tokeniser.ts";
import { spelledPieces } from "./spelled-pieces.ts";
import { eachWord } from "./split-bytes.ts";
import { splitsOf } from "./split-pattern.ts";
import { WordCache } from "./word-cache.ts";

/** @param ids piece → id of the whole vocabulary. @throws CriaError when a byte has no piece. */
export function bytesCodec(model: BytesModel, ids: ReadonlyMap<string, number>): Codec {
  const byteIds = byteToChar.map((char, byte) => ids.get(char) ?? fail("tokenizer", `byte ${byte} has no piece: all 256 are needed`));
  const table = new MergeTable(model.merges === undefined ? rulesByRank(model) : rulesByMerges(model, model.merges, ids));
  let symbols = new Int32Array(256);
  const encodeBytes = (bytes: Uint8Array, out: IdBuffer) => {
    const whole = model.ignoreMerges ? ids.get(byteLevelPiece(bytes)) : undefined;
    if (whole !== undefined) {
      out.push(whole);
      return;
    }
    if (bytes.length > symbols.length) symbols = new Int32Array(bytes.length * 2);
    for (let i = 0; i < bytes.length; i++) symbols[i] = byteIds[bytes[i]!]!;
    const length = table.merge(symbols, bytes.length);
    for (let i = 0; i < length; i++) out.push(symbols[i]!);
  };
  const cache = new WordCache((word, out) => encodeBytes(utf8Bytes(word), out));
  const each = wordsOf(model);
  const normalise = model.normaliser === undefined ? undefined : normaliserOf(model.normaliser);
  const decoding = model.decoding ?? ownDecoding(model);
  return {
    encode: (text, start, out) => each(text, start, (word) => cache.encode(word, out)),
    encodeInvalid: encodeBytes,
    bytes: spelledPieces(model, normalise, false).map((piece) => decodedBytes(piece, decoding)),
    escapesSpaces: false,
    ...(normalise === undefined ? {} : { normalise }),
  };
}

/** The model's merges; where it has ranks every split of every piece, in the order of the pieces, as transformers converts tiktoken's files. */
export function mergesOf(model: BytesModel): readonly Merge[] {
  if (model.merges !== undefined) return model.merges;
  const rules = rulesByRank(model).sort((a, b) => a.rank - b.rank || a.left - b.left || a.right - b.right);
  return rules.map(({ left, right }) => [left, right]);
}

/**
 * How many pieces, from id 0 on, are ranks as tiktoken has them: the pair whose join has the lowest id merges first.
 * @throws CriaError where the model's merges say something else
 */
export function countRanks(model: BytesModel): number {
  const { pieces, specials, added = [], unused = [], merges } = model;
  const apart = new Set([...specials, ...added, ...unused]);
  const count = pieces.length - apart.size;
  const early = [...apart].find((id) => id < count);
  check(
    early === undefined,
    "tokenizer",
    () => `the special piece ${early} has an id below ${count}: ranks come before all special pieces`,
  );
  if (merges === undefined) return count;
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const symbolsOf = (id: number) => (id < count ? Int32Array.from(pieces[id]!, (char) => ids.get(char)!) : undefined);
  const ranks = ranksOfMerges(pieces, new MergeTable(rulesByMerges(model, merges, ids)), symbolsOf);
  let last = -1;
  ranks.forEach((rank, id) => {
    const isWhole = model.ignoreMerges || id >= count || pieces[id]!.length === 1;
    check(
      rank !== undefined || isWhole,
      "tokenizer",
      () => `no merges make the piece ${id}, but tiktoken takes it where it is a word: ranks cannot say this`,
    );
    if (rank === undefined) return;
    check(rank > last, "tokenizer", () => `the piece ${id} is merged before a piece of a lower id: ranks that are ids cannot say this`);
    last = rank;
  });
  return count;
}

function wordsOf({ pattern, splitDigits, preTokeniser }: BytesModel): PreTokenise {
  if (preTokeniser !== undefined) return preTokeniserOf(preTokeniser);
  const splits = splitsOf(pattern, splitDigits);
  return (text, _start, each) => eachWord(text, splits, each);
}

function rulesByMerges({ pieces }: BytesModel, merges: readonly Merge[], ids: ReadonlyMap<string, number>): MergeRule[] {
  return merges.map(([left, right], rank) => ({ left, right, rank, result: ids.get(pieces[left]! + pieces[right]!)! }));
}

/** Every way to put a piece together from two; a piece's id is its rank. Pieces that stand apart are in no rule. */
function rulesByRank({ pieces, specials, added = [], unused = [] }: BytesModel): MergeRule[] {
  const apart = new Set([...specials, ...added, ...unused]);
  const ranks = new Map([...pieces.entries()].filter(([id]) => !apart.has(id)).map(([id, piece]) => [piece, id]));
  const rules: MergeRule[] = [];
  for (const [piece, result] of ranks)
    for (let cut = 1; cut < piece.length; cut++) {
      const left = ranks.get(piece.slice(0, cut));
      const right = left === undefined ? undefined : ranks.get(piece.slice(cut));
      if (left !== undefined && right !== undefined) rules.push({ left, right, result, rank: result });
    }
  return rules;
}
