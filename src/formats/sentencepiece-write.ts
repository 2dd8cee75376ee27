// SentencePiece's tokenizer.model out of our models.
import { check, fail } from "../base/index.ts";
import {
  createTokenizer,
  isBytePiece,
  type NormaliserStep,
  type SentencePieceModel,
  scoresOf,
  type TokenizerModel,
  type UnigramModel,
} from "../tokenizer/index.ts";
import { modelTypes, pieceTypes, protoDefaults, type SentencePieceProto, writeProto } from "./sentencepiece-proto.ts";

const where = "tokenizer.model";

/**
 * The bytes of a tokenizer.model with which SentencePiece gives the same ids to texts in which no special piece is sought: it finds none.
 * @throws CriaError naming what a tokenizer.model cannot say.
 */
export function sentencePieceModelBytes(model: TokenizerModel): Uint8Array {
  createTokenizer(model); // throws when the model contradicts itself
  if (model.kind !== "sentencepiece" && model.kind !== "unigram")
    return fail(where, `a tokenizer of the kind ${model.kind} has no form there: write a tokenizer.json`);
  check(
    model.kind !== "unigram" || model.sums !== "float64",
    where,
    () =>
      "a unigram model of a tokenizer.json, which rounds its sums otherwise, has no form there that keeps its ids: write a tokenizer.json",
  );
  const spec = model.kind === "unigram" ? normaliserSpec(model.normaliser ?? []) : bpeSpec(model);
  return writeProto({ ...protoDefaults, ...spec, ...common(model) });
}

function common(model: SentencePieceModel | UnigramModel): Partial<SentencePieceProto> {
  const { pieces, byteFallback, escapesSpaces = true, decoding } = model;
  const nameOf = (id: number | undefined, usual: string) => (id === undefined ? usual : pieces[id]!);
  return {
    pieces: pieceRows(model),
    modelType: model.kind === "unigram" ? modelTypes.unigram : modelTypes.bpe,
    ...{ byteFallback, escapeWhitespaces: escapesSpaces },
    denormaliser: {
      ...{ charsmap: decoding?.charsmap ?? protoDefaults.denormaliser.charsmap, addDummyPrefix: false },
      ...{ removeExtraWhitespaces: false, escapeWhitespaces: false },
    },
    unkSurface: decoding?.unknown ?? "",
    bosPiece: nameOf(model.bosId, protoDefaults.bosPiece),
    eosPiece: nameOf(model.eosId, protoDefaults.eosPiece),
    padPiece: nameOf(model.padId, protoDefaults.padPiece),
  };
}

function pieceRows(model: SentencePieceModel | UnigramModel): SentencePieceProto["pieces"] {
  const { pieces, specials, unkId, unused = [], byteFallback } = model;
  check(
    unkId !== undefined,
    where,
    () => "the model has no unknown piece, and SentencePiece needs one: name one, or write a tokenizer.json",
  );
  const scores = model.kind === "unigram" ? model.scores : scoresOf(model);
  const userDefined = new Set((model.kind === "unigram" ? model.userDefined : model.added) ?? []);
  const [isControl, isUnused] = [new Set(specials), new Set(unused)];
  const typeOf = (piece: string, id: number) => {
    if (id === unkId) return pieceTypes.unknown;
    if (isControl.has(id)) return pieceTypes.control;
    if (userDefined.has(id)) return pieceTypes.userDefined;
    if (isUnused.has(id)) return pieceTypes.unused;
    return byteFallback && isBytePiece(piece) ? pieceTypes.byte : pieceTypes.normal;
  };
  return pieces.map((piece, id) => ({ piece, score: scores[id]!, type: typeOf(piece, id) }));
}

type Spec = Pick<SentencePieceProto, "addDummyPrefix" | "removeExtraWhitespaces" | "whitespaceAsSuffix" | "charsmap" | "normaliserName">;

function normaliserSpec(steps: readonly NormaliserStep[]): Spec {
  const [step, ...others] = steps;
  const plain = { normaliserName: "identity", charsmap: new Uint8Array(0), removeExtraWhitespaces: false, whitespaceAsSuffix: false };
  if (step === undefined) return { ...plain, addDummyPrefix: false };
  const odd = [step, ...others].find(({ type }) => type !== "sentencepiece") ?? others[0];
  if (odd !== undefined || step.type !== "sentencepiece")
    return fail(where, `the normaliser's step ${JSON.stringify(odd ?? step)} has no form there: write a tokenizer.json`);
  return {
    normaliserName: step.charsmap === undefined ? "identity" : "user_defined",
    charsmap: step.charsmap ?? plain.charsmap,
    removeExtraWhitespaces: step.removeExtraSpaces,
    whitespaceAsSuffix: step.dummySpace === "back",
    addDummyPrefix: step.dummySpace !== "none",
  };
}

function bpeSpec(model: SentencePieceModel): Spec {
  refuseOthers(model);
  if (model.normaliser !== undefined) return normaliserSpec(model.normaliser);
  return { ...normaliserSpec([]), addDummyPrefix: model.dummyPrefix !== "never" };
}

/** @throws CriaError for what only other libraries do with a text. */
function refuseOthers(model: SentencePieceModel): void {
  const { dummyPrefix, prefixBeforeSpace, preTokeniser, fusesUnknown = true, ignoreMerges = false, byteFallback } = model;
  const refuse = (what: string): never => fail(where, `${what} has no form there: write a tokenizer.json`);
  if (dummyPrefix === "first" && prefixBeforeSpace) refuse("a space in front of the first stretch of a text only");
  if (dummyPrefix !== "never" && !prefixBeforeSpace) refuse("a space in front only of texts that begin with none");
  if (dummyPrefix !== "never" && model.normaliser !== undefined) refuse("a normaliser with a space in front of its own");
  if (preTokeniser !== undefined) refuse("a pre-tokenizer");
  if (!fusesUnknown && !byteFallback) refuse("an unknown piece for every character of a run");
  if (ignoreMerges) refuse("ignore_merges");
  for (const rule of model.matching ?? []) {
    const isSpecial = model.specials.includes(rule.id);
    if (!isSpecial && !rule.verbatim) refuse(`how the added piece ${JSON.stringify(model.pieces[rule.id])} is found`);
  }
  const verbatim = new Set((model.matching ?? []).filter((rule) => rule.verbatim).map(({ id }) => id));
  const plain = (model.added ?? []).find((id) => !verbatim.has(id));
  if (plain !== undefined) refuse(`the added piece ${JSON.stringify(model.pieces[plain])}, which is found before a space comes in front,`);
}
