// Hugging Face's tokenizer.json (huggingface/tokenizers, serialization of Tokenizer) out of our models.
import { check, fail } from "../base/index.ts";
import {
  type BytesModel,
  createTokenizer,
  isBytePiece,
  type Merges,
  mergeList,
  mergePairs,
  mergesOf,
  type NormaliserStep,
  type SentencePieceModel,
  type SplitName,
  scoresOf,
  spaceMark,
  type TokenizerModel,
  type UnigramModel,
  type WordModel,
} from "../tokenizer/index.ts";
import { addedTokenJson } from "./added-tokens.ts";
import { type JsonObject, quote } from "./json.ts";
import { decoderJson } from "./tokenizer-json-decoder.ts";
import { normaliserJson, preTokeniserJson } from "./tokenizer-json-pipeline.ts";
import { templateJson } from "./tokenizer-json-template.ts";
import { markedPieces, wordDecoders, wordEndPattern, wordMark, wordSplit } from "./word-mark.ts";

const where = "tokenizer.json";

/**
 * The model as the object that tokenizer.json holds; `@huggingface/tokenizers` and Hugging Face's own library give the same ids with it
 * (special pieces in the text count as `parseSpecial`).
 */
export function tokenizerJson(model: TokenizerModel): JsonObject {
  createTokenizer(model); // throws when the model contradicts itself
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(model),
    ...partsOf(model),
    post_processor: templateJson(model),
  };
}

/** Whether only a tokenizer.model says what the model does: a unigram model, compiled rules, pieces that SentencePiece alone finds or takes apart. */
export function needsTokenizerModel(model: TokenizerModel): boolean {
  if (model.kind === "unigram") return model.sums !== "float64";
  if (model.kind !== "sentencepiece") return false;
  const isCompiled = (step: NormaliserStep) => step.type === "sentencepiece" && (step.charsmap !== undefined || step.dummySpace === "back");
  const isFoundOtherwise = (model.matching ?? []).some((rule) => rule.verbatim);
  return (
    model.decoding?.charsmap !== undefined ||
    isFoundOtherwise ||
    (model.scores !== undefined && (model.unused ?? []).length > 0) ||
    (model.normaliser ?? []).some(isCompiled)
  );
}

/** What tokenizer_config.json says beside what the tokenizer itself is. */
export interface TokenizerConfigOptions {
  /** A template in Jinja's language, or templates by name, the usual one being "default". */
  readonly chatTemplate?: string | ReadonlyMap<string, string>;
}

/** tokenizer_config.json: which pieces play which part, for transformers. */
export function tokenizerConfigJson(model: TokenizerModel, { chatTemplate = new Map() }: TokenizerConfigOptions = {}): JsonObject {
  const { before = [], after = [] } = model.template ?? {};
  const pieceOf = (id: number | undefined) => (id === undefined ? null : model.pieces[id]!);
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: pieceOf(model.bosId),
    eos_token: pieceOf(model.eosId),
    unk_token: pieceOf(model.unkId),
    pad_token: pieceOf(model.padId),
    add_bos_token: model.bosId !== undefined && before.includes(model.bosId),
    add_eos_token: model.eosId !== undefined && after.includes(model.eosId),
    clean_up_tokenization_spaces: false,
    ...chatTemplateKey(typeof chatTemplate === "string" ? new Map([["default", chatTemplate]]) : chatTemplate),
  };
}

/** Every release of transformers since 4.34 reads templates here; those in files of their own only since 4.44. */
function chatTemplateKey(templates: ReadonlyMap<string, string>): JsonObject {
  if (templates.size === 0) return {};
  const alone = templates.size === 1 ? templates.get("default") : undefined;
  return { chat_template: alone ?? Array.from(templates, ([name, template]) => ({ name, template })) };
}

function addedTokens(model: TokenizerModel): JsonObject[] {
  const specials = new Set(model.specials);
  const matching = new Map((model.matching ?? []).map((rule) => [rule.id, rule]));
  const ids = [...new Set([...model.specials, ...(model.added ?? [])])].sort((a, b) => a - b);
  return ids.map((id) => addedTokenJson(model.pieces[id]!, specials.has(id), matching.get(id) ?? { id }));
}

function partsOf(model: TokenizerModel): JsonObject {
  switch (model.kind) {
    case "sentencepiece":
      return sentencePieceParts(model);
    case "bytes":
      return bytesParts(model);
    case "word":
      return wordParts(model);
    case "unigram":
      return unigramParts(model);
    default:
      return model satisfies never;
  }
}

function sentencePieceParts(model: SentencePieceModel): JsonObject {
  const { fusesUnknown = true, byteFallback, ignoreMerges = false } = model;
  return {
    ...sentencePieceText(model),
    decoder: decoderJson(model),
    model: bpe(
      model.pieces,
      sentencePieceMerges(model),
      {
        unk_token: model.unkId === undefined ? null : model.pieces[model.unkId]!,
        fuse_unk: fusesUnknown || byteFallback,
        byte_fallback: byteFallback,
        ignore_merges: ignoreMerges,
        continuing_subword_prefix: model.continuingPrefix ?? null,
        end_of_word_suffix: model.wordSuffix ?? null,
      },
      standingApart(model),
    ),
  };
}

/** Only models that came from such a file: those of SentencePiece have other sums. */
function unigramParts(model: UnigramModel): JsonObject {
  const { pieces, scores, normaliser = [], preTokeniser = [], added = [], matching = [] } = model;
  const refuse = (what: string): never => fail(where, `${what} has no form there that keeps its ids: write a tokenizer.model`);
  if (model.sums !== "float64") return refuse("a unigram model of SentencePiece");
  const inVocabulary = new Set(matching.filter((rule) => rule.inVocabulary).map(({ id }) => id));
  const apart = added.filter((id) => !inVocabulary.has(id));
  const size = apart.reduce((least, id) => Math.min(least, id), pieces.length);
  const behind = [...pieces.keys()].find((id) => id >= size && !apart.includes(id) && !model.specials.includes(id));
  if (behind !== undefined) return refuse(`the piece ${quote(pieces[size]!)}, which text does not become, in front of others`);
  return {
    normalizer: inSequence("normalizers", normaliserJson(normaliser, refuse)),
    pre_tokenizer: inSequence("pretokenizers", preTokeniserJson(preTokeniser, refuse)),
    decoder: decoderJson(model),
    model: {
      type: "Unigram",
      unk_id: model.unkId,
      vocab: pieces.slice(0, size).map((piece, id) => [piece, scores[id]]),
      byte_fallback: model.byteFallback,
    },
  };
}

function standingApart({ pieces, specials, added = [], matching = [], unkId, unused = [] }: SentencePieceModel): Set<number> {
  const inVocabulary = new Set(matching.filter((rule) => rule.inVocabulary).map(({ id }) => id));
  const isOneCharacter = (id: number) => Array.from(pieces[id]!).length === 1;
  const alone = [...specials, ...added].filter((id) => id !== unkId && isOneCharacter(id) && !inVocabulary.has(id));
  return new Set([...alone, ...unused]);
}

/** How a text is prepared, step by step where the model says so. */
function sentencePieceText(model: SentencePieceModel): JsonObject {
  const { normaliser = [], preTokeniser = [], escapesSpaces = true, dummyPrefix } = model;
  check(
    model.decoding?.charsmap === undefined,
    where,
    () => "compiled rules of decoding have no form in this file: write a tokenizer.model",
  );
  check(
    model.scores === undefined || (model.unused ?? []).length === 0,
    where,
    () => "an unused piece, which is taken apart again, has no form in this file: write a tokenizer.model",
  );
  check(
    !(model.matching ?? []).some((rule) => rule.verbatim),
    where,
    () =>
      `${JSON.stringify(model.pieces[model.matching!.find((rule) => rule.verbatim)!.id])}, a user-defined piece that no space in front cuts off, has no form in this file: write a tokenizer.model`,
  );
  if (normaliser.length === 0 && preTokeniser.length === 0 && escapesSpaces)
    return sentencePiecePrefix(model, { type: "Replace", pattern: { String: " " }, content: spaceMark });
  check(dummyPrefix === "never", where, () => "steps of a normaliser beside a space in front have no form in this file");
  const refuse = (what: string): never => fail(where, `${what} has no form in this file: write a tokenizer.model`);
  const normalizers = normaliserJson(normaliser, refuse);
  return {
    normalizer: inSequence("normalizers", normalizers),
    pre_tokenizer: inSequence("pretokenizers", preTokeniserJson(preTokeniser, refuse)),
  };
}

/** The space in front: a normaliser where it always goes, Metaspace where it depends on the text. */
function sentencePiecePrefix({ dummyPrefix, prefixBeforeSpace }: SentencePieceModel, replaceSpace: JsonObject): JsonObject {
  if (dummyPrefix === "never") return { normalizer: replaceSpace, pre_tokenizer: null };
  if (prefixBeforeSpace) {
    check(dummyPrefix === "each", where, () => "a prefix for the first stretch only, also before a space, has no form in this file");
    return { normalizer: sequence("normalizers", [{ type: "Prepend", prepend: spaceMark }, replaceSpace]), pre_tokenizer: null };
  }
  const prepend_scheme = dummyPrefix === "each" ? "always" : "first";
  return { normalizer: null, pre_tokenizer: { type: "Metaspace", replacement: spaceMark, prepend_scheme, split: false } };
}

/** A pair of pieces that are one piece together. */
interface Split {
  readonly pair: readonly [number, number];
  readonly result: number;
}

/**
 * Scores make a merge of every split of every piece that text becomes, the highest score first, of one score the one with the longest left part,
 * as transformers converts SentencePiece models. LLaMA's runs of spaces have one score: from the left, as SentencePiece merges equals, they grow
 * by one space at a time, and the longest left part first does the same.
 */
function sentencePieceMerges(model: SentencePieceModel): Merges {
  if (model.merges !== undefined) return model.merges;
  const scores = scoresOf(model);
  const scoreOf = ({ result }: Split) => scores[result] ?? 0;
  const lengthOf = (id: number) => model.pieces[id]!.length;
  const byLength = ({ pair: [a] }: Split, { pair: [b] }: Split) => lengthOf(b) - lengthOf(a);
  const found = splitsOf(model).sort((a, b) => scoreOf(b) - scoreOf(a) || byLength(a, b) || a.result - b.result);
  found.forEach((split, i) => {
    const before = found[i - 1];
    if (before === undefined || scoreOf(before) !== scoreOf(split) || before.result === split.result) return;
    const pieces = [before, split].map(({ result }) => model.pieces[result]!);
    const isFine = new Set(pieces.join("")).size === 1;
    check(
      isFine,
      where,
      () => `the pieces ${pieces.map(quote).join(" and ")} have one score, and merges have an order: write a tokenizer.model`,
    );
  });
  return mergeList(found.map(({ pair }) => pair));
}

function splitsOf({ pieces, specials, added = [], unkId, byteFallback }: SentencePieceModel): Split[] {
  const apart = new Set([unkId, ...specials, ...added]);
  const isText = (piece: string, id: number) => !apart.has(id) && !(byteFallback && isBytePiece(piece));
  const ids = new Map([...pieces.entries()].filter(([id, piece]) => isText(piece, id)).map(([id, piece]) => [piece, id]));
  const found: Split[] = [];
  for (const [piece, result] of ids) {
    for (const char of piece)
      check(
        ids.has(char),
        where,
        () => `the character ${quote(char)} of ${quote(piece)} is no piece, which merges need: write a tokenizer.model`,
      );
    for (let cut = 1; cut < piece.length; cut++) {
      const left = ids.get(piece.slice(0, cut));
      const right = ids.get(piece.slice(cut));
      if (left !== undefined && right !== undefined) found.push({ pair: [left, right], result });
    }
  }
  return found;
}

function bytesParts(model: BytesModel): JsonObject {
  const names: readonly SplitName[] = [...(model.splitDigits ? (["digit"] as const) : []), ...[model.pattern ?? []].flat()];
  const steps = model.preTokeniser ?? names.map((name) => ({ type: "pattern", name }) as const);
  const refuse = (what: string): never => fail(where, `${what} has no form in this file`);
  return {
    normalizer: inSequence("normalizers", normaliserJson(model.normaliser ?? [], refuse)),
    pre_tokenizer: sequence("pretokenizers", preTokeniserJson(steps, refuse, true)),
    decoder: decoderJson(model),
    model: bpe(model.pieces, mergesOf(model), { unk_token: null, ignore_merges: model.ignoreMerges }, new Set(model.unused)),
  };
}

function inSequence(member: string, parts: readonly JsonObject[]): JsonObject | null {
  return parts.length > 1 ? sequence(member, parts) : (parts[0] ?? null);
}

function wordParts(model: WordModel): JsonObject {
  const mark = wordMark(model);
  const replace = (pattern: JsonObject, content: string) => ({ type: "Replace", pattern, content });
  return {
    normalizer: replace({ Regex: wordEndPattern }, mark),
    pre_tokenizer: wordSplit,
    decoder: wordDecoders(mark)[0]!,
    model: bpe(markedPieces(model, mark), model.merges, { unk_token: model.pieces[model.unkId]! }),
  };
}

function sequence(member: string, parts: readonly JsonObject[]): JsonObject {
  return { type: "Sequence", [member]: parts };
}

/** @param apart ids of pieces that are added tokens only: in the vocabulary text would become them unasked */
function bpe(pieces: readonly string[], merges: Merges, options: JsonObject, apart: ReadonlySet<number> = new Set()): JsonObject {
  return {
    type: "BPE",
    dropout: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    ...options,
    vocab: Object.fromEntries([...pieces.entries()].filter(([id]) => !apart.has(id)).map(([id, piece]) => [piece, id])),
    merges: writtenMerges(pieces, merges),
  };
}

/** `"a b"`, which every reader knows, unless a piece holds a space itself; then pairs, which tokenizers 0.20 brought. */
function writtenMerges(pieces: readonly string[], merges: Merges): unknown[] {
  const pairs = mergePairs(merges).map(([left, right]) => [pieces[left]!, pieces[right]!]);
  return pairs.some((pair) => pair.some((piece) => piece.includes(" "))) ? pairs : pairs.map((pair) => pair.join(" "));
}
