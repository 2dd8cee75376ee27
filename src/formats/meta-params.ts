// Meta's params.json (meta-llama/llama, llama/model.py; meta-llama/llama-models, models/llama3/args.py and model.py), which leaves out what its programs
// knew: the length of the context, the number of tokens, the numbers of RoPE's scaling.
import { check } from "../base/index.ts";
import { feedForwardWidth, type LlamaConfig, llamaConfig, type RopeScaling } from "../model/index.ts";
import { inFile } from "./in-file.ts";
import { isObject, type JsonObject, parseJsonObject } from "./json.ts";
import { checkKeys, harmless, honoured, type KeyRow, oneWarning, refused } from "./json-keys.ts";

/** What a params.json and the weights beside it say of the model. */
export interface MetaParams {
  readonly config: LlamaConfig;
  /** One sentence or none, which names what is not followed, or was guessed. */
  readonly warnings: readonly string[];
}

/** What the weights say where params.json does not. */
export interface MetaWeightsSaid {
  /** Tokens of the model: rows of its output projection, or of the embedding table where that is both. */
  readonly vocabSize: number;
  readonly tiedOutput: boolean;
}

const where = "params";

const ofImages = "cria reads models of text";

/** The keys, whose values are checked again where sizes are. */
export const metaKeys: readonly KeyRow[] = [
  honoured("dim", "countFromOne", "channels of the residual stream"),
  honoured("n_layers", "countFromOne", "layers"),
  honoured("n_heads", "countFromOne", "query heads"),
  honoured("n_kv_heads", "countFromOne", "heads of keys and values; as many as query heads by default"),
  honoured("head_dim", "countFromOne", "channels of a head; dim / n_heads by default"),
  honoured("vocab_size", "integer", "tokens; -1 where the tokenizer says it"),
  honoured("multiple_of", "countFromOne", "what the width of feed-forward layers is a multiple of; 256 by default"),
  honoured("ffn_dim_multiplier", "numberAboveZero", "what that width is multiplied by; 1 by default"),
  honoured("hidden_dim", "countFromOne", "that width itself, where a file says it"),
  honoured("norm_eps", "number", "the norms' epsilon; 1e-5 by default"),
  honoured("rope_theta", "number", "RoPE's base; 10000 by default"),
  honoured("use_scaled_rope", "flag", "whether RoPE is scaled as LLaMA 3.1's is; false by default"),
  honoured("rope_scaling_factor", "numberAboveZero", "how much further that reaches; 8 by default"),
  honoured("rope_high_freq_factor", "numberAboveZero", "turns above which that keeps a pair; 4 by default"),
  honoured("max_seq_len", "countFromOne", "the context length; by the model's kind where it is absent"),
  refused("sliding_window", "count", [], "that is a file of Mistral's, and cria reads Mistral's Hugging Face folders"),
  refused("moe", "object", [], "cria's feed-forward layers have no experts"),
  refused("moe_args", "object", [], "cria's feed-forward layers have no experts"),
  refused("quantization_args", "object", [], "cria reads plain weights"),
  refused("lora_args", "object", [], "cria reads plain weights"),
  refused("vision_model", "object", [], ofImages),
  refused("vision_args", "object", [], ofImages),
  refused("vision_chunk_size", "integer", [-1, 0], ofImages),
  harmless("max_batch_size", "count", "cria makes room for as many sequences as memory has"),
];

/** The keys without which nothing can be said of a model. */
const sizeKeys = ["dim", "n_layers", "n_heads"] as const;

/**
 * Reads params.json.
 * @param name the file's name, for messages
 * @throws CriaError when a size is missing or absurd, a value is of the wrong JSON type, or the model has a part that cria does not compute
 */
export function readMetaParams(name: string, bytes: Uint8Array | string, said: MetaWeightsSaid): MetaParams {
  const document = parseJsonObject(where, name, bytes, { unique: true });
  const json = isObject(document.model) ? document.model : document; // conversions of others put all of it one level deeper
  const complaints = [...checkKeys(where, name, json, metaKeys)];
  for (const key of sizeKeys)
    check((json[key] ?? null) !== null, where, () => `${name}: ${key} is missing: it is not the params.json of a LLaMA, or it is damaged`);
  const { length, guess } = readContext(json);
  const config = inFile(where, name, () =>
    llamaConfig({ ...readSizes(name, json, said), contextLength: length, ropePairing: "neighbours" }),
  );
  return {
    config,
    warnings: [
      ...oneWarning(where, name, complaints, "the model is computed without regard to it"),
      ...(guess ? [`[${where}] ${name}: it does not say the length of the context: ${length} tokens are taken, as ${guess} has`] : []),
    ],
  };
}

type Sizes = Parameters<typeof llamaConfig>[0];

function readSizes(name: string, json: JsonObject, { vocabSize, tiedOutput }: MetaWeightsSaid): Sizes {
  const number = (key: string) => (json[key] ?? undefined) as number | undefined; // its kind was checked
  const [dim = 0, nLayers = 0, nHeads = 0] = sizeKeys.map(number);
  const saidTokens = number("vocab_size") ?? -1;
  check(
    saidTokens === -1 || saidTokens === vocabSize,
    where,
    () => `${name}: vocab_size is ${saidTokens} but the weights have ${vocabSize} tokens: they belong to different models`,
  );
  const [headDim, nKvHeads] = [number("head_dim"), number("n_kv_heads")];
  return {
    ...{ dim, nLayers, nHeads, vocabSize, tiedOutput, normEpsilon: number("norm_eps") ?? 1e-5, ropeTheta: number("rope_theta") ?? 10_000 },
    hiddenDim: number("hidden_dim") ?? feedForwardWidth(dim, number("multiple_of"), number("ffn_dim_multiplier")),
    ...(nKvHeads !== undefined && { nKvHeads }),
    ...(headDim !== undefined && { headDim }),
    ropeScaling: readScaling(json),
  };
}

/** The numbers that stand in Meta's programs (models/llama3/model.py, apply_scaling). */
function readScaling({ use_scaled_rope: isScaled, rope_scaling_factor: factor, rope_high_freq_factor: high }: JsonObject): RopeScaling {
  if (isScaled !== true) return { type: "default" };
  return {
    ...{ type: "llama3", factor: (factor as number | null | undefined) ?? 8, originalLength: 8192 },
    ...{ lowFrequencyFactor: 1, highFrequencyFactor: (high as number | null | undefined) ?? 4 },
  };
}

/** The length of the context, and whose it is where two generations' files differ too little to tell them apart. */
function readContext(json: JsonObject): { readonly length: number; readonly guess?: string } {
  const { max_seq_len: said = null, use_scaled_rope: isScaled, rope_theta: theta, norm_eps: epsilon } = json;
  if (said !== null) return { length: Number(said) };
  if (isScaled === true) return { length: 131072 };
  if (theta === 500_000) return { length: 8192, guess: "LLaMA 3" };
  if (theta === 1_000_000) return { length: 16384, guess: "Code Llama" };
  // LLaMA 1 has an epsilon of 1e-6 but in its two larger sizes, which have no groups of heads and widths that LLaMA 2 has not.
  const isLarge = (json.n_kv_heads ?? null) === null && Number(json.dim) > 5120;
  return epsilon === 1e-5 && !isLarge ? { length: 4096, guess: "LLaMA 2" } : { length: 2048, guess: "LLaMA 1" };
}
