// Hugging Face's tokenizer.json in: the forms that LLaMA and its relatives use. What is not among them is named and refused, because a
// tokenizer that is nearly right is worse than none.
import { check } from "../base/index.ts";
import {
  createTokenizer,
  type Merge,
  type SentencePieceModel,
  type SplitName,
  spaceMark,
  splitPatterns,
  type TokenizerModel,
} from "../tokenizer/index.ts";
import { isObject, JsonFields, type JsonObject } from "./json-fields.ts";
import { unmarkedPiece, wordEndPattern, wordSplit } from "./word-mark.ts";

export interface ReadTokenizerOptions {
  /** For messages. @default "tokenizer.json" */
  readonly name?: string;
  /** The parsed tokenizer_config.json beside it: it knows which pieces are bos, eos and pad. */
  readonly config?: unknown;
}

/**
 * The model in a tokenizer.json: BPE of the sentencepiece kind (LLaMA 1 and 2), byte-level (GPT-2, LLaMA 3, SmolLM2), or our word kind.
 * @throws CriaError when the file is cut short, contradicts itself, or uses a part that is not supported (it says which).
 */
export function readTokenizerJson(text: string, options: ReadTokenizerOptions = {}): TokenizerModel {
  const fields = new JsonFields("tokenizer.json", options.name ?? "tokenizer.json");
  const file = fields.parse(text);
  const vocabulary = readVocabulary(file, fields);
  const model = modelOf(file, vocabulary, rolesOf(file, vocabulary, options.config), fields);
  createTokenizer(model); // throws when the model contradicts itself
  return model;
}

interface Vocabulary {
  readonly pieces: string[];
  readonly ids: ReadonlyMap<string, number>;
  readonly specials: readonly number[];
  readonly added: readonly number[];
  readonly merges: readonly Merge[];
  readonly bpe: JsonObject;
}

type Roles = Pick<TokenizerModel, "bosId" | "eosId" | "padId">;

function readVocabulary(file: JsonObject, fields: JsonFields): Vocabulary {
  const bpe = fields.object(file.model, "model");
  const isBpe = bpe.type === "BPE" || (bpe.type === undefined && bpe.merges !== undefined);
  if (!isBpe) fields.fail(`model.type is ${JSON.stringify(bpe.type)}: only BPE is supported`);
  for (const name of ["continuing_subword_prefix", "end_of_word_suffix", "dropout"])
    if (bpe[name]) fields.fail(`model.${name} is ${JSON.stringify(bpe[name])}: it is not supported`);
  const ids = new Map<string, number>();
  for (const [piece, id] of Object.entries(fields.object(bpe.vocab, "model.vocab"))) ids.set(piece, fields.id(id, `the id of "${piece}"`));
  const { specials, added } = readAddedTokens(file, ids, fields);
  const pieces = piecesById(ids, fields);
  return { pieces, ids, specials, added, merges: readMerges(bpe.merges, ids, fields), bpe };
}

/** Adds them to the vocabulary, where they may stand already. */
function readAddedTokens(file: JsonObject, ids: Map<string, number>, fields: JsonFields) {
  const specials: number[] = [];
  const added: number[] = [];
  fields.array(file.added_tokens ?? [], "added_tokens").forEach((value, i) => {
    const token = fields.object(value, `added_tokens[${i}]`);
    const content = fields.string(token.content, `added_tokens[${i}].content`);
    const id = fields.id(token.id, `the id of added token "${content}"`);
    for (const name of ["lstrip", "rstrip", "single_word"])
      if (token[name] === true) fields.fail(`added token "${content}" has ${name}: it is not supported`);
    const known = ids.get(content);
    if (known !== undefined && known !== id) fields.fail(`"${content}" has the id ${known} in the vocabulary but ${id} as an added token`);
    ids.set(content, id);
    (token.special === true ? specials : added).push(id);
  });
  return { specials, added };
}

function piecesById(ids: ReadonlyMap<string, number>, fields: JsonFields): string[] {
  const pieces: string[] = [];
  const size = ids.size;
  for (const [piece, id] of ids) {
    if (id >= size) fields.fail(`"${piece}" has the id ${id}, but there are ${size} pieces: ids must run from 0 without holes or doubles`);
    if (pieces[id] !== undefined) fields.fail(`"${pieces[id]}" and "${piece}" both have the id ${id}: ids must be unique`);
    pieces[id] = piece;
  }
  return pieces;
}

function readMerges(value: unknown, ids: ReadonlyMap<string, number>, fields: JsonFields): Merge[] {
  return fields.array(value, "model.merges").map((merge, rank) => {
    const parts = typeof merge === "string" ? merge.split(" ") : fields.array(merge, `merge ${rank}`);
    if (parts.length !== 2) fields.fail(`merge ${rank}, ${JSON.stringify(merge)}, must have two parts, but it has ${parts.length}`);
    const [left, right] = parts.map((part) => fields.string(part, `a part of merge ${rank}`)) as [string, string];
    for (const piece of [left, right, left + right])
      if (!ids.has(piece))
        fields.fail(`merge ${rank}, ${JSON.stringify(merge)}, needs the piece ${JSON.stringify(piece)}, which is not in the vocabulary`);
    return [ids.get(left)!, ids.get(right)!];
  });
}

/** From tokenizer_config.json, else from the post-processor, else by the usual names. */
function rolesOf(file: JsonObject, { ids, pieces, specials }: Vocabulary, config: unknown): Roles {
  const named = (role: string) => {
    const value = isObject(config) ? config[role] : undefined;
    const piece = isObject(value) ? value.content : value;
    return typeof piece === "string" ? ids.get(piece) : undefined;
  };
  const template = templateSpecials(file.post_processor);
  const usual = (names: readonly string[]) => names.map((name) => ids.get(name)).find((id) => id !== undefined && specials.includes(id));
  const bosId = named("bos_token") ?? ids.get(template.before ?? "") ?? usual(["<s>", "<|begin_of_text|>"]);
  const eosId = named("eos_token") ?? ids.get(template.after ?? "") ?? usual(["</s>", "<|end_of_text|>", "<|endoftext|>"]);
  const padId = named("pad_token") ?? usual(["<pad>", "<|pad|>", "[PAD]"]);
  const roles = Object.entries({ bosId, eosId, padId }).filter(([, id]) => id !== undefined && pieces[id] !== undefined);
  return Object.fromEntries(roles);
}

function templateSpecials(value: unknown): { before?: string; after?: string } {
  const processors = isObject(value) && Array.isArray(value.processors) ? value.processors : [value];
  const template = processors.find((part) => isObject(part) && part.type === "TemplateProcessing");
  const single: unknown[] = isObject(template) && Array.isArray(template.single) ? template.single : [];
  const at = single.findIndex((item) => isObject(item) && item.Sequence !== undefined);
  const names = single.map((item) => (isObject(item) && isObject(item.SpecialToken) ? String(item.SpecialToken.id) : undefined));
  const before = names[0];
  const after = names.at(-1);
  return { ...(at > 0 && before !== undefined ? { before } : {}), ...(at < names.length - 1 && after !== undefined ? { after } : {}) };
}

function modelOf(file: JsonObject, vocabulary: Vocabulary, roles: Roles, fields: JsonFields): TokenizerModel {
  const normalizers = partList(file.normalizer, "normalizer", "normalizers", fields);
  const preTokenizers = partList(file.pre_tokenizer, "pre_tokenizer", "pretokenizers", fields);
  if (preTokenizers.at(-1)?.type === "ByteLevel") return bytesModel(normalizers, preTokenizers, vocabulary, roles, fields);
  const mark = wordMarkOf(normalizers);
  if (mark !== undefined && preTokenizers.length === 1 && preTokenizers[0]?.behavior === wordSplit.behavior)
    return wordModel(mark, vocabulary, roles, fields);
  return sentencePieceModel(normalizers, preTokenizers, vocabulary, roles, fields);
}

/** A part that may be null, one, or a Sequence of several. */
function partList(value: unknown, name: string, member: string, fields: JsonFields): JsonObject[] {
  if (value === null || value === undefined) return [];
  const part = fields.object(value, name);
  if (part.type !== "Sequence") return [part];
  return fields.array(part[member], `${name}.${member}`).flatMap((inner, i) => partList(inner, `${name}.${member}[${i}]`, member, fields));
}

function common({ pieces, specials, added, merges }: Vocabulary, roles: Roles) {
  return { pieces, specials, merges, ...(added.length > 0 ? { added } : {}), ...roles };
}

function bytesModel(
  normalizers: readonly JsonObject[],
  preTokenizers: readonly JsonObject[],
  vocabulary: Vocabulary,
  roles: Roles,
  fields: JsonFields,
): TokenizerModel {
  if (normalizers.length > 0) refuse("normalizer", normalizers[0]!, fields);
  const byteLevel = preTokenizers.at(-1)!;
  if (byteLevel.add_prefix_space === true) refuse("pre_tokenizer", byteLevel, fields);
  const splits = preTokenizers.slice(0, -1);
  const splitDigits = splits[0] !== undefined && isDigitSplit(splits[0]);
  const patterns = splits.slice(splitDigits ? 1 : 0).map((part) => regexOf(part) ?? refuse("pre_tokenizer", part, fields));
  if (byteLevel.use_regex !== false) patterns.push(splitPatterns.gpt2);
  if (patterns.length > 1) fields.fail(`pre_tokenizer splits by ${patterns.length} patterns one after another: only one is supported`);
  const pattern = patterns[0] === undefined ? undefined : named(patterns[0]);
  return {
    kind: "bytes",
    ...common(vocabulary, roles),
    ...(pattern === undefined ? {} : { pattern }),
    splitDigits,
    ignoreMerges: vocabulary.bpe.ignore_merges === true,
  };
}

function isDigitSplit(part: JsonObject): boolean {
  return (part.type === "Digits" && part.individual_digits === true) || regexOf(part) === "\\p{N}";
}

/** The expression of a Split that keeps matches as words. */
function regexOf(part: JsonObject): string | undefined {
  const pattern = isObject(part.pattern) ? part.pattern.Regex : undefined;
  const keepsAll = part.type === "Split" && part.behavior === "Isolated" && part.invert !== true;
  return keepsAll && typeof pattern === "string" ? pattern : undefined;
}

function named(regex: string): SplitName | { readonly regex: string } {
  const found = Object.entries(splitPatterns).find(([, source]) => source === regex);
  return found ? (found[0] as SplitName) : { regex };
}

function wordMarkOf([first, ...others]: readonly JsonObject[]): string | undefined {
  const isOurs = others.length === 0 && first?.type === "Replace" && isObject(first.pattern) && first.pattern.Regex === wordEndPattern;
  return isOurs && typeof first.content === "string" ? first.content : undefined;
}

function wordModel(mark: string, vocabulary: Vocabulary, roles: Roles, fields: JsonFields): TokenizerModel {
  const pieces = vocabulary.pieces.map((piece) => unmarkedPiece(piece, mark));
  return { kind: "word", ...common(vocabulary, roles), pieces, unkId: unkIdOf(vocabulary, fields) };
}

function sentencePieceModel(
  normalizers: readonly JsonObject[],
  preTokenizers: readonly JsonObject[],
  vocabulary: Vocabulary,
  roles: Roles,
  fields: JsonFields,
): TokenizerModel {
  const { bpe } = vocabulary;
  const byteFallback = bpe.byte_fallback === true;
  if (!byteFallback && bpe.fuse_unk !== true) fields.fail("model.fuse_unk must be true where byte_fallback is not");
  if (bpe.ignore_merges === true) fields.fail("model.ignore_merges is only supported with ByteLevel");
  return {
    kind: "sentencepiece",
    ...common(vocabulary, roles),
    ...prefixOf(normalizers, preTokenizers, fields),
    byteFallback,
    unkId: unkIdOf(vocabulary, fields),
  };
}

function prefixOf(
  normalizers: readonly JsonObject[],
  preTokenizers: readonly JsonObject[],
  fields: JsonFields,
): Pick<SentencePieceModel, "dummyPrefix" | "prefixBeforeSpace"> {
  const [metaspace] = preTokenizers;
  if (metaspace?.type === "Metaspace" && normalizers.length === 0 && preTokenizers.length === 1) return metaspacePrefix(metaspace, fields);
  if (metaspace !== undefined) refuse("pre_tokenizer", metaspace, fields);
  const isPrepend = (part: JsonObject) => part.type === "Prepend" && part.prepend === spaceMark;
  const isReplace = (part: JsonObject) =>
    part.type === "Replace" && isObject(part.pattern) && part.pattern.String === " " && part.content === spaceMark;
  const odd = normalizers.find((part) => !isPrepend(part) && !isReplace(part));
  if (odd !== undefined) refuse("normalizer", odd, fields);
  if (!normalizers.some(isReplace)) fields.fail(`neither ByteLevel nor a "${spaceMark}" for the space: this form of BPE is not supported`);
  return { dummyPrefix: normalizers.some(isPrepend) ? "each" : "never", prefixBeforeSpace: true };
}

function metaspacePrefix(part: JsonObject, fields: JsonFields): Pick<SentencePieceModel, "dummyPrefix" | "prefixBeforeSpace"> {
  const scheme = part.prepend_scheme ?? (part.add_prefix_space === false ? "never" : "always");
  // With split, which is their default, words end before every ▁, runs of spaces too.
  const isOurs = (part.replacement ?? spaceMark) === spaceMark && part.split === false && typeof scheme === "string";
  if (!isOurs) refuse("pre_tokenizer", part, fields);
  const dummyPrefix = scheme === "always" ? "each" : scheme;
  if (dummyPrefix !== "each" && dummyPrefix !== "first" && dummyPrefix !== "never") refuse("pre_tokenizer", part, fields);
  return { dummyPrefix, prefixBeforeSpace: false };
}

function unkIdOf({ bpe, ids }: Vocabulary, fields: JsonFields): number {
  const unk = fields.string(bpe.unk_token, "model.unk_token");
  const id = ids.get(unk);
  check(id !== undefined, fields.where, () => `${fields.file}: model.unk_token is "${unk}", which is not in the vocabulary`);
  return id;
}

function refuse(place: string, part: JsonObject, fields: JsonFields): never {
  return fields.fail(`${place} ${JSON.stringify(part).slice(0, 200)} is not supported`);
}
