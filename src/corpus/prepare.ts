// A recipe to a folder of token shards: documents → train or held out → tokens → shards, and a manifest with the counts.
import { readdir, rmdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { check, type OnProgress } from "../base/index.ts";
import type { TextTokenizer } from "../batches/index.ts";
import { atomicFolder, atomicWriteJson, explainIo } from "../files/index.ts";
import { type Corpus, openCorpus } from "./corpus.ts";
import { type Manifest, manifestName } from "./manifest.ts";
import type { DataRecipe } from "./recipe.ts";
import { checksumsOf } from "./verify.ts";
import { describeHeldOut, describeSource, encoderOf, HeldOutFile, heldOutText, type TokenJob, writeSides } from "./write-tokens.ts";

/** Options of a preparation that are not the recipe's. */
export interface PrepareOptions {
  /** Where relative paths of the recipe start; the working folder by default. */
  readonly folder?: string | undefined;
  readonly progress?: OnProgress | undefined;
  /** Stops between documents; what was written so far goes. */
  readonly signal?: AbortSignal | undefined;
  /** Writes other files into the folder before it appears. */
  readonly more?: ((folder: string, manifest: Manifest) => Promise<void>) | undefined;
}

const where = "data";

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
 * Needs memory for some documents, not for the corpus; all threads encode. The texts are read two or three times: once or twice to split them, of many documents the first alone, and once for both sides.
 * @throws CriaError when a text cannot be read, there is too little of it to have two sides, or the folder is in use; the signal's
 * reason when it aborts. In all these cases nothing is left behind.
 */
export async function prepareCorpus(
  corpus: Corpus,
  tokenizer: TextTokenizer,
  outDir: string,
  options: Pick<PrepareOptions, "progress" | "signal" | "more"> = {},
): Promise<Manifest> {
  checkBoundaries(corpus.recipe, tokenizer);
  await checkUnused(outDir);
  const expected = corpus.sources.reduce((sum, { texts }) => sum + texts.bytes, 0);
  const encoding = encoderOf(corpus, tokenizer, expected);
  await using _ = encoding.encoder;
  await splitSides(corpus, options);
  const job: TokenJob = { corpus, ...encoding, ...options };
  return await preparedFolder(outDir, options, async (folder) => {
    const written = await writeAll(job, folder);
    return { ...written, checksums: await checksumsOf(folder, written, options) };
  });
}

/** A folder of what `write` writes and its manifest, which appears when it is whole. @throws CriaError as {@link prepareCorpus} does */
export async function preparedFolder(
  outDir: string,
  { signal, more }: Pick<PrepareOptions, "signal" | "more">,
  write: (folder: string) => Promise<Manifest>,
): Promise<Manifest> {
  let manifest: Manifest | undefined;
  const fill = async (folder: string) => {
    manifest = await write(folder);
    await atomicWriteJson(join(folder, manifestName), manifest, where);
    await more?.(folder, manifest);
  };
  try {
    await rmdir(outDir).catch(() => undefined); // an empty one may be there
    await atomicFolder(resolve(outDir), fill, where);
    return manifest!;
  } catch (error) {
    signal?.throwIfAborted();
    throw explainIo(where, outDir, error);
  }
}

/** Decides what is held out, with progress in bytes that this reads. */
export async function splitSides(corpus: Corpus, { progress, signal }: Pick<PrepareOptions, "progress" | "signal">): Promise<void> {
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    progress?.({ task: "choosing what to hold out", done, unit: "bytes" });
  };
  await corpus.split({ signal, onBytes });
}

/** @throws CriaError where a recipe wants documents marked by tokens that the tokenizer lacks */
export function checkBoundaries({ boundaries }: DataRecipe, { bosId, eosId }: TextTokenizer): void {
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

async function writeAll(job: TokenJob, folder: string): Promise<Manifest> {
  const { corpus, vocabulary } = job;
  const { recipe } = corpus;
  const sources: Manifest["sources"] = [];
  await using held = recipe.heldOut > 0 ? await HeldOutFile.open(join(folder, heldOutText)) : undefined;
  for (const [source, { name, texts }] of corpus.sources.entries())
    sources.push(await describeSource(job, source, await writeSides(job, { prefix: join(folder, name), source, texts }, held)));
  await held?.finish();
  const heldOut = held === undefined ? {} : { heldOut: await describeHeldOut(job, folder) };
  return { version: 1, vocabulary, boundaries: recipe.boundaries, sources, ...heldOut };
}
