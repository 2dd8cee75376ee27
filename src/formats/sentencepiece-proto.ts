// SentencePiece's model file (google/sentencepiece, sentencepiece_model.proto): the fields of it that say how text becomes ids, in and out.
import { check, decodeTexts, decodeUtf8, fail } from "../base/index.ts";
import { WireReader, WireWriter, wireTypes } from "./protobuf.ts";

const where = "tokenizer.model";

/** The kinds of piece, by their numbers there. */
export const pieceTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;
/** The kinds of model, by their numbers there. */
export const modelTypes = { unigram: 1, bpe: 2, word: 3, char: 4 } as const;

/** A piece as it stands there. */
export interface ProtoPiece {
  readonly piece: string;
  /** The score as the file's float32 has it. */
  readonly score: number;
  /** One of {@link pieceTypes}. */
  readonly type: number;
}

/** Whole numbers are those of the file, flags are there or not: what is absent has its default. */
export interface SentencePieceProto {
  readonly pieces: readonly ProtoPiece[];
  readonly modelType: number;
  readonly whitespaceAsSuffix: boolean;
  readonly byteFallback: boolean;
  readonly unkSurface: string;
  readonly bosPiece: string;
  readonly eosPiece: string;
  readonly padPiece: string;
  readonly normaliserName: string;
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
  readonly denormaliser: DenormaliserProto;
}

/** The denormalizer_spec; without a charsmap it does nothing. */
export interface DenormaliserProto {
  readonly charsmap: Uint8Array;
  readonly addDummyPrefix: boolean;
  readonly removeExtraWhitespaces: boolean;
  readonly escapeWhitespaces: boolean;
}

/** What SentencePiece takes where a file says nothing. */
export const protoDefaults: SentencePieceProto = {
  ...{ pieces: [], modelType: modelTypes.unigram, whitespaceAsSuffix: false, byteFallback: false },
  ...{ unkSurface: " \u2047 ", bosPiece: "<s>", eosPiece: "</s>", padPiece: "<pad>" },
  ...{ normaliserName: "", charsmap: new Uint8Array(0), addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true },
  denormaliser: { charsmap: new Uint8Array(0), addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true },
};

type Kind = "number" | "flag" | "float" | "text" | "bytes" | "message";

/** Field number → the kind of its value, and the key that it has here. Fields without a row are about training, or tests, and are passed over. */
type Rows = Readonly<Record<number, readonly [key: string, kind: Kind]>>;

const rows = {
  model: {
    1: ["pieces", "message"],
    2: ["trainer_spec", "message"],
    3: ["normalizer_spec", "message"],
    5: ["denormalizer_spec", "message"],
  },
  piece: { 1: ["piece", "text"], 2: ["score", "float"], 3: ["type", "number"] },
  trainer: {
    ...{ 3: ["modelType", "number"], 24: ["whitespaceAsSuffix", "flag"], 35: ["byteFallback", "flag"], 44: ["unkSurface", "text"] },
    ...{ 46: ["bosPiece", "text"], 47: ["eosPiece", "text"], 48: ["padPiece", "text"] },
  },
  normalizer: {
    ...{ 1: ["normaliserName", "text"], 2: ["charsmap", "bytes"], 3: ["addDummyPrefix", "flag"], 4: ["removeExtraWhitespaces", "flag"] },
    ...{ 5: ["escapeWhitespaces", "flag"] },
  },
  denormalizer: {
    ...{ 2: ["charsmap", "bytes"], 3: ["addDummyPrefix", "flag"], 4: ["removeExtraWhitespaces", "flag"] },
    ...{ 5: ["escapeWhitespaces", "flag"] },
  },
} as const satisfies Record<string, Rows>;

/** A piece's text is decoded later, with all others. */
const openPiece: Rows = { ...rows.piece, 1: ["piece", "bytes"] };

const wireTypeOf: Readonly<Record<Kind, number>> = {
  ...{ number: wireTypes.varint, flag: wireTypes.varint, float: wireTypes.bit32 },
  ...{ text: wireTypes.lengthDelimited, bytes: wireTypes.lengthDelimited, message: wireTypes.lengthDelimited },
};

/** @throws CriaError when the bytes are no such file. */
export function readProto(bytes: Uint8Array, name: string): SentencePieceProto {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: OpenPieces = { view, spans: [], scores: [], types: [] };
  const found: Record<string, unknown> = {};
  const denormaliser: Record<string, unknown> = {};
  const parts: Readonly<Record<string, readonly [rows: Rows, into: Record<string, unknown>]>> = {
    trainer_spec: [rows.trainer, found],
    normalizer_spec: [rows.normalizer, found],
    denormalizer_spec: [rows.denormalizer, denormaliser],
  };
  eachField(bytes.subarray(addFirstPieces(pieces)), rows.model, name, "the file", (key, value) => {
    const part = parts[key];
    if (!(value instanceof Uint8Array)) return; // all rows of a model are messages
    if (part === undefined) addPiece(pieces, value, name);
    else eachField(value, part[0], name, key, (inner, one) => (part[1][inner] = one));
  });
  return {
    ...protoDefaults,
    ...found,
    denormaliser: { ...protoDefaults.denormaliser, ...denormaliser },
    pieces: closePieces(pieces, bytes, name),
  };
}

/** No vocabulary comes near it; the largest known has 262,144 pieces. */
const mostPieces = 1 << 22;

/** Pieces while they are read: their texts are decoded all at once. */
interface OpenPieces {
  /** The file. */
  readonly view: DataView;
  readonly spans: number[];
  readonly scores: number[];
  readonly types: number[];
}

/** Adds the pieces that the file begins with, as far as they are written as usual. @returns the place behind them */
function addFirstPieces(pieces: OpenPieces): number {
  const { view, types } = pieces;
  let at = 0;
  while (at + 2 <= view.byteLength && view.getUint8(at) === 0x0a && types.length < mostPieces) {
    const end = at + 2 + view.getUint8(at + 1);
    if (view.getUint8(at + 1) >= 0x80 || end > view.byteLength || !addUsualPiece(pieces, at + 2, end)) break;
    at = end;
  }
  return at;
}

/** A piece may take two bytes, so that their number is held against a limit before memory is full of them. */
function addPiece(pieces: OpenPieces, bytes: Uint8Array, name: string): void {
  const id = pieces.types.length;
  check(id < mostPieces, where, () => `${name}: it has more than ${mostPieces} pieces, and no vocabulary has so many: it is damaged`);
  const begin = bytes.byteOffset - pieces.view.byteOffset;
  if (addUsualPiece(pieces, begin, begin + bytes.length)) return;
  let [text, score, type]: [Uint8Array, number, number] = [bytes.subarray(0, 0), 0, pieceTypes.normal];
  eachField(bytes, openPiece, name, `piece ${id}`, (key, value) => {
    if (value instanceof Uint8Array) text = value;
    else if (key === "score") score = Number(value);
    else type = Number(value);
  });
  const start = text.byteOffset - pieces.view.byteOffset;
  pieces.spans.push(start, start + text.length);
  pieces.scores.push(score);
  pieces.types.push(type);
}

/**
 * Adds a piece that stands in `view[begin … end)` as SentencePiece writes it: `| 0a | length | text | 15 | score |`, and behind it nothing, or
 * `| 18 | type |`. It takes a tenth of the time of a message in general.
 * @returns false for any other
 */
function addUsualPiece({ view, spans, scores, types }: OpenPieces, begin: number, end: number): boolean {
  if (end - begin < 7 || view.getUint8(begin) !== 0x0a) return false;
  const start = begin + 2;
  const stop = start + view.getUint8(begin + 1);
  const rest = end - stop;
  if (view.getUint8(begin + 1) >= 0x80 || (rest !== 5 && rest !== 7) || view.getUint8(stop) !== 0x15) return false;
  if (rest === 7 && (view.getUint8(stop + 5) !== 0x18 || view.getUint8(stop + 6) >= 0x80)) return false;
  spans.push(start, stop);
  scores.push(view.getFloat32(stop + 1, true));
  types.push(rest === 7 ? view.getUint8(stop + 6) : pieceTypes.normal);
  return true;
}

function closePieces({ spans, scores, types }: OpenPieces, file: Uint8Array, name: string): ProtoPiece[] {
  const one = (id: number) => decodeUtf8(file.subarray(spans[2 * id], spans[2 * id + 1]), `${name}: a text of piece ${id}`, where);
  const texts = decodeTexts(file, spans) ?? types.map((_, id) => one(id));
  return texts.map((piece, id) => ({ piece, score: scores[id]!, type: types[id]! }));
}

/** Calls back with the fields of one message that have a row. */
function eachField(bytes: Uint8Array, known: Rows, name: string, place: string, each: (key: string, value: unknown) => void): void {
  try {
    const reader = new WireReader(bytes);
    while (!reader.isAtEnd) {
      const [field, wireType] = reader.tag();
      const row = known[field];
      if (row === undefined) reader.skip(wireType, field);
      else if (wireType !== wireTypeOf[row[1]]) throw new Error(`field ${field} has the wire type ${wireType}`);
      else each(row[0], readValue(reader, row[1], name, place));
    }
  } catch (error) {
    if (error instanceof Error && error.name === "CriaError") throw error;
    fail(
      where,
      `${name}: ${place} is no message of SentencePiece's (${(error as Error).message}): the file is damaged or of another kind`,
      {
        cause: error,
      },
    );
  }
}

function readValue(reader: WireReader, kind: Kind, name: string, place: string): unknown {
  switch (kind) {
    case "number":
      return reader.int32();
    case "flag":
      return reader.bool();
    case "float":
      return reader.float();
    case "text":
      return decodeUtf8(reader.bytes(), `${name}: a text of ${place}`, where);
    case "bytes":
    case "message":
      return reader.bytes();
    default:
      return kind satisfies never;
  }
}

/** The bytes of a file that says the same. */
export function writeProto(proto: SentencePieceProto): Uint8Array {
  const writer = new WireWriter();
  for (const piece of proto.pieces) writer.bytes(1, messageOf(rows.piece, piece));
  writer.bytes(2, messageOf(rows.trainer, proto));
  writer.bytes(3, messageOf(rows.normalizer, proto));
  if (proto.denormaliser.charsmap.length > 0) writer.bytes(5, messageOf(rows.denormalizer, proto.denormaliser));
  return writer.finish();
}

function messageOf(known: Rows, values: object): Uint8Array {
  const writer = new WireWriter();
  for (const [number, [key, kind]] of Object.entries(known)) {
    const field = Number(number);
    const value: unknown = Object.entries(values).find(([name]) => name === key)?.[1];
    if (kind === "text") writer.text(field, String(value));
    else if (kind === "float") writer.float(field, Number(value));
    else if (kind === "number") writer.int32(field, Number(value));
    else if (kind === "flag") writer.bool(field, value === true);
    else if (value instanceof Uint8Array) writer.bytes(field, value);
  }
  return writer.finish();
}
