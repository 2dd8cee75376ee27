// tokenizer_config.json and special_tokens_map.json: what stands beside tokenizer.json and says which pieces play which part (transformers,
// tokenization_utils_base.py).
import { type AddedToken, readAddedToken } from "./added-tokens.ts";
import { isObject, type JsonObject } from "./json.ts";
import { JsonFields } from "./json-fields.ts";

/** The documents beside a tokenizer.json, parsed, with their names for messages. */
export interface ConfigFiles {
  readonly config?: unknown;
  readonly configName: string;
  readonly specialTokensMap?: unknown;
  readonly specialTokensMapName: string;
}

export interface TokenizerConfig {
  readonly name: string;
  /** `bos_token`, `pad_token` and every other key that ends so: the token that it names. */
  readonly named: ReadonlyMap<string, AddedToken>;
  /** Special tokens without a part of their own. */
  readonly others: readonly AddedToken[];
  /** `added_tokens_decoder`: the tokens by id. */
  readonly added: ReadonlyMap<number, AddedToken>;
  /** Whether the begin-of-text and the end-of-text token go around a text where tokenizer.json has no template. */
  readonly addsBos: boolean;
  readonly addsEos: boolean;
  /** Whether it says that a space goes in front of a text; undefined where it does not. */
  readonly addPrefixSpace: boolean | undefined;
}

/** Classes whose tokenizers put the begin-of-text token in front unless they are told not to (transformers 4, models/llama/). */
const bosByDefault = ["LlamaTokenizer", "LLaMATokenizer", "CodeLlamaTokenizer"];
/** Classes that do what tokenizer.json says and nothing else. */
const followsFile = ["PreTrainedTokenizer", "TokenizersBackend"];

/** @throws CriaError for a value of the wrong kind, or where the two files contradict each other. */
export function readTokenizerConfig(files: ConfigFiles): TokenizerConfig {
  const fields = new JsonFields("tokenizer.json", files.configName);
  const config = files.config === undefined ? {} : fields.object(files.config, "the document");
  const named = readNamed(config, fields);
  const others = [...readOthers(config.additional_special_tokens, fields), ...readOthers(config.extra_special_tokens, fields)];
  const className = config.tokenizer_class ?? undefined;
  const tokenizerClass = className === undefined ? undefined : fields.string(className, "tokenizer_class").replace(/Fast$/, "");
  const decides = tokenizerClass !== undefined && !followsFile.includes(tokenizerClass);
  const [bos, eos] = ["add_bos_token", "add_eos_token"].map((key) => fields.flag(config[key], key));
  addMap(named, files, fields);
  return {
    name: files.configName,
    named,
    others,
    added: readDecoder(config.added_tokens_decoder ?? {}, fields),
    addsBos: decides && (bos ?? bosByDefault.includes(tokenizerClass)),
    addsEos: decides && (eos ?? false),
    addPrefixSpace: fields.flag(config.add_prefix_space, "add_prefix_space"),
  };
}

/** Parts that a token can play; what else ends in `_token` and holds one is a special token of that model's own. */
const roles = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/** Empty names are none: the first LLaMA conversions have them. */
function readNamed(document: JsonObject, fields: JsonFields): Map<string, AddedToken> {
  const named = new Map<string, AddedToken>();
  for (const [key, value] of Object.entries(document)) {
    const isNamed = roles.includes(key) || (key.endsWith("_token") && (typeof value === "string" || isObject(value)));
    if (!isNamed || value === null || value === "") continue;
    named.set(key, { ...readAddedToken(value, key, fields, true), special: true });
  }
  return named;
}

/** A list, or an object whose values count. */
function readOthers(value: unknown, fields: JsonFields): AddedToken[] {
  if (value === undefined || value === null) return [];
  const list = isObject(value) ? Object.values(value) : fields.array(value, "extra_special_tokens");
  return list.map((token, i) => ({ ...readAddedToken(token, `extra_special_tokens[${i}]`, fields, true), special: true }));
}

function readDecoder(value: unknown, fields: JsonFields): Map<number, AddedToken> {
  const entries = Object.entries(fields.object(value, "added_tokens_decoder"));
  return new Map(
    entries.map(([key, token]) => {
      if (!/^\d{1,9}$/.test(key)) fields.fail(`added_tokens_decoder has ${JSON.stringify(key)}, which is no id`);
      return [Number(key), readAddedToken(token, `added_tokens_decoder ${key}`, fields)];
    }),
  );
}

/** special_tokens_map.json says the same once more; what only it says counts. */
function addMap(named: Map<string, AddedToken>, files: ConfigFiles, { where }: JsonFields): void {
  if (files.specialTokensMap === undefined) return;
  const fields = new JsonFields(where, files.specialTokensMapName);
  for (const [key, token] of readNamed(fields.object(files.specialTokensMap, "the document"), fields)) {
    const known = named.get(key);
    if (known !== undefined && known.content !== token.content)
      fields.fail(
        `${key} is ${JSON.stringify(token.content)}, but ${files.configName} says ${JSON.stringify(known.content)}: correct one of them`,
      );
    named.set(key, known ?? token);
  }
}
