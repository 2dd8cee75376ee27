export {
  byteFallbackPiece,
  byteLevelBytes,
  byteLevelPiece,
  byteOfFallbackPiece,
  fallbackPieces,
  hasAllBytes,
  isBytePiece,
} from "./byte-pieces.ts";
export { countRanks, mergesOf } from "./bytes-codec.ts";
export { type CutVocabulary, cutVocabulary } from "./cut-vocabulary.ts";
export {
  type ExplainedPath,
  type ExplainedPiece,
  type ExplainedText,
  type ExplainedWord,
  type Explanation,
  explainer,
} from "./explain.ts";
export { type ExtendOptions, type Extension, extendTokenizer, extensionRules } from "./extend.ts";
export {
  type BytesModel,
  type Decoding,
  eachMerge,
  endOfWord,
  type Merge,
  type Merges,
  mergeList,
  mergePairs,
  ownDecoding,
  type SentencePieceModel,
  spaceMark,
  type TextTemplate,
  type TokenizerKind,
  type TokenizerModel,
  type UnigramModel,
  unusedPiece,
  type WordModel,
} from "./model.ts";
export type { NormaliserStep, SentencePieceStep } from "./normaliser.ts";
export { levelPieces } from "./piece-bytes.ts";
export type { ParseSpecial, PieceMatching } from "./piece-matcher.ts";
export { PieceTable } from "./piece-table.ts";
export type { PreTokeniserStep, SplitBehaviour } from "./pre-tokeniser.ts";
export { scoresOf } from "./sentencepiece-codec.ts";
export type { SpecialPieces } from "./special-pieces.ts";
export { type SplitName, splitNameOf, splitPatterns, wordPatterns } from "./split-pattern.ts";
export { StreamDecoder } from "./stream-decoder.ts";
export { encodeStream, type StreamEncodeOptions, StreamEncoder } from "./stream-encoder.ts";
export { type TieRule, tieRules } from "./tie-rules.ts";
export {
  createTokenizer,
  type DecodeOptions,
  type EncodedPart,
  type EncodeOptions,
  makeTokenizer,
  type TextPart,
  type Tokenizer,
} from "./tokenizer.ts";
export { type TrainOptions, trainingRules, trainOnWords, trainTokenizer } from "./train.ts";
export type { BytesTrainOptions } from "./train-bytes.ts";
export { type SentencePieceTrainOptions, type TrainingMode, trainingModes } from "./train-sentencepiece.ts";
export type { WordTrainOptions } from "./train-word.ts";
export { type CutWords, mergeCounts, type WordBlock, type WordCounts, type WordRules, WordTable, wordCutter } from "./words/index.ts";
