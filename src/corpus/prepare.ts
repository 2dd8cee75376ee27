// A recipe to a folder of token shards: documents → train or held out → tokens → shards, and a manifest with the counts.
import { readdir, rmdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { check, type OnProgress } from "../base/index.ts";
import { type TextTokenizer, type Vocabulary, vocabularyOf } from "../batches/index.ts";
import { atomicFolder, atomicWrite, atomicWriteJson, explainIo } from "../files/index.ts";
import { type Corpus, type Document, openCorpus, type Side } from "./corpus.ts";
import { DocumentEncoder } from "./encoding/document-encoder.ts";
import { type Manifest, manifestName } from "./manifest.ts";
import type { DocumentOrigin } from "./origin-index.ts";
import { readHeldOut } from "./prepared.ts";
import { type DataRecipe, heldOutName } from "./recipe.ts";
import { checksumsOf } from "./verify.ts";
import { type EncodedDocument, type WrittenShard, writeShards } from "./write-shards.ts";

/** Options of a preparation that are not the recipe's. */
export interface PrepareOptions {
  /** Where relative paths of the recipe start; the working folder by default. */
  readonly folder?: string;
  readonly progress?: OnProgress;
  /** Stops between documents; what was written so far goes. */
  readonly signal?: AbortSignal;
  /** Writes other files into the folder before it appears. */
  readonly more?: (folder: string) => Promise<void>;
}

const where = "data";
/** Origins of documents that were encoded are let go so many at a time. */
const mostTaken = 1 << 12;

/** Everything a preparation is about, so that its steps need no long lists of arguments. */
interface Job {
  readonly corpus: Corpus;
  readonly recipe: DataRecipe;
  readonly encoder: DocumentEncoder;
  readonly vocabulary: Vocabulary;
  /** The folder that is written in, beside the one that it becomes when all is there. */
  readonly folder: string;
  readonly options: Pick<PrepareOptions, "progress" | "signal">;
}

/** {@link prepareCorpus} of a recipe's texts. */
export async function prepare(
  recipe: DataRecipe,
  tokenizer: TextTokenizer,
  outDir: string,
  options: PrepareOptions = {},
): Promise<Manifest> {
  checkBoundaries(recipe, tokenizer);
  await checkUnused(outDir);
  const { folder, signal, progress } = options;
  await using corpus = await openCorpus(recipe, { folder, signal, progress });
  return await prepareCorpus(corpus, tokenizer, outDir, options);
}

/**
 * Writes shards of every source, the held-out documents as shards and as JSONL, and the manifest, into a folder that appears when it is whole.
 * Needs memory for some documents, not for the corpus; all threads encode. The texts are read two to four times: to split them, and once for each side.
 * @throws CriaError when a text cannot be read, there is too little of it to have two sides, or the folder is in use; the signal's
 * reason when it aborts. In all these cases nothing is left behind.
 */
export async function prepareCorpus(
  corpus: Corpus,
  tokenizer: TextTokenizer,
  outDir: string,
  options: Pick<PrepareOptions, "progress" | "signal" | "more"> = {},
): Promise<Manifest> {
  const { recipe } = corpus;
  checkBoundaries(recipe, tokenizer);
  await checkUnused(outDir);
  const expected = corpus.sources.reduce((sum, { texts }) => sum + texts.bytes, 0);
  const encoding = { bos: recipe.boundaries !== "eos", eos: recipe.boundaries !== "bos", expected };
  await using encoder = new DocumentEncoder(tokenizer, encoding);
  await splitSides(corpus, options);
  const job = { corpus, recipe, encoder, vocabulary: vocabularyOf(tokenizer), options };
  let manifest: Manifest | undefined;
  const fill = async (folder: string) => {
    const written = await writeAll({ ...job, folder });
    manifest = { ...written, checksums: await checksumsOf(folder, written, options) };
    await atomicWriteJson(join(folder, manifestName), manifest, where);
    await options.more?.(folder);
  };
  try {
    await rmdir(outDir).catch(() => undefined); // an empty one may be there
    await atomicFolder(resolve(outDir), fill, where);
    return manifest!;
  } catch (error) {
    options.signal?.throwIfAborted();
    throw explainIo(where, outDir, error);
  }
}

async function splitSides(corpus: Corpus, { progress, signal }: Job["options"]): Promise<void> {
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    progress?.({ task: "choosing what to hold out", done, unit: "bytes" });
  };
  await corpus.split({ signal, onBytes });
}

function checkBoundaries({ boundaries }: DataRecipe, { bosId, eosId }: TextTokenizer): void {
  const lacks = (id: number | undefined, name: "bos" | "eos") => boundaries !== (name === "bos" ? "eos" : "bos") && id === undefined;
  check(
    !lacks(bosId, "bos"),
    where,
    () => `boundaries are "${boundaries}" but the tokenizer has no begin-of-text token: set boundaries to "eos"`,
  );
  check(
    !lacks(eosId, "eos"),
    where,
    () => `boundaries are "${boundaries}" but the tokenizer has no end-of-text token: set boundaries to "bos"`,
  );
}

/** @throws CriaError where a folder is there that is not empty */
export async function checkUnused(path: string): Promise<void> {
  const found = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw explainIo(where, path, error);
  });
  check(found.length === 0, where, () => `${path}: the folder is not empty (it holds ${found[0]}): choose another one, or empty it first`);
}

async function writeAll(job: Job): Promise<Manifest> {
  const { recipe, vocabulary } = job;
  const sources: Manifest["sources"] = [];
  for (const i of recipe.sources.keys()) sources.push(await writeSource(job, i));
  const heldOut = recipe.heldOut > 0 ? { heldOut: await writeHeldOut(job) } : {};
  return { version: 1, vocabulary, boundaries: recipe.boundaries, sources, ...heldOut };
}

async function writeSource(job: Job, index: number): Promise<Manifest["sources"][number]> {
  const { name, weight, licence } = job.recipe.sources[index]!;
  const { origins, ...totals } = await writeTokens(job, name, readSide(job, index, "train"));
  check(totals.documents > 0, where, () => `source "${name}" holds no text to train on: name files that do`);
  const split = job.recipe.heldOut === 0 ? {} : { split: howSplit((await job.corpus.split()).sources[index]!.stretch) };
  return { name, weight, ...(licence === undefined ? {} : { licence }), ...totals, origins: { version: 1, files: origins }, ...split };
}

function howSplit(characters: number | undefined): NonNullable<Manifest["sources"][number]["split"]> {
  return characters === undefined ? { by: "documents" } : { by: "stretches", characters };
}

/** The text first, then its tokens from the text just written. */
async function writeHeldOut(job: Job): Promise<NonNullable<Manifest["heldOut"]>> {
  const text = `${heldOutName}.jsonl`;
  const path = join(job.folder, text);
  await atomicWrite(path, heldOutLines(job), where);
  const { origins, ...totals } = await writeTokens(job, heldOutName, documentsOf(readHeldOut(path)));
  check(
    totals.documents > 0,
    where,
    () => `nothing is held out, though heldOut is ${job.recipe.heldOut}: give more text, or set heldOut to 0`,
  );
  return { ...totals, text };
}

async function* documentsOf(texts: AsyncIterable<string>): AsyncGenerator<Untraced> {
  for await (const text of texts) yield { text };
}

async function* heldOutLines(job: Job): AsyncGenerator<Uint8Array> {
  for (const i of job.recipe.sources.keys())
    for await (const { text, source } of readSide(job, i, "held out")) yield Buffer.from(`${JSON.stringify({ text, source })}\n`);
}

/** A document whose origin nobody asks for: the held-out part says of each which source it is of. */
type Untraced = Pick<Document, "text"> & { readonly origin?: undefined };

/** What a manifest says of the shards of a source. */
type Written = Pick<Manifest["sources"][number], "documents" | "bytes" | "tokens" | "shards"> & { readonly origins: string[] };

async function writeTokens(job: Job, name: string, documents: AsyncIterable<Document | Untraced>): Promise<Written> {
  const { shardTokens } = job.recipe;
  const shards = await writeShards(join(job.folder, name), encodedDocuments(job, documents), job.vocabulary, shardTokens);
  const sum = (key: "documents" | "bytes" | "tokens") => shards.reduce((total: number, shard: WrittenShard) => total + shard[key], 0);
  return {
    ...{ documents: sum("documents"), bytes: sum("bytes"), tokens: sum("tokens"), shards: shards.map(({ path }) => basename(path)) },
    origins: shards.flatMap(({ origins }) => (origins === undefined ? [] : [basename(origins)])),
  };
}

/** The encoder gives the documents back in their order, one for one, so that their origins need not go through its threads. */
async function* encodedDocuments({ encoder }: Job, documents: AsyncIterable<Document | Untraced>): AsyncGenerator<EncodedDocument> {
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

/** The documents of one side of one source, with progress in bytes of the source's files. */
async function* readSide({ corpus, options }: Job, index: number, side: Side): AsyncGenerator<Document> {
  const { name, texts } = corpus.sources[index]!;
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    const task = side === "train" ? "preparing" : "holding out";
    options.progress?.({ task, done, total: texts.bytes, unit: "bytes", note: name });
  };
  yield* corpus.documents(side, index, { signal: options.signal, onBytes });
}
