// Extending a vocabulary by pieces from a new corpus: the words are encoded with the given tokenizer, and merges are learned on top of its pieces.
// Every old piece keeps its id and every old merge its rank, new ones stand behind.
import { check, fail, type OnProgress } from "../base/index.ts";
import { byteFallbackPiece, byteLevelBytes } from "./byte-pieces.ts";
import { bytesCodec, mergesOf } from "./bytes-codec.ts";
import { type Codec, utf8Bytes } from "./codec.ts";
import { IdBuffer } from "./id-buffer.ts";
import { type Alphabet, MergeLearner } from "./learn-merges.ts";
import {
  type BytesModel,
  checkNoAffix,
  type Merge,
  type Merges,
  mergeList,
  pieceIds,
  type SentencePieceModel,
  type TokenizerModel,
} from "./model.ts";
import type { NormaliserStep } from "./normaliser.ts";
import { Pace } from "./pace.ts";
import { type PieceRules, UnreservedPieces } from "./piece-rules.ts";
import { SentencePieces } from "./sentence-pieces.ts";
import { sentencePieceCodec } from "./sentencepiece-codec.ts";
import { coveredCharacters } from "./train-sentencepiece.ts";
import { eachWordOf, type WordCounts, type WordRules } from "./words/index.ts";
import { WordsBuilder } from "./words-builder.ts";

/** How far a vocabulary is extended, and by which pieces. */
export interface ExtendOptions {
  /** All pieces together, the old ones included. */
  readonly vocabSize: number;
  /** sentencepiece: the share of the corpus' characters that have a piece afterwards. In (0, 1]. @default 0.99995 */
  readonly characterCoverage?: number;
  /** sentencepiece: in characters, the ▁ included. @default 16 */
  readonly maxPieceLength?: number;
  /** A corpus with fewer different pieces gives a smaller vocabulary, instead of an error. @default false */
  readonly mayBeSmaller?: boolean;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** A vocabulary that was extended, and by what. */
export interface Extension {
  readonly model: TokenizerModel;
  /** Characters that became pieces, in front of the merged ones. */
  readonly characters: number;
  readonly merges: number;
  /** How many different words the corpus has, and how many of them are encoded otherwise than before. */
  readonly words: number;
  readonly changedWords: number;
  /** How many tokens all words of the corpus were, and are now. */
  readonly tokensBefore: number;
  readonly tokensAfter: number;
}

/** Kinds whose merges can be added to. */
type Extensible = SentencePieceModel | BytesModel;

/** The character that no word holds, as in training. */
const boundary = "\u001f";
const digitsAndScripts = { splitDigits: true, splitByUnicodeScript: true };

/** How texts become words from which the vocabulary is extended. @throws CriaError for a kind that cannot be extended */
export function extensionRules(given: TokenizerModel): WordRules {
  const model = extensible(given);
  const { pieces, specials, added = [], normaliser = [] } = model;
  const apart = added.filter((id) => !specials.includes(id) && pieces[id] !== "").map((id) => pieces[id]!);
  return { kind: "given", apart, normaliser: normaliser.map(withoutDummySpace), words: ownWords(model) };
}

function extensible(model: TokenizerModel): Extensible {
  checkNoAffix(model, "extended");
  if (model.kind === "sentencepiece" || model.kind === "bytes") return model;
  const why =
    model.kind === "unigram" ? "its pieces have probabilities of one corpus and no merges" : "its words end in a symbol of their own";
  return fail(
    "tokenizer",
    `a vocabulary of kind ${model.kind} cannot be extended (${why}): train a new one, or give one of kind sentencepiece or bytes`,
  );
}

/** The space in front of a text is put before every line by the cutter. */
function withoutDummySpace(step: NormaliserStep): NormaliserStep {
  return step.type === "sentencepiece" ? { ...step, dummySpace: "none" } : step;
}

function ownWords(model: Extensible): Exclude<WordRules, { kind: "given" }> {
  const { pieces, specials, preTokeniser } = model;
  if (preTokeniser !== undefined) return { kind: "steps", steps: preTokeniser };
  if (model.kind === "bytes") {
    const { pattern, splitDigits } = model;
    return { kind: "bytes", splitDigits, ...(pattern === undefined ? {} : { pattern }) };
  }
  const bytes = model.byteFallback ? allBytePieces : [];
  const reserved = [...specials.map((id) => pieces[id]!), ...bytes].filter((piece) => piece !== "");
  return { kind: "sentencepiece", ...digitsAndScripts, reserved, boundary };
}

const allBytePieces: readonly string[] = Array.from({ length: 256 }, (_, byte) => byteFallbackPiece(byte));

/**
 * Learns merges of the model's own pieces from words that were counted by {@link extensionRules}, the most frequent pair at every step, until
 * there are `vocabSize` pieces. A text in which no new piece can be made is encoded as before.
 * @throws CriaError for a kind that cannot be extended, a size that is not above the present one, or a corpus too small for it that may not give
 *   less; the signal's reason when aborted
 */
export async function extendTokenizer(given: TokenizerModel, counts: WordCounts, options: ExtendOptions): Promise<Extension> {
  const model = extensible(given);
  const { vocabSize, mayBeSmaller = false } = options;
  const size = model.pieces.length;
  check(
    Number.isInteger(vocabSize) && vocabSize > size && vocabSize < 2 ** 23,
    "tokenizer",
    () => `vocabSize must be a whole number above the ${size} pieces there are, and below ${2 ** 23}, but it is ${vocabSize}`,
  );
  const characters = model.kind === "bytes" ? [] : await newCharacters(model, counts, options);
  const fits = size + characters.length <= vocabSize;
  check(
    fits,
    "tokenizer",
    () => `the corpus has ${characters.length} characters without a piece: ask for a vocabSize of ${size + characters.length} at least`,
  );
  const base = withMerges(model, characters, []);
  const words = await encodeWords(base, counts);
  check(words.counts.length > 0, "tokenizer", () => "the corpus has no words: give it some text");
  const learner = new MergeLearner(alphabetOf(base, words, options), "shorter-piece");
  const merges = await learn(learner, options);
  const found = learner.pieces.length;
  if (found < vocabSize && !mayBeSmaller)
    fail(
      "tokenizer",
      `the corpus is too small to extend the vocabulary to ${vocabSize} pieces: it gives at most ${found}; ask for less or add text`,
    );
  const extended = withMerges(base, learner.pieces.slice(base.pieces.length), merges);
  return { model: extended, characters: characters.length, merges: merges.length, ...(await compare(model, extended, counts)) };
}

async function newCharacters(model: SentencePieceModel, counts: WordCounts, options: ExtendOptions): Promise<string[]> {
  const { characterCoverage = 0.99995 } = options;
  const isShare = characterCoverage > 0 && characterCoverage <= 1;
  check(isShare, "tokenizer", () => `characterCoverage must be above 0 and at most 1, but it is ${characterCoverage}`);
  const known = pieceIds(model);
  return (await coveredCharacters(counts, characterCoverage, boundary)).filter((char) => !known.has(char));
}

/** The model with further pieces behind its own, which the merges make. Where pieces have scores, the new ones have lower ones than all others. */
function withMerges<T extends Extensible>(model: T, pieces: readonly string[], merges: readonly Merge[]): T {
  const all = [...model.pieces, ...pieces];
  if (model.kind === "bytes") return { ...model, pieces: all, merges: joined(mergesOf(model), merges) };
  if (model.scores === undefined) return { ...model, pieces: all, merges: joined(model.merges, merges) };
  const lowest = Math.floor(model.scores.reduce((least, score) => Math.min(least, score), 0));
  check(
    lowest - pieces.length > -(2 ** 24),
    "tokenizer",
    () =>
      `the lowest score is ${lowest}, below which float32 has no ${pieces.length} different whole numbers: convert the vocabulary to a tokenizer.json first`,
  );
  return { ...model, pieces: all, scores: [...model.scores, ...pieces.map((_, i) => lowest - 1 - i)] };
}

function alphabetOf(model: Extensible, words: Alphabet["words"], { maxPieceLength = 16 }: ExtendOptions): Alphabet {
  const areBytes = model.kind === "bytes";
  const inner = areBytes
    ? new UnreservedPieces([])
    : new SentencePieces({ maxPieceLength, ...digitsAndScripts, allowWhitespaceOnlyPieces: true });
  const bytesOf = areBytes ? (piece: string) => byteLevelBytes(piece) ?? utf8Bytes(piece) : utf8Bytes;
  return { words, pieces: model.pieces, rules: new NewPieces(model.pieces, inner), bytesOf, areBytes };
}

function joined(first: Merges = new Int32Array(0), more: readonly Merge[]): Merges {
  const all = new Int32Array(first.length + 2 * more.length);
  all.set(first);
  all.set(mergeList(more), first.length);
  return all;
}

/** No merge makes a piece that was there: it has its own merges already, which rank before all new ones. */
class NewPieces implements PieceRules {
  readonly #old: ReadonlySet<string>;
  readonly #inner: PieceRules;
  readonly #pieces: string[] = [];

  constructor(old: readonly string[], inner: PieceRules) {
    this.#old = new Set(old);
    this.#inner = inner;
  }

  add(piece: string): void {
    this.#pieces.push(piece);
    this.#inner.add(piece);
  }

  mayMerge(left: number, right: number): boolean {
    return this.#inner.mayMerge(left, right) && !this.#old.has(this.#pieces[left]! + this.#pieces[right]!);
  }
}

async function learn(learner: MergeLearner, { vocabSize, onProgress, signal }: ExtendOptions): Promise<Merge[]> {
  const pace = new Pace(signal);
  const start = learner.pieces.length;
  const merges: Merge[] = [];
  while (learner.pieces.length < vocabSize) {
    const merge = learner.next();
    if (merge === undefined) break;
    merges.push(merge);
    if (!pace.isDue) continue;
    onProgress?.({ task: "learning merges", done: learner.pieces.length - start, total: vocabSize - start, unit: "pieces" });
    await pace.rest();
  }
  return merges;
}

/** The words as pieces of the model; what merges with nothing, a byte or an unknown, ends a word. */
async function encodeWords(model: Extensible, counts: WordCounts): Promise<Alphabet["words"]> {
  const isAlone = model.kind === "bytes" ? () => false : mergesWithNothing(model);
  const builder = await WordsBuilder.roomFor(counts);
  await eachEncoded([wordCodec(model)], counts, ([ids], count) => {
    for (let at = 0; ids !== undefined && at < ids.size; at++) {
      const id = ids.at(at);
      if (isAlone(id)) builder.close(count);
      else builder.push(id);
    }
    builder.close(count);
  });
  return builder.build();
}

function mergesWithNothing({ pieces, unkId, byteFallback }: SentencePieceModel): (id: number) => boolean {
  const bytes = new Set(byteFallback ? allBytePieces : []);
  const alone = Uint8Array.from(pieces, (piece, id) => (id === unkId || bytes.has(piece) ? 1 : 0));
  return (id) => alone[id] === 1;
}

/** The model's codec for words that are normalised and cut already. */
function wordCodec(model: Extensible): Codec {
  const ids = pieceIds(model);
  if (model.kind === "sentencepiece") {
    const { normaliser: _normaliser, preTokeniser: _preTokeniser, ...plain } = model;
    return sentencePieceCodec({ ...plain, dummyPrefix: "never", prefixBeforeSpace: false }, ids);
  }
  const { normaliser: _normaliser, preTokeniser: _preTokeniser, pattern: _pattern, ...plain } = model;
  return bytesCodec({ ...plain, splitDigits: false }, ids);
}

async function eachEncoded(
  codecs: readonly Codec[],
  counts: WordCounts,
  each: (ids: readonly IdBuffer[], count: number) => void,
): Promise<void> {
  const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  const buffers = codecs.map((codec) => ({ codec, ids: new IdBuffer() }));
  const all = buffers.map(({ ids }) => ids);
  for await (const block of counts.blocks())
    eachWordOf(block, (start, end, count) => {
      const word = utf8.decode(block.bytes.subarray(start, end));
      for (const { codec, ids } of buffers) {
        ids.size = 0;
        codec.encode(word, "inside", ids);
      }
      each(all, count);
    });
}

/** What the words of the corpus were encoded to before, and are now. */
async function compare(old: Extensible, extended: Extensible, counts: WordCounts) {
  let [words, changedWords, tokensBefore, tokensAfter] = [0, 0, 0, 0];
  await eachEncoded([wordCodec(old), wordCodec(extended)], counts, ([before, after], count) => {
    words++;
    if (before === undefined || after === undefined) return;
    tokensBefore += count * before.size;
    tokensAfter += count * after.size;
    if (!isSame(before, after)) changedWords++;
  });
  return { words, changedWords, tokensBefore, tokensAfter };
}

function isSame(a: IdBuffer, b: IdBuffer): boolean {
  for (let at = 0; at < a.size; at++) if (a.at(at) !== b.at(at)) return false;
  return a.size === b.size;
}
