// The small files of a Hugging Face folder: what stands beside the weights.
import type { LlamaConfig } from "../model/index.ts";
import type { TokenizerModel } from "../tokenizer/index.ts";
import { type GenerationConfig, usualSampling, writeGenerationConfig } from "./generation-config.ts";
import { writeHfConfig } from "./hf-config.ts";
import type { FloatType } from "./hf-shards.ts";
import { loadSentencePiece } from "./load-sentencepiece.ts";
import { needsTokenizerModel, tokenizerConfigJson, tokenizerJson } from "./tokenizer-json-write.ts";

/** What a model says beside its config and its tokenizer. */
export interface ModelDocumentsOptions {
  /** The type of the weights. @default "float32" */
  readonly type?: FloatType;
  /** Ids that end a text. @default the tokenizer's end-of-text token, where it has one */
  readonly endIds?: readonly number[];
  /** How the model is sampled. @default {@link usualSampling} */
  readonly generation?: Omit<GenerationConfig, "eosTokenIds">;
  /** Chat templates by name. */
  readonly templates?: ReadonlyMap<string, string>;
}

/** Documents of JSON, or bytes, by file name. @throws CriaError for a config or a tokenizer that these files cannot hold */
export async function modelDocuments(
  config: LlamaConfig,
  tokenizer: TokenizerModel,
  options: ModelDocumentsOptions = {},
): Promise<Readonly<Record<string, object | Uint8Array>>> {
  const { bosId, eosId } = tokenizer;
  const { type, endIds = eosId === undefined ? [] : [eosId], generation = usualSampling, templates = new Map() } = options;
  const ids = { ...(bosId === undefined ? {} : { bosTokenId: bosId }), eosTokenIds: endIds };
  const own = needsTokenizerModel(tokenizer)
    ? { "tokenizer.model": (await loadSentencePiece()).sentencePieceModelBytes(tokenizer) }
    : { "tokenizer.json": tokenizerJson(tokenizer) };
  return {
    "config.json": writeHfConfig({ config, ...ids }, type),
    "generation_config.json": writeGenerationConfig({ ...ids, ...generation }),
    ...own,
    "tokenizer_config.json": tokenizerConfigJson(tokenizer, { chatTemplate: templates }),
  };
}
