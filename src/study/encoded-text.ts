// A study's text as tokens in memory: small enough to stay there, with a part that training never sees.
import { join } from "node:path";
import { check, cutText, type OnProgress } from "../base/index.ts";
import { isHeldOut, memoryTokens, type Tokens } from "../batches/index.ts";
import { PreparedData, prepare } from "../corpus/index.ts";
import type { HeldOutText } from "../eval/index.ts";
import { atomicWrite, makeFolder } from "../files/index.ts";
import { createTokenizer, type Tokenizer, trainTokenizer } from "../tokenizer/index.ts";
import type { StudyContext } from "./study.ts";

/** A text as tokens in memory. */
export interface EncodedText {
  readonly vocabSize: number;
  readonly tokens: Tokens;
  readonly heldOut: HeldOutText;
  /** Loss in nats per token of a model that knows nothing but how frequent each token is: a model that has learnt anything is below. */
  readonly unigramLoss: number;
}

const heldOutShare = 0.1;
/** Less than this teaches nothing. */
const leastCharacters = 20_000;

/** The study's text with a byte-level vocabulary made for it. @throws CriaError when either part is too short */
export async function encodeText(context: StudyContext, vocabSize: number, leastHeldOut: number): Promise<EncodedText> {
  const sides = await splitText(context);
  const tokenizer = await tokenizerFor(sides, vocabSize, context);
  return encodeSides(tokenizer, sides, { progress: context.progress, least: leastHeldOut });
}

async function tokenizerFor({ training }: Sides, vocabSize: number, { progress, signal }: StudyContext): Promise<Tokenizer> {
  const options = { kind: "bytes", pattern: "gpt2", splitDigits: true, specials: { bos: "<s>", eos: "</s>" } } as const;
  return createTokenizer(await trainTokenizer(training, { ...options, vocabSize, onProgress: progress, signal }));
}

/** A text that lies in a folder as `cria data prepare` leaves it, so that `cria train` can go on with it. */
export interface PreparedText extends EncodedText, AsyncDisposable {
  /** The prepared data. */
  readonly data: string;
  readonly tokenizer: Tokenizer;
}

/** {@link encodeText}, written to text.jsonl and data/ in the study's folder. @throws CriaError when data/ is in use, too */
export async function prepareText(context: StudyContext, vocabSize: number, leastHeldOut: number): Promise<PreparedText> {
  const { folder, progress, signal } = context;
  const sides = await splitText(context);
  const tokenizer = await tokenizerFor(sides, vocabSize, context);
  const [paths, data] = [join(folder, "text.jsonl"), join(folder, "data")];
  await makeFolder(folder, "study");
  await atomicWrite(paths, jsonLines(sides), "study");
  const sources = [{ name: "text", paths, field: "text", newlines: "keep" as const, weight: 1 }];
  await prepare({ sources, heldOut: heldOutShare, boundaries: "both" }, tokenizer, data, { progress, signal });
  const prepared = await PreparedData.open(data);
  try {
    const [training, heldOut] = [prepared.sources[0]!.tokens, prepared.heldOut!];
    checkEnough(training.length, heldOut.length, leastHeldOut);
    const loss = unigramLoss(await training.read(0, training.length), await heldOut.read(0, heldOut.length), vocabSize);
    return {
      ...{ data, tokenizer, vocabSize, tokens: training, heldOut: { tokens: heldOut, bytes: heldOut.totals.bytes }, unigramLoss: loss },
      [Symbol.asyncDispose]: () => prepared[Symbol.asyncDispose](),
    };
  } catch (error) {
    await prepared[Symbol.asyncDispose]();
    throw error;
  }
}

function* jsonLines({ training, heldOut }: Sides): Generator<Uint8Array> {
  for (const text of [...training, ...heldOut]) yield Buffer.from(`${JSON.stringify({ text })}\n`);
}

/** The documents that models learn from, and those that are held out. */
export interface Sides {
  readonly training: readonly string[];
  readonly heldOut: readonly string[];
}

/** Every document between the marks of its begin and end. @throws CriaError when a side has fewer than `least` tokens */
export function encodeSides(tokenizer: Tokenizer, sides: Sides, { progress, least }: { progress: OnProgress; least: number }): EncodedText {
  const [training, heldOut] = (["training", "heldOut"] as const).map((side) => encode(tokenizer, sides[side], progress)) as [
    Int32Array,
    Int32Array,
  ];
  checkEnough(training.length, heldOut.length, least);
  const bytes = sides.heldOut.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const { vocabSize } = tokenizer;
  return {
    vocabSize,
    tokens: memoryTokens(training),
    heldOut: { tokens: memoryTokens(heldOut), bytes },
    unigramLoss: unigramLoss(training, heldOut, vocabSize),
  };
}

function checkEnough(training: number, heldOut: number, least: number): void {
  for (const [tokens, what] of [
    [training, "training"],
    [heldOut, "held-out"],
  ] as const)
    check(
      tokens >= least,
      "study",
      () => `the ${what} part of the text has ${tokens} tokens, but the study needs at least ${least}: give it more text`,
      { ways: ["text"] },
    );
}

/** Documents by side; which one a text is on follows from the text. @throws CriaError when there is too little */
export async function splitText({ text, progress, signal }: StudyContext): Promise<Sides> {
  const documents: string[] = [];
  let done = 0;
  for await (const document of text.documents) {
    signal.throwIfAborted();
    documents.push(document);
    done += document.length;
    progress({ task: "reading the text", done, unit: "characters" });
  }
  check(
    done >= leastCharacters,
    "study",
    () => `the text has ${done} characters, but a study needs at least ${leastCharacters}: give it more text`,
    { ways: ["text"] },
  );
  const whole =
    documents.length >= leastDocuments ? documents : documents.flatMap((one) => [...cutText(one, Math.ceil(done / leastDocuments))]);
  const side = (isWanted: boolean) => whole.filter((one) => isHeldOut(one, heldOutShare) === isWanted);
  return { training: side(false), heldOut: side(true) };
}

/** The least number of documents: with fewer, chance would decide how much is held out, or whether anything is. */
const leastDocuments = 200;

function encode(tokenizer: Tokenizer, documents: readonly string[], progress: OnProgress): Int32Array {
  const parts = documents.map((text, i) => {
    progress({ task: "encoding the text", done: i + 1, total: documents.length, unit: "documents" });
    return tokenizer.encode(text, { bos: true, eos: true });
  });
  const all = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Add-one smoothed frequencies of the training part, charged for the held-out part. */
function unigramLoss(training: Int32Array, heldOut: Int32Array, vocabSize: number): number {
  const counts = new Float64Array(vocabSize).fill(1);
  for (const token of training) counts[token]!++;
  const total = training.length + vocabSize;
  return heldOut.reduce((sum, token) => sum - Math.log(counts[token]! / total), 0) / heldOut.length;
}
