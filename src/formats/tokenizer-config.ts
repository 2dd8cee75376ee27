// tokenizer_config.json and special_tokens_map.json: what stands beside tokenizer.json and says which pieces play which part (transformers,
// tokenization_utils_base.py).
import { fail } from "../base/index.ts";
import { type AddedToken, readAddedToken } from "./added-tokens.ts";
import { isObject, type JsonObject } from "./json.ts";
import { JsonFields } from "./json-fields.ts";
import { checkKeys, oneWarning } from "./json-keys.ts";
import { configKeys, mapKeys, roleKeys } from "./tokenizer-keys.ts";

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
  /** A sentence for each file that has keys which cria does not know. */
  readonly warnings: readonly string[];
}

/** Classes whose tokenizers put the begin-of-text token in front unless they are told not to (transformers 4, models/llama/). */
const bosByDefault = ["LlamaTokenizer", "LLaMATokenizer", "CodeLlamaTokenizer"];
/** Classes that do what tokenizer.json says and nothing else. */
const followsFile = ["PreTrainedTokenizer", "TokenizersBackend"];

/**
 * Reads both by the tables of tokenizer-keys.ts. What only one of them says counts.
 * @throws CriaError for a value of the wrong kind, one that a table refuses, or where the two contradict each other.
 */
export function readTokenizerConfig(files: ConfigFiles): TokenizerConfig {
  const fields = new JsonFields("tokenizer.json", files.configName);
  const config = files.config === undefined ? {} : fields.object(files.config, "the document");
  const complaints = checkKeys(fields.where, fields.file, withoutOwnTokens(config), configKeys);
  const map = readMap(files, fields);
  const named = readNamed(config, fields);
  for (const [key, token] of map.named) addFromMap(named, key, token, files);
  const className = config.tokenizer_class ?? undefined;
  const tokenizerClass = className === undefined ? undefined : fields.string(className, "tokenizer_class").replace(/Fast$/, "");
  const decides = tokenizerClass !== undefined && !followsFile.includes(tokenizerClass);
  const [bos, eos] = ["add_bos_token", "add_eos_token"].map((key) => fields.flag(config[key], key));
  const consequence = "the tokenizer is opened without regard to it";
  return {
    name: files.configName,
    named,
    others: [...readOthers(config, fields), ...map.others],
    added: readDecoder(config.added_tokens_decoder ?? {}, fields),
    addsBos: decides && (bos ?? bosByDefault.includes(tokenizerClass)),
    addsEos: decides && (eos ?? false),
    addPrefixSpace: fields.flag(config.add_prefix_space, "add_prefix_space"),
    warnings: [...oneWarning(fields.where, fields.file, complaints, consequence), ...map.warnings],
  };
}

function readMap(files: ConfigFiles, { where }: JsonFields) {
  const fields = new JsonFields(where, files.specialTokensMapName);
  const map = files.specialTokensMap === undefined ? {} : fields.object(files.specialTokensMap, "the document");
  const complaints = checkKeys(where, fields.file, withoutOwnTokens(map), mapKeys);
  const warnings = oneWarning(where, fields.file, complaints, "the tokenizer is opened without regard to it");
  return { named: readNamed(map, fields), others: readOthers(map, fields), warnings };
}

function addFromMap(named: Map<string, AddedToken>, key: string, token: AddedToken, files: ConfigFiles): void {
  const known = named.get(key);
  if (known !== undefined && known.content !== token.content) {
    const [ours, theirs] = [token, known].map(({ content }) => JSON.stringify(content));
    fail("tokenizer.json", `${files.specialTokensMapName}: ${key} is ${ours}, but ${files.configName} says ${theirs}: correct one of them`);
  }
  named.set(key, known ?? token);
}

const hasRow = new Set([...configKeys, ...mapKeys].map(({ key }) => key));

/** Without the tokens of a model's own, for which no table has a row. */
function withoutOwnTokens(document: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([key, value]) => !isOwnToken(key, value)));
}

function isOwnToken(key: string, value: unknown): boolean {
  return (
    !hasRow.has(key) && key.endsWith("_token") && (typeof value === "string" || (isObject(value) && typeof value.content === "string"))
  );
}

/** Empty names are none: the first LLaMA conversions have them. */
function readNamed(document: JsonObject, fields: JsonFields): Map<string, AddedToken> {
  const named = new Map<string, AddedToken>();
  for (const [key, value] of Object.entries(document)) {
    const isNamed = (roleKeys as readonly string[]).includes(key) || isOwnToken(key, value);
    if (!isNamed || value === null || value === "") continue;
    named.set(key, { ...readAddedToken(value, key, fields, true), special: true });
  }
  return named;
}

/** Lists, or objects whose values count. */
function readOthers(document: JsonObject, fields: JsonFields): AddedToken[] {
  return ["additional_special_tokens", "extra_special_tokens", "model_specific_special_tokens"].flatMap((key) => {
    const value = document[key];
    if (value === undefined || value === null) return [];
    const list = isObject(value) ? Object.values(value) : fields.array(value, key);
    return list.map((token, i) => ({ ...readAddedToken(token, `${key}[${i}]`, fields, true), special: true }));
  });
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
