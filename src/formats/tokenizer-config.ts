// tokenizer_config.json, special_tokens_map.json and added_tokens.json: what stands beside tokenizer.json and says which pieces play which part
// (transformers, tokenization_utils_base.py).
import { type AddedToken, plainToken, readAddedToken } from "./added-tokens.ts";
import { isObject, type JsonObject, quote } from "./json.ts";
import { JsonFields } from "./json-fields.ts";
import { checkKeys, type KeyRow, oneWarning } from "./json-keys.ts";
import { configKeys, mapKeys, roleKeys } from "./tokenizer-keys.ts";

/** The documents beside a tokenizer.json, parsed, with their names for messages. */
export interface ConfigFiles {
  readonly config?: unknown;
  readonly configName: string;
  readonly specialTokensMap?: unknown;
  readonly specialTokensMapName: string;
  readonly addedTokens?: unknown;
  readonly addedTokensName: string;
}

/** What the files beside tokenizer.json say of its pieces. */
export interface TokenizerConfig {
  readonly name: string;
  /** `bos_token`, `pad_token` and every other key that ends so: the token that it names. */
  readonly named: ReadonlyMap<string, AddedToken>;
  /** Special tokens without a part of their own. */
  readonly others: readonly AddedToken[];
  /** `added_tokens_decoder`: the tokens by id. */
  readonly added: ReadonlyMap<number, AddedToken>;
  /** added_tokens.json: tokens by id of which only the spelling is known. */
  readonly spelled: ReadonlyMap<number, AddedToken>;
  /** Whether the begin-of-text and the end-of-text token go around a text where tokenizer.json has no template. */
  readonly addsBos: boolean;
  readonly addsEos: boolean;
  /** `add_bos_token` and `add_eos_token` as they stand there. */
  readonly saidBos: boolean | undefined;
  readonly saidEos: boolean | undefined;
  /** Whether it says that a space goes in front of a text; undefined where it does not. */
  readonly addPrefixSpace: boolean | undefined;
  /** A sentence for each file that has keys which cria does not know. */
  readonly warnings: readonly string[];
}

/** Classes whose tokenizers put the begin-of-text token in front unless they are told not to (transformers 4, models/llama/). */
const bosByDefault = ["LlamaTokenizer", "LLaMATokenizer", "CodeLlamaTokenizer"];
/** Classes that do what tokenizer.json says and nothing else. */
const followsFile = ["PreTrainedTokenizer", "TokenizersBackend"];

/** What follows from a complaint about one of these files. */
const consequence = "the tokenizer is opened without regard to it";

/**
 * Reads both by the tables of tokenizer-keys.ts. What only one of them says counts. Where they name different tokens for one part, the one that
 * counts is transformers': the map's, unless tokenizer_config.json has added_tokens_decoder, which 4.34 brought and beside which no map is read.
 * The other is named in a warning.
 * @throws CriaError for a value of the wrong kind, or one that a table refuses.
 */
export function readTokenizerConfig(files: ConfigFiles): TokenizerConfig {
  const fields = new JsonFields("tokenizer.json", files.configName);
  const config = files.config === undefined ? {} : fields.object(files.config, "the document");
  const complaints = complaintsOf(config, configKeys, fields);
  const own = { name: files.configName, named: readNamed(config, fields), complaints };
  const map = readMap(files, fields);
  const [first, second] = (config.added_tokens_decoder ?? undefined) === undefined ? [map, own] : [own, map];
  second.complaints.push(...differences(first, second));
  const className = config.tokenizer_class ?? undefined;
  const tokenizerClass = className === undefined ? undefined : fields.string(className, "tokenizer_class").replace(/Fast$/, "");
  const decides = tokenizerClass !== undefined && !followsFile.includes(tokenizerClass);
  const [saidBos, saidEos] = ["add_bos_token", "add_eos_token"].map((key) => fields.flag(config[key], key));
  const named = new Map([...second.named, ...first.named]);
  const others = [...readOthers(config, fields), ...map.others];
  return {
    ...{ name: files.configName, named, others },
    added: readDecoder(config.added_tokens_decoder ?? {}, fields),
    spelled: readSpelled(files, [...named.values(), ...others]),
    addsBos: decides && (saidBos ?? bosByDefault.includes(tokenizerClass)),
    addsEos: decides && (saidEos ?? false),
    saidBos,
    saidEos,
    addPrefixSpace: fields.flag(config.add_prefix_space, "add_prefix_space"),
    warnings: [own, map].flatMap((file) => oneWarning(fields.where, file.name, file.complaints, consequence)),
  };
}

/** The tokens by part that one file names, and what is not followed of it. */
interface NamedTokens {
  readonly name: string;
  readonly named: ReadonlyMap<string, AddedToken>;
  readonly complaints: string[];
}

function complaintsOf(document: JsonObject, rows: readonly KeyRow[], { where, file }: JsonFields): string[] {
  return [...checkKeys(where, file, withoutOwnTokens(document), rows)];
}

function readMap(files: ConfigFiles, { where }: JsonFields): NamedTokens & { readonly others: readonly AddedToken[] } {
  const fields = new JsonFields(where, files.specialTokensMapName);
  const map = files.specialTokensMap === undefined ? {} : fields.object(files.specialTokensMap, "the document");
  const complaints = complaintsOf(map, mapKeys, fields);
  return { name: fields.file, named: readNamed(map, fields), others: readOthers(map, fields), complaints };
}

/** The parts for which `second` names another token than `first`, which counts. */
function differences(first: NamedTokens, second: NamedTokens): string[] {
  return [...second.named].flatMap(([key, { content }]) => {
    const counts = first.named.get(key)?.content ?? content;
    return counts === content ? [] : [`${key} is ${quote(content)}, but ${first.name} says ${quote(counts)}, which counts`];
  });
}

const hasRow = new Set([...configKeys, ...mapKeys].map(({ key }) => key));

/** The document without the tokens of a model's own, for which no table has a row. */
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

/** Ids by spelling. As in transformers the tokens that play a part are special. */
function readSpelled(files: ConfigFiles, special: readonly AddedToken[]): Map<number, AddedToken> {
  const fields = new JsonFields("tokenizer.json", files.addedTokensName);
  const document = files.addedTokens === undefined ? {} : fields.object(files.addedTokens, "the document");
  const isSpecial = new Set(special.map(({ content }) => content));
  const entries = Object.entries(document).map(([content, id]) => [content, fields.id(id, `the id of ${quote(content)}`)] as const);
  return new Map(entries.map(([content, id]) => [id, plainToken(content, isSpecial.has(content))]));
}
