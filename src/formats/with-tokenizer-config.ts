// What stands beside a tokenizer.model: tokenizer_config.json, special_tokens_map.json and added_tokens.json bring tokens behind its pieces, and say
// which play which part, as transformers' LlamaTokenizer follows them.
import type { SentencePieceModel, TokenizerModel } from "../tokenizer/index.ts";
import { type AddedToken, matchingOf } from "./added-tokens.ts";
import { quote } from "./json.ts";
import { JsonFields } from "./json-fields.ts";
import { type ConfigFiles, readTokenizerConfig, type TokenizerConfig } from "./tokenizer-config.ts";

/**
 * The model with what these files say of it.
 * @param name the model's file, for messages
 * @throws CriaError where one of them says something else of a piece than the model
 */
export function withTokenizerConfig<T extends TokenizerModel>(
  model: T,
  name: string,
  files: ConfigFiles,
  onWarning: (warning: string) => void,
): T {
  if (files.config === undefined && files.specialTokensMap === undefined && files.addedTokens === undefined) return model;
  const config = readTokenizerConfig(files);
  for (const warning of config.warnings) onWarning(warning);
  const fields = new JsonFields("tokenizer.model", name);
  const pieces = [...model.pieces];
  const tokens = addTokens(pieces, config, fields, renamed(model));
  return {
    ...model,
    pieces,
    ...rolesOf(model, pieces, config),
    ...listsOf(model, tokens),
    ...scoresFor(model, pieces.length),
    ...prefixFor(model, config, fields),
  };
}

/** The ids whose names the configuration may change: special pieces of ranks, whose names are not in the file and changed from release to release. */
function renamed({ kind, specials, merges }: TokenizerModel): ReadonlySet<number> {
  return new Set(kind === "bytes" && merges === undefined ? specials : []);
}

/** The tokens by id, each also in `pieces`; those that only a part names come to the end. */
function addTokens(pieces: string[], config: TokenizerConfig, fields: JsonFields, mayRename: ReadonlySet<number>): Map<number, AddedToken> {
  const tokens = new Map([...config.spelled, ...config.added].sort(([a], [b]) => a - b));
  for (const [id, token] of tokens) {
    if (id > pieces.length)
      fields.fail(`added token ${id}, ${quote(token.content)}, leaves a hole behind its ${pieces.length} pieces: correct its id`);
    const known = pieces[id] ?? token.content;
    if (known !== token.content && !mayRename.has(id))
      fields.fail(`piece ${id} is ${quote(known)}, but ${quote(token.content)} as an added token: correct one of them`);
    pieces[id] = token.content;
  }
  const ids = new Map(pieces.map((piece, id) => [piece, id]));
  for (const token of [...config.named.values(), ...config.others]) {
    const id = ids.get(token.content) ?? pieces.push(token.content) - 1;
    ids.set(token.content, id);
    if (!tokens.has(id)) tokens.set(id, token);
  }
  return tokens;
}

function rolesOf(model: TokenizerModel, pieces: readonly string[], config: TokenizerConfig) {
  const named = (role: string, own: number | undefined) => {
    const token = config.named.get(role);
    return token === undefined ? own : pieces.indexOf(token.content);
  };
  const [bosId, eosId, padId] = [named("bos_token", model.bosId), named("eos_token", model.eosId), named("pad_token", model.padId)];
  const before = bosId !== undefined && (config.saidBos ?? true) ? [bosId] : [];
  const after = eosId !== undefined && (config.saidEos ?? false) ? [eosId] : [];
  const roles = { bosId, eosId, padId, template: before.length + after.length === 0 ? undefined : { before, after } };
  return Object.fromEntries(Object.entries(roles).filter(([key, value]) => value !== undefined || key === "template"));
}

/** Tokens beyond the model's own are found in a text before all else, with their flags; those within keep what the model says of them. */
function listsOf(model: TokenizerModel, tokens: ReadonlyMap<number, AddedToken>) {
  const isNew = (id: number) => id >= model.pieces.length;
  const ids = [...tokens.keys()];
  const specials = [...new Set([...model.specials, ...ids.filter((id) => tokens.get(id)!.special)])];
  const added = [...new Set([...(model.added ?? []), ...ids.filter((id) => isNew(id) && !tokens.get(id)!.special)])];
  const rules = ids.filter(isNew).map((id) => matchingOf({ ...tokens.get(id)!, normalized: false }, id));
  const matching = [...(model.matching ?? []), ...rules.filter((rule) => rule !== undefined)];
  return { specials, ...(added.length === 0 ? {} : { added }), ...(matching.length === 0 ? {} : { matching }) };
}

function scoresFor(model: TokenizerModel, size: number) {
  if ((model.kind !== "sentencepiece" && model.kind !== "unigram") || model.scores === undefined) return {};
  return { scores: [...model.scores, ...Array<number>(size - model.scores.length).fill(0)] };
}

function prefixFor(model: TokenizerModel, { addPrefixSpace, name }: TokenizerConfig, fields: JsonFields): Partial<SentencePieceModel> {
  if (model.kind !== "sentencepiece" || model.normaliser !== undefined || addPrefixSpace === undefined) return {};
  if (addPrefixSpace && model.dummyPrefix === "never")
    fields.fail(`it puts no space in front of a text, but ${name} has add_prefix_space true: correct one of them`);
  return addPrefixSpace ? {} : { dummyPrefix: "never" };
}
