// The documents of one side of a source, or of some of its files, as tokens in shards, and what the manifest says of them.
import { basename, join } from "node:path";
import { check, type OnProgress } from "../base/index.ts";
import { type TextTokenizer, type Vocabulary, vocabularyOf } from "../batches/index.ts";
import { AtomicFile } from "../files/index.ts";
import type { Corpus, Document, SidedDocument } from "./corpus.ts";
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

/** Characters of held-out texts that are written at once, about. */
const mostHeld = 1 << 20;
/** The file of the held-out texts in a prepared folder. */
export const heldOutText = `${heldOutName}.jsonl`;

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

/**
 * Writes the training side of some files of a source as shards, and what is held out of them as lines of JSON: the files are read once.
 * @param heldOut undefined where nothing is held out
 */
export async function writeSides(
  job: TokenJob,
  { prefix, source, texts }: { readonly prefix: string; readonly source: number; readonly texts: Texts },
  heldOut: HeldOutFile | undefined,
): Promise<WrittenTokens> {
  return writeTokens(job, prefix, trainingSide(sidedDocuments(job, source, texts), heldOut));
}

async function* trainingSide(documents: AsyncIterable<SidedDocument>, heldOut: HeldOutFile | undefined): AsyncGenerator<Document> {
  for await (const document of documents)
    if (document.side === "train") yield document;
    else await heldOut?.add(document);
}

/** Documents with progress in bytes of their files. */
async function* sidedDocuments({ corpus, progress, signal }: TokenJob, source: number, texts: Texts): AsyncGenerator<SidedDocument> {
  const { name } = corpus.sources[source]!;
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    progress?.({ task: "preparing", done, total: texts.bytes, unit: "bytes", note: name });
  };
  yield* corpus.sidedDocuments(texts, source, { signal, onBytes });
}

/** Held-out documents as lines of JSON, of which memory holds some. Disposed of before it is finished, it leaves nothing. */
export class HeldOutFile implements AsyncDisposable {
  readonly #file: AtomicFile;
  #lines = "";

  private constructor(file: AtomicFile) {
    this.#file = file;
  }

  static async open(path: string): Promise<HeldOutFile> {
    return new HeldOutFile(await AtomicFile.open(path, where));
  }

  async add({ text, source }: Pick<Document, "text" | "source">): Promise<void> {
    this.#lines += `${JSON.stringify({ text, source })}\n`;
    if (this.#lines.length >= mostHeld) await this.#flush();
  }

  /** Makes what was added the file. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#file.commit();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file[Symbol.asyncDispose]();
  }

  async #flush(): Promise<void> {
    const lines = Buffer.from(this.#lines);
    this.#lines = "";
    await this.#file.write(lines);
  }
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

/** The tokens of the held-out texts, which are in their file in the folder. @throws CriaError where there are none */
export async function describeHeldOut(job: TokenJob, folder: string): Promise<NonNullable<Manifest["heldOut"]>> {
  const { origins, ...totals } = await writeTokens(job, join(folder, heldOutName), documentsOf(readHeldOut(join(folder, heldOutText))));
  check(
    totals.documents > 0,
    where,
    () => `nothing is held out, though heldOut is ${job.corpus.recipe.heldOut}: give more text, or set heldOut to 0`,
  );
  return { ...totals, text: heldOutText };
}

async function* documentsOf(texts: AsyncIterable<string>): AsyncGenerator<Untraced> {
  for await (const text of texts) yield { text };
}
