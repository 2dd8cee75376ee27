// The door `cria/tokenizer`: tokenizers are trained, opened from the bytes of any form, used, changed and written. It runs in a page as it does in Node.
export { type ByteSource, CriaError, memorySource, type OnProgress, type ProgressEvent, UsageError } from "../base/index.ts";
export {
  type ChatTemplate,
  chooseTemplate,
  type EncodedChat,
  type EncodedTraining,
  encodeChat,
  encodeTraining,
  type Message,
  parseChatTemplate,
} from "../chat/index.ts";
export { ggufTokenizerBytes, loadSentencePiece, tiktokenText, tokenizerConfigJson, tokenizerJson } from "../formats/index.ts";
export {
  type FilePlace,
  findTokenizer,
  type ModelFiles,
  type OpenChat,
  type OpenTokenizerOptions,
  openChat,
  openTokenizer,
  sourceFiles,
} from "../open/index.ts";
export {
  type CutVocabulary,
  createTokenizer,
  cutVocabulary,
  type DecodeOptions,
  type EncodeOptions,
  type Explanation,
  type ExtendOptions,
  type Extension,
  encodeStream,
  explainer,
  extendTokenizer,
  extensionRules,
  StreamDecoder,
  type Tokenizer,
  type TokenizerModel,
  type TrainOptions,
  trainingRules,
  trainOnWords,
  trainTokenizer,
  type WordCounts,
  type WordRules,
  WordTable,
  wordCutter,
} from "../tokenizer/index.ts";
