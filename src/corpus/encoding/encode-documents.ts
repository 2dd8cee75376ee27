// Documents to tokens on all threads, in the order in which they come.
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { CriaError } from "../../base/index.ts";
import type { TextTokenizer } from "../../batches/index.ts";
import type { Tokenizer } from "../../tokenizer/index.ts";
import type { EncodedDocument } from "../write-shards.ts";
import type { EncodedBatch, EncodeTask } from "./encode-worker.ts";

/** How documents are encoded: the tokens around each, and the threads. */
export interface EncodeDocumentsOptions {
  /** The begin-of-text id in front of every document, the end-of-text id behind. */
  readonly bos: boolean;
  readonly eos: boolean;
  /** Absent: as many as the machine runs at once. With 1 the calling thread encodes. */
  readonly threads?: number;
  /** So much text, in UTF-16 units, is encoded by the calling thread before others are started, which takes some tenths of a second. */
  readonly alone?: number;
}

const usualAlone = 4 << 20;
/** UTF-16 units that are sent at once: enough that sending costs little. */
const batchUnits = 1 << 18;
/** Batches that a thread has before it, so that it waits for none. */
const ahead = 2;

/** The tokens of the documents, in their order; the same for every number of threads. @throws what reading the documents throws */
export async function* encodeDocuments(
  documents: AsyncIterable<{ readonly text: string }>,
  tokenizer: TextTokenizer,
  { bos, eos, threads = availableParallelism(), alone = usualAlone }: EncodeDocumentsOptions,
): AsyncGenerator<EncodedDocument> {
  const iterator = documents[Symbol.asyncIterator]();
  try {
    let units = 0;
    while (threads < 2 || !hasModel(tokenizer) || units < alone) {
      const next = await iterator.next();
      if (next.done) return;
      const { text } = next.value;
      units += text.length;
      yield { tokens: tokenizer.encode(text, { bos, eos }), bytes: Buffer.byteLength(text) };
    }
    await using pool = new EncodePool(threads, { model: tokenizer.model, options: { bos, eos } });
    yield* inOrder(pool, batches(iterator));
  } finally {
    await iterator.return?.();
  }
}

/** A tokenizer that threads can make again; what tests and other programs pass may be something else. */
function hasModel(tokenizer: TextTokenizer): tokenizer is Tokenizer {
  return "model" in tokenizer && typeof tokenizer.model === "object";
}

async function* batches(documents: AsyncIterator<{ readonly text: string }>): AsyncGenerator<readonly string[]> {
  let batch: string[] = [];
  let units = 0;
  for (let next = await documents.next(); !next.done; next = await documents.next()) {
    batch.push(next.value.text);
    units += next.value.text.length;
    if (units < batchUnits) continue;
    yield batch;
    batch = [];
    units = 0;
  }
  if (batch.length > 0) yield batch;
}

async function* inOrder(pool: EncodePool, all: AsyncIterable<readonly string[]>): AsyncGenerator<EncodedDocument> {
  const open: Promise<EncodedBatch>[] = [];
  for await (const batch of all) {
    open.push(pool.encode(batch));
    if (open.length >= pool.size * ahead) yield* documentsOf(await open.shift()!);
  }
  for (const batch of open) yield* documentsOf(await batch);
}

function* documentsOf({ ids, ends, bytes }: EncodedBatch): Generator<EncodedDocument> {
  for (const [i, end] of ends.entries()) yield { tokens: ids.subarray(i === 0 ? 0 : ends[i - 1], end), bytes: bytes[i]! };
}

/** Threads that take batches in turn; each answers in the order in which it was asked. */
class EncodePool implements AsyncDisposable {
  readonly #threads: EncodeThread[];
  #turn = 0;

  constructor(size: number, task: EncodeTask) {
    this.#threads = Array.from({ length: size }, () => new EncodeThread(task));
  }

  get size(): number {
    return this.#threads.length;
  }

  encode(batch: readonly string[]): Promise<EncodedBatch> {
    return this.#threads[this.#turn++ % this.size]!.encode(batch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

interface Waiting {
  readonly resolve: (batch: EncodedBatch) => void;
  readonly reject: (error: unknown) => void;
}

class EncodeThread {
  readonly #worker: Worker;
  #waiting: Waiting[] = [];
  #failure: unknown;

  constructor(task: EncodeTask) {
    // No execArgv: what the main thread was started with, --input-type say, need not fit a worker.
    this.#worker = new Worker(new URL("./encode-worker.js", import.meta.url), { workerData: task, execArgv: [] });
    this.#worker.on("message", (batch: EncodedBatch) => this.#waiting.shift()?.resolve(batch));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () =>
      this.#fail(new CriaError("data", "a thread that encodes documents has ended: give it less memory, or stop other programs")),
    );
  }

  encode(batch: readonly string[]): Promise<EncodedBatch> {
    const answer = new Promise<EncodedBatch>((resolve, reject) => {
      if (this.#failure === undefined) this.#waiting.push({ resolve, reject });
      else reject(this.#failure);
    });
    answer.catch(() => undefined); // who waits for an earlier batch hears of it then
    this.#worker.postMessage(batch);
    return answer;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting) reject(this.#failure);
    this.#waiting = [];
  }
}
