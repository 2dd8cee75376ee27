// Every key that tokenizer_config.json, special_tokens_map.json and tokenizer.json can hold: what transformers' tokenizers of the LLaMA family
// have read or written from 4.28 (2023) to 5.24 (tokenization_utils_base.py, models/llama/, models/gpt2/), and `tokenizers` up to 0.23
// (tokenizer/serialization.rs, models/bpe/serialization.rs). Keys that end in `_token` and name one are special tokens, whatever comes before.
import type { JsonObject } from "./json.ts";
import { harmless, honoured, type KeyRow, refused } from "./json-keys.ts";

const ofCalls = "it is about cutting and filling up batches, and cria encodes one text whole";
const ofLoading = "it is about how Python found and loaded the files";
const ofChats = "it is about chats, and cria encodes a text as it is given";
const ofConversion = "it says how tokenizer.json was made, which holds the outcome";

/** Tokens that play a part. */
export const roleKeys = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"] as const;

const tokenKeys = [
  honoured("bos_token", "addedToken", "the begin-of-text token; an empty string names none"),
  honoured("eos_token", "addedToken", "the end-of-text token"),
  honoured("unk_token", "addedToken", "the unknown token, where tokenizer.json's model names none"),
  honoured("pad_token", "addedToken", "a special token"),
  honoured("sep_token", "addedToken", "a special token"),
  honoured("cls_token", "addedToken", "a special token"),
  honoured("mask_token", "addedToken", "a special token"),
  honoured("additional_special_tokens", "objectOrList", "more special tokens"),
  honoured("extra_special_tokens", "objectOrList", "the same in transformers 5; of an object its values"),
  honoured("model_specific_special_tokens", "object", "special tokens by names of the model's own"),
];

/** tokenizer_config.json. */
export const configKeys: readonly KeyRow[] = [
  ...tokenKeys,
  honoured("added_tokens_decoder", "object", "added tokens by id; its flags count before those of tokenizer.json, as in transformers"),
  honoured("tokenizer_class", "text", "which classes add begin-of-text and end-of-text tokens where tokenizer.json has no template"),
  honoured("add_bos_token", "flag", "for these classes: whether they do; true by default for LLaMA's own"),
  honoured("add_eos_token", "flag", "the same of the end-of-text token; false by default"),
  honoured("add_prefix_space", "flag", "must be what tokenizer.json does"),
  refused("clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output", "flag", [false], "cria gives texts back as they are"),
  refused("split_special_tokens", "flag", [false], "cria finds special tokens in a text where it is asked to"),
  refused("sp_model_kwargs", "object", [{}], "cria's pieces are never drawn at random"),
  refused("init_inputs", "list", [[]], "cria builds no Python object"),
  refused("auto_map", "objectOrList", [{}, []], "it names a tokenizer of the model's own code, which cria does not run"),
  refused("fast_tokenizer_files", "texts", [[]], "it names other files in place of tokenizer.json"),
  refused("fix_mistral_regex", "flag", [false], "it replaces the pattern that tokenizer.json has"),
  refused("do_lower_case", "flag", [false], "cria's tokenizers keep the case"),
  refused("remove_space", "flag", [false], "cria's tokenizers keep spaces"),
  refused("errors", "text", ["replace"], "cria shows bytes that are no UTF-8 as U+FFFD"),
  refused("suffix_first", "flag", [false], "cria encodes a text from its beginning to its end"),
  harmless("clean_up_tokenization_spaces", "flag", "transformers 5 leaves the texts of BPE tokenizers as they are, whatever it says"),
  harmless("spaces_between_special_tokens", "flag", "only tokenizers written in Python read it, and tokenizer.json is not theirs"),
  harmless("legacy", "flag", ofConversion),
  harmless("from_slow", "flag", ofConversion),
  harmless("use_fast", "flag", ofConversion),
  harmless("tokenizer_type", "text", ofConversion),
  harmless("vocab_size", "count", "tokenizer.json has the pieces themselves"),
  harmless("training", "object", "it says how cria made the tokenizer"),
  honoured(
    "chat_template",
    "textOrTemplates",
    "templates of chats, where chat_template.jinja does not stand beside; chat-files.ts reads them",
  ),
  harmless("use_default_system_prompt", "flag", ofChats),
  harmless("response_template", "objectOrText", ofChats),
  harmless("response_schema", "object", ofChats),
  harmless("chat_control_tokens", "texts", ofChats),
  harmless("model_max_length", "number", ofCalls),
  harmless("max_length", "count", ofCalls),
  harmless("max_len", "number", ofCalls),
  harmless("stride", "count", ofCalls),
  harmless("truncation", "flagOrText", ofCalls),
  harmless("truncation_side", "text", ofCalls),
  harmless("truncation_strategy", "text", ofCalls),
  harmless("padding", "flagOrText", ofCalls),
  harmless("padding_side", "text", ofCalls),
  harmless("pad_to_multiple_of", "count", ofCalls),
  harmless("pad_token_type_id", "count", ofCalls),
  harmless("model_input_names", "texts", ofCalls),
  harmless("return_token_type_ids", "flag", ofCalls),
  harmless("return_attention_mask", "flag", ofCalls),
  harmless("processor_class", "text", ofLoading),
  harmless("backend", "text", ofLoading),
  harmless("is_local", "flag", ofLoading),
  harmless("local_files_only", "flag", ofLoading),
  harmless("trust_remote_code", "flag", ofLoading),
  harmless("device_map", "objectOrText", ofLoading),
  harmless("name_or_path", "text", ofLoading),
  harmless("tokenizer_file", "text", ofLoading),
  harmless("vocab_file", "text", ofLoading),
  harmless("merges_file", "text", ofLoading),
  harmless("special_tokens_map_file", "text", ofLoading),
  harmless("added_tokens_file", "text", ofLoading),
  harmless("transformers_version", "text", ofLoading),
  harmless("verbose", "flag", ofLoading),
];

/** special_tokens_map.json. */
export const mapKeys: readonly KeyRow[] = tokenKeys;

/** tokenizer.json itself; any other key is an error, because the format is versioned. */
export const fileKeys: readonly KeyRow[] = [
  refused("version", "text", ["1.0"], "cria reads version 1.0"),
  harmless("truncation", "object", ofCalls),
  harmless("padding", "object", ofCalls),
  honoured("added_tokens", "list", "pieces that are found in a text before all else"),
  honoured("normalizer", "object", "what is done to a text first"),
  honoured("pre_tokenizer", "object", "how a text is cut; an expression that the matcher cannot do is refused"),
  honoured("post_processor", "object", "what goes around a text"),
  honoured("decoder", "object", "how pieces become text"),
  honoured("model", "object", "vocabulary and merges"),
];

/** Its `model`. */
export const modelKeys: readonly KeyRow[] = [
  honoured("type", "text", "BPE"),
  honoured("vocab", "object", "piece to id"),
  honoured("merges", "list", "pairs of pieces, the first goes first"),
  honoured("unk_token", "text", "the unknown token; null where there is none"),
  honoured("fuse_unk", "flag", "a run of unknown characters is one unknown token"),
  honoured("byte_fallback", "flag", "characters without a piece become bytes"),
  honoured("ignore_merges", "flag", "a word that is a piece is taken whole"),
  refused("dropout", "number", [0], "cria's merges are never left out at random"),
  honoured("continuing_subword_prefix", "text", "how characters and pieces begin within a word"),
  honoured("end_of_word_suffix", "text", "how characters and pieces end at the end of a word"),
];

/** Its `model` where that is a Unigram. */
export const unigramKeys: readonly KeyRow[] = [
  honoured("type", "text", "Unigram"),
  honoured("vocab", "list", "pieces with the logarithms of their probabilities, by id"),
  honoured("unk_id", "count", "the unknown token"),
  honoured("byte_fallback", "flag", "characters without a piece become bytes"),
];

/** The keys that each part of tokenizer.json can have besides `type`, for parts that cria reads; others are refused whole. */
const partKeys: Readonly<Record<string, readonly string[]>> = {
  Sequence: ["normalizers", "pretokenizers", "processors", "decoders"],
  Replace: ["pattern", "content"],
  Prepend: ["prepend"],
  Metaspace: ["replacement", "str_rep", "add_prefix_space", "prepend_scheme", "split"],
  ByteLevel: ["add_prefix_space", "trim_offsets", "use_regex"],
  Split: ["pattern", "behavior", "invert"],
  Digits: ["individual_digits"],
  TemplateProcessing: ["single", "pair", "special_tokens"],
  BertProcessing: ["sep", "cls"],
  RobertaProcessing: ["sep", "cls", "trim_offsets", "add_prefix_space"],
  ByteFallback: [],
  Fuse: [],
  Strip: ["content", "start", "stop", "strip_left", "strip_right"],
  ...{ NFC: [], NFD: [], NFKC: [], NFKD: [], Lowercase: [], StripAccents: [] },
  ...{ Whitespace: [], WhitespaceSplit: [], BertPreTokenizer: [] },
  Punctuation: ["behavior"],
  CharDelimiterSplit: ["delimiter"],
  BertNormalizer: ["clean_text", "handle_chinese_chars", "strip_accents", "lowercase"],
  Nmt: [],
  Precompiled: ["precompiled_charsmap"],
  UnicodeScripts: [],
  FixedLength: ["length"],
  BPEDecoder: ["suffix"],
};

/** A key of a part that parts of its type do not have. */
export function oddPartKey(part: JsonObject): string | undefined {
  const type = String(part.type);
  const known = Object.hasOwn(partKeys, type) ? partKeys[type] : undefined; // a type may be called "constructor", which every object has
  return known === undefined ? undefined : Object.keys(part).find((key) => key !== "type" && !known.includes(key));
}
