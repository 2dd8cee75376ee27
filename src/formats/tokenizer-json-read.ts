// Hugging Face's tokenizer.json in: the forms that LLaMA and its relatives use. What is not among them is named and refused, because a
// tokenizer that is nearly right is worse than none.
import { type Sliced, wholly } from "../base/index.ts";
import {
  type BytesModel,
  byteFallbackPiece,
  type Decoding,
  hasAllBytes,
  type NormaliserStep,
  ownDecoding,
  type PieceMatching,
  type PreTokeniserStep,
  type SentencePieceModel,
  type SplitName,
  spaceMark,
  splitNameOf,
  type TextTemplate,
  type TokenizerModel,
  type UnigramModel,
  wordPatterns,
} from "../tokenizer/index.ts";
import { isDeeper, isObject, type JsonObject, parseJsonObject, quote, sameJson } from "./json.ts";
import { JsonFields } from "./json-fields.ts";
import { checkKeys, oneWarning } from "./json-keys.ts";
import { readTokenizerConfig, type TokenizerConfig } from "./tokenizer-config.ts";
import { metaspaceScheme, readDecoding } from "./tokenizer-json-decoder.ts";
import { readNormaliser, readPreTokeniser, readTextSteps, sentencePieceNormaliser } from "./tokenizer-json-pipeline.ts";
import { type ScannedModel, scanSliced } from "./tokenizer-json-scan.ts";
import { readTemplate } from "./tokenizer-json-template.ts";
import { affixOf, readVocabulary, refuseUnknown, type Vocabulary } from "./tokenizer-json-vocabulary.ts";
import { fileKeys } from "./tokenizer-keys.ts";
import { unmarkedPiece, wordDecoders, wordEndPattern, wordSplit } from "./word-mark.ts";

/** What is read with a tokenizer.json, and what messages call it. */
export interface ReadTokenizerOptions {
  /** The file's name, for messages. @default "tokenizer.json" */
  readonly name?: string;
  /** The parsed tokenizer_config.json beside it: it knows which pieces are bos, eos and pad. */
  readonly config?: unknown;
  /** @default "tokenizer_config.json" */
  readonly configName?: string;
  /** The parsed special_tokens_map.json beside it, which older folders have for the same. */
  readonly specialTokensMap?: unknown;
  /** @default "special_tokens_map.json" */
  readonly specialTokensMapName?: string;
  /** The parsed added_tokens.json beside it, which folders from before transformers 4.34 have: ids of added tokens. */
  readonly addedTokens?: unknown;
  /** @default "added_tokens.json" */
  readonly addedTokensName?: string;
  /** Hears a sentence for each file that has keys which cria does not know, or that says something else than the one that counts. */
  readonly onWarning?: (warning: string) => void;
}

/** How deep lists and objects may lie in one another in a part of the pipeline; published files have 6. */
const deepest = 50;

const usualNames = {
  configName: "tokenizer_config.json",
  specialTokensMapName: "special_tokens_map.json",
  addedTokensName: "added_tokens.json",
};

/**
 * The model in a tokenizer.json: BPE of the sentencepiece kind (LLaMA 1 and 2), byte-level (GPT-2, LLaMA 3, SmolLM2), or our word kind. What
 * goes around a text is as the post-processor's template says, and a warning tells where `add_bos_token` and `add_eos_token` of
 * tokenizer_config.json say something else; where there is no template, it is as these two say for the classes of tokenizer that read them.
 * A contradiction within the model itself is found by createTokenizer.
 * @throws CriaError when a file is cut short, contradicts itself or another, or uses a part that is not supported (it says which).
 */
export function readTokenizerJson(source: Uint8Array | string, options: ReadTokenizerOptions = {}): TokenizerModel {
  return wholly(readTokenizerJsonSliced(source, options));
}

/** {@link readTokenizerJson} in slices, where the vocabulary is in the usual form: a large one takes some tens of milliseconds. */
export function* readTokenizerJsonSliced(source: Uint8Array | string, options: ReadTokenizerOptions = {}): Sliced<TokenizerModel> {
  const fields = new JsonFields("tokenizer.json", options.name ?? "tokenizer.json");
  const { file, scanned } = yield* parse(source, fields);
  yield;
  const deep = ["normalizer", "pre_tokenizer", "post_processor", "decoder"].find((key) => isDeeper(file[key], deepest));
  if (deep !== undefined) fields.fail(`${deep} is nested more than ${deepest} deep, and no tokenizer's is: it is damaged`);
  const config = readTokenizerConfig({ ...usualNames, ...options });
  refuseUnknown(checkKeys(fields.where, fields.file, file, fileKeys), fields);
  const vocabulary = readVocabulary(file, scanned, config, fields);
  yield;
  const template = readTemplate(file.post_processor, vocabulary.pieces, fields);
  const roles = rolesOf(vocabulary, config, template);
  const warnings = [
    ...config.warnings,
    ...oneWarning(fields.where, fields.file, vocabulary.complaints, "the tokenizer is opened without regard to it"),
    ...templateWarnings(template, config, fields),
  ];
  for (const warning of warnings) options.onWarning?.(warning);
  const plain = modelOf(file, { ...vocabulary, roles: { ...roles, ...templateOf(template, roles, config, fields) } }, config, fields);
  return withDecoding(plain, file.decoder, fields);
}

/** The document; its vocabulary and merges by themselves where they can be read from the bytes. */
function* parse(source: Uint8Array | string, fields: JsonFields): Sliced<{ readonly file: JsonObject; readonly scanned?: ScannedModel }> {
  const whole = (bytes: Uint8Array | string) => parseJsonObject(fields.where, fields.file, bytes, { unique: true });
  const scanned = typeof source === "string" ? undefined : yield* scanSliced(source);
  const file = scanned === undefined ? undefined : whole(scanned.rest);
  const isUsual = file !== undefined && isObject(file.model) && (file.model.continuing_subword_prefix ?? "") === "";
  const { vocab, merges } = isUsual ? (file.model as JsonObject) : {};
  if (file === undefined || scanned === undefined || !sameJson([vocab, merges], [{}, []])) return { file: whole(source) };
  return { file, scanned };
}

type Roles = Pick<TokenizerModel, "bosId" | "eosId" | "padId" | "template">;

/** The roles by the configuration, else by the post-processor, else by the usual names. */
function rolesOf({ ids, specials }: Vocabulary, config: TokenizerConfig, template: TextTemplate | undefined): Omit<Roles, "template"> {
  const named = (role: string) => {
    const token = config.named.get(role);
    return token === undefined ? undefined : ids.get(token.content);
  };
  const usual = (names: readonly string[]) => names.map((name) => ids.get(name)).find((id) => id !== undefined && specials.includes(id));
  const bosId = named("bos_token") ?? template?.before[0] ?? usual(["<s>", "<|begin_of_text|>"]);
  const eosId = named("eos_token") ?? template?.after.at(-1) ?? usual(["</s>", "<|end_of_text|>", "<|endoftext|>"]);
  const padId = named("pad_token") ?? usual(["<pad>", "<|pad|>", "[PAD]"]);
  return Object.fromEntries(Object.entries({ bosId, eosId, padId }).filter(([, id]) => id !== undefined));
}

/** What goes around a text: the post-processor's template, else what the configuration's class of tokenizer adds. */
function templateOf(
  template: TextTemplate | undefined,
  { bosId, eosId }: Omit<Roles, "template">,
  { addsBos, addsEos, name }: TokenizerConfig,
  fields: JsonFields,
): Pick<Roles, "template"> {
  const one = (adds: boolean, id: number | undefined, role: string) => {
    if (adds && id === undefined)
      fields.fail(`${name} puts a ${role} token around a text but names none: name it, or set add_${role}_token to false`);
    return adds && id !== undefined ? [id] : [];
  };
  const found = template ?? { before: one(addsBos, bosId, "bos"), after: one(addsEos, eosId, "eos") };
  return found.before.length + found.after.length === 0 ? {} : { template: found };
}

/** transformers' own LLaMA tokenizers followed these two flags up to 4.57 where the template says something else; 5 follows the template. */
function templateWarnings(template: TextTemplate | undefined, config: TokenizerConfig, { where, file }: JsonFields): string[] {
  if (template === undefined) return [];
  const complaint = (key: string, said: boolean | undefined, does: boolean) =>
    said === undefined || said === does ? [] : [`${key} is ${said}, but ${file}'s post_processor ${does ? "puts one" : "puts none"}`];
  const complaints = [
    ...complaint("add_bos_token", config.saidBos, template.before.length > 0),
    ...complaint("add_eos_token", config.saidEos, template.after.length > 0),
  ];
  return oneWarning(where, config.name, complaints, "what the post_processor says counts");
}

function withDecoding(model: TokenizerModel, decoder: unknown, fields: JsonFields): TokenizerModel {
  if (model.kind === "word") return model;
  const decoding = { ...readDecoding(decoder, model, fields), ...shownUnknown(model) };
  return sameJson(decoding, ownDecoding(model)) ? model : { ...model, decoding };
}

/** An unknown token that is not special is a piece like others in decoded text. */
function shownUnknown({ unkId, specials, pieces }: TokenizerModel): Pick<Decoding, "unknown"> {
  return unkId === undefined || specials.includes(unkId) ? {} : { unknown: pieces[unkId]! };
}

interface Read extends Vocabulary {
  readonly roles: Roles;
}

function modelOf(file: JsonObject, read: Read, config: TokenizerConfig, fields: JsonFields): TokenizerModel {
  const normalizers = partList(file.normalizer, "normalizer", "normalizers", fields);
  const preTokenizers = partList(file.pre_tokenizer, "pre_tokenizer", "pretokenizers", fields);
  if (read.isUnigram) return unigramModel(normalizers, preTokenizers, read, config, fields);
  const hasAffix = (["continuing_subword_prefix", "end_of_word_suffix"] as const).some(
    (key) => affixOf(read.model, key, fields) !== undefined,
  );
  if (preTokenizers.at(-1)?.type === "ByteLevel" && !hasAffix) return bytesModel(normalizers, preTokenizers, read, config, fields);
  const mark = wordMarkOf(normalizers);
  if (mark !== undefined && preTokenizers.length === 1 && preTokenizers[0]?.behavior === wordSplit.behavior)
    return wordModel(mark, file.decoder, read, fields);
  return sentencePieceModel(normalizers, preTokenizers, read, config, fields);
}

/** A part that may be null, one, or a Sequence of several. */
function partList(value: unknown, name: string, member: string, fields: JsonFields): JsonObject[] {
  if (value === null || value === undefined) return [];
  const part = fields.part(value, name);
  if (part.type !== "Sequence") return [part];
  return fields.array(part[member], `${name}.${member}`).flatMap((inner, i) => partList(inner, `${name}.${member}[${i}]`, member, fields));
}

function common({ pieces, unused, specials, added, matching, merges, roles }: Read) {
  return {
    ...{ pieces, specials, merges },
    ...(added.length > 0 ? { added } : {}),
    ...(matching.length > 0 ? { matching } : {}),
    ...(unused.length > 0 ? { unused } : {}),
    ...roles,
  };
}

function bytesModel(
  normalizers: readonly JsonObject[],
  preTokenizers: readonly JsonObject[],
  read: Read,
  config: TokenizerConfig,
  fields: JsonFields,
): TokenizerModel {
  const byteLevel = preTokenizers.at(-1)!;
  const hasPrefix = fields.flag(byteLevel.add_prefix_space, "pre_tokenizer's add_prefix_space") ?? true;
  checkPrefix(hasPrefix, config, fields);
  const ownPattern = fields.flag(byteLevel.use_regex, "pre_tokenizer's use_regex") ?? true;
  const before = preTokenizers.slice(0, -1);
  const names = hasPrefix ? undefined : splitNames(before, fields);
  const cuts =
    names === undefined
      ? stepsOf(before, hasPrefix, ownPattern, fields)
      : patternsOf([...names, ...(ownPattern ? (["gpt2"] as const) : [])]);
  return {
    kind: "bytes",
    ...common(read),
    ...(normalizers.length === 0 ? {} : { normaliser: readNormaliser(normalizers, fields) }),
    ...cuts,
    ignoreMerges: fields.flag(read.model.ignore_merges, "model.ignore_merges") ?? false,
    ...(isNone(read.model.unk_token) && !hasAllBytes(read.pieces) && { lacksBytes: true }),
  };
}

/** Where a file names an unknown token of its model, that comes in the place of a byte without a piece, which cria does not do. */
function isNone(unknown: unknown): boolean {
  return unknown === null || unknown === undefined;
}

/** The names of the expressions, where the parts cut by published ones and nothing else. */
function splitNames(parts: readonly JsonObject[], fields: JsonFields): SplitName[] | undefined {
  const names = parts.map((part) => splitOf(part, fields));
  return names.every((name) => name !== undefined) ? names : undefined;
}

function patternsOf(names: readonly SplitName[]): Pick<BytesModel, "pattern" | "splitDigits"> {
  const splitDigits = names.length === 2 && names[0] === "digit";
  const patterns = splitDigits ? names.slice(1) : names;
  return { ...(patterns.length === 0 ? {} : { pattern: patterns.length === 1 ? patterns[0]! : patterns }), splitDigits };
}

function stepsOf(
  parts: readonly JsonObject[],
  hasPrefix: boolean,
  ownPattern: boolean,
  fields: JsonFields,
): Pick<BytesModel, "preTokeniser" | "splitDigits"> {
  const last: PreTokeniserStep[] = [
    ...(hasPrefix ? [{ type: "prefixSpace" } as const] : []),
    ...(ownPattern ? [{ type: "pattern", name: "gpt2" } as const] : []),
  ];
  return { preTokeniser: [...readPreTokeniser(parts, fields), ...last], splitDigits: false };
}

/** The published expression that a part cuts by, if it does so and leaves nothing out. */
function splitOf(part: JsonObject, fields: JsonFields): SplitName | undefined {
  if (part.type === "Digits" && fields.flag(part.individual_digits, "pre_tokenizer's individual_digits")) return "digit";
  const expression = isObject(part.pattern) ? part.pattern.Regex : undefined;
  const name = part.type === "Split" && typeof expression === "string" ? splitNameOf(expression) : undefined;
  if (name === undefined) return undefined;
  // What is no match is dropped in the other form, and these expressions leave nothing out.
  const invert = fields.flag(part.invert, "pre_tokenizer's invert") ?? false;
  const keepsMatches = part.behavior === "Removed" && invert && (wordPatterns as readonly SplitName[]).includes(name);
  return (part.behavior === "Isolated" && !invert) || keepsMatches ? name : undefined;
}

/** @throws CriaError where the configuration wants the space in front of a text that the file does not have, or the other way round. */
function checkPrefix(has: boolean, { addPrefixSpace, name }: TokenizerConfig, fields: JsonFields): void {
  if (addPrefixSpace === undefined || addPrefixSpace === has) return;
  fields.fail(
    `it puts ${has ? "a" : "no"} space in front of a text, but ${name} has add_prefix_space ${addPrefixSpace}: correct one of them`,
  );
}

function wordMarkOf([first, ...others]: readonly JsonObject[]): string | undefined {
  const isOurs = others.length === 0 && first?.type === "Replace" && isObject(first.pattern) && first.pattern.Regex === wordEndPattern;
  return isOurs && typeof first.content === "string" ? first.content : undefined;
}

function wordModel(mark: string, decoder: unknown, read: Read, fields: JsonFields): TokenizerModel {
  const isOurs = wordDecoders(mark).some((known) => sameJson(known, decoder));
  if (!isOurs) refuse("decoder", fields.object(decoder, "decoder"), fields);
  const normalized = read.matching.find((rule) => rule.normalized);
  if (normalized !== undefined)
    fields.fail(`added token "${read.pieces[normalized.id]}" is normalized, which the word kind does not support: set it to false`);
  const pieces = read.pieces.map((piece) => unmarkedPiece(piece, mark));
  const unkId = unkIdOf(read, undefined, fields);
  if (unkId === undefined) fields.fail("model.unk_token must be a string, but it is null: the word kind needs one");
  return { kind: "word", ...common(read), pieces, unkId };
}

function sentencePieceModel(
  normalizers: readonly JsonObject[],
  preTokenizers: readonly JsonObject[],
  read: Read,
  config: TokenizerConfig,
  fields: JsonFields,
): TokenizerModel {
  const { model, ids } = read;
  const byteFallback = fields.flag(model.byte_fallback, "model.byte_fallback") ?? false;
  const fusesUnknown = fields.flag(model.fuse_unk, "model.fuse_unk") ?? false;
  const ignoreMerges = fields.flag(model.ignore_merges, "model.ignore_merges") ?? false;
  const continuingPrefix = affixOf(model, "continuing_subword_prefix", fields);
  const wordSuffix = affixOf(model, "end_of_word_suffix", fields);
  const text = textOf(normalizers, preTokenizers, fields);
  checkPrefix(hasPrefix(text), config, fields);
  const unkId = unkIdOf(read, config.named.get("unk_token")?.content, fields);
  const knowsAllBytes = byteFallback && bytePieces().every((piece) => ids.get(piece) !== undefined);
  if (unkId === undefined && !knowsAllBytes && (fusesUnknown || byteFallback))
    fields.fail(`model.unk_token is null, ${config.name} names no unk_token, and not all 256 bytes have pieces: name the unknown token`);
  return {
    kind: "sentencepiece",
    ...common({ ...read, matching: matchingInVocabulary(read) }),
    ...text,
    byteFallback,
    ...(byteFallback || fusesUnknown ? {} : { fusesUnknown }),
    ...(ignoreMerges ? { ignoreMerges } : {}),
    ...(continuingPrefix === undefined ? {} : { continuingPrefix }),
    ...(wordSuffix === undefined ? {} : { wordSuffix }),
    ...(unkId === undefined ? {} : { unkId }),
  };
}

/** The unigram model of SentencePiece as this file has it: other sums, and the steps of its own pipeline. */
function unigramModel(
  normalizers: readonly JsonObject[],
  preTokenizers: readonly JsonObject[],
  read: Read,
  config: TokenizerConfig,
  fields: JsonFields,
): UnigramModel {
  const { model } = read;
  const steps = readTextSteps(normalizers, preTokenizers, fields);
  checkPrefix(hasPrefix({ ...steps, dummyPrefix: "never", prefixBeforeSpace: false }), config, fields);
  const matching = matchingOfUnigram(read);
  const { merges: _, matching: __, ...parts } = common(read);
  return {
    kind: "unigram",
    ...parts,
    ...(matching.length === 0 ? {} : { matching }),
    ...(steps.normaliser.length === 0 ? {} : { normaliser: steps.normaliser }),
    ...(steps.preTokeniser.length === 0 ? {} : { preTokeniser: steps.preTokeniser }),
    scores: unigramScores(read, fields),
    sums: "float64",
    unkId: unigramUnknown(read, fields),
    byteFallback: fields.flag(model.byte_fallback, "model.byte_fallback") ?? false,
    escapesSpaces: false,
  };
}

/** The rules, with those added tokens that the vocabulary has, too. */
function matchingOfUnigram({ ids, added, matching }: Read): PieceMatching[] {
  const rules = new Map(matching.map((rule) => [rule.id, rule]));
  for (const id of added.filter((one) => ids.isOwn(one))) rules.set(id, { ...rules.get(id), id, inVocabulary: true });
  return [...rules.values()].sort((a, b) => a.id - b.id);
}

function unigramUnknown({ model, ids }: Read, fields: JsonFields): number {
  if (model.unk_id === null || model.unk_id === undefined)
    fields.fail("model.unk_id is null, and a character without a piece needs the unknown token: name it");
  const unkId = fields.id(model.unk_id, "model.unk_id");
  if (!ids.isOwn(unkId)) fields.fail(`model.unk_id is ${unkId}, but model.vocab has ${ids.ownSize} pieces: it is damaged`);
  return unkId;
}

/** The scores by id. A token that the vocabulary lacks gets the highest, because an unknown costs less than the lowest. */
function unigramScores({ model, pieces }: Read, fields: JsonFields): number[] {
  const scores = fields.array(model.vocab, "model.vocab").map((row) => Number(fields.array(row, "a row of model.vocab")[1]));
  const highest = scores.reduce((top, score) => Math.max(top, score), Number.NEGATIVE_INFINITY);
  return pieces.map((_, id) => scores[id] ?? highest);
}

/** The rules, with those added tokens that are a character of the vocabulary too. */
function matchingInVocabulary({ pieces, ids, specials, added, matching }: Read): PieceMatching[] {
  const isBoth = (id: number) => ids.isOwn(id) && Array.from(pieces[id]!).length === 1;
  return [...specials, ...added]
    .sort((a, b) => a - b)
    .map((id) => ({ id, ...matching.find((rule) => rule.id === id), ...(isBoth(id) ? { inVocabulary: true } : {}) }))
    .filter((rule) => Object.keys(rule).length > 1);
}

function bytePieces(): string[] {
  return Array.from({ length: 256 }, (_, byte) => byteFallbackPiece(byte));
}

type TextPart = Pick<SentencePieceModel, "dummyPrefix" | "prefixBeforeSpace" | "escapesSpaces" | "normaliser" | "preTokeniser">;

function hasPrefix({ dummyPrefix, normaliser = [], preTokeniser = [] }: TextPart): boolean {
  const isPrefix = (step: NormaliserStep | PreTokeniserStep) =>
    (step.type === "prepend" && step.text === spaceMark) ||
    (step.type === "metaspace" && step.prefix !== "never") ||
    (step.type === "sentencepiece" && step.dummySpace === "front");
  return dummyPrefix !== "never" || [...normaliser, ...preTokeniser].some(isPrefix);
}

/** How a text is prepared: in one of LLaMA's own forms, which are fast, or step by step. */
function textOf(normalizers: readonly JsonObject[], preTokenizers: readonly JsonObject[], fields: JsonFields): TextPart {
  const [metaspace] = preTokenizers;
  if (metaspace?.type === "Metaspace" && normalizers.length === 0 && preTokenizers.length === 1) {
    const plain = metaspacePrefix(metaspace, fields);
    if (plain !== undefined) return plain;
  }
  if (preTokenizers.length === 0) {
    const own = sentencePieceNormaliser(normalizers);
    if (own !== undefined) return { normaliser: own, dummyPrefix: "never", prefixBeforeSpace: true };
    const plain = markPrefix(normalizers);
    if (plain !== undefined) return plain;
  }
  const { normaliser, preTokeniser } = readTextSteps(normalizers, preTokenizers, fields);
  return {
    ...(normalizers.length === 0 ? {} : { normaliser }),
    ...(preTokenizers.length === 0 ? {} : { preTokeniser }),
    ...{ escapesSpaces: false, dummyPrefix: "never", prefixBeforeSpace: false },
  };
}

/** ▁ for the space, and perhaps in front, and nothing else. */
function markPrefix(normalizers: readonly JsonObject[]): TextPart | undefined {
  const isPrepend = (part: JsonObject) => part.type === "Prepend" && part.prepend === spaceMark;
  const isReplace = (part: JsonObject) =>
    part.type === "Replace" && isObject(part.pattern) && part.pattern.String === " " && part.content === spaceMark;
  const isPlain = normalizers.every((part) => isPrepend(part) || isReplace(part)) && normalizers.filter(isPrepend).length < 2;
  if (!isPlain || !normalizers.some(isReplace)) return undefined;
  return { dummyPrefix: normalizers.some(isPrepend) ? "each" : "never", prefixBeforeSpace: true };
}

/** A ▁ in front and no cutting; undefined for other forms. With split, which is their default, words end before every ▁, runs of spaces too. */
function metaspacePrefix(part: JsonObject, fields: JsonFields): TextPart | undefined {
  const scheme = metaspaceScheme(part, "pre_tokenizer", fields);
  if (scheme === undefined || (fields.flag(part.split, "pre_tokenizer's split") ?? true)) return undefined;
  return { dummyPrefix: scheme === "always" ? "each" : scheme, prefixBeforeSpace: false };
}

/** transformers 5 leaves the model's own null and names the token in tokenizer_config.json only. */
function unkIdOf({ model, ids }: Vocabulary, named: string | undefined, fields: JsonFields): number | undefined {
  const unk = model.unk_token === null || model.unk_token === undefined ? named : fields.string(model.unk_token, "model.unk_token");
  if (unk === undefined) return undefined;
  return ids.get(unk) ?? fields.fail(`model.unk_token is ${quote(unk)}, which is not in the vocabulary`);
}

function refuse(place: string, part: JsonObject, fields: JsonFields): never {
  return fields.fail(`${place} ${JSON.stringify(part).slice(0, 200)} is not supported`);
}
