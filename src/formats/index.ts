export { type ChatSources, ggufChatSources, readChatTemplates, readEndIds } from "./chat-files.ts";
export {
  type GenerationConfig,
  type ReadGenerationConfig,
  readGenerationConfig,
  usualSampling,
  writeGenerationConfig,
} from "./generation-config.ts";
export { type ReadGgufConfig, readGgufConfig } from "./gguf-config.ts";
export { type GgufConfig, ggufConfig } from "./gguf-config-write.ts";
export type { GgufType } from "./gguf-cursor.ts";
export {
  type GgufArray,
  type GgufMetadata,
  type GgufScalar,
  type GgufValue,
  ggufBytes,
  readGgufMetadata,
} from "./gguf-metadata.ts";
export { type GgufModel, type GgufModelPairs, ggufModelPairs } from "./gguf-model-pairs.ts";
export { type GgufArchitecture, ggufName, ggufPairings, ggufWeights, parameterOfGguf } from "./gguf-names.ts";
export { type ReadGgufSampling, readGgufSampling } from "./gguf-sampling.ts";
export { ggufPartCount, ggufPartNames, joinGgufParts, type NamedHead } from "./gguf-split.ts";
export { type GgufTensorType, ggufTensorType, ggufTensorTypes } from "./gguf-tensor-types.ts";
export { type GgufHead, readGguf } from "./gguf-tensors.ts";
export { ggufTokenizerBytes, ggufTokenizerModel, ggufTokenizerPairs, readGgufTokenizer } from "./gguf-tokenizer.ts";
export { type GgufTensor, ggufFile } from "./gguf-write.ts";
export { narrowBfloat16 } from "./half-floats.ts";
export { type HfConfig, type ReadHfConfig, readHfConfig, writeHfConfig } from "./hf-config.ts";
export { hfName, hfWeights, isRedundantInHf } from "./hf-names.ts";
export { type FloatType, floatTypes, type HfWeightFiles, hfWeightFiles, usualShardBytes } from "./hf-shards.ts";
export { type JsonObject, parseJsonObject } from "./json.ts";
export { type Llama2cModel, readLlama2c } from "./llama2c.ts";
export { type Llama2cTokenizer, llama2cTokenizerModel, readLlama2cTokenizer } from "./llama2c-tokenizer.ts";
export { loadSentencePiece } from "./load-sentencepiece.ts";
export { isMetaFile, type MetaModel, metaFileNames, metaModel } from "./meta-weights.ts";
export { type ModelDocumentsOptions, modelDocuments } from "./model-documents.ts";
export {
  type ChosenLayout,
  type FileType,
  fileTypeNumber,
  fileTypeOf,
  fileTypes,
  layoutFor,
  quantiseRows,
  type Rows,
  type WritableDType,
  writableDTypes,
} from "./quantise/index.ts";
export { inPairing, toHalfPairing, toNeighbourPairing } from "./rope-pairing.ts";
export { readSafetensors } from "./safetensors.ts";
export { type TensorToWrite, writeSafetensors } from "./safetensors-write.ts";
export { readShards } from "./shards.ts";
export { isStorageName, type StorageName, type TensorDType } from "./storage.ts";
export { TensorFile, type TensorInfo } from "./tensor-file.ts";
export { isTiktoken, readTiktoken, type TiktokenKind, tiktokenText } from "./tiktoken.ts";
export { type ReadTokenizerOptions, readTokenizerJson, readTokenizerJsonSliced } from "./tokenizer-json-read.ts";
export { needsTokenizerModel, type TokenizerConfigOptions, tokenizerConfigJson, tokenizerJson } from "./tokenizer-json-write.ts";
export { readTorchFile } from "./torch-file.ts";
export { withTokenizerConfig } from "./with-tokenizer-config.ts";
