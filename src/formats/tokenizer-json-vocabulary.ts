// The vocabulary of a tokenizer.json: pieces with their ids, merges, and tokens that it and the files beside it add.
import type { Merges, PieceMatching } from "../tokenizer/index.ts";
import { type AddedToken, differencesOf, matchingOf, readAddedToken } from "./added-tokens.ts";
import { type JsonObject, quote } from "./json.ts";
import { isId, type JsonFields } from "./json-fields.ts";
import { checkKeys } from "./json-keys.ts";
import type { TokenizerConfig } from "./tokenizer-config.ts";
import type { ScannedModel } from "./tokenizer-json-scan.ts";
import { modelKeys, unigramKeys } from "./tokenizer-keys.ts";
import { VocabularyIds, type VocabularyMember } from "./vocabulary-ids.ts";

/** What a tokenizer.json says of its pieces. */
export interface Vocabulary {
  readonly pieces: string[];
  /** Ids that no piece of the file has. */
  readonly unused: readonly number[];
  readonly ids: VocabularyIds;
  readonly specials: readonly number[];
  readonly added: readonly number[];
  readonly matching: readonly PieceMatching[];
  readonly merges: Merges;
  /** The file's own model. */
  readonly model: JsonObject;
  readonly isUnigram: boolean;
  /** What tokenizer.json says of added tokens and tokenizer_config.json says otherwise. */
  readonly complaints: readonly string[];
}

/**
 * @param scanned the model's vocabulary and merges where they were read from the file's bytes, and are empty in `file`
 * @throws CriaError naming what is wrong or not supported
 */
export function readVocabulary(
  file: JsonObject,
  scanned: ScannedModel | undefined,
  config: TokenizerConfig,
  fields: JsonFields,
): Vocabulary {
  const model = fields.object(file.model, "model");
  const isUnigram = model.type === "Unigram" || (model.type === undefined && Array.isArray(model.vocab));
  const isBpe = model.type === "BPE" || (model.type === undefined && model.merges !== undefined);
  if (!isBpe && !isUnigram) fields.fail(`model.type is ${JSON.stringify(model.type)}: only BPE and Unigram are supported`);
  refuseUnknown(checkKeys(fields.where, `${fields.file}: model`, model, isUnigram ? unigramKeys : modelKeys), fields);
  const own = scanned?.vocabulary ?? memberOf(isUnigram ? unigramIds(model, fields) : bpeIds(model, fields));
  const ids = new VocabularyIds(own);
  const { tokens, complaints } = addTokens(file, config, ids, fields);
  const { pieces, unused } = ids.pieces(fields);
  const isAdded = (special: boolean) => [...tokens].filter(([, token]) => token.special === special).map(([id]) => id);
  const matching = [...tokens].map(([id, token]) => matchingOf(token, id)).filter((rule) => rule !== undefined);
  const merges = scanned?.merges ?? (isUnigram ? new Int32Array(0) : readMerges(model, ids, fields));
  return { pieces, unused, ids, specials: isAdded(true), added: isAdded(false), matching, merges, model, isUnigram, complaints };
}

/** @throws CriaError naming a key that no tokenizer.json has */
export function refuseUnknown([first]: readonly string[], fields: JsonFields): void {
  if (first !== undefined) fields.fail(`${first}: it is of another format`);
}

function memberOf(ids: ReadonlyMap<string, number>): VocabularyMember {
  return { names: [...ids.keys()], ids: [...ids.values()], find: (piece) => ids.get(piece) };
}

function bpeIds(model: JsonObject, fields: JsonFields): Map<string, number> {
  const ids = new Map<string, number>();
  const vocab = fields.object(model.vocab, "model.vocab");
  // The engine lists the keys of a large object in a quarter of the time of its entries.
  for (const piece of Object.keys(vocab)) {
    const id = vocab[piece];
    ids.set(piece, isId(id) ? id : fields.id(id, `the id of "${piece}"`));
  }
  return ids;
}

/** A list of pieces and scores; a piece's place is its id. */
function unigramIds({ vocab }: JsonObject, fields: JsonFields): Map<string, number> {
  const ids = new Map<string, number>();
  fields.array(vocab, "model.vocab").forEach((row, id) => {
    const [piece, score, ...more] = fields.array(row, `model.vocab[${id}]`);
    if (typeof piece !== "string" || typeof score !== "number" || more.length > 0)
      fields.fail(`model.vocab[${id}] is ${quote(JSON.stringify(row))}: it must be a piece and its score`);
    const known = ids.get(piece);
    if (known !== undefined) fields.fail(`model.vocab has ${quote(piece)} at ${known} and at ${id}: ids must be unique`);
    ids.set(piece, id);
  });
  return ids;
}

/** A prefix or suffix of pieces; undefined where there is none. */
export function affixOf(
  model: JsonObject,
  key: "continuing_subword_prefix" | "end_of_word_suffix",
  fields: JsonFields,
): string | undefined {
  const affix = model[key] === null || model[key] === undefined ? "" : fields.string(model[key], `model.${key}`);
  return affix === "" ? undefined : affix;
}

interface AddedTokens {
  readonly tokens: ReadonlyMap<number, AddedToken>;
  readonly complaints: readonly string[];
}

/**
 * The added tokens by id, each also in `ids`: those of all files, and those that the configuration names, which come to the end where no piece
 * is so spelt. As in transformers what added_tokens_decoder says of a token counts before what tokenizer.json says, and both count before the part
 * that the configuration gives it.
 */
function addTokens(file: JsonObject, config: TokenizerConfig, ids: VocabularyIds, fields: JsonFields): AddedTokens {
  const tokens = new Map<number, AddedToken>();
  const complaints: string[] = [];
  const add = (id: number, token: AddedToken, by: string) => {
    const known = ids.get(token.content);
    if (known !== undefined && known !== id)
      fields.fail(`"${token.content}" has the id ${known} in the vocabulary but ${id} as an added token${by}`);
    ids.add(token.content, id);
    tokens.set(id, token);
  };
  fields.array(file.added_tokens ?? [], "added_tokens").forEach((value, i) => {
    const token = readAddedToken(value, `added_tokens[${i}]`, fields);
    const { id } = fields.object(value, `added_tokens[${i}]`);
    if (token.content !== "") add(fields.id(id, `the id of added token "${token.content}"`), token, "");
  });
  for (const [id, token] of config.added) {
    const known = tokens.get(id);
    if (known !== undefined) complaints.push(...contradictions(id, known, token, config.name, fields));
    add(id, token, ` of ${config.name}`);
  }
  for (const [id, token] of config.spelled) {
    const known = tokens.get(id);
    if (known !== undefined && known.content !== token.content)
      fields.fail(`added token ${id} is ${quote(known.content)}, but ${quote(token.content)} in added_tokens.json: correct one of them`);
    if (known === undefined) add(id, token, " of added_tokens.json");
  }
  for (const token of [...config.named.values(), ...config.others]) {
    const id = ids.get(token.content) ?? ids.append(token.content);
    if (!tokens.has(id)) tokens.set(id, token);
  }
  return { tokens, complaints };
}

/** What the configuration says otherwise of an added token. @throws CriaError where it is another token altogether. */
function contradictions(id: number, ours: AddedToken, theirs: AddedToken, name: string, fields: JsonFields): string[] {
  const differences = differencesOf(ours, theirs).map(
    ([key, one, other]) =>
      `${key} of added token ${id} is ${JSON.stringify(one)}, but ${JSON.stringify(other)} in ${name}'s added_tokens_decoder`,
  );
  if (ours.content !== theirs.content) fields.fail(`${differences[0]}: correct one of them`);
  return differences.map((difference) => `${difference}, which counts`);
}

function readMerges(model: JsonObject, ids: VocabularyIds, fields: JsonFields): Merges {
  // What the right part of a merge begins with and the result leaves out.
  const prefix = affixOf(model, "continuing_subword_prefix", fields) ?? "";
  const list = fields.array(model.merges, "model.merges");
  const merges = new Int32Array(2 * list.length);
  list.forEach((merge, rank) => {
    const parts = typeof merge === "string" ? merge.split(" ") : fields.array(merge, `merge ${rank}`);
    if (parts.length !== 2) fields.fail(`merge ${rank}, ${JSON.stringify(merge)}, must have two parts, but it has ${parts.length}`);
    const [left, right] = parts.map((part) => fields.string(part, `a part of merge ${rank}`)) as [string, string];
    if (!right.startsWith(prefix))
      fields.fail(`merge ${rank}, ${JSON.stringify(merge)}, has a right part without ${quote(prefix)}, model.continuing_subword_prefix`);
    const idOf = (piece: string) =>
      ids.get(piece) ??
      fields.fail(`merge ${rank}, ${JSON.stringify(merge)}, needs the piece ${JSON.stringify(piece)}, which is not in the vocabulary`);
    merges[2 * rank] = idOf(left);
    merges[2 * rank + 1] = idOf(right);
    idOf(left + right.slice(prefix.length));
  });
  return merges;
}
