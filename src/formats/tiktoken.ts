// Files of ranks (openai/tiktoken, load.py; Meta's tokenizer.model of LLaMA 3 and 4): a line for every piece, its bytes in base64 and its rank,
// which is its id. What cuts a text and which pieces are special is in no such file: it goes by the number of ranks.

import { check, fail } from "../base/index.ts";
import {
  type BytesModel,
  byteLevelBytes,
  countRanks,
  createTokenizer,
  levelPieces,
  type SplitName,
  type TokenizerModel,
  unusedPiece,
} from "../tokenizer/index.ts";
import { base64Of } from "./base64.ts";
import { quote } from "./json.ts";
import { ownForm } from "./own-form.ts";

const where = "tiktoken";

/** What goes with a file of ranks. */
export interface TiktokenKind {
  readonly pattern: SplitName | readonly SplitName[];
  /** Every \p{N} stands alone. @default false */
  readonly splitDigits?: boolean;
  /** Special pieces with their ids, which lie above all ranks. */
  readonly specials: readonly (readonly [piece: string, id: number])[];
  readonly bos?: string;
  readonly eos?: string;
  readonly pad?: string;
}

const endOfText = "<|endoftext|>";

/** Number of ranks → what goes with them: openai/tiktoken, openai_public.py; meta-llama/llama-models, models/llama3/ and llama4/tokenizer.py. */
export const kindsByRanks: ReadonlyMap<number, TiktokenKind> = new Map<number, TiktokenKind>([
  [50256, { pattern: "gpt2", specials: [[endOfText, 50256]], eos: endOfText }],
  [100256, { pattern: "llama3", specials: cl100kSpecials(), eos: endOfText }],
  [
    199998,
    {
      pattern: "o200k",
      specials: [
        [endOfText, 199999],
        ["<|endofprompt|>", 200018],
      ],
      eos: endOfText,
    },
  ],
  [128000, llama("llama3", 128000, llama3Specials(), "<|finetune_right_pad_id|>")],
  [200000, llama("o200k", 200000, llama4Specials(), "<|finetune_right_pad|>")],
]);

function cl100kSpecials(): [string, number][] {
  return [
    [endOfText, 100257],
    ["<|fim_prefix|>", 100258],
    ["<|fim_middle|>", 100259],
    ["<|fim_suffix|>", 100260],
    ["<|endofprompt|>", 100276],
  ];
}

function llama(pattern: SplitName, ranks: number, specials: readonly string[], pad: string): TiktokenKind {
  return { pattern, specials: specials.map((piece, i) => [piece, ranks + i]), bos: "<|begin_of_text|>", eos: "<|end_of_text|>", pad };
}

function reserved(count: number, name = "", from = 0): string[] {
  return Array.from({ length: count }, (_, i) => `<|${name}reserved_special_token_${from + i}|>`);
}

function llama3Specials(): string[] {
  const named = ["<|finetune_right_pad_id|>", "<|step_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>"];
  const first = ["<|begin_of_text|>", "<|end_of_text|>", ...reserved(2), ...named, "<|python_tag|>", "<|image|>"];
  return [...first, ...reserved(256 - first.length, "", 2)];
}

function llama4Specials(): string[] {
  const basic = ["<|begin_of_text|>", "<|end_of_text|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"];
  const text = ["<|header_start|>", "<|header_end|>", "<|eom|>", "<|eot|>", "<|step|>", ...reserved(6, "text_post_train_")];
  const more = ["<|python_start|>", "<|python_end|>", "<|finetune_right_pad|>", ...reserved(61, "text_post_train_", 8)];
  const tiles = ["<|tile_x_separator|>", "<|tile_y_separator|>", ...reserved(4, "vision_", 2)];
  const image = [
    "<|image_start|>",
    "<|image_end|>",
    ...reserved(2, "vision_"),
    ...tiles,
    "<|image|>",
    ...reserved(1, "vision_", 6),
    "<|patch|>",
  ];
  const thinking = [...reserved(8, "reasoning_"), "<|reasoning_thinking_start|>", "<|reasoning_thinking_end|>"];
  const all = [...basic, ...text, ...more, ...image, ...reserved(1041, "vision_", 7), ...thinking];
  return [...all, ...reserved(2048 - all.length)];
}

/** Whether the bytes look like a file of ranks, by their first line. */
export function isTiktoken(bytes: Uint8Array): boolean {
  return /^[A-Za-z0-9+/]+={0,2} \d+\r?(\n|$)/.test(String.fromCharCode(...bytes.subarray(0, 256)));
}

/** No vocabulary comes near it; the largest known has 262,144 pieces. */
const mostRanks = 1 << 21;

/**
 * The byte-level model in a file of ranks: words that are pieces are taken whole, in others the pair of the lowest rank merges first.
 * @param kindOf what goes with so many ranks; absent: by their number, for those of GPT-2, cl100k, o200k, LLaMA 3 and 4
 * @throws CriaError when the file is damaged, or its kind is not known
 */
export function readTiktoken(bytes: Uint8Array, name = "the file of ranks", kindOf?: (ranks: number) => TiktokenKind): BytesModel {
  const ranks = readRanks(bytes, name);
  const known = (kindOf ?? ((count) => kindsByRanks.get(count)))(ranks.pieces.length);
  if (known === undefined)
    return fail(
      where,
      `${name}: it has ${ranks.pieces.length} ranks, and no known kind has so many (${[...kindsByRanks.keys()].join(", ")}): say which split pattern and special pieces go with it, by making a tokenizer.json of it`,
      { ways: ["pattern", "special"] },
    );
  return modelOf(ranks, known, name);
}

/** Pieces and their ranks, in the order of the file. */
interface Ranks {
  readonly pieces: readonly string[];
  readonly ids: Int32Array;
}

function readRanks(bytes: Uint8Array, name: string): Ranks {
  const decoded = new Uint8Array(bytes.length);
  const spans = new Int32Array(2 * Math.ceil(bytes.length / leastLine));
  const ids = new Int32Array(spans.length / 2);
  const taken = new Uint8Array(mostRanks);
  let [count, size] = [0, 0];
  eachRank(bytes, name, (from, to, id) => {
    const end = writeBase64(bytes, from, to, decoded, size);
    if (end < 0) return "does not begin with base64";
    if (end === size || id >= mostRanks || taken[id] === 1) return emptyOrTwice;
    taken[id] = 1;
    ids[count] = id;
    spans[2 * count] = size;
    spans[2 * count + 1] = end;
    size = end;
    count++;
    return undefined;
  });
  check(count > 0, where, () => `${name}: it holds no ranks: it is damaged or of another kind`);
  const pieces = levelPieces(decoded, spans.subarray(0, 2 * count));
  if (new Set(pieces).size < count) refuseTwice(bytes, name, pieces);
  return { pieces, ids };
}

const emptyOrTwice = "has an empty piece, or a piece or a rank that another line has";

/** @throws CriaError naming the first line that has a piece of an earlier one */
function refuseTwice(bytes: Uint8Array, name: string, pieces: readonly string[]): void {
  const known = new Set<string>();
  eachRank(bytes, name, () => {
    const count = known.size;
    return known.add(pieces[count]!).size === count ? emptyOrTwice : undefined;
  });
}

/**
 * Goes through a file of ranks, which is a line per piece: base64, a space and a number.
 * @param each takes where the base64 begins and ends, and the rank, and answers with what is wrong with the line
 * @throws CriaError naming the first line that is wrong
 */
function eachRank(bytes: Uint8Array, name: string, each: (from: number, to: number, rank: number) => string | undefined): void {
  for (let at = 0, line = 1; at < bytes.length; line++) {
    const end = endOfLine(bytes, at);
    const last = withoutWhite(bytes, at, end);
    if (last > at) {
      const space = bytes.indexOf(0x20, at);
      const rank = space < 0 || space >= last ? -1 : rankOf(bytes, space + 1, last);
      const isLine = rank >= 0 && last - at <= mostLine;
      const problem = isLine ? each(at, space, rank) : "must be a piece in base64 and its rank";
      if (problem !== undefined) {
        const shown = String.fromCharCode(...bytes.subarray(at, Math.min(last, at + mostLine)));
        fail(where, `${name}: line ${line}, ${quote(shown)}, ${problem}: the file is damaged`);
      }
    }
    at = end + 1;
  }
}

/** Bytes of the shortest line: a byte in base64, a space, a digit and a line end, which the last line may lack. */
const leastLine = 6;
/** Bytes of a line; the longest piece known takes 200. */
const mostLine = 1 << 14;

function endOfLine(bytes: Uint8Array, from: number): number {
  let end = from;
  while (end < bytes.length && bytes[end] !== 0x0a) end++;
  return end;
}

function withoutWhite(bytes: Uint8Array, from: number, to: number): number {
  let end = to;
  while (end > from && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0x0d || bytes[end - 1] === 0x09)) end--;
  return end;
}

/** A whole number of one to eight digits, or -1. */
function rankOf(bytes: Uint8Array, from: number, to: number): number {
  if (from === to || to - from > 8) return -1;
  let rank = 0;
  for (let i = from; i < to; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    rank = rank * 10 + digit;
  }
  return rank;
}

const equalsSign = 0x3d;
/** byte → the six bits that it stands for in base64, or -1. */
const sixBits = new Int8Array(256).fill(-1);
for (const [value, char] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries())
  sixBits[char.charCodeAt(0)] = value;

/**
 * Writes the bytes that base64 stands for, `bytes[from … to)`.
 * @returns the place behind them in `into`; -1 where it is no base64 with its padding
 */
function writeBase64(bytes: Uint8Array, from: number, to: number, into: Uint8Array, at: number): number {
  let end = to;
  if ((to - from) % 4 !== 0) return -1;
  for (let padding = 0; padding < 2 && end > from && bytes[end - 1] === equalsSign; padding++) end--;
  let size = at;
  let bits = 0;
  for (let i = from; i < end; i++) {
    const six = sixBits[bytes[i]!]!;
    if (six < 0) return -1;
    bits = ((bits << 6) | six) & 0xffff;
    const have = ((i - from) & 3) * 6 + 6; // bits of this group of four characters
    if (have > 6) into[size++] = bits >>> (have & 7);
  }
  return size;
}

/** Ids without a piece, of which cl100k has some, stand for pieces that no text becomes. */
function modelOf(ranks: Ranks, kind: TiktokenKind, name: string): BytesModel {
  const pieces: string[] = [];
  const add = (piece: string, id: number) => {
    check(
      pieces[id] === undefined,
      where,
      () => `${name}: ${quote(piece)} has the id ${id}, which ${quote(pieces[id]!)} has too: it is another kind's`,
    );
    pieces[id] = piece;
  };
  for (let i = 0; i < ranks.pieces.length; i++) pieces[ranks.ids[i]!] = ranks.pieces[i]!;
  const size = Math.max(...kind.specials.map(([, id]) => id + 1), pieces.length);
  check(
    size <= 2 * (ranks.pieces.length + kind.specials.length) + 1024,
    where,
    () => `${name}: its ranks go up to ${size - 1}, but it has ${ranks.pieces.length}: it is damaged`,
  );
  for (const [piece, id] of kind.specials) add(piece, id);
  const unused: number[] = [];
  for (let id = 0; id < size; id++) if (pieces[id] === undefined) unused.push(id);
  for (const id of unused) pieces[id] = unusedPiece(id);
  const idOf = (piece: string | undefined) => kind.specials.find(([known]) => known === piece)?.[1];
  const [bosId, eosId, padId] = [idOf(kind.bos), idOf(kind.eos), idOf(kind.pad)];
  const roles = { bosId, eosId, padId, template: bosId === undefined ? undefined : { before: [bosId], after: [] } };
  return {
    kind: "bytes",
    pieces,
    specials: kind.specials.map(([, id]) => id),
    ...(unused.length === 0 ? {} : { unused }),
    ...Object.fromEntries(Object.entries(roles).filter(([, value]) => value !== undefined)),
    pattern: kind.pattern,
    splitDigits: kind.splitDigits ?? false,
    ignoreMerges: true,
  };
}

/**
 * A file of the model's ranks. Its pattern and its special pieces are in no such file, as ever: who reads it must know them.
 * @throws CriaError naming what ranks cannot say
 */
export function tiktokenText(model: TokenizerModel): string {
  createTokenizer(model); // throws when the model contradicts itself
  const refuse = (what: string): never => fail(where, `${what} has no form in a file of ranks: write a ${ownForm(model)}`);
  if (model.kind !== "bytes") return refuse(`a tokenizer of the kind ${model.kind}`);
  if (model.normaliser !== undefined || model.preTokeniser !== undefined) refuse("a normaliser, or a pre-tokenizer without a name,");
  if (model.lacksBytes) refuse("a vocabulary without pieces for some bytes");
  const ranks = countRanks(model);
  const lines = model.pieces
    .slice(0, ranks)
    .map((piece, id) => `${base64Of(byteLevelBytes(piece) ?? refuse(`the piece ${quote(piece)}`))} ${id}\n`);
  return lines.join("");
}
