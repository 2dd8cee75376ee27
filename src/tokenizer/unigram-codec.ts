// SentencePiece's unigram segmentation (Kudo 2018; google/sentencepiece, unigram_model.cc): the best way through a text by Viterbi's algorithm,
// with its float32 sums, or the float64 sums of huggingface/tokenizers (models/unigram/), so that ties fall as they fall there. Version 0.2.3 rounds a sum before it compares it, as is done here; versions 0.1.97
// to 0.2.0 compare first, which gives other ids where two ways differ by a rounding, 1 in some thousand lines of text.
import { check } from "../base/index.ts";
import { byteFallbackIds, decodedBytes, fallbackPieces } from "./byte-pieces.ts";
import { ByteTrie } from "./byte-trie.ts";
import { type Codec, utf8Bytes } from "./codec.ts";
import type { IdBuffer } from "./id-buffer.ts";
import { ownDecoding, spaceMark, type UnigramModel } from "./model.ts";
import { characterBytes, normaliserOf } from "./normaliser.ts";
import { preTokeniserOf } from "./pre-tokeniser.ts";
import { spelledPieces } from "./spelled-pieces.ts";

/** How far below the lowest score an unknown character lies. */
const unknownPenalty = 10;
/** Longer texts than this, in bytes, have tables of their own, so that one of them does not keep 12 bytes of memory for each of its bytes. */
const mostKept = 1 << 20;
/** The lowest value that SentencePiece takes for the highest score, which lies below 0: C's FLT_MIN. */
const leastMaximum = 2 ** -126;

/** @throws CriaError when byte fallback is asked for and a byte has no piece. */
export function unigramCodec(model: UnigramModel): Codec {
  const { unkId, byteFallback, escapesSpaces = true } = model;
  const byteIds = byteFallback ? byteFallbackIds(fallbackPieces(model.pieces)) : undefined;
  const viterbi = new Viterbi(model);
  const decoding = model.decoding ?? ownDecoding(model);
  const unknown = utf8Bytes(decoding.unknown ?? "");
  const encodeInvalid = (bytes: Uint8Array, out: IdBuffer) => {
    if (byteIds !== undefined) for (const byte of bytes) out.push(byteIds[byte]!);
    else if (out.size === 0 || out.at(out.size - 1) !== unkId) out.push(unkId);
  };
  const userDefined = (model.userDefined ?? []).map((id) => model.pieces[id]!);
  const normalise = model.normaliser === undefined ? undefined : normaliserOf(model.normaliser, { verbatim: userDefined, escapesSpaces });
  const encodeWord = (word: string, out: IdBuffer) => {
    const bytes = utf8Bytes(escapesSpaces ? word.replaceAll(" ", spaceMark) : word);
    let afterUnknown = false;
    viterbi.each(bytes, (id, from, to) => {
      const isUnknown = id === unkId;
      if (isUnknown && byteIds !== undefined) for (let i = from; i < to; i++) out.push(byteIds[bytes[i]!]!);
      else if (!isUnknown || !afterUnknown) out.push(id);
      afterUnknown = isUnknown;
    });
  };
  const preTokenise = preTokeniserOf(model.preTokeniser ?? []);
  const spelled = spelledPieces(model, normalise, escapesSpaces);
  return {
    encode: (text, start, out) => preTokenise(text, start, (word) => encodeWord(word, out)),
    encodeInvalid,
    decoded: (id) => (id === unkId ? unknown : decodedBytes(spelled[id]!, decoding)),
    escapesSpaces,
    ...(normalise === undefined ? {} : { normalise }),
  };
}

/**
 * Pieces that text can become: neither control pieces nor added ones that the vocabulary lacks. Bytes are none in SentencePiece; in
 * huggingface/tokenizers text that spells one becomes it.
 */
export function textIds(model: UnigramModel): number[] {
  const { unkId, specials, unused = [], added = [], matching = [], sums } = model;
  const inVocabulary = new Set(matching.filter((rule) => rule.inVocabulary).map(({ id }) => id));
  const apart = new Set([unkId, ...specials, ...unused, ...added.filter((id) => !inVocabulary.has(id))]);
  const isByte = (piece: string) => model.byteFallback && sums !== "float64" && /^<0x[0-9A-F]{2}>$/.test(piece);
  return [...model.pieces.keys()].filter((id) => !apart.has(id) && !isByte(model.pieces[id]!));
}

/** What a piece adds to the sum of a way through a text, and what an unknown character does. */
export interface UnigramScoring {
  /** @param bytes the piece's length */
  scoreOf(id: number, bytes: number): number;
  readonly unknown: number;
  /** Rounds a sum as the library of the model's file does. */
  round(sum: number): number;
}

/** @param ids the pieces that text can become */
export function scoringOf(model: UnigramModel, ids: readonly number[]): UnigramScoring {
  const isDouble = model.sums === "float64";
  const round = isDouble ? (sum: number) => sum : Math.fround;
  const userDefined = new Set(model.userDefined ?? []);
  const counted = isDouble ? [...model.pieces.keys()] : ids.filter((id) => !userDefined.has(id));
  let lowest = Number.POSITIVE_INFINITY;
  let highest = leastMaximum;
  for (const id of counted) {
    lowest = Math.min(lowest, model.scores[id]!);
    highest = Math.max(highest, model.scores[id]!);
  }
  const scores = isDouble ? Float64Array.from(model.scores) : Float32Array.from(model.scores);
  const isUserDefined = Uint8Array.from(model.pieces, (_, id) => (userDefined.has(id) ? 1 : 0));
  return {
    scoreOf: (id, bytes) => (isUserDefined[id] === 1 ? Math.fround(Math.fround(bytes * highest) - Math.fround(0.1)) : scores[id]!),
    unknown: round(lowest - unknownPenalty),
    round,
  };
}

class Viterbi {
  readonly #trie: ByteTrie;
  readonly #scoring: UnigramScoring;
  readonly #isDouble: boolean;
  readonly #unkId: number;
  /** The best way that ends behind each byte: its sum, where its last piece begins (-1 where no way ends), and that piece. */
  #best: Float32Array | Float64Array;
  #start = new Int32Array(0);
  #id = new Int32Array(0);

  constructor(model: UnigramModel) {
    const all = textIds(model);
    check(all.length > 0, "tokenizer", () => "no piece of the unigram model can come from text: it needs some");
    this.#trie = new ByteTrie(all.map((id) => [model.pieces[id]!, id] as const));
    this.#scoring = scoringOf(model, all);
    this.#isDouble = model.sums === "float64";
    this.#best = this.#isDouble ? new Float64Array(0) : new Float32Array(0);
    this.#unkId = model.unkId;
  }

  /** Calls back with the pieces of the best way, in order, and the bytes that each takes; an unknown takes one character. */
  each(bytes: Uint8Array, found: (id: number, from: number, to: number) => void): void {
    this.#fill(bytes);
    const ends: number[] = [];
    for (let end = bytes.length; end > 0; end = this.#start[end]!) ends.push(end);
    for (const end of ends.reverse()) found(this.#id[end]!, this.#start[end]!, end);
    if (bytes.length > mostKept) this.#resize(0);
  }

  #fill(bytes: Uint8Array): void {
    const size = bytes.length;
    if (this.#best.length <= size) this.#resize(Math.max(1024, 2 * this.#best.length, size + 1));
    this.#start.fill(-1, 0, size + 1);
    this.#best[0] = 0;
    for (let at = 0; at < size; at += characterBytes(bytes[at]!)) this.#extend(bytes, at);
  }

  /** All pieces that begin at `at`, and the unknown where the character there is none. */
  #extend(bytes: Uint8Array, at: number): void {
    const { round, scoreOf, unknown } = this.#scoring;
    const sofar = this.#best[at]!;
    const character = at + characterBytes(bytes[at]!);
    let isPiece = false;
    let node = 0;
    for (let end = at + 1; end <= bytes.length; end++) {
      node = this.#trie.next(node, bytes[end - 1]!);
      if (node === 0) break;
      const id = this.#trie.value(node);
      if (id < 0) continue;
      if (end === character) isPiece = true;
      this.#offer(end, at, id, round(scoreOf(id, end - at) + sofar));
    }
    if (!isPiece) this.#offer(character, at, this.#unkId, round(unknown + sofar));
  }

  #offer(end: number, start: number, id: number, sum: number): void {
    if (this.#start[end] !== -1 && !(sum > this.#best[end]!)) return;
    this.#best[end] = sum;
    this.#start[end] = start;
    this.#id[end] = id;
  }

  #resize(length: number): void {
    this.#best = this.#isDouble ? new Float64Array(length) : new Float32Array(length);
    this.#start = new Int32Array(length);
    this.#id = new Int32Array(length);
  }
}
