// The one face of all tokenizers: text in, ids out, and back.
import { eachUtf8Run, fail } from "../base/index.ts";
import { bytesCodec } from "./bytes-codec.ts";
import { type Codec, type StretchStart, utf8Bytes } from "./codec.ts";
import { IdBuffer } from "./id-buffer.ts";
import { checkModel, pieceIds, type TokenizerKind, type TokenizerModel } from "./model.ts";
import { sentencePieceCodec } from "./sentencepiece-codec.ts";
import { wordCodec } from "./word-codec.ts";

export interface EncodeOptions {
  /** Put the begin-of-text id in front. @default false */
  readonly bos?: boolean;
  /** Put the end-of-text id behind. @default false */
  readonly eos?: boolean;
  /** Special pieces spelled out in the text become their ids; leave it off for text that others wrote. @default false */
  readonly parseSpecial?: boolean;
}

export interface DecodeOptions {
  /** Spell special pieces out instead of leaving them away; an unknown then shows as its piece, not as U+FFFD. @default false */
  readonly specials?: boolean;
  /** The ids go on from earlier ones, so the first space stays. @default false */
  readonly continued?: boolean;
}

export interface Tokenizer {
  readonly kind: TokenizerKind;
  readonly model: TokenizerModel;
  readonly vocabSize: number;
  readonly unkId: number | undefined;
  readonly bosId: number | undefined;
  readonly eosId: number | undefined;
  readonly padId: number | undefined;
  /**
   * O(n log n) in the length at worst. A lone surrogate, which UTF-8 cannot hold, counts as U+FFFD.
   * @throws CriaError when bos or eos is asked for and there is none.
   */
  encode(text: string, options?: EncodeOptions): Uint32Array;
  /** Like `encode` for bytes, also where they are no UTF-8: lossless in the sentencepiece kind with byte fallback and the bytes kind. */
  encodeBytes(bytes: Uint8Array, options?: EncodeOptions): Uint32Array;
  /** The text; bytes that are no UTF-8 show as U+FFFD. @throws CriaError for an id outside the vocabulary. */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  decodeBytes(ids: Iterable<number>, options?: DecodeOptions): Uint8Array;
  /** A piece as the vocabulary writes it: `▁the`, `Ġthe`, `the</w>`, `<0x0A>`. */
  idToPiece(id: number): string;
  pieceToId(piece: string): number | undefined;
  isSpecial(id: number): boolean;
  /** The bytes one id decodes to inside a text; a special piece's are its spelling. */
  pieceBytes(id: number): Uint8Array;
  /** Which space decoding takes away: the dummy prefix, the one after the last word, none. */
  readonly trim: "start" | "end" | "none";
}

/** @throws CriaError when the model contradicts itself: duplicate pieces, merges of unknown pieces, missing bytes. */
export function createTokenizer(model: TokenizerModel): Tokenizer {
  return new BpeTokenizer(model);
}

class BpeTokenizer implements Tokenizer {
  readonly model: TokenizerModel;
  readonly #ids: ReadonlyMap<string, number>;
  readonly #codec: Codec;
  readonly #specials: ReadonlySet<number>;
  readonly #addedPattern: RegExp | undefined;
  readonly #specialPattern: RegExp | undefined;

  constructor(model: TokenizerModel) {
    this.model = model;
    this.#ids = pieceIds(model);
    checkModel(model, this.#ids);
    this.#codec = codecOf(model, this.#ids);
    this.#specials = new Set(model.specials);
    const added = model.added ?? [];
    this.#addedPattern = anyOf(added.map((id) => model.pieces[id]!));
    this.#specialPattern = anyOf([...added, ...model.specials].map((id) => model.pieces[id]!));
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

  get trim(): "start" | "end" | "none" {
    return this.#codec.trim;
  }

  encode(text: string, options: EncodeOptions = {}): Uint32Array {
    const out = new IdBuffer(text.length >> 1);
    return this.#between(out, options, () => this.#encodeStretches(text, "text", options, out));
  }

  encodeBytes(bytes: Uint8Array, options: EncodeOptions = {}): Uint32Array {
    const out = new IdBuffer(bytes.length >> 1);
    let start: StretchStart = "text";
    return this.#between(out, options, () =>
      eachUtf8Run(
        bytes,
        (run) => {
          this.#encodeStretches(run, start, options, out);
          start = "bytes";
        },
        (run) => {
          // Decoding takes one space away: where no text put it in front, bytes must.
          if (start === "text" && this.trim === "start") this.#codec.encodeInvalid(Uint8Array.of(0x20), out);
          start = "bytes";
          this.#codec.encodeInvalid(run, out);
        },
      ),
    );
  }

  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.decodeBytes(ids, options));
  }

  decodeBytes(ids: Iterable<number>, options: DecodeOptions = {}): Uint8Array {
    const joiner = new ByteJoiner(this, options);
    const parts = Array.from(ids, (id) => joiner.next(id));
    const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
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

  pieceBytes(id: number): Uint8Array {
    return this.#codec.bytes[id] ?? this.#unknownId(id);
  }

  #unknownId(id: number): never {
    return fail("tokenizer", `id ${id} is outside the vocabulary of ${this.vocabSize} pieces: is it this model's tokenizer?`);
  }

  #between(out: IdBuffer, { bos, eos }: EncodeOptions, body: () => void): Uint32Array {
    if (bos) out.push(this.bosId ?? fail("tokenizer", "bos was asked for, but this tokenizer has no begin-of-text piece"));
    body();
    if (eos) out.push(this.eosId ?? fail("tokenizer", "eos was asked for, but this tokenizer has no end-of-text piece"));
    return out.slice();
  }

  /** Cuts out the pieces that stand verbatim in the text. */
  #encodeStretches(text: string, start: StretchStart, { parseSpecial }: EncodeOptions, out: IdBuffer): void {
    const pattern = parseSpecial ? this.#specialPattern : this.#addedPattern;
    let at = 0;
    for (const match of pattern === undefined ? [] : text.matchAll(pattern)) {
      if (match.index > at) this.#codec.encode(text.slice(at, match.index), at === 0 ? start : "special", out);
      out.push(this.#ids.get(match[0])!);
      at = match.index + match[0].length;
    }
    if (at < text.length) this.#codec.encode(text.slice(at), at === 0 ? start : "special", out);
  }
}

function codecOf(model: TokenizerModel, ids: ReadonlyMap<string, number>): Codec {
  if (model.kind === "word") return wordCodec(model, ids);
  return model.kind === "bytes" ? bytesCodec(model, ids) : sentencePieceCodec(model, ids);
}

/** Matches any of the pieces, the longest where one begins another. */
function anyOf(pieces: readonly string[]): RegExp | undefined {
  const escaped = pieces
    .filter((piece) => piece !== "")
    .sort((a, b) => b.length - a.length)
    .map((piece) => piece.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  return escaped.length === 0 ? undefined : new RegExp(escaped.join("|"), "g");
}

const nothing = new Uint8Array(0);

/** Ids to bytes one by one: leaves specials away and takes care of the space that decoding takes away. */
export class ByteJoiner {
  readonly #tokenizer: Tokenizer;
  readonly #showsSpecials: boolean;
  #isStart: boolean;
  #heldSpace = false;

  constructor(tokenizer: Tokenizer, { specials = false, continued = false }: DecodeOptions) {
    this.#tokenizer = tokenizer;
    this.#showsSpecials = specials;
    this.#isStart = !continued;
  }

  /** The bytes that this id adds. */
  next(id: number): Uint8Array {
    const isUnknown = id === this.#tokenizer.unkId;
    if (this.#tokenizer.isSpecial(id) && !isUnknown && !this.#showsSpecials) return nothing;
    const bytes = isUnknown && this.#showsSpecials ? utf8Bytes(this.#tokenizer.idToPiece(id)) : this.#tokenizer.pieceBytes(id);
    if (this.#tokenizer.trim === "start") return this.#withoutFirstSpace(bytes);
    return this.#tokenizer.trim === "end" ? this.#withSpaceHeld(bytes) : bytes;
  }

  #withoutFirstSpace(bytes: Uint8Array): Uint8Array {
    const isStart = this.#isStart;
    this.#isStart = false;
    return isStart && bytes[0] === 0x20 ? bytes.subarray(1) : bytes;
  }

  /** The space after a word comes only with the next word. */
  #withSpaceHeld(bytes: Uint8Array): Uint8Array {
    const before = this.#heldSpace ? [0x20] : [];
    this.#heldSpace = bytes.at(-1) === 0x20;
    return Uint8Array.of(...before, ...(this.#heldSpace ? bytes.subarray(0, -1) : bytes));
  }
}
