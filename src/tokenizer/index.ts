export { byteFallbackPiece, byteLevelBytes, byteLevelPiece, byteOfFallbackPiece } from "./byte-pieces.ts";
export {
  type BytesModel,
  endOfWord,
  type Merge,
  type SentencePieceModel,
  spaceMark,
  type TokenizerKind,
  type TokenizerModel,
  type WordModel,
} from "./model.ts";
export type { SpecialPieces } from "./special-pieces.ts";
export { compilePattern, type SplitName, splitPatterns } from "./split-pattern.ts";
export { StreamDecoder } from "./stream-decoder.ts";
export { createTokenizer, type DecodeOptions, type EncodeOptions, type Tokenizer } from "./tokenizer.ts";
export { type TrainOptions, trainTokenizer } from "./train.ts";
export type { BytesTrainOptions } from "./train-bytes.ts";
export type { SentencePieceTrainOptions } from "./train-sentencepiece.ts";
export type { WordTrainOptions } from "./train-word.ts";
