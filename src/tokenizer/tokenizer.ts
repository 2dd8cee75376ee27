// The one face of all tokenizers: text in, ids out, and back.
import { check, eachUtf8Run, fail, type Sliced, validUpTo, wholly } from "../base/index.ts";
import { ByteJoiner } from "./byte-joiner.ts";
import { isBytePiece } from "./byte-pieces.ts";
import { bytesCodec, makeBytesCodec } from "./bytes-codec.ts";
import { type Codec, type StretchStart, Utf8Scratch, utf8Bytes } from "./codec.ts";
import { DecodedPieces } from "./decoded-pieces.ts";
import { IdBuffer } from "./id-buffer.ts";
import {
  checkModel,
  type Decoding,
  ownDecoding,
  type PieceLookup,
  pieceLookup,
  spaceMark,
  type TextTemplate,
  type TokenizerKind,
  type TokenizerModel,
} from "./model.ts";
import { type ParseSpecial, PieceMatcher } from "./piece-matcher.ts";
import { sentencePieceCodec } from "./sentencepiece-codec.ts";
import { type IsBorder, widthBefore } from "./stream-borders.ts";
import type { StreamEncodeOptions } from "./stream-encoder.ts";
import { unigramCodec } from "./unigram-codec.ts";
import { widthOf } from "./utf8-bits.ts";
import { wordCodec } from "./word-codec.ts";
import type { ByteRange } from "./words/index.ts";

/** What goes around an encoded text, and whether special pieces are read in it. */
export interface EncodeOptions {
  /** Put the begin-of-text id in front. @default false */
  readonly bos?: boolean;
  /** Put the end-of-text id behind. @default false */
  readonly eos?: boolean;
  /**
   * Put around the text what the model's own template says, which is what the model was trained with: for most LLaMAs the begin-of-text
   * id, for others nothing. `bos` and `eos` come only where the template lacks them. @default false
   */
  readonly template?: boolean;
  /**
   * Special pieces spelled out in the text become their ids; leave it off for text that others wrote. A function says for each place whether
   * one may stand there, and whether an added piece may, so that a text may be written by several; of bytes that are no UTF-8 it is asked by
   * places in each valid run.
   * @default false
   */
  readonly parseSpecial?: ParseSpecial;
}

/** How ids become text. */
export interface DecodeOptions {
  /** Spell special pieces out instead of leaving them out; an unknown then shows as its piece, not as {@link Decoding.unknown}. @default false */
  readonly specials?: boolean;
  /** The ids go on from earlier ones, so the first space stays. @default false */
  readonly continued?: boolean;
}

/** How ids that still come are decoded. */
export interface StreamDecodeOptions extends DecodeOptions {
  /** Special pieces that are spelt out though the others are left out, as those that mark the calls of tools. @default none */
  readonly shown?: ReadonlySet<number>;
}

/** A part of a text. */
export interface TextPart {
  /** Nothing of the text was encoded before. */
  readonly isFirst: boolean;
  /** Nothing follows. */
  readonly isEnd: boolean;
}

/** The ids of a text's beginning, and how much of the text they stand for, in UTF-16 units. */
export interface EncodedPart {
  readonly ids: Uint32Array;
  readonly taken: number;
}

/** A tokenizer that encodes and decodes. */
export interface Tokenizer {
  readonly kind: TokenizerKind;
  readonly model: TokenizerModel;
  readonly vocabSize: number;
  readonly unkId: number | undefined;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly padId: number | undefined;
  /**
   * O(n log n) in the length at worst. A lone surrogate, which UTF-8 cannot hold, counts as U+FFFD. What goes in front is left away where
   * the text's own ids begin with its first id, as those of a rendered chat do.
   * @throws CriaError when bos or eos is asked for and there is none.
   */
  encode(text: string, options?: EncodeOptions): Uint32Array;
  /**
   * Encodes as `encode` does, in slices of some thousand bytes: a text of megabytes takes tens of milliseconds. What nothing cuts is encoded at once, as is a
   * text whose ids may hang on the whole.
   * @throws CriaError as `encode` does
   */
  encodeSliced(text: string, options?: EncodeOptions): Sliced<Uint32Array>;
  /**
   * Encodes bytes as `encode` does a text, also where they are no UTF-8: lossless in the bytes kind, and with byte fallback, where no normaliser changes a text.
   */
  encodeBytes(bytes: Uint8Array, options?: EncodeOptions): Uint32Array;
  /**
   * Encodes as much as is certain of a text that comes in parts: {@link StreamEncoder} and encodeStream are made of it.
   * @param bytes what has come and is not yet encoded
   * @returns the ids, and how many bytes they are of; behind these the next part begins
   */
  encodePart(bytes: Uint8Array, part: TextPart, options?: StreamEncodeOptions): EncodedPart;
  /**
   * The text. Bytes that are no UTF-8 show as U+FFFD, as often as {@link Decoding.invalid} says.
   * @throws CriaError for an id outside the vocabulary.
   */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  decodeBytes(ids: Iterable<number>, options?: DecodeOptions): Uint8Array;
  /** A piece as the vocabulary writes it: `▁the`, `Ġthe`, `the</w>`, `<0x0A>`. */
  idToPiece(id: number): string;
  pieceToId(piece: string): number | undefined;
  isSpecial(id: number): boolean;
  /** Whether the id's piece stands for one byte, as `<0x0A>` does. */
  isByte(id: number): boolean;
  /** The bytes one id decodes to inside a text; a special piece's are its spelling. */
  pieceBytes(id: number): Uint8Array;
  /** How pieces become text. */
  readonly decoding: Decoding;
}

/** @throws CriaError when the model contradicts itself: duplicate pieces, merges of unknown pieces, missing bytes. */
export function createTokenizer(model: TokenizerModel): Tokenizer {
  return wholly(makeTokenizer(model));
}

/** {@link createTokenizer} in slices: a large vocabulary takes some tens of milliseconds. */
export function* makeTokenizer(model: TokenizerModel): Sliced<Tokenizer> {
  const ids = pieceLookup(model);
  yield;
  checkModel(model);
  yield;
  const codec = model.kind === "bytes" ? yield* makeBytesCodec(model, ids) : codecOf(model, ids);
  yield;
  const tokenizer = new BpeTokenizer(model, ids, codec);
  yield;
  tokenizer.encode(firstText);
  return tokenizer;
}

/** Encoded once, so that what the engine compiles when it is first called is compiled before a caller's first text. */
const firstText = "Hello there, it's 1 é or 日本!\n";

class BpeTokenizer implements Tokenizer {
  readonly model: TokenizerModel;
  readonly decoding: Decoding;
  readonly #ids: PieceLookup;
  readonly #codec: Codec;
  readonly #specials: ReadonlySet<number>;
  readonly #scratch = new Utf8Scratch();
  /** The list of an earlier text; absent while a text has it, because a caller's `parseSpecial` may encode another one. */
  #spare: IdBuffer | undefined;
  readonly #pieces: DecodedPieces;
  /** What long lists of ids decode to, without special pieces and with them; made when the first one is decoded. */
  readonly #bulk: [DecodedPieces?, DecodedPieces?] = [];
  /** id → whether its piece is a byte; made when the first text is decoded. */
  #isByte: Uint8Array | undefined;
  /** Pieces that are found in the text as it is, and those found in what the normaliser makes of it. */
  readonly #matchers: { readonly plain: PieceMatcher; readonly normalized: PieceMatcher };

  constructor(model: TokenizerModel, ids: PieceLookup, codec: Codec) {
    this.model = model;
    this.#ids = ids;
    this.#codec = codec;
    this.#specials = new Set(model.specials);
    this.#pieces = new DecodedPieces(model.pieces.length, (id) => this.#codec.decoded(id));
    this.decoding = model.decoding ?? ownDecoding(model);
    this.#matchers = matchersOf(model, this.#codec);
  }

  get kind(): TokenizerKind {
    return this.model.kind;
  }

  get vocabSize(): number {
    return this.model.pieces.length;
  }

  get unkId(): number | undefined {
    return this.model.unkId;
  }

  get bosId(): number | undefined {
    return this.model.bosId;
  }

  get eosId(): number | undefined {
    return this.model.eosId;
  }

  get padId(): number | undefined {
    return this.model.padId;
  }

  encode(text: string, options: EncodeOptions = {}): Uint32Array {
    checkKind(typeof text === "string", "a text", text);
    const out = this.#room(text.length);
    return this.#between(out, options, () => this.#encodeStretches(text, "text", options, out));
  }

  *encodeSliced(text: string, options: EncodeOptions = {}): Sliced<Uint32Array> {
    checkKind(typeof text === "string", "a text", text);
    const { encodeUtf8, isBorder } = this.#codec;
    const { parseSpecial = false } = options;
    const { plain, normalized } = this.#matchers;
    if (text.length <= sliceBytes || encodeUtf8 === undefined || isBorder === undefined || !normalized.findsNone(parseSpecial))
      return this.encode(text, options);
    const out = this.#room(text.length);
    const around = this.#around(options);
    for (const id of around.before) out.push(id);
    for (const part of partsOf(plain, text, parseSpecial)) {
      if (typeof part === "number") {
        out.push(part);
        continue;
      }
      const bytes = utf8Bytes(text.slice(part.from, part.to));
      let start: StretchStart = part.from === 0 ? "text" : "special";
      for (let at = 0; at < bytes.length; start = "inside") {
        const end = nextBorder(bytes, at + sliceBytes, isBorder);
        encodeUtf8(bytes, at, end, start, out);
        at = end;
        yield;
      }
    }
    return this.#ended(out, around);
  }

  encodeBytes(bytes: Uint8Array, options: EncodeOptions = {}): Uint32Array {
    checkKind(bytes instanceof Uint8Array, "a Uint8Array", bytes);
    const out = this.#room(bytes.length);
    return this.#between(out, options, () => this.#encodeRuns(bytes, "text", options, out));
  }

  encodePart(bytes: Uint8Array, { isFirst, isEnd }: TextPart, options: StreamEncodeOptions = {}): EncodedPart {
    const taken = isEnd ? bytes.length : this.#lastBorder(bytes, options);
    if (taken === 0 && !isEnd) return { ids: new Uint32Array(0), taken };
    const out = this.#room(taken);
    const around = this.#around(options);
    const here = { before: isFirst ? around.before : [], after: isEnd ? around.after : [] };
    return {
      ids: this.#within(out, here, () => this.#encodeRuns(bytes.subarray(0, taken), isFirst ? "text" : "inside", options, out)),
      taken,
    };
  }

  /** The last place where the text may be cut whatever follows, or 0. */
  #lastBorder(bytes: Uint8Array, { parseSpecial = false }: StreamEncodeOptions): number {
    const { isBorder } = this.#codec;
    const { plain, normalized } = this.#matchers;
    if (isBorder === undefined || !normalized.findsNone(parseSpecial)) return 0;
    const reach = plain.findsNone(parseSpecial) ? 0 : 3 * plain.longest;
    for (let at = bytes.length - reach - widestCharacter; at > 0; at--) {
      const left = at - widthBefore(bytes, at);
      if (left === at || (bytes[at]! & 0xc0) === 0x80 || validUpTo(bytes.subarray(left, at)) !== at - left) continue;
      if (validUpTo(bytes.subarray(at, at + widthOf(bytes[at]!))) !== widthOf(bytes[at]!)) continue;
      if (isBorder(bytes, left, at, bytes.length) && !(reach > 0 && touches(plain, bytes, at, reach))) return at;
    }
    return 0;
  }

  /** Appends the ids of bytes that may be no UTF-8. */
  #encodeRuns(bytes: Uint8Array, first: StretchStart, options: EncodeOptions, out: IdBuffer): void {
    let start = first;
    eachUtf8Run(
      bytes,
      (from, to) => {
        this.#encodeUtf8({ bytes, start: from, end: to }, start, options, out);
        start = "inside";
      },
      (run) => {
        // Decoding takes one space away: where no text put it in front, it must come here.
        const { stripStart } = this.decoding;
        const spaces = start === "text" ? (typeof stripStart === "number" ? stripStart : 1) : 0;
        start = "inside";
        if (spaces > 0) this.#codec.encode(" ".repeat(spaces), start, out);
        this.#codec.encodeInvalid(run, out);
      },
    );
  }

  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.#join(ids, options, true));
  }

  decodeBytes(ids: Iterable<number>, options: DecodeOptions = {}): Uint8Array {
    return this.#join(ids, options, false);
  }

  #join(ids: Iterable<number>, options: DecodeOptions, mends: boolean): Uint8Array {
    checkKind(typeof ids === "object" && ids !== null && Symbol.iterator in ids, "an iterable of ids", ids);
    const list = Array.isArray(ids) || ids instanceof Uint32Array ? ids : Array.from(ids);
    const joiner = new ByteJoiner(this, options, mends);
    const parts: Uint8Array[] = [];
    let at = 0;
    while (at < list.length && (list.length - at < fewIds || !joiner.isPlain)) parts.push(joiner.next(list[at++]!));
    if (at < list.length) {
      const rest = this.#shown(options.specials ?? false).join(list, at, (id) => this.#unknownId(id));
      // The joiner says what becomes of byte pieces that are no UTF-8 together; all other pieces are.
      if (!mends || this.decoding.bytes !== "fallback" || validUpTo(rest) === rest.length) parts.push(rest);
      else while (at < list.length) parts.push(joiner.next(list[at++]!));
    }
    parts.push(joiner.end());
    return joined(parts);
  }

  /** The bytes that pieces show as, special ones among them or not. */
  #shown(specials: boolean): DecodedPieces {
    const { unkId } = this;
    this.#bulk[specials ? 1 : 0] ??= new DecodedPieces(this.vocabSize, (id) => {
      if (id === unkId) return specials ? utf8Bytes(this.idToPiece(id)) : this.#codec.decoded(id);
      return this.isSpecial(id) && !specials ? nothing : this.#codec.decoded(id);
    });
    return this.#bulk[specials ? 1 : 0]!;
  }

  idToPiece(id: number): string {
    return this.model.pieces[id] ?? this.#unknownId(id);
  }

  pieceToId(piece: string): number | undefined {
    return this.#ids.get(piece);
  }

  isSpecial(id: number): boolean {
    return this.#specials.has(id);
  }

  isByte(id: number): boolean {
    this.#isByte ??= Uint8Array.from(this.model.pieces, (piece) => (this.decoding.bytes === "fallback" && isBytePiece(piece) ? 1 : 0));
    return this.#isByte[id] === 1;
  }

  pieceBytes(id: number): Uint8Array {
    return this.#pieces.of(id) ?? this.#unknownId(id);
  }

  #unknownId(id: number): never {
    return fail("tokenizer", `id ${id} is outside the vocabulary of ${this.vocabSize} pieces: is it this model's tokenizer?`);
  }

  #between(out: IdBuffer, options: EncodeOptions, body: () => void): Uint32Array {
    return this.#within(out, this.#around(options), body);
  }

  #within(out: IdBuffer, around: TextTemplate, body: () => void): Uint32Array {
    for (const id of around.before) out.push(id);
    body();
    return this.#ended(out, around);
  }

  /** The list as ids, with what goes behind the text. */
  #ended(out: IdBuffer, { before, after }: TextTemplate): Uint32Array {
    const hasOwnStart = before.length > 0 && out.size > before.length && out.at(before.length) === before[0];
    for (const id of after) out.push(id);
    const ids = out.slice(hasOwnStart ? before.length : 0);
    if (out.capacity <= mostKeptIds) this.#spare = out;
    return ids;
  }

  /** An empty list for the ids of a text of so many units or bytes. */
  #room(length: number): IdBuffer {
    const spare = length <= mostKeptIds ? this.#spare : undefined;
    if (spare === undefined) return new IdBuffer(expectedIds(length));
    this.#spare = undefined;
    spare.size = 0;
    return spare;
  }

  #around({ bos, eos, template }: EncodeOptions): TextTemplate {
    const { before, after } = (template ? this.model.template : undefined) ?? nothingAround;
    const bosId = bos ? (this.bosId ?? fail("tokenizer", "bos was asked for, but this tokenizer has no begin-of-text piece")) : undefined;
    const eosId = eos ? (this.eosId ?? fail("tokenizer", "eos was asked for, but this tokenizer has no end-of-text piece")) : undefined;
    return {
      before: bosId === undefined || before.includes(bosId) ? before : [bosId, ...before],
      after: eosId === undefined || after.includes(eosId) ? after : [...after, eosId],
    };
  }

  /** Appends the ids of a range that is UTF-8; as bytes where neither the model nor a piece that is sought needs a string. */
  #encodeUtf8({ bytes, start: from, end: to }: ByteRange, start: StretchStart, options: EncodeOptions, out: IdBuffer): void {
    const { plain, normalized } = this.#matchers;
    const { parseSpecial = false } = options;
    if (this.#codec.encodeUtf8 !== undefined && plain.findsNone(parseSpecial) && normalized.findsNone(parseSpecial))
      this.#codec.encodeUtf8(bytes, from, to, start, out);
    else this.#encodeStretches(decoder.decode(bytes.subarray(from, to)), start, options, out);
  }

  /** Cuts out the pieces that stand in the text as it is. */
  #encodeStretches(text: string, start: StretchStart, { parseSpecial = false }: EncodeOptions, out: IdBuffer): void {
    const { plain } = this.#matchers;
    if (plain.findsNone(parseSpecial) && text !== "") return this.#encodeStretch(text, start, parseSpecial, out);
    const encode = (from: number, to: number, before: StretchStart) =>
      this.#encodeStretch(text.slice(from, to), before, behind(parseSpecial, from), out);
    plain.each(
      text,
      parseSpecial,
      (from, to) => encode(from, to, from === 0 ? start : "special"),
      (id) => out.push(id),
    );
  }

  /** Normalises a stretch, and cuts out the pieces that are sought in what the normaliser leaves. */
  #encodeStretch(text: string, start: StretchStart, parseSpecial: ParseSpecial, out: IdBuffer): void {
    const { normalized } = this.#matchers;
    const { normalise, escapesSpaces, encodeUtf8 } = this.#codec;
    if (encodeUtf8 !== undefined && normalized.findsNone(parseSpecial)) {
      const { bytes, end } = this.#scratch.write(text);
      return encodeUtf8(bytes, 0, end, start, out);
    }
    const source = normalise === undefined ? text : normalise(text, start);
    if (normalized.isEmpty) return this.#codec.encode(source, start, out);
    normalized.each(
      normalise !== undefined && escapesSpaces ? spaced(source) : source,
      source === text ? parseSpecial : whole(parseSpecial, text.length),
      (from, to) => this.#codec.encode(source.slice(from, to), from === 0 ? start : "special", out),
      (id) => out.push(id),
    );
  }
}

/** Bytes that are encoded between two yields, and as many more as there are up to a place where a text may be cut: about half a millisecond of work. */
const sliceBytes = 1 << 13;

/** The pieces that stand in a text as it is, and the stretches between them, in order. */
function partsOf(
  matcher: PieceMatcher,
  text: string,
  parseSpecial: ParseSpecial,
): (number | { readonly from: number; readonly to: number })[] {
  const parts: ReturnType<typeof partsOf> = [];
  matcher.each(
    text,
    parseSpecial,
    (from, to) => parts.push({ from, to }),
    (id) => parts.push(id),
  );
  return parts;
}

/** The first place from `from` on where UTF-8 may be cut whatever follows, or its end. */
function nextBorder(bytes: Uint8Array, from: number, isBorder: IsBorder): number {
  for (let at = from; at < bytes.length; at++)
    if ((bytes[at]! & 0xc0) !== 0x80 && isBorder(bytes, at - widthBefore(bytes, at), at, bytes.length)) return at;
  return bytes.length;
}

/** So many ids are decoded one by one, without a table of all pieces. */
const fewIds = 1000;
const nothing = new Uint8Array(0);

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A list of more ids is not kept for the next text. */
const mostKeptIds = 1 << 17;

/** Ids that a text of so many units or bytes has at most, or about, so that short texts need no second array and long ones no large one. */
function expectedIds(length: number): number {
  return length < 4096 ? length + 64 : length >> 1;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const widestCharacter = 4;

/** Whether a piece of the matcher's is spelt around, in front of or behind a place that lies more than `reach` bytes before the end. */
function touches(matcher: PieceMatcher, bytes: Uint8Array, at: number, reach: number): boolean {
  const before = decoder.decode(bytes.subarray(Math.max(0, at - reach), at));
  return matcher.touches(before + decoder.decode(bytes.subarray(at, at + reach)), before.length);
}

/** Asks the same question of a part of the text, whose places count from its beginning. */
function behind(parseSpecial: ParseSpecial, from: number): ParseSpecial {
  return typeof parseSpecial === "function" && from > 0
    ? (start, end, isSpecial) => parseSpecial(start + from, end + from, isSpecial)
    : parseSpecial;
}

/** A normaliser moves places, so that pieces are found behind it only where they may stand anywhere. */
function whole(parseSpecial: ParseSpecial, length: number): boolean {
  return typeof parseSpecial === "function" ? parseSpecial(0, length, true) : parseSpecial;
}

const nothingAround: TextTemplate = { before: [], after: [] };

/** The codec of a model, by its kind. */
export function codecOf(model: TokenizerModel, ids: PieceLookup): Codec {
  switch (model.kind) {
    case "word":
      return wordCodec(model, ids);
    case "sentencepiece":
      return sentencePieceCodec(model, ids);
    case "unigram":
      return unigramCodec(model);
    case "bytes":
      return bytesCodec(model, ids);
    default:
      return model satisfies never;
  }
}

/** A normalised piece is spelt as the normaliser spells it; where pieces write a space as ▁, a space stands for both there. */
export function matchersOf(model: TokenizerModel, { normalise, escapesSpaces }: Codec): { plain: PieceMatcher; normalized: PieceMatcher } {
  const matching = new Map((model.matching ?? []).map((rule) => [rule.id, rule]));
  const specials = new Set(model.specials);
  const marksSpaces = normalise !== undefined && escapesSpaces;
  const spelt = (text: string) => (marksSpaces ? spaced(text) : text);
  const sought = [...new Set([...model.specials, ...(model.added ?? [])])].map((id) => {
    const rule = matching.get(id) ?? { id };
    const piece = model.pieces[id]!;
    const isInner = rule.normalized === true || rule.verbatim === true;
    const isRewritten = rule.normalized === true && normalise !== undefined && piece !== "";
    const isNowhere = rule.verbatim === true && escapesSpaces && piece.includes(" "); // the normaliser leaves no space
    const spelling = isNowhere ? "" : isInner ? spelt(isRewritten ? normalise(piece, "text") : piece) : piece;
    return { ...rule, spelling, isSpecial: specials.has(id), isInner };
  });
  return {
    plain: new PieceMatcher(sought.filter(({ isInner }) => !isInner)),
    normalized: new PieceMatcher(
      sought.filter(({ isInner }) => isInner),
      marksSpaces,
    ),
  };
}

/** The text with ▁ as a space, of the same length: after normalising the two are one. */
export function spaced(text: string): string {
  return text.replaceAll(spaceMark, " ");
}

/** Callers without types get a sentence, not an error from deep inside. */
function checkKind(isRight: boolean, kind: string, value: unknown): void {
  check(isRight, "tokenizer", () => `${typeof value === "string" ? JSON.stringify(value) : String(value)} is given, but ${kind} is needed`);
}
