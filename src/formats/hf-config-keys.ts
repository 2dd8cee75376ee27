// Every key that config.json can hold: transformers' LlamaConfig and PreTrainedConfig from 4.28 (2023), which brought LLaMA, to 5.24
// (test/goldens/transformers_keys.py lists them), what their tools add, and ours.
import type { Architecture } from "./architectures.ts";
import { generationKeys } from "./generation-keys.ts";
import { harmless, honoured, type KeyRow, refused, warned } from "./json-keys.ts";

const ofTraining = "it matters in training only";
const ofPython = "it is about the Python objects that hold the model, not about what they compute";
const ofTasks = "it names the classes of another task, which no part of a language model reads";
const ofOtherModels = "only models with an encoder read it, and LLaMA has none";

const sizeKeys = [
  honoured("model_type", "text", 'a row of architectures.ts, or "cria" where a part of the model is ours'),
  honoured("vocab_size", "integer", "rows of the embedding table"),
  honoured("hidden_size", "integer", "channels of the residual stream"),
  honoured("num_hidden_layers", "integer", "layers"),
  honoured("num_attention_heads", "integer", "query heads"),
  honoured("num_key_value_heads", "integer", "heads of keys and values; as many as query heads by default"),
  honoured("intermediate_size", "integer", "channels of the feed-forward layer"),
  honoured("max_position_embeddings", "integer", "the context length"),
  honoured("head_dim", "integer", "channels of a head; hidden_size / num_attention_heads by default"),
  honoured("rms_norm_eps", "number", "the norms' epsilon; 1e-6 by default"),
  honoured("hidden_act", "text", "the gate's activation; silu by default"),
  honoured("tie_word_embeddings", "flag", "whether the output projection is the embedding table; false by default"),
  honoured("rope_theta", "number", "RoPE's base where neither of the two below says it; 10000 by default"),
  honoured("rope_parameters", "object", "RoPE's numbers as transformers 5 writes them; the keys inside are rows of rope-config.ts"),
  honoured("rope_scaling", "object", "the same as transformers 4 writes them"),
  honoured("original_max_position_embeddings", "count", "the length before scaling, for RoPE's scalings that read one"),
  honoured("eos_token_id", "tokens", "tokens that end a text, where generation_config.json names none"),
  honoured("cria", "object", "the parts of a model whose model_type is cria"),
];

const mathematicsKeys = [
  refused("is_causal", "flag", [true], "cria's attention is causal"),
  refused("per_layer_config", "objectOrList", [{}, []], "all layers of cria's models are alike"),
  refused("partial_rotary_factor", "number", [1], "cria turns all channels of a head"),
  refused("rope_interleaved", "flag", [false], "cria reads heads whose halves turn together"),
  refused("quantization_config", "object", [], "cria reads plain weights"),
  refused("quantization", "object", [], "cria reads plain weights"),
  refused("compression_config", "object", [], "cria reads plain weights"),
  refused("is_encoder_decoder", "flag", [false], "cria's models are decoders"),
  refused("add_cross_attention", "flag", [false], "cria's models have no cross-attention"),
  refused("cross_attention_hidden_size", "count", [], "cria's models have no cross-attention"),
  refused("pruned_heads", "objectOrList", [{}, []], "cria computes all heads"),
];

const harmlessKeys = [
  harmless("max_sequence_length", "count", "transformers reads max_position_embeddings"),
  harmless("pretraining_tp", "integer", "it splits products into parts whose sum is the same"),
  harmless("chunk_size_feed_forward", "integer", "it computes the same rows in parts, and LLaMA never did"),
  harmless("attention_dropout", "share", ofTraining),
  harmless("attention_probs_dropout_prob", "share", ofTraining),
  harmless("attn_pdrop", "share", ofTraining),
  harmless("classifier_dropout", "share", ofTraining),
  harmless("dropout", "share", ofTraining),
  harmless("embd_pdrop", "share", ofTraining),
  harmless("hidden_dropout", "share", ofTraining),
  harmless("hidden_dropout_prob", "share", ofTraining),
  harmless("resid_pdrop", "share", ofTraining),
  harmless("gradient_checkpointing", "flag", ofTraining),
  harmless("initializer_range", "number", ofTraining),
  harmless("tf_legacy_loss", "flag", ofTraining),
  harmless("use_cache", "flag", "keys and values are the same numbers, kept or computed again"),
  harmless("bos_token_id", "tokens", "the tokenizer says how a text begins"),
  harmless("pad_token_id", "integer", "cria pads no text"),
  harmless("sep_token_id", "integer", "the tokenizer says what stands between texts"),
  harmless("decoder_start_token_id", "tokens", ofOtherModels),
  harmless("tie_encoder_decoder", "flag", ofOtherModels),
  harmless("is_decoder", "flag", "LLaMA is one whatever this says"),
  harmless("tokenizer_class", "text", "tokenizer.json says what the tokenizer is"),
  harmless("torch_dtype", "text", "the weights' file says of each tensor how it is stored"),
  harmless("dtype", "text", "the weights' file says of each tensor how it is stored"),
  harmless("use_bfloat16", "flag", "it was of another framework's weights"),
  harmless("output_attentions", "flag", ofPython),
  harmless("output_hidden_states", "flag", ofPython),
  harmless("tie_last_hidden_states", "flag", ofPython),
  harmless("return_dict", "flag", ofPython),
  harmless("torchscript", "flag", ofPython),
  harmless("xla_device", "text", ofPython),
  harmless("attn_implementation", "text", ofPython),
  harmless("experts_implementation", "text", ofPython),
  harmless("_attn_implementation", "text", ofPython),
  harmless("_attn_implementation_autoset", "flag", ofPython),
  harmless("_attn_implementation_internal", "text", ofPython),
  harmless("_experts_implementation", "text", ofPython),
  harmless("_experts_implementation_internal", "text", ofPython),
  harmless("_flash_attn_2_enabled", "flag", ofPython),
  harmless("_output_attentions", "flag", ofPython),
  harmless("finetuning_task", "text", ofTasks),
  harmless("problem_type", "text", ofTasks),
  harmless("id2label", "object", ofTasks),
  harmless("label2id", "object", ofTasks),
  harmless("num_labels", "count", ofTasks),
  harmless("_num_labels", "count", ofTasks),
  harmless("name_or_path", "text", "it says where the file came from"),
  harmless("_name_or_path", "text", "it says where the file came from"),
  harmless("_commit_hash", "text", "it says where the file came from"),
  harmless("transformers_version", "text", "it says what wrote the file"),
  harmless("transformers.js_config", "object", "it is for a library that runs converted files"),
  harmless("is_llama_config", "flag", "it says what wrote the file"),
  harmless("unsloth_fixed", "flag", "it says what wrote the file"),
  harmless("unsloth_version", "text", "it says what wrote the file"),
];

const warnedKeys = [
  warned("auto_map", "object", [{}], "cria runs no code that a folder brings, and computes LLaMA as transformers does without it"),
  warned("prefix", "text", [""], "cria puts no text of the config's before a prompt"),
  warned("task_specific_params", "object", [{}], "cria knows no tasks"),
];

const ownKeys = [...sizeKeys, ...mathematicsKeys, ...harmlessKeys, ...warnedKeys];

/** The keys that a config of this architecture may hold. */
export function configKeys({ classNames, modelType, keys }: Architecture): readonly KeyRow[] {
  const isKnown = (value: unknown) => (value as string[]).every((name) => classNames.includes(name));
  const reason = `model_type is "${modelType}", so cria computes ${classNames[0]}`;
  const rows = [...ownKeys, refused("architectures", "texts", isKnown, reason), ...keys];
  return [...rows, ...movedKeys(new Set(rows.map(({ key }) => key)))];
}

/**
 * Keys of generation_config.json, which transformers 4 kept here too: it wrote all of them with their defaults, and read them where
 * generation_config.json was absent. transformers 5 passes over them; cria names those that say something.
 */
function movedKeys(known: ReadonlySet<string>): KeyRow[] {
  return generationKeys
    .filter(({ key }) => !known.has(key))
    .map((row) => ({
      ...row,
      role: row.role === "harmless" ? row.role : ("warned" as const),
      reason: "its place is generation_config.json",
    }));
}
