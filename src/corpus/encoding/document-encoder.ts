// Documents to tokens on all threads, in the order in which they come. The calling thread reads, and encodes whatever the others have no room for: it
// waits neither for them to start nor for their answers.
import { availableParallelism } from "node:os";
import type { TextTokenizer } from "../../batches/index.ts";
import type { Tokenizer } from "../../tokenizer/index.ts";
import type { EncodedDocument } from "../write-shards.ts";
import { EncodePool } from "./encode-pool.ts";
import { OrderedResults } from "./ordered-results.ts";

/** How documents are encoded: the tokens around each, and the threads. */
export interface DocumentEncoderOptions {
  /** The begin-of-text id in front of every document, the end-of-text id behind. */
  readonly bos: boolean;
  readonly eos: boolean;
  /** The calling thread is one of them. Absent: as many as the machine runs at once. */
  readonly threads?: number;
  /** So much text, in UTF-16 units, is encoded before other threads are started: each needs a third of a second until it is as fast. */
  readonly alone?: number;
  /** How much text there will be, about, where that is known: with more than `alone` the other threads are started at once. */
  readonly expected?: number;
}

type Documents = AsyncIterable<{ readonly text: string }>;

const usualAlone = 1 << 22;
/** UTF-16 units that are sent at once: some milliseconds of work, so that sending costs little and nobody waits long. */
const batchUnits = 1 << 18;
/** UTF-16 units after which answers of other threads are heard. */
const hearEvery = 1 << 17;
/** UTF-16 units of documents that may wait for one in front of them that another thread has. */
const mostWaiting = 1 << 25;

/** Encodes documents, of one source after another, on threads that stay. */
export class DocumentEncoder implements AsyncDisposable {
  readonly #tokenizer: TextTokenizer;
  readonly #options: { readonly bos: boolean; readonly eos: boolean };
  readonly #threads: number;
  /** How much text is left to encode before other threads are started. */
  #alone: number;
  #pool: EncodePool | undefined;

  constructor(tokenizer: TextTokenizer, options: DocumentEncoderOptions) {
    const { bos, eos, threads = availableParallelism(), alone = usualAlone, expected = 0 } = options;
    this.#tokenizer = tokenizer;
    this.#options = { bos, eos };
    this.#threads = threads;
    this.#alone = expected > alone ? 0 : alone;
    this.#startThreads();
  }

  /** The tokens of the documents, in their order; the same for every number of threads. @throws what reading the documents throws */
  async *encode(documents: Documents): AsyncGenerator<EncodedDocument> {
    const results = new OrderedResults();
    let batch: string[] = [];
    let [batched, unheard] = [0, 0];
    for await (const { text } of documents) {
      this.#startThreads();
      this.#alone -= text.length;
      const pool = this.#pool;
      if (pool !== undefined && (batch.length > 0 || pool.hasRoom)) {
        batch.push(text);
        batched += text.length;
        if (batched < batchUnits) continue;
        results.addBatch(pool.encode(batch), batched);
        [batch, batched] = [[], 0];
      } else results.add(this.#encodeHere(text), text.length);
      unheard += text.length;
      if (pool !== undefined && unheard > hearEvery) {
        await new Promise((resolve) => setImmediate(resolve));
        unheard = 0;
      }
      yield* results.finished();
      while (results.units > mostWaiting) yield* await results.wait();
    }
    for (const text of batch) results.add(this.#encodeHere(text), text.length);
    while (!results.isEmpty) yield* await results.wait();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.[Symbol.asyncDispose]();
  }

  /** Starts the other threads once there was enough text for them. */
  #startThreads(): void {
    if (this.#pool !== undefined || this.#threads < 2 || this.#alone > 0 || !hasModel(this.#tokenizer)) return;
    this.#pool = new EncodePool(this.#threads - 1, { model: this.#tokenizer.model, options: this.#options });
  }

  #encodeHere(text: string): EncodedDocument {
    return { tokens: this.#tokenizer.encode(text, this.#options), bytes: Buffer.byteLength(text) };
  }
}

/** A tokenizer that threads can make again; what tests and other programs pass may be something else. */
function hasModel(tokenizer: TextTokenizer): tokenizer is Tokenizer {
  return "model" in tokenizer && typeof tokenizer.model === "object";
}
