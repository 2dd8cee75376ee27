// The small files of a Hugging Face folder: what stands beside the weights.
import type { LlamaConfig } from "../model/index.ts";
import type { TokenizerModel } from "../tokenizer/index.ts";
import { usualSampling, writeGenerationConfig } from "./generation-config.ts";
import { writeHfConfig } from "./hf-config.ts";
import { loadSentencePiece } from "./load-sentencepiece.ts";
import { needsTokenizerModel, tokenizerConfigJson, tokenizerJson } from "./tokenizer-json-write.ts";

/** Documents of JSON, or bytes, by file name. @throws CriaError for a config or a tokenizer that these files cannot hold */
export async function modelDocuments(
  config: LlamaConfig,
  tokenizer: TokenizerModel,
): Promise<Readonly<Record<string, object | Uint8Array>>> {
  const { bosId, eosId } = tokenizer;
  const ids = { ...(bosId === undefined ? {} : { bosTokenId: bosId }), eosTokenIds: eosId === undefined ? [] : [eosId] };
  const own = needsTokenizerModel(tokenizer)
    ? { "tokenizer.model": (await loadSentencePiece()).sentencePieceModelBytes(tokenizer) }
    : { "tokenizer.json": tokenizerJson(tokenizer) };
  return {
    "config.json": writeHfConfig({ config, ...ids }),
    "generation_config.json": writeGenerationConfig({ ...ids, ...usualSampling }),
    ...own,
    "tokenizer_config.json": tokenizerConfigJson(tokenizer),
  };
}
