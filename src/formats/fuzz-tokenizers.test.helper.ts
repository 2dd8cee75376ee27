// Every form of a tokenizer's file with something in it changed: it opens and takes texts, or it throws a CriaError. Anything else, a TypeError
// from deep inside, a hang, an allocation beyond what the file holds, is a fault.
import { expect } from "vitest";
import { CriaError, memorySource, Rng } from "../base/index.ts";
import { createTokenizer, mergeList, type SentencePieceModel, type TokenizerModel, trainTokenizer } from "../tokenizer/index.ts";
import { type GgufArray, type GgufScalar, type GgufValue, ggufBytes, readGgufMetadata } from "./gguf-metadata.ts";
import { ggufTokenizerModel, ggufTokenizerPairs } from "./gguf-tokenizer.ts";
import { llama2cTokenizerModel, readLlama2cTokenizer } from "./llama2c-tokenizer.ts";
import { readProto, type SentencePieceProto, writeProto } from "./sentencepiece-proto.ts";
import { readSentencePieceModel } from "./sentencepiece-read.ts";
import { sentencePieceModelBytes } from "./sentencepiece-write.ts";
import { readTiktoken, tiktokenText } from "./tiktoken.ts";
import { readTokenizerJson } from "./tokenizer-json-read.ts";
import { tokenizerJson } from "./tokenizer-json-write.ts";

export interface FuzzedForm {
  readonly name: string;
  readonly bytes: Uint8Array;
  open(bytes: Uint8Array): TokenizerModel | Promise<TokenizerModel>;
  /** The file with something of its structure changed. */
  change(rng: Rng): Uint8Array;
}

const corpus = ["the low lower newest widest 12 345 naïve 日本語 a b c d e f ".repeat(20)];

export async function fuzzedForms(): Promise<FuzzedForm[]> {
  const bpe = (await trainTokenizer(corpus, { kind: "sentencepiece", vocabSize: 310 })) as SentencePieceModel;
  const bytes = await trainTokenizer(corpus, { kind: "bytes", vocabSize: 285 });
  const unigram = unigramOf(bpe);
  const ranks = new TextEncoder().encode(tiktokenText({ ...bytes, ignoreMerges: true } as TokenizerModel));
  const kindOf = (count: number) => ({ pattern: "gpt2", specials: [["<s>", count]] }) as const;
  const bin = llama2cBytes(bpe);
  return [
    protoForm("tokenizer.model, bpe", sentencePieceModelBytes(bpe)),
    protoForm("tokenizer.model, unigram", sentencePieceModelBytes(unigram)),
    ggufForm("GGUF, llama", ggufTokenizerPairs(bpe)),
    ggufForm("GGUF, gpt2", ggufTokenizerPairs(bytes)),
    ggufForm(
      "GGUF, gpt2 cut by expressions",
      new Map([...ggufTokenizerPairs(bytes), ["tokenizer.ggml.pre", { type: "text", value: "falcon" }]]),
    ),
    { name: "ranks", bytes: ranks, open: (file) => readTiktoken(file, "x", kindOf), change: (rng) => changedLines(ranks, rng) },
    {
      ...{ name: "llama2.c's .bin", bytes: bin, change: (rng) => changedNumbers(bin, rng) },
      open: async (file) => llama2cTokenizerModel(await readLlama2cTokenizer(memorySource("x.bin", file))),
    },
    jsonForm("tokenizer.json", bpe),
    jsonForm("tokenizer.json, unigram", jsonUnigramOf(bpe)),
    jsonForm("tokenizer.json, ends of words", affixed),
  ];
}

/** The model as a tokenizer.json has it, with its own sums, and steps of many kinds. */
function jsonUnigramOf({ pieces, specials, unkId }: SentencePieceModel): TokenizerModel {
  const normaliser = [
    { type: "nmt" },
    { type: "bert", cleansText: true, partsIdeographs: true, stripsAccents: false, lowercases: false },
    { type: "precompiled", charsmap: smallCharsmap() },
  ] as const;
  const preTokeniser = [
    { type: "scripts" },
    { type: "fixedLength", length: 5 },
    { type: "metaspace", mark: "▁", prefix: "always", split: true },
  ] as const;
  const scores = pieces.map((_, id) => -1 - (id % 17) / 3);
  return {
    kind: "unigram",
    pieces,
    specials,
    unkId: unkId!,
    scores,
    sums: "float64",
    normaliser,
    preTokeniser,
    byteFallback: true,
    escapesSpaces: false,
  };
}

/** Pieces that say where in a word they stand. */
const affixed: TokenizerModel = {
  kind: "sentencepiece",
  pieces: ["<unk>", "<s>", "l", "##o", "##w</w>", "##w", "lo", "low</w>", "a</w>"],
  merges: mergeList([
    [2, 3],
    [6, 4],
  ]),
  specials: [0, 1],
  unkId: 0,
  byteFallback: false,
  continuingPrefix: "##",
  wordSuffix: "</w>",
  escapesSpaces: false,
  dummyPrefix: "never",
  prefixBeforeSpace: false,
  preTokeniser: [{ type: "whiteSpace" }],
  decoding: { replace: [[{ expression: "^##" }, ""]], wordSuffix: "</w>", bytes: "none", separator: "", stripStart: 0, stripEnd: 0 },
};

function unigramOf({ pieces, specials, unkId, bosId, eosId }: SentencePieceModel): TokenizerModel {
  const scores = pieces.map((_, id) => -1 - (id % 17) / 3);
  const normaliser = [{ type: "sentencepiece", charsmap: smallCharsmap(), removeExtraSpaces: true, dummySpace: "front" }] as const;
  return { kind: "unigram", pieces, specials, unkId: unkId!, bosId: bosId!, eosId: eosId!, scores, normaliser, byteFallback: true };
}

/** One rule: "A" becomes "a". The root's unit leads by its offset to the label 0x41, whose value lies at its own offset. */
function smallCharsmap(): Uint8Array {
  const units = new Uint32Array(256);
  units[0] = 1 << 10;
  units[1 ^ 0x41] = (2 << 10) | (1 << 8) | 0x41;
  units[1 ^ 0x41 ^ 2] = (1 << 31) | 0;
  const bytes = new Uint8Array(4 + 4 * units.length + 2);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 4 * units.length, true);
  units.forEach((unit, i) => void view.setUint32(4 + 4 * i, unit, true));
  bytes[4 + 4 * units.length] = 0x61;
  return bytes;
}

function llama2cBytes({ pieces, scores }: SentencePieceModel): Uint8Array {
  const parts = pieces.flatMap((piece, id) => {
    const text = new TextEncoder().encode(piece);
    const head = new DataView(new ArrayBuffer(8));
    head.setFloat32(0, scores?.[id] ?? -id, true);
    head.setInt32(4, text.length, true);
    return [new Uint8Array(head.buffer), text];
  });
  return joined([Uint8Array.of(16, 0, 0, 0), ...parts]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const oddNumbers = [0, -1, 1, 2, 7, 255, 256, 0.5, -1e30, 1e30, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31 - 1, -(2 ** 31)];
const oddTexts = ["", " ", "▁", "<unk>", "<0x00>", "<0x0a>", "\u0000", "a", "a".repeat(500), "\u0301", "🦙"];

function pick<T>(list: readonly T[], rng: Rng): T {
  return list[rng.below(list.length)]!;
}

function protoForm(name: string, bytes: Uint8Array): FuzzedForm {
  const proto = readProto(bytes, name);
  return { name, bytes, open: (file) => readSentencePieceModel(file, "x.model"), change: (rng) => writeProto(changedProto(proto, rng)) };
}

function changedProto(proto: SentencePieceProto, rng: Rng): SentencePieceProto {
  if (rng.below(2) === 0) return { ...proto, pieces: changedPieces(proto, rng) };
  if (rng.below(4) === 0) return { ...proto, denormaliser: { ...noSpaces, charsmap: flipped(smallCharsmap(), rng) } };
  const keys = Object.keys(proto).filter((one) => one !== "pieces" && one !== "denormaliser");
  const key = pick(keys, rng) as keyof SentencePieceProto;
  const value = proto[key];
  if (value instanceof Uint8Array) return { ...proto, [key]: flipped(value.length > 0 ? value : Uint8Array.of(1, 2, 3), rng) };
  if (typeof value === "boolean") return { ...proto, [key]: !value };
  return { ...proto, [key]: typeof value === "string" ? pick(oddTexts, rng) : rng.below(9) - 2 };
}

const noSpaces = { addDummyPrefix: false, removeExtraWhitespaces: false, escapeWhitespaces: false };

function changedPieces({ pieces }: SentencePieceProto, rng: Rng): SentencePieceProto["pieces"] {
  const copy = [...pieces];
  const at = rng.below(copy.length);
  const way = rng.below(5);
  if (way === 0) copy.splice(at, 1 + rng.below(copy.length));
  else if (way === 1) copy.push(pick(pieces, rng));
  else if (way === 2) copy[at] = { ...copy[at]!, piece: pick(oddTexts, rng) };
  else if (way === 3) copy[at] = { ...copy[at]!, score: pick(oddNumbers, rng) };
  else copy[at] = { ...copy[at]!, type: rng.below(9) };
  return copy;
}

function ggufForm(name: string, pairs: ReadonlyMap<string, GgufValue>): FuzzedForm {
  return {
    name,
    bytes: ggufBytes(pairs),
    open: async (file) => ggufTokenizerModel((await readGgufMetadata(memorySource("x.gguf", file))).pairs),
    change: (rng) => ggufBytes(changedPairs(pairs, rng)),
  };
}

function changedPairs(pairs: ReadonlyMap<string, GgufValue>, rng: Rng): Map<string, GgufValue> {
  const copy = new Map(pairs);
  const key = pick([...pairs.keys()], rng);
  const { type, value } = pairs.get(key)!;
  const way = rng.below(4);
  if (way === 0) copy.delete(key);
  else if (way === 1 || typeof value !== "object")
    copy.set(
      key,
      pick<GgufValue>(
        [
          { type: "i32", value: rng.below(9) - 4 },
          { type: "text", value: pick(oddTexts, rng) },
          { type: "bool", value: true },
          { type: "array", value: { type: "text", values: oddTexts } },
        ],
        rng,
      ),
    );
  else {
    const values: (GgufScalar | GgufArray)[] = Array.from<GgufScalar | GgufArray>(value.values);
    const odd = value.type === "text" ? pick(oddTexts, rng) : Math.trunc(pick(oddNumbers.filter(Number.isFinite), rng)) | 0;
    values.splice(rng.below(values.length), rng.below(3), odd);
    copy.set(key, { type, value: { type: value.type, values } });
  }
  return copy;
}

function changedLines(bytes: Uint8Array, rng: Rng): Uint8Array {
  const lines = new TextDecoder().decode(bytes).split("\n");
  const line = pick(
    ["", "=", "IQ==", "IQ== 5", "YWI= 7", "YWI= 99999999", "YWI= -1", "YWI= 1e3", "YQ 9", ` ${"A".repeat(40_000)}`, pick(lines, rng)],
    rng,
  );
  lines.splice(rng.below(lines.length), rng.below(3), line);
  return new TextEncoder().encode(lines.join("\n"));
}

/** A copy with a length or a score replaced. */
function changedNumbers(bytes: Uint8Array, rng: Rng): Uint8Array {
  const copy = bytes.slice();
  new DataView(copy.buffer).setInt32(rng.below(copy.length - 4), Math.trunc(pick(oddNumbers.filter(Number.isFinite), rng)) | 0, true);
  return copy;
}

function jsonForm(name: string, model: TokenizerModel): FuzzedForm {
  const document = JSON.stringify(tokenizerJson(model));
  const encode = (text: string) => new TextEncoder().encode(text);
  return {
    name,
    bytes: encode(document),
    open: (file) => {
      const model = readTokenizerJson(file);
      expect(readTokenizerJson(new TextDecoder().decode(file)), "what JSON.parse reads").toEqual(model);
      return model;
    },
    change: (rng) => encode(JSON.stringify(changedJson(JSON.parse(document), rng))),
  };
}

const oddValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e99,
  "",
  "x",
  [],
  [[]],
  {},
  { type: "NFC" },
  { type: "Sequence" },
  { type: "Split", pattern: { Regex: "(a+)+$" } },
];

function changedJson(value: unknown, rng: Rng): unknown {
  if (typeof value !== "object" || value === null || rng.below(7) === 0) return pick(oddValues, rng);
  const keys = Object.keys(value);
  if (keys.length === 0) return pick(oddValues, rng);
  const key = pick(keys, rng);
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  if (rng.below(5) === 0) delete copy[key];
  else copy[key] = changedJson(copy[key], rng);
  return copy;
}

function flipped(bytes: Uint8Array, rng: Rng): Uint8Array {
  const copy = bytes.slice();
  for (let count = 1 + rng.below(4); count > 0; count--) copy[rng.below(copy.length)] = rng.below(256);
  return copy;
}

/** Bytes changed at random, the file cut short, or something put in between, or its structure changed. */
function mutated({ bytes, change }: FuzzedForm, rng: Rng): Uint8Array {
  const way = rng.below(5);
  if (way === 0) return flipped(bytes, rng);
  if (way === 1) return bytes.slice(0, rng.below(bytes.length));
  if (way === 2) {
    const at = rng.below(bytes.length);
    return joined([bytes.subarray(0, at), bytes.subarray(rng.below(bytes.length)), bytes.subarray(at, at + 50)]);
  }
  return change(rng);
}

/** Gives how many were refused. @throws an Error with what it was, where a file is neither taken nor refused in the house's form */
export async function fuzzForm(form: FuzzedForm, seed: number, cases: number): Promise<number> {
  const rng = new Rng(seed);
  await useTokenizer(await form.open(form.bytes));
  let refused = 0;
  for (let i = 0; i < cases; i++) {
    const bytes = mutated(form, rng);
    try {
      await useTokenizer(await form.open(bytes));
    } catch (error) {
      refused++;
      const isRight = error instanceof CriaError && /^\[[\w .]+\] \S/.test(error.message) && error.message.length < 3000;
      if (!isRight)
        throw new Error(`${form.name}, seed ${seed}, case ${i}: ${String((error as Error).stack ?? error).slice(0, 1500)}`, {
          cause: error,
        });
    }
  }
  return refused;
}

async function useTokenizer(model: TokenizerModel): Promise<void> {
  const tokenizer = createTokenizer(model);
  const ids = tokenizer.encode("The low  Ａ naïve 日 🦙<s>\u0000 ▁x ", { parseSpecial: true });
  tokenizer.decode(ids);
  tokenizer.decode(Uint32Array.from({ length: Math.min(300, tokenizer.vocabSize) }, (_, id) => id));
}
