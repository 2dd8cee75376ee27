export { byteFallbackPiece, byteLevelBytes, byteLevelPiece, byteOfFallbackPiece } from "./byte-pieces.ts";
export {
  type BytesModel,
  type Decoding,
  endOfWord,
  type Merge,
  ownDecoding,
  type SentencePieceModel,
  spaceMark,
  type TextTemplate,
  type TokenizerKind,
  type TokenizerModel,
  type WordModel,
} from "./model.ts";
export type { PieceMatching } from "./piece-matcher.ts";
export type { SpecialPieces } from "./special-pieces.ts";
export { type SplitName, splitNameOf, splitPatterns, wordPatterns } from "./split-pattern.ts";
export { StreamDecoder } from "./stream-decoder.ts";
export { createTokenizer, type DecodeOptions, type EncodeOptions, type Tokenizer } from "./tokenizer.ts";
export { type TrainOptions, trainTokenizer } from "./train.ts";
export type { BytesTrainOptions } from "./train-bytes.ts";
export type { SentencePieceTrainOptions } from "./train-sentencepiece.ts";
export type { WordTrainOptions } from "./train-word.ts";
