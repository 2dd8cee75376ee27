// The vocabulary in a GGUF's metadata (ggml-org/llama.cpp, src/llama-vocab.cpp): the kinds `llama` (SentencePiece's byte pair encoding) and `gpt2`
// (byte-level), in and out.

import { check, fail, type Sliced, Texts, wholly } from "../base/index.ts";
import {
  type BytesModel,
  createTokenizer,
  fallbackPieces,
  hasAllBytes,
  type Merges,
  mergePairs,
  mergesOf,
  type PieceMatching,
  PieceTable,
  type SentencePieceModel,
  scoresOf,
  type TextTemplate,
  type TokenizerModel,
} from "../tokenizer/index.ts";
import type { GgufType } from "./gguf-cursor.ts";
import { type GgufScalar, type GgufValue, ggufBytes } from "./gguf-metadata.ts";
import { characterPres, cutsOf, type Pre, preOf, pres } from "./gguf-pre.ts";
import { quote, sameJson } from "./json.ts";
import { ownForm } from "./own-form.ts";

const where = "gguf";
const prefix = "tokenizer.ggml.";

/** The kinds of piece, by their numbers there. */
const pieceTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/** Pieces or merges between two places where others may get on: less than a millisecond. */
const perSlice = 4096;

type Pairs = ReadonlyMap<string, GgufValue>;

/**
 * The vocabulary that a GGUF's metadata holds. As in llama.cpp a space goes in front of every stretch of text behind a special piece, and
 * user-defined pieces are found in any text.
 * @param name for messages
 * @param onWarning hears a sentence where the file does not say how a text is cut
 * @throws CriaError naming what is missing, wrong or not supported
 */
export function ggufTokenizerModel(
  pairs: Pairs,
  name = "the GGUF file",
  onWarning: (warning: string) => void = () => undefined,
): TokenizerModel {
  return wholly(readGgufTokenizer(pairs, name, onWarning));
}

/** {@link ggufTokenizerModel} in slices: a vocabulary takes some tens of milliseconds. */
export function* readGgufTokenizer(pairs: Pairs, name: string, onWarning: (warning: string) => void): Sliced<TokenizerModel> {
  const fields = new Fields(pairs, name);
  const kind = fields.text("model") ?? fields.fail(`it has no ${prefix}model: it holds no vocabulary, name a tokenizer's file`);
  if (kind === "llama") return llamaModel(fields);
  return kind === "gpt2"
    ? yield* gpt2Model(fields, onWarning)
    : fields.fail(`its ${prefix}model is ${quote(kind)}: only llama and gpt2 are supported`);
}

/** Values under `tokenizer.ggml.`, each of the kind that is asked for. */
class Fields {
  readonly #pairs: Pairs;
  readonly name: string;

  constructor(pairs: Pairs, name: string) {
    this.#pairs = pairs;
    this.name = name;
  }

  fail(message: string): never {
    return fail(where, `${this.name}: ${message}`);
  }

  /** A text of the whole file's. */
  general(key: string): string {
    const value = this.#pairs.get(`general.${key}`)?.value;
    return typeof value === "string" ? value : "";
  }

  text(key: string): string | undefined {
    return this.#scalar(key, "string", "a text");
  }

  flag(key: string): boolean | undefined {
    return this.#scalar(key, "boolean", "a bool");
  }

  id(key: string, size: number): number | undefined {
    const id = this.#scalar<number>(key, "number", "a number");
    if (id === undefined || id === 0xffffffff || id === -1) return undefined; // how some files say that there is none
    return Number.isInteger(id) && id >= 0 && id < size
      ? id
      : this.fail(`${prefix}${key} is ${id}, but there are ${size} pieces: it is damaged`);
  }

  texts(key: string): Texts | undefined {
    const value = this.#pairs.get(prefix + key)?.value;
    if (value === undefined) return undefined;
    const texts = typeof value === "object" ? value.values : undefined;
    if (texts instanceof Texts) return texts;
    return isListOf(texts, isText) ? Texts.of(texts) : this.fail(`${prefix}${key} must be a list of texts`);
  }

  numbers(key: string, length: number): ArrayLike<number> | undefined {
    const values = this.#numbers(key);
    if (values !== undefined && values.length !== length)
      this.fail(`${prefix}${key} has ${values.length} numbers for ${length} pieces: there must be one each`);
    return values;
  }

  #scalar<T extends GgufScalar>(key: string, type: string, what: string): T | undefined {
    const value = this.#pairs.get(prefix + key)?.value;
    if (value === undefined) return undefined;
    return typeof value === type
      ? (value as T)
      : this.fail(`${prefix}${key} must be ${what}, but it is of the type ${this.#pairs.get(prefix + key)!.type}`);
  }

  #numbers(key: string): ArrayLike<number> | undefined {
    const value = this.#pairs.get(prefix + key)?.value;
    if (value === undefined) return undefined;
    const values = typeof value === "object" ? value.values : undefined;
    if (ArrayBuffer.isView(values)) return values;
    return isListOf(values, isNumber) ? values : this.fail(`${prefix}${key} must be a list of numbers`);
  }
}

function isListOf<T>(values: unknown, isRight: (value: unknown) => value is T): values is readonly T[] {
  return Array.isArray(values) && values.every(isRight);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function textsOfPieces(fields: Fields): Texts {
  const texts = fields.texts("tokens") ?? fields.fail(`it has no ${prefix}tokens: it holds no vocabulary, name a tokenizer's file`);
  return texts.length > 0 ? texts : fields.fail(`${prefix}tokens is empty: it is damaged`);
}

interface Common {
  readonly pieces: readonly string[];
  /** How many there are with padding. */
  readonly padded: number;
  /** The ids of the pieces of any type but the normal one. */
  readonly ofType: (type: number) => readonly number[];
  readonly parts: Pick<TokenizerModel, "specials" | "added" | "matching" | "bosId" | "eosId" | "padId" | "template">;
}

/** @param addsBos whether a begin-of-text piece goes in front where the file does not say */
function common(fields: Fields, addsBos: boolean): Common {
  const all = textsOfPieces(fields).list();
  const types = fields.numbers("token_type", all.length) ?? new Uint8Array(all.length).fill(pieceTypes.normal);
  const count = unpadded(all, types);
  const pieces = count === all.length ? all : all.slice(0, count);
  const special = idsByType(types, pieces.length);
  const odd = Math.min(...[...special].filter(([type]) => !isPieceType(type)).map(([, ids]) => ids[0]!));
  if (odd < Number.POSITIVE_INFINITY)
    fields.fail(`piece ${odd}, ${quote(pieces[odd]!)}, has the type ${types[odd]}, which cria does not know`);
  const ofType = (type: number) => special.get(type) ?? [];
  const [bosId, eosId, padId] = ["bos_token_id", "eos_token_id", "padding_token_id"].map((key) => fields.id(key, pieces.length));
  const specials = [...ofType(pieceTypes.control), ...ofType(pieceTypes.unknown)].sort((a, b) => a - b);
  const added = ofType(pieceTypes.userDefined);
  const matching = matchingOf(fields, pieces, [...specials, ...added]);
  const roles = { bosId, eosId, padId, template: templateOf(fields, addsBos, bosId, eosId) };
  const parts = {
    specials,
    ...(added.length === 0 ? {} : { added }),
    ...(matching.length === 0 ? {} : { matching }),
    ...Object.fromEntries(Object.entries(roles).filter(([, value]) => value !== undefined)),
  };
  return { pieces, padded: all.length, ofType, parts };
}

/** The name of the piece that llama.cpp's converters put in the place of a row without one, as unused, where a model is padded. */
export function paddingPiece(id: number): string {
  return `[PAD${id}]`;
}

/** How many pieces there are without padding at the end, which is the model's and not the tokenizer's. */
function unpadded(pieces: readonly string[], types: ArrayLike<number>): number {
  let count = pieces.length;
  while (count > 0 && types[count - 1] === pieceTypes.unused && pieces[count - 1] === paddingPiece(count - 1)) count--;
  return count;
}

/** Type → the ids of the first pieces of it, but for the normal type, which most pieces are of. */
function idsByType(types: ArrayLike<number>, count: number): Map<number, number[]> {
  const ids = new Map<number, number[]>();
  for (let id = 0; id < count; id++) {
    const type = types[id]!;
    if (type === pieceTypes.normal) continue;
    const known = ids.get(type);
    if (known === undefined) ids.set(type, [id]);
    else known.push(id);
  }
  return ids;
}

function isPieceType(type: number): boolean {
  return Object.values<number>(pieceTypes).includes(type);
}

function templateOf(fields: Fields, addsBos: boolean, bosId: number | undefined, eosId: number | undefined): TextTemplate | undefined {
  const one = (adds: boolean, id: number | undefined) => (adds && id !== undefined ? [id] : []);
  const before = one(fields.flag("add_bos_token") ?? addsBos, bosId);
  const after = one(fields.flag("add_eos_token") ?? false, eosId);
  return before.length + after.length === 0 ? undefined : { before, after };
}

/** llama.cpp knows by a model's name which special pieces take the white space behind them along. */
function matchingOf(fields: Fields, pieces: readonly string[], ids: readonly number[]): PieceMatching[] {
  if (!/phi-?3/.test(fields.general("name").toLowerCase())) return [];
  return ids.filter((id) => !["<unk>", "<s>", "<|endoftext|>"].includes(pieces[id]!)).map((id) => ({ id, rstrip: true }));
}

function llamaModel(fields: Fields): SentencePieceModel {
  const { pieces, padded, ofType, parts } = common(fields, true);
  const scores = fields.numbers("scores", padded) ?? fields.fail(`it has no ${prefix}scores, which the kind llama needs`);
  const unkId = fields.id("unknown_token_id", pieces.length) ?? ofType(pieceTypes.unknown)[0];
  const hasPrefix = fields.flag("add_space_prefix") ?? true;
  return {
    kind: "sentencepiece",
    pieces,
    scores: listOf(scores, pieces.length),
    ...parts,
    ...(unkId === undefined ? {} : { unkId }),
    byteFallback: fallbackPieces(pieces).size === 256,
    dummyPrefix: hasPrefix ? "each" : "never",
    prefixBeforeSpace: true,
  };
}

/** The engine copies a typed array into a list in ten times the time. */
function listOf(numbers: ArrayLike<number>, count: number): number[] {
  const list: number[] = [];
  for (let i = 0; i < count; i++) list.push(numbers[i]!);
  return list;
}

function* gpt2Model(fields: Fields, onWarning: (warning: string) => void): Sliced<BytesModel> {
  const pre = readPre(fields, onWarning);
  const { pieces, ofType, parts } = common(fields, pre.addsBos ?? false);
  yield;
  const unused = ofType(pieceTypes.unused);
  const lacksBytes = !hasAllBytes(pieces);
  return {
    kind: "bytes",
    pieces,
    merges: yield* readMerges(fields),
    ...parts,
    ...(unused.length === 0 ? {} : { unused }),
    ...cutsOf(pre),
    ignoreMerges: pre.ignoreMerges ?? false,
    ...(lacksBytes && { lacksBytes }),
  };
}

/** A file without a name is cut by `default`, as in llama.cpp, and as there this is said. */
function readPre(fields: Fields, onWarning: (warning: string) => void): Pre {
  const name = fields.text("pre");
  if (name === undefined)
    onWarning(
      `[${where}] ${fields.name}: it has no ${prefix}pre, which says how a text is cut into words, and is read as "default": other ids than the model was trained with may come of it; convert the model again`,
    );
  if (name !== undefined && characterPres.includes(name))
    return fields.fail(
      `its ${prefix}pre is ${quote(name)}, whose pieces are characters and not bytes: open the model's tokenizer.json instead`,
    );
  const names = pres.flatMap((pre) => pre.names);
  return preOf(name ?? "default") ?? fields.fail(`its ${prefix}pre is ${quote(name ?? "")}: only ${names.join(", ")} are supported`);
}

/** A merge is two pieces with a space between; the pieces are bytes in GPT-2's alphabet, which has no space. */
function* readMerges(fields: Fields): Sliced<Merges> {
  const pieces = yield* tableOf(textsOfPieces(fields));
  const texts = fields.texts("merges") ?? fields.fail(`it has no ${prefix}merges, which the kind gpt2 needs`);
  const merges = new Int32Array(2 * texts.length);
  const { bytes, spans } = texts;
  for (let rank = 0; rank < texts.length; rank++) {
    const start = spans[2 * rank]!;
    const end = spans[2 * rank + 1]!;
    const space = spaceIn(bytes, start, end);
    const left = pieces.find(bytes, start, space);
    const right = space < end ? pieces.find(bytes, space + 1, end) : -1;
    if (left < 0 || right < 0 || spaceIn(bytes, space + 1, end) < end) {
      const merge = new TextDecoder().decode(bytes.subarray(start, end));
      fields.fail(`merge ${rank}, ${quote(merge)}, must be two pieces of the vocabulary: it is damaged`);
    }
    merges[2 * rank] = left;
    merges[2 * rank + 1] = right;
    if (rank % perSlice === 0) yield;
  }
  return merges;
}

function* tableOf({ bytes, spans, length }: Texts): Sliced<PieceTable> {
  const table = new PieceTable(length, bytes);
  for (let id = 0; id < length; id++) {
    table.add(id, spans[2 * id]!, spans[2 * id + 1]!);
    if (id % perSlice === 0) yield;
  }
  return table;
}

/** Where the first space of a stretch stands, or the stretch's end. */
function spaceIn(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== 0x20) at++;
  return at;
}

/**
 * The vocabulary as metadata, for llama.cpp and its relatives to give the same ids.
 * @throws CriaError naming what these cannot say
 */
export function ggufTokenizerPairs(model: TokenizerModel): Map<string, GgufValue> {
  createTokenizer(model); // throws when the model contradicts itself
  if (model.kind === "sentencepiece") return pairsOf(model, llamaPairs(model));
  if (model.kind === "bytes") return pairsOf(model, gpt2Pairs(model));
  return fail(where, `a tokenizer of the kind ${model.kind} has no form in a GGUF that keeps its ids: write a ${ownForm(model)}`);
}

/** The bytes of a GGUF that holds the vocabulary and no tensors. @throws CriaError as {@link ggufTokenizerPairs} */
export function ggufTokenizerBytes(model: TokenizerModel): Uint8Array {
  const head = [
    ["general.architecture", { type: "text", value: "llama" }] as const,
    ["general.type", { type: "text", value: "model" }] as const,
  ];
  return ggufBytes(new Map<string, GgufValue>([...head, ...ggufTokenizerPairs(model)]));
}

function pairsOf(model: SentencePieceModel | BytesModel, kind: readonly [string, GgufValue][]): Map<string, GgufValue> {
  const { pieces, bosId, eosId, padId, unkId, template } = model;
  const { before = [], after = [] } = template ?? {};
  const around = [...before.filter((id) => id !== bosId), ...after.filter((id) => id !== eosId)];
  check(
    around.length === 0 && before.length < 2 && after.length < 2,
    where,
    () => `the pieces around a text are ${JSON.stringify(template)}, but a GGUF can only say the begin-of-text and the end-of-text piece`,
  );
  const ids = { bos_token_id: bosId, eos_token_id: eosId, padding_token_id: padId, unknown_token_id: unkId };
  return new Map<string, GgufValue>([
    ...kind,
    [`${prefix}tokens`, list("text", pieces)],
    [`${prefix}token_type`, list("i32", typesOf(model))],
    ...Object.entries(ids).flatMap(([key, id]) => (id === undefined ? [] : [scalar(key, "u32", id)])),
    scalar("add_bos_token", "bool", before.length > 0),
    scalar("add_eos_token", "bool", after.length > 0),
  ]);
}

function scalar(key: string, type: GgufType, value: GgufScalar): [string, GgufValue] {
  return [prefix + key, { type, value }];
}

function list(type: GgufType, values: readonly GgufScalar[]): GgufValue {
  return { type: "array", value: { type, values } };
}

function typesOf(model: SentencePieceModel | BytesModel): number[] {
  const [specials, added, unused] = [model.specials, model.added ?? [], model.unused ?? []].map((ids) => new Set(ids));
  const hasBytes = model.kind === "sentencepiece" && model.byteFallback;
  return model.pieces.map((piece, id) => {
    if (id === model.unkId) return pieceTypes.unknown;
    if (specials!.has(id)) return pieceTypes.control;
    if (added!.has(id)) return pieceTypes.userDefined;
    if (unused!.has(id)) return pieceTypes.unused;
    return hasBytes && /^<0x[0-9A-F]{2}>$/.test(piece) ? pieceTypes.byte : pieceTypes.normal;
  });
}

/** @throws CriaError for what llama.cpp does not do with a text. */
function refuseOthers(model: SentencePieceModel | BytesModel): void {
  const refuse = (what: string): never => fail(where, `${what} has no form in a GGUF that keeps its ids: write a tokenizer.json`);
  if (model.normaliser !== undefined) refuse(`the normaliser (${model.normaliser.map(({ type }) => type).join(", ")})`);
  if (model.kind === "sentencepiece" && model.preTokeniser !== undefined) refuse("the pre-tokenizer");
  const rule = (model.matching ?? []).find(({ id: _, ...flags }) => !isHarmless(model, flags));
  if (rule !== undefined) refuse(`how the piece ${JSON.stringify(model.pieces[rule.id])} is found (${JSON.stringify(rule)})`);
}

/** Whether a piece is found where it is spelt, whatever its rule says: where there is no normaliser, `normalized` says nothing. */
function isHarmless({ kind }: SentencePieceModel | BytesModel, flags: Omit<PieceMatching, "id">): boolean {
  return Object.keys(flags).every((flag) => kind === "bytes" && flag === "normalized");
}

function llamaPairs(model: SentencePieceModel): [string, GgufValue][] {
  refuseOthers(model);
  const {
    dummyPrefix,
    prefixBeforeSpace,
    byteFallback,
    escapesSpaces = true,
    fusesUnknown = true,
    ignoreMerges = false,
    unused = [],
  } = model;
  const refuse = (what: string): never => fail(where, `${what} has no form in a GGUF that keeps its ids: write a tokenizer.json`);
  if (!prefixBeforeSpace && dummyPrefix !== "never") refuse("a space in front only of texts that begin with none");
  if (!escapesSpaces) refuse("a piece with a plain space");
  if (ignoreMerges || (!fusesUnknown && !byteFallback)) refuse("ignore_merges, or an unknown piece for every character of a run,");
  if (!byteFallback) refuse("a vocabulary without the 256 bytes");
  if (unused.length > 0 && model.scores !== undefined) refuse("an unused piece, which is taken apart again,");
  if (dummyPrefix === "first") refuse("a space in front of the first stretch of a text only");
  return [
    scalar("model", "text", "llama"),
    scalar("pre", "text", "default"),
    [`${prefix}scores`, list("f32", scoresOf(model))],
    scalar("add_space_prefix", "bool", dummyPrefix !== "never"),
  ];
}

function gpt2Pairs(model: BytesModel): [string, GgufValue][] {
  refuseOthers(model);
  const own = { pattern: [model.pattern ?? []].flat(), splitDigits: model.splitDigits, preTokeniser: model.preTokeniser ?? [] };
  const isSame = (pre: Pre) => {
    const { pattern = [], splitDigits, preTokeniser = [] } = cutsOf(pre);
    return sameJson({ pattern: [pattern].flat(), splitDigits, preTokeniser }, own) && (pre.ignoreMerges ?? false) === model.ignoreMerges;
  };
  const pre = pres.find(isSame);
  if (pre === undefined) {
    const cuts = [...(model.splitDigits ? ["digit"] : []), ...own.pattern, ...own.preTokeniser.map(({ type }) => type)];
    return fail(
      where,
      `a text cut by ${cuts.join(", ") || "nothing"}, ${model.ignoreMerges ? "with" : "without"} ignore_merges, has no name in a GGUF: write a tokenizer.json`,
    );
  }
  const merges = mergePairs(mergesOf(model)).map(([left, right]) => `${model.pieces[left]} ${model.pieces[right]}`);
  return [scalar("model", "text", "gpt2"), scalar("pre", "text", pre.names[0]!), [`${prefix}merges`, list("text", merges)]];
}
