// The documents of one side of a source, or of some of its files, as tokens in shards, and what the manifest says of them.
import { basename, join } from "node:path";
import { check, type OnProgress } from "../base/index.ts";
import { type TextTokenizer, type Vocabulary, vocabularyOf } from "../batches/index.ts";
import { atomicWrite } from "../files/index.ts";
import type { Corpus, Document, Side } from "./corpus.ts";
import { DocumentEncoder } from "./encoding/document-encoder.ts";
import type { Manifest } from "./manifest.ts";
import type { DocumentOrigin } from "./origin-index.ts";
import { readHeldOut } from "./prepared.ts";
import { heldOutName } from "./recipe.ts";
import type { Texts } from "./texts/index.ts";
import { type EncodedDocument, type WrittenShard, writeShards } from "./write-shards.ts";

const where = "data";
/** Origins of documents that were encoded are let go so many at a time. */
const mostTaken = 1 << 12;

/** What a corpus is made tokens of by. */
export interface TokenJob {
  readonly corpus: Corpus;
  readonly encoder: DocumentEncoder;
  readonly vocabulary: Vocabulary;
  readonly progress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An encoder for a corpus, as its recipe wants documents marked. @param expected bytes of text that it will be given, about */
export function encoderOf(
  { recipe }: Corpus,
  tokenizer: TextTokenizer,
  expected: number,
  threads?: number,
): Pick<TokenJob, "encoder" | "vocabulary"> {
  const marks = { bos: recipe.boundaries !== "eos", eos: recipe.boundaries !== "bos" };
  const encoder = new DocumentEncoder(tokenizer, { ...marks, expected, ...(threads !== undefined && { threads }) });
  return { encoder, vocabulary: vocabularyOf(tokenizer) };
}

/** Shards that were written, by the names of their files, and the indexes beside them. */
export type WrittenTokens = Pick<Manifest["sources"][number], "documents" | "bytes" | "tokens" | "shards"> & { readonly origins: string[] };

/** A document whose origin nobody asks for: the held-out part says of each which source it is of. */
type Untraced = Pick<Document, "text"> & { readonly origin?: undefined };

/** Writes `PREFIX-00000.tokens` and so on. */
export async function writeTokens(job: TokenJob, prefix: string, documents: AsyncIterable<Document | Untraced>): Promise<WrittenTokens> {
  const { shardTokens } = job.corpus.recipe;
  const shards = await writeShards(prefix, encodedDocuments(job, documents), job.vocabulary, shardTokens);
  const sum = (key: "documents" | "bytes" | "tokens") => shards.reduce((total: number, shard: WrittenShard) => total + shard[key], 0);
  return {
    ...{ documents: sum("documents"), bytes: sum("bytes"), tokens: sum("tokens"), shards: shards.map(({ path }) => basename(path)) },
    origins: shards.flatMap(({ origins }) => (origins === undefined ? [] : [basename(origins)])),
  };
}

/** The encoder gives the documents back in their order, one for one, so that their origins need not go through its threads. */
async function* encodedDocuments({ encoder }: TokenJob, documents: AsyncIterable<Document | Untraced>): AsyncGenerator<EncodedDocument> {
  const waiting: (DocumentOrigin | undefined)[] = [];
  let taken = 0;
  const noted = async function* () {
    for await (const document of documents) {
      waiting.push(document.origin);
      yield document;
    }
  };
  for await (const encoded of encoder.encode(noted())) {
    const origin = waiting[taken++];
    if (taken >= mostTaken) taken -= waiting.splice(0, taken).length; // taking each from the front would move all the others
    yield origin === undefined ? encoded : { ...encoded, origin };
  }
}

/** The documents of one side of some files of a source, with progress in bytes of the files. */
export async function* readSide(job: TokenJob, index: number, side: Side, texts?: Texts): AsyncGenerator<Document> {
  const { corpus, progress, signal } = job;
  const { name, texts: all } = corpus.sources[index]!;
  const read = texts ?? all;
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    const task = side === "train" ? "preparing" : "holding out";
    progress?.({ task, done, total: read.bytes, unit: "bytes", note: name });
  };
  yield* corpus.documentsIn(read, index, side, { signal, onBytes });
}

/** What a manifest says of a source. @throws CriaError where nothing of it is left to train on */
export async function describeSource({ corpus }: TokenJob, index: number, written: WrittenTokens): Promise<Manifest["sources"][number]> {
  const { name, weight, licence } = corpus.recipe.sources[index]!;
  const { origins, ...totals } = written;
  check(totals.documents > 0, where, () => `source "${name}" holds no text to train on: name files that do`);
  const split = corpus.recipe.heldOut === 0 ? {} : { split: howSplit((await corpus.split()).sources[index]!.stretch) };
  return { name, weight, ...(licence === undefined ? {} : { licence }), ...totals, origins: { version: 1, files: origins }, ...split };
}

function howSplit(characters: number | undefined): NonNullable<Manifest["sources"][number]["split"]> {
  return characters === undefined ? { by: "documents" } : { by: "stretches", characters };
}

/** The held-out documents of some files of a source as lines of JSON. */
export async function* heldOutLines(job: TokenJob, index: number, texts?: Texts): AsyncGenerator<Uint8Array> {
  for await (const { text, source } of readSide(job, index, "held out", texts)) yield Buffer.from(`${JSON.stringify({ text, source })}\n`);
}

/** Writes the held-out texts into a folder, and their tokens from the text just written. @throws CriaError where there are none */
export async function writeHeldOut(
  job: TokenJob,
  folder: string,
  lines: AsyncIterable<Uint8Array>,
): Promise<NonNullable<Manifest["heldOut"]>> {
  const text = `${heldOutName}.jsonl`;
  const path = join(folder, text);
  await atomicWrite(path, lines, where);
  const { origins, ...totals } = await writeTokens(job, join(folder, heldOutName), documentsOf(readHeldOut(path)));
  check(
    totals.documents > 0,
    where,
    () => `nothing is held out, though heldOut is ${job.corpus.recipe.heldOut}: give more text, or set heldOut to 0`,
  );
  return { ...totals, text };
}

async function* documentsOf(texts: AsyncIterable<string>): AsyncGenerator<Untraced> {
  for await (const text of texts) yield { text };
}
