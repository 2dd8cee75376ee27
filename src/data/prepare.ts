// A recipe to a folder of token shards: documents → train or held out → tokens → shards, and a manifest with the counts.
import { readdir, rmdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { check, type OnProgress } from "../base/index.ts";
import { atomicFolder, atomicWrite, atomicWriteJson, explainIo } from "../files/index.ts";
import { type Document, type DocumentSource, readDocuments } from "./documents.ts";
import { expandPaths } from "./expand-paths.ts";
import { type Manifest, manifestName } from "./manifest.ts";
import { type DataRecipe, heldOutName, type SourceRecipe } from "./recipe.ts";
import { isHeldOut } from "./split-side.ts";
import { type TextTokenizer, type Vocabulary, vocabularyOf } from "./text-tokenizer.ts";
import { checksumsOf } from "./verify.ts";
import { type EncodedDocument, type WrittenShard, writeShards } from "./write-shards.ts";

export interface PrepareOptions {
  /** Where relative paths of the recipe start; the working folder by default. */
  readonly folder?: string;
  readonly progress?: OnProgress;
  /** Stops between documents; what was written so far goes. */
  readonly signal?: AbortSignal;
}

const where = "data";

/** Everything a preparation is about, so that its steps need no long lists of arguments. */
interface Job {
  readonly recipe: DataRecipe;
  readonly sources: readonly DocumentSource[];
  readonly tokenizer: TextTokenizer;
  readonly vocabulary: Vocabulary;
  /** Beside the folder that it becomes when all is written. */
  readonly folder: string;
  readonly options: PrepareOptions;
}

/**
 * Writes shards of every source, the held-out documents as shards and as JSONL, and the manifest, into a folder that appears when it is whole.
 * Needs memory for one document, not for the corpus. The texts are read twice: once for each side.
 * @throws CriaError when a text cannot be read, a source has nothing to train on, nothing was held out, or the folder is in use; the signal's
 * reason when it aborts. In all these cases nothing is left behind.
 */
export async function prepare(
  recipe: DataRecipe,
  tokenizer: TextTokenizer,
  outDir: string,
  options: PrepareOptions = {},
): Promise<Manifest> {
  checkBoundaries(recipe, tokenizer);
  const sources = await findSources(recipe, options.folder ?? process.cwd());
  await checkUnused(outDir);
  const job = { recipe, sources, tokenizer, vocabulary: vocabularyOf(tokenizer), options };
  let manifest: Manifest | undefined;
  const fill = async (folder: string) => {
    const written = await writeAll({ ...job, folder });
    manifest = { ...written, checksums: await checksumsOf(folder, written, options) };
    await atomicWriteJson(join(folder, manifestName), manifest, where);
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

function findSources({ sources }: DataRecipe, folder: string): Promise<DocumentSource[]> {
  const find = async ({ paths, name, format, field, separator }: SourceRecipe) => {
    const files = await expandPaths([paths].flat(), folder);
    return { name, files, format, field, separator };
  };
  return Promise.all(sources.map(find));
}

async function checkUnused(path: string): Promise<void> {
  const found = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw explainIo(where, path, error);
  });
  check(found.length === 0, where, () => `${path}: the folder is in use (${found[0]}): choose another one, or empty it first`);
}

async function writeAll(job: Job): Promise<Manifest> {
  const { recipe, vocabulary } = job;
  const sources: Manifest["sources"] = [];
  for (const [i, source] of job.sources.entries()) sources.push(await writeSource(job, recipe.sources[i]!, source));
  const heldOut = recipe.heldOut > 0 ? { heldOut: await writeHeldOut(job) } : {};
  return { version: 1, vocabulary, boundaries: recipe.boundaries, sources, ...heldOut };
}

async function writeSource(
  job: Job,
  { name, weight, licence }: SourceRecipe,
  source: DocumentSource,
): Promise<Manifest["sources"][number]> {
  const totals = await writeTokens(job, name, readSide(job, source, "train"));
  check(
    totals.documents > 0,
    where,
    () => `source "${name}": all of its documents are held out, none is left to train on: give it more, or split its files`,
  );
  return { name, weight, ...(licence === undefined ? {} : { licence }), ...totals };
}

/** The text first, then its tokens from the text just written. */
async function writeHeldOut(job: Job): Promise<NonNullable<Manifest["heldOut"]>> {
  const text = `${heldOutName}.jsonl`;
  const path = join(job.folder, text);
  await atomicWrite(path, heldOutLines(job), where);
  check(
    (await fileSize(path)) > 0,
    where,
    () =>
      `none of the documents fell into the held-out share of ${job.recipe.heldOut}: raise heldOut, or split the files into more documents`,
  );
  const documents = readDocuments({ name: heldOutName, files: [path], format: "jsonl" });
  return { ...(await writeTokens(job, heldOutName, documents)), text };
}

async function* heldOutLines(job: Job): AsyncGenerator<Uint8Array> {
  for (const source of job.sources)
    for await (const { text, source: name } of readSide(job, source, "held out"))
      yield Buffer.from(`${JSON.stringify({ text, source: name })}\n`);
}

async function writeTokens(
  job: Job,
  name: string,
  documents: AsyncIterable<Document>,
): Promise<Pick<Manifest["sources"][number], "documents" | "bytes" | "tokens" | "shards">> {
  const { shardTokens } = job.recipe;
  const shards = await writeShards(join(job.folder, name), encodeAll(job, documents), job.vocabulary, shardTokens);
  const sum = (key: "documents" | "bytes" | "tokens") => shards.reduce((total: number, shard: WrittenShard) => total + shard[key], 0);
  return { documents: sum("documents"), bytes: sum("bytes"), tokens: sum("tokens"), shards: shards.map(({ path }) => basename(path)) };
}

async function* encodeAll({ tokenizer, recipe }: Job, documents: AsyncIterable<Document>): AsyncGenerator<EncodedDocument> {
  const marks = { bos: recipe.boundaries !== "eos", eos: recipe.boundaries !== "bos" };
  for await (const { text } of documents) yield { tokens: tokenizer.encode(text, marks), bytes: Buffer.byteLength(text) };
}

/** The documents of one side, with progress in bytes of the source's files. */
async function* readSide({ recipe, options }: Job, source: DocumentSource, side: "train" | "held out"): AsyncGenerator<Document> {
  const total = (await Promise.all(source.files.map(fileSize))).reduce((sum, size) => sum + size, 0);
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    options.progress?.({ task: side === "train" ? "preparing" : "holding out", done, total, unit: "bytes", note: source.name });
  };
  for await (const document of readDocuments(source, onBytes)) {
    options.signal?.throwIfAborted();
    if (isHeldOut(document.text, recipe.heldOut) === (side === "held out")) yield document;
  }
}

async function fileSize(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw explainIo(where, path, error);
  }
}
