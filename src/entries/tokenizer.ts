// The door `cria/tokenizer`: tokenizers are trained, opened from the bytes of any form, used, changed and written. It runs in a page as it does in Node.
export { type ByteSource, CriaError, memorySource, type OnProgress, type ProgressEvent, UsageError } from "../base/index.ts";
export { loadSentencePiece, tokenizerConfigJson, tokenizerJson } from "../formats/index.ts";
export {
  type FilePlace,
  findTokenizer,
  type ModelFiles,
  type OpenTokenizerOptions,
  openTokenizer,
  sourceFiles,
} from "../open/index.ts";
export {
  createTokenizer,
  cutVocabulary,
  type DecodeOptions,
  type EncodeOptions,
  type ExtendOptions,
  encodeStream,
  extendTokenizer,
  StreamDecoder,
  type Tokenizer,
  type TokenizerModel,
  type TrainOptions,
  trainTokenizer,
} from "../tokenizer/index.ts";
