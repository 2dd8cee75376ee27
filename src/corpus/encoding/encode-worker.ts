// A thread that encodes documents: it is sent some, and answers with the ids of all of them in one array.
import { parentPort, workerData } from "node:worker_threads";
import { createTokenizer, type TokenizerModel } from "../../tokenizer/index.ts";

/** What each thread is started with. */
export interface EncodeTask {
  readonly model: TokenizerModel;
  readonly options: { readonly bos: boolean; readonly eos: boolean };
}

/** Documents that a thread has encoded. */
export interface EncodedBatch {
  readonly ids: Uint32Array<ArrayBuffer>;
  /** Where the ids of each document end. */
  readonly ends: Uint32Array<ArrayBuffer>;
  /** Bytes of each text in UTF-8. */
  readonly bytes: readonly number[];
}

/** What a thread says: first that it has its tokenizer, then its answers. */
export type EncodeReport = "ready" | EncodedBatch;

const { model, options } = workerData as EncodeTask;
const tokenizer = createTokenizer(model);
const port = parentPort!;
port.on("message", (texts: readonly string[]) => {
  const documents = texts.map((text) => tokenizer.encode(text, options));
  const ends = new Uint32Array(texts.length);
  const ids = new Uint32Array(documents.reduce((size, one) => size + one.length, 0));
  documents.forEach((one, i) => {
    const start = i === 0 ? 0 : ends[i - 1]!;
    ids.set(one, start);
    ends[i] = start + one.length;
  });
  const bytes = texts.map((text) => Buffer.byteLength(text));
  port.postMessage({ ids, ends, bytes } satisfies EncodeReport, [ids.buffer, ends.buffer]);
});
port.postMessage("ready" satisfies EncodeReport);
