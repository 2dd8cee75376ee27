// Added tokens (huggingface/tokenizers, added_vocabulary.rs): pieces that stand beside the vocabulary and are found in a text before all else.
import type { PieceMatching } from "../tokenizer/index.ts";
import { isObject, type JsonObject, kindOf } from "./json.ts";
import type { JsonFields } from "./json-fields.ts";

/** One token as tokenizer.json's `added_tokens`, tokenizer_config.json's `added_tokens_decoder` and the like write it. */
export interface AddedToken {
  readonly content: string;
  readonly special: boolean;
  readonly normalized: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly singleWord: boolean;
}

const keys = ["content", "special", "normalized", "lstrip", "rstrip", "single_word", "id", "__type"];

/**
 * @param name for messages
 * @param isSpecial what counts where the token does not say; it then is not `normalized` if it is special, as in `tokenizers`
 * @throws CriaError for a key that is not known or a value of the wrong kind.
 */
export function readAddedToken(value: unknown, name: string, fields: JsonFields, isSpecial = false): AddedToken {
  if (typeof value === "string") return plainToken(value, isSpecial);
  const token = isObject(value) ? value : fields.fail(`${name} must be a string or an object with a content, but it is ${kindOf(value)}`);
  const odd = Object.keys(token).find((key) => !keys.includes(key));
  if (odd !== undefined) fields.fail(`${name} has ${JSON.stringify(odd)}, which is no property of an added token`);
  const flag = (key: string) => fields.flag(token[key], `${key} of ${name}`);
  const special = flag("special") ?? isSpecial;
  return {
    content: fields.string(token.content, `${name}.content`),
    special,
    normalized: flag("normalized") ?? !special,
    lstrip: flag("lstrip") ?? false,
    rstrip: flag("rstrip") ?? false,
    singleWord: flag("single_word") ?? false,
  };
}

/** A token of which only its spelling is known. */
export function plainToken(content: string, special: boolean): AddedToken {
  return { content, special, normalized: !special, lstrip: false, rstrip: false, singleWord: false };
}

/** How it is found, if not simply verbatim. */
export function matchingOf({ normalized, lstrip, rstrip, singleWord }: AddedToken, id: number): PieceMatching | undefined {
  const set = Object.entries({ normalized, lstrip, rstrip, singleWord }).filter(([, isSet]) => isSet);
  return set.length === 0 ? undefined : { id, ...Object.fromEntries(set) };
}

/** The token as `added_tokens` holds it. */
export function addedTokenJson(content: string, special: boolean, rule: PieceMatching): JsonObject {
  const { id, singleWord = false, lstrip = false, rstrip = false, normalized = false } = rule;
  return { id, content, single_word: singleWord, lstrip, rstrip, normalized, special };
}

/** The properties in which two accounts of one token differ, with both values, for messages; its spelling first. */
export function differencesOf(one: AddedToken, other: AddedToken): [key: string, one: unknown, other: unknown][] {
  const keys = (Object.keys(one) as (keyof AddedToken)[]).filter((name) => one[name] !== other[name]);
  return keys.map((key) => [key === "singleWord" ? "single_word" : key, one[key], other[key]]);
}
