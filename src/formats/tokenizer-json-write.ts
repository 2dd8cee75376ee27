// Hugging Face's tokenizer.json (huggingface/tokenizers, serialization of Tokenizer) out of our models.
import { check } from "../base/index.ts";
import {
  type BytesModel,
  createTokenizer,
  type SentencePieceModel,
  spaceMark,
  splitPatterns,
  type TokenizerModel,
  type WordModel,
} from "../tokenizer/index.ts";
import type { JsonObject } from "./json-fields.ts";
import { markedPieces, wordEndPattern, wordMark, wordSplit } from "./word-mark.ts";

/**
 * The model as the object that tokenizer.json holds; `@huggingface/tokenizers` and Hugging Face's own library give the same ids with it
 * (special pieces in the text count as `parseSpecial`). Two things differ: a ▁ that stands in the text itself, which we keep apart from the
 * space and they do not, and, for models with scores, which of several equal scores goes first in runs of one character.
 */
export function tokenizerJson(model: TokenizerModel): JsonObject {
  createTokenizer(model); // throws when the model contradicts itself
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(model),
    ...partsOf(model),
    post_processor: postProcessor(model),
  };
}

/** tokenizer_config.json: which pieces play which part, for transformers. `chatTemplate` is Jinja source. */
export function tokenizerConfigJson(model: TokenizerModel, { chatTemplate }: { readonly chatTemplate?: string } = {}): JsonObject {
  const pieceOf = (id: number | undefined) => (id === undefined ? null : model.pieces[id]!);
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: pieceOf(model.bosId),
    eos_token: pieceOf(model.eosId),
    unk_token: pieceOf(model.unkId),
    pad_token: pieceOf(model.padId),
    add_bos_token: model.bosId !== undefined,
    add_eos_token: false,
    clean_up_tokenization_spaces: false,
    ...(chatTemplate === undefined ? {} : { chat_template: chatTemplate }),
  };
}

function addedTokens(model: TokenizerModel): JsonObject[] {
  const specials = new Set(model.specials);
  const ids = [...new Set([...model.specials, ...(model.added ?? [])])].sort((a, b) => a - b);
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  return ids.map((id) => ({ id, content: model.pieces[id]!, ...plain, special: specials.has(id) }));
}

/** Puts bos in front, as all LLaMAs do. */
function postProcessor({ bosId, pieces }: TokenizerModel): JsonObject | null {
  if (bosId === undefined) return null;
  const bos = pieces[bosId]!;
  const text = (id: string, type_id: number) => [{ SpecialToken: { id: bos, type_id } }, { Sequence: { id, type_id } }];
  return {
    type: "TemplateProcessing",
    single: text("A", 0),
    pair: [...text("A", 0), ...text("B", 1)],
    special_tokens: { [bos]: { id: bos, ids: [bosId], tokens: [bos] } },
  };
}

function partsOf(model: TokenizerModel): JsonObject {
  if (model.kind === "sentencepiece") return sentencePieceParts(model);
  return model.kind === "bytes" ? bytesParts(model) : wordParts(model);
}

function sentencePieceParts(model: SentencePieceModel): JsonObject {
  const replace = (from: string, to: string) => ({ type: "Replace", pattern: { String: from }, content: to });
  const strip = { type: "Strip", content: " ", start: 1, stop: 0 };
  const prefixes = model.dummyPrefix !== "never";
  return {
    ...sentencePiecePrefix(model, replace(" ", spaceMark)),
    decoder: sequence("decoders", [replace(spaceMark, " "), { type: "ByteFallback" }, { type: "Fuse" }, ...(prefixes ? [strip] : [])]),
    model: bpe(model.pieces, sentencePieceMerges(model), {
      unk_token: model.pieces[model.unkId]!,
      fuse_unk: true,
      byte_fallback: model.byteFallback,
    }),
  };
}

/** The space in front: a normaliser where it always goes, Metaspace where it depends on the text. */
function sentencePiecePrefix({ dummyPrefix, prefixBeforeSpace }: SentencePieceModel, replaceSpace: JsonObject): JsonObject {
  if (dummyPrefix === "never") return { normalizer: replaceSpace, pre_tokenizer: null };
  if (prefixBeforeSpace) {
    check(
      dummyPrefix === "each",
      "tokenizer.json",
      () => "a prefix for the first stretch only, also before a space, has no form in this file",
    );
    return { normalizer: sequence("normalizers", [{ type: "Prepend", prepend: spaceMark }, replaceSpace]), pre_tokenizer: null };
  }
  const prepend_scheme = dummyPrefix === "each" ? "always" : "first";
  return { normalizer: null, pre_tokenizer: { type: "Metaspace", replacement: spaceMark, prepend_scheme, split: false } };
}

/** With scores every split of every piece is a merge, the highest score first, as transformers converts SentencePiece models. */
function sentencePieceMerges({ merges, scores, pieces }: SentencePieceModel): readonly (readonly [number, number])[] {
  if (merges !== undefined) return merges;
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  const found: { readonly pair: readonly [number, number]; readonly score: number }[] = [];
  pieces.forEach((piece, id) => {
    for (let cut = 1; cut < piece.length; cut++) {
      const left = ids.get(piece.slice(0, cut));
      const right = ids.get(piece.slice(cut));
      if (left !== undefined && right !== undefined) found.push({ pair: [left, right], score: scores![id]! });
    }
  });
  return found.sort((a, b) => b.score - a.score || a.pair[0] - b.pair[0] || a.pair[1] - b.pair[1]).map(({ pair }) => pair);
}

function bytesParts(model: BytesModel): JsonObject {
  const split = (regex: string) => ({ type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false });
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false };
  const { pattern } = model;
  const regex = typeof pattern === "object" ? pattern.regex : pattern && splitPatterns[pattern];
  return {
    normalizer: null,
    pre_tokenizer: sequence("pretokenizers", [
      ...(model.splitDigits ? [split("\\p{N}")] : []),
      ...(regex === undefined ? [] : [split(regex)]),
      byteLevel,
    ]),
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: bpe(model.pieces, model.merges, { unk_token: null, ignore_merges: model.ignoreMerges }),
  };
}

function wordParts(model: WordModel): JsonObject {
  const mark = wordMark(model);
  const replace = (pattern: JsonObject, content: string) => ({ type: "Replace", pattern, content });
  return {
    normalizer: replace({ Regex: wordEndPattern }, mark),
    pre_tokenizer: wordSplit,
    decoder: sequence("decoders", [replace({ String: mark }, " "), { type: "Fuse" }, { type: "Strip", content: " ", start: 0, stop: 1 }]),
    model: bpe(markedPieces(model, mark), model.merges, { unk_token: model.pieces[model.unkId]! }),
  };
}

function sequence(member: string, parts: readonly JsonObject[]): JsonObject {
  return { type: "Sequence", [member]: parts };
}

function bpe(pieces: readonly string[], merges: readonly (readonly [number, number])[], options: JsonObject): JsonObject {
  return {
    type: "BPE",
    dropout: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges: false,
    ...options,
    vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
    merges: writtenMerges(pieces, merges),
  };
}

/** `"a b"`, which every reader knows, unless a piece holds a space itself; then pairs, which tokenizers 0.20 brought. */
function writtenMerges(pieces: readonly string[], merges: readonly (readonly [number, number])[]): unknown[] {
  const pairs = merges.map(([left, right]) => [pieces[left]!, pieces[right]!]);
  return pairs.some((pair) => pair.some((piece) => piece.includes(" "))) ? pairs : pairs.map((pair) => pair.join(" "));
}
