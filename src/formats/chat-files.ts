// Chat templates where models keep them: tokenizer_config.json (`chat_template`), chat_template.jinja and additional_chat_templates/*.jinja
// (transformers 5.24, tokenization_utils_base.py), and a GGUF's metadata. By name; the one without a name is "default".
import { fail } from "../base/index.ts";
import type { GgufValue } from "./gguf-metadata.ts";
import { readTokenIds } from "./hf-config.ts";
import { isObject, type JsonObject, kindOf, quote } from "./json.ts";
import { checkKeys, honoured } from "./json-keys.ts";

/** The templates and ids that a model's files hold for chats. */
export interface ChatSources {
  /** Templates' texts by name. */
  readonly templates: ReadonlyMap<string, string>;
  /** Ids that end a text or a turn, as far as these files name them. */
  readonly endIds: readonly number[];
}

/** @param value of `chat_template`: a string, or templates by name as an object or a list of objects. @throws CriaError for anything else */
export function readChatTemplates(value: unknown, name: string): ReadonlyMap<string, string> {
  if (value === undefined || value === null) return new Map();
  if (typeof value === "string") return new Map([["default", value]]);
  const pairs = Array.isArray(value)
    ? value.map((one) => (isObject(one) ? [one.name, one.template] : []))
    : isObject(value)
      ? Object.entries(value)
      : [];
  const isFine = pairs.length > 0 && pairs.every(([key, text]) => typeof key === "string" && typeof text === "string");
  if (!isFine) return fail("chat", `${name}: chat_template is ${kindOf(value)}, but must be a string or templates with names`);
  const names = pairs.map(([key]) => String(key));
  const twice = names.find((key, i) => names.indexOf(key) < i);
  if (twice !== undefined) return fail("chat", `${name}: chat_template has ${quote(twice)} twice: remove the wrong one`);
  return new Map(pairs.map(([key, text]) => [String(key), String(text)]));
}

const prefix = "tokenizer.chat_template";
const endKeys = ["eos_token_id", "eot_token_id", "eom_token_id"].map((key) => `tokenizer.ggml.${key}`);

/** @throws CriaError where a template is no text or an id no number */
export function ggufChatSources(pairs: ReadonlyMap<string, GgufValue>, name: string): ChatSources {
  const templates = [...pairs]
    .filter(([key]) => key === prefix || (key.startsWith(`${prefix}.`) && key.length > prefix.length + 1))
    .map(([key, { value }]): [string, string] => {
      if (typeof value !== "string") return fail("gguf", `${name}: ${quote(key)} must be a text`);
      return [key === prefix ? "default" : key.slice(prefix.length + 1), value];
    });
  const ids = endKeys.map((key) => pairs.get(key)?.value).filter((id) => id !== undefined && id !== 0xffffffff && id !== -1);
  const odd = ids.find((id) => typeof id !== "number");
  if (odd !== undefined) return fail("gguf", `${name}: an id that ends a text must be a number, but one is ${kindOf(odd)}`);
  return { templates: new Map(templates), endIds: ids.map(Number) };
}

const endKey = honoured("eos_token_id", "tokens", "tokens that end a text");

/** The ids that end a text, of config.json or generation_config.json. @throws CriaError where they are none */
export function readEndIds(name: string, { eos_token_id = null }: JsonObject): readonly number[] {
  checkKeys("chat", name, { eos_token_id }, [endKey]);
  return readTokenIds(eos_token_id);
}
