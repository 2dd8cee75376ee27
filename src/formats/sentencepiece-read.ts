// SentencePiece's tokenizer.model in: byte pair encoding (LLaMA 1 and 2) and unigram models, with everything that their files say of text.
import { fail } from "../base/index.ts";
import {
  type Decoding,
  isBytePiece,
  type NormaliserStep,
  type SentencePieceModel,
  spaceMark,
  type TextTemplate,
  type TokenizerModel,
  type UnigramModel,
} from "../tokenizer/index.ts";
import { quote } from "./json.ts";
import { modelTypes, pieceTypes, readProto, type SentencePieceProto } from "./sentencepiece-proto.ts";

const where = "tokenizer.model";

/**
 * The model in the bytes of a tokenizer.model. As in LLaMA the begin-of-text piece goes in front of a text. Control pieces stand in no text unless
 * a caller asks for them: SentencePiece never finds them, so every stretch between them is a text of its own, with a space in front, as
 * transformers and llama.cpp have it.
 * @param name for messages
 * @throws CriaError when the file is damaged, of a kind that is not supported, or contradicts itself; it says which.
 */
export function readSentencePieceModel(bytes: Uint8Array, name = "tokenizer.model"): SentencePieceModel | UnigramModel {
  const proto = readProto(bytes, name);
  const about = (message: string): never => fail(where, `${name}: ${message}`);
  if (proto.pieces.length === 0) about("it has no pieces: it is damaged or of another kind");
  checkDenormaliser(proto, about);
  checkPieces(proto, about);
  const parts = {
    ...commonParts(proto, about),
    byteFallback: proto.byteFallback,
    ...(proto.escapeWhitespaces ? {} : { escapesSpaces: false }),
  };
  switch (proto.modelType) {
    case modelTypes.bpe:
      return bpeModel(proto, parts);
    case modelTypes.unigram:
      return unigramModel(proto, parts);
    default: {
      const kind = Object.entries(modelTypes).find(([, number]) => number === proto.modelType)?.[0] ?? String(proto.modelType);
      return about(`its model_type is ${quote(kind)}: only bpe and unigram are supported`);
    }
  }
}

/** Rules that rewrite a text and nothing else is what SentencePiece's trainer writes. */
function checkDenormaliser({ denormaliser }: SentencePieceProto, about: (message: string) => never): void {
  const { charsmap, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = denormaliser;
  if (charsmap.length > 0 && (addDummyPrefix || removeExtraWhitespaces || escapeWhitespaces))
    about("its denormalizer_spec changes the spaces of a text, too, which is not supported");
}

function checkPieces({ pieces, byteFallback }: SentencePieceProto, about: (message: string) => never): void {
  const known = new Set<number>(Object.values(pieceTypes));
  pieces.forEach(({ piece, type }, id) => {
    if (piece === "") about(`piece ${id} is empty: it is damaged`);
    if (!known.has(type)) about(`piece ${id}, ${quote(piece)}, has the type ${type}, which cria does not know`);
    if (type === pieceTypes.byte && !(byteFallback && /^<0x[0-9A-F]{2}>$/.test(piece)))
      about(
        `piece ${id}, ${quote(piece)}, is a byte, but ${byteFallback ? "is not spelt as one" : "byte_fallback is false"}: it is damaged`,
      );
    if (type !== pieceTypes.byte && byteFallback && isBytePiece(piece))
      about(`piece ${id}, ${quote(piece)}, is spelt as a byte but is none, which cria cannot tell apart`);
  });
}

function idsOf({ pieces }: SentencePieceProto, ...types: readonly number[]): number[] {
  const isSought = new Set(types);
  const ids: number[] = [];
  for (let id = 0; id < pieces.length; id++) if (isSought.has(pieces[id]!.type)) ids.push(id);
  return ids;
}

type Parts = Pick<SentencePieceModel, "pieces" | "specials" | "bosId" | "eosId" | "padId" | "template" | "decoding" | "scores"> & {
  readonly unkId: number;
  readonly byteFallback: boolean;
  readonly scores: readonly number[];
  readonly unused?: readonly number[];
  readonly escapesSpaces?: boolean;
};

function commonParts(proto: SentencePieceProto, about: (message: string) => never): Omit<Parts, "byteFallback"> {
  const unknown = idsOf(proto, pieceTypes.unknown);
  if (unknown.length !== 1) about(`it has ${unknown.length} unknown pieces: there must be one`);
  const unused = idsOf(proto, pieceTypes.unused);
  return {
    pieces: proto.pieces.map(({ piece }) => piece),
    scores: proto.pieces.map(({ score }) => score),
    specials: idsOf(proto, pieceTypes.unknown, pieceTypes.control),
    unkId: unknown[0]!,
    ...(unused.length === 0 ? {} : { unused }),
    ...rolesOf(proto),
    decoding: decodingOf(proto),
  };
}

/** A role is a control piece of the name that the file gives it, as in SentencePiece. */
function rolesOf(proto: SentencePieceProto): Pick<TokenizerModel, "bosId" | "eosId" | "padId" | "template"> {
  const controls = idsOf(proto, pieceTypes.control);
  const control = (name: string) => controls.find((id) => proto.pieces[id]!.piece === name);
  const bosId = control(proto.bosPiece);
  const template: TextTemplate | undefined = bosId === undefined ? undefined : { before: [bosId], after: [] };
  const roles = { bosId, eosId: control(proto.eosPiece), padId: control(proto.padPiece), template };
  return Object.fromEntries(Object.entries(roles).filter(([, value]) => value !== undefined));
}

function decodingOf(proto: SentencePieceProto): Decoding {
  const { byteFallback, addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces, unkSurface, denormaliser } = proto;
  const rules = denormaliser.charsmap.length === 0 ? {} : { charsmap: new Uint8Array(denormaliser.charsmap) };
  const stripStart = !escapeWhitespaces ? 0 : removeExtraWhitespaces ? "each" : addDummyPrefix ? 1 : 0;
  const bytes = byteFallback ? ({ bytes: "fallback", invalid: "byte" } as const) : ({ bytes: "none" } as const);
  return { replace: [[spaceMark, " "]], ...bytes, separator: "", stripStart, stripEnd: 0, unknown: unkSurface, ...rules };
}

/** The whole normaliser as one step. */
function normaliserStep({ charsmap, removeExtraWhitespaces, whitespaceAsSuffix, addDummyPrefix }: SentencePieceProto): NormaliserStep {
  return {
    type: "sentencepiece",
    ...(charsmap.length === 0 ? {} : { charsmap: new Uint8Array(charsmap) }),
    removeExtraSpaces: removeExtraWhitespaces,
    dummySpace: !addDummyPrefix ? "none" : whitespaceAsSuffix ? "back" : "front",
  };
}

function unigramModel(proto: SentencePieceProto, parts: Parts): UnigramModel {
  const userDefined = idsOf(proto, pieceTypes.userDefined);
  return { kind: "unigram", ...parts, normaliser: [normaliserStep(proto)], ...(userDefined.length === 0 ? {} : { userDefined }) };
}

function bpeModel(proto: SentencePieceProto, parts: Parts): SentencePieceModel {
  const { charsmap, removeExtraWhitespaces, whitespaceAsSuffix, addDummyPrefix } = proto;
  const isPlain = charsmap.length === 0 && !removeExtraWhitespaces && !(whitespaceAsSuffix && addDummyPrefix);
  const added = idsOf(proto, pieceTypes.userDefined);
  return {
    kind: "sentencepiece",
    ...parts,
    ...(added.length === 0 ? {} : { added, matching: added.map((id) => ({ id, verbatim: true })) }),
    ...(isPlain ? {} : { normaliser: [normaliserStep(proto)] }),
    dummyPrefix: isPlain && addDummyPrefix ? "each" : "never",
    prefixBeforeSpace: true,
  };
}
