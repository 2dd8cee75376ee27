// Encoded documents to shards: each file is written in one go, beside its place, and appears there only when it is whole.
import { check, fail } from "../base/index.ts";
import type { Vocabulary } from "../batches/index.ts";
import { bytesPerToken, encodeHead, encodeTail, maxShardTokens, type Totals } from "../batches/index.ts";
import { atomicWrite } from "../files/index.ts";
import { type DocumentOrigin, encodeOrigins } from "./origin-index.ts";

/** The tokens of a document, and the size of its text. */
export interface EncodedDocument {
  readonly tokens: ArrayLike<number>;
  /** Bytes of its text in UTF-8. */
  readonly bytes: number;
  /** Where it is from; absent where nobody traces it. */
  readonly origin?: DocumentOrigin;
}

/** A shard that was written, and what it holds. */
export interface WrittenShard extends Totals {
  readonly path: string;
  /** The index of its documents' origins; absent where they have none. */
  readonly origins: string | undefined;
}

const where = "data";
/** A gigabyte or half of one: small enough to copy, large enough to be few. */
const defaultShardTokens = 1 << 28;
const chunkTokens = 1 << 18;

/**
 * Writes `PREFIX-00000.tokens`, `PREFIX-00001.tokens`, …, and `PREFIX-00000.origins` where documents have origins. A document lies in one shard; a shard ends with the document that fills it.
 * @throws CriaError when a file cannot be written (it is then not there) or a token is outside the vocabulary
 */
export async function writeShards(
  prefix: string,
  documents: AsyncIterable<EncodedDocument>,
  vocabulary: Vocabulary,
  shardTokens = defaultShardTokens,
): Promise<WrittenShard[]> {
  const shards: WrittenShard[] = [];
  const cursor = await Cursor.over(documents);
  try {
    while (cursor.document !== undefined) {
      const name = `${prefix}-${String(shards.length).padStart(5, "0")}`;
      const path = `${name}.tokens`;
      const filled: Filled = { totals: { tokens: 0, documents: 0, bytes: 0 }, origins: [] };
      await atomicWrite(path, shardChunks(path, cursor, vocabulary, shardTokens, filled), where);
      const origins = filled.origins.length === 0 ? undefined : `${name}.origins`;
      if (origins !== undefined) await atomicWrite(origins, encodeOrigins(filled.origins), where);
      shards.push({ path, origins, ...filled.totals });
    }
  } finally {
    await cursor.close();
  }
  return shards;
}

/** What a shard has when it is written. */
interface Filled {
  readonly totals: { -readonly [K in keyof Totals]: Totals[K] };
  readonly origins: DocumentOrigin[];
}

/** Adds to `filled` as it goes. */
async function* shardChunks(
  path: string,
  cursor: Cursor,
  vocabulary: Vocabulary,
  shardTokens: number,
  { totals, origins }: Filled,
): AsyncGenerator<Uint8Array> {
  const starts: number[] = [];
  const chunk = new TokenChunk(vocabulary.size);
  yield encodeHead(vocabulary);
  for (; cursor.document !== undefined && totals.tokens < shardTokens; await cursor.advance()) {
    const { tokens, bytes, origin } = cursor.document;
    check(
      totals.tokens + tokens.length <= maxShardTokens,
      where,
      () => `${path}: a document of ${tokens.length} tokens does not fit in a shard: split it`,
    );
    starts.push(totals.tokens);
    if (origin !== undefined) origins.push(origin);
    yield* chunk.add(tokens);
    totals.tokens += tokens.length;
    totals.bytes += bytes;
    totals.documents++;
  }
  yield chunk.rest();
  yield asBytes(Uint32Array.from(starts));
  yield encodeTail(totals);
}

/** Gathers tokens to chunks worth a write. A chunk given out is used again when the next one is asked for. */
class TokenChunk {
  readonly #tokens: Uint16Array | Uint32Array;
  readonly #vocabSize: number;
  #filled = 0;

  constructor(vocabSize: number) {
    this.#vocabSize = vocabSize;
    this.#tokens = bytesPerToken(vocabSize) === 2 ? new Uint16Array(chunkTokens) : new Uint32Array(chunkTokens);
  }

  *add(tokens: ArrayLike<number>): Generator<Uint8Array> {
    for (let i = 0; i < tokens.length; i++) {
      if (this.#filled === chunkTokens) yield this.rest();
      const token = tokens[i]!;
      if (!(token >= 0 && token < this.#vocabSize))
        fail(where, `the tokenizer gave ${token} but its vocabulary has ${this.#vocabSize} pieces: it is damaged`);
      this.#tokens[this.#filled++] = token;
    }
  }

  rest(): Uint8Array {
    const bytes = asBytes(this.#tokens.subarray(0, this.#filled));
    this.#filled = 0;
    return bytes;
  }
}

function asBytes(array: Uint16Array | Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** An iterator that outlives one file: `document` is the next to be written. */
class Cursor {
  readonly #iterator: AsyncIterator<EncodedDocument>;
  document: EncodedDocument | undefined;

  static async over(documents: AsyncIterable<EncodedDocument>): Promise<Cursor> {
    const cursor = new Cursor(documents[Symbol.asyncIterator]());
    await cursor.advance();
    return cursor;
  }

  private constructor(iterator: AsyncIterator<EncodedDocument>) {
    this.#iterator = iterator;
  }

  async advance(): Promise<void> {
    const next = await this.#iterator.next();
    this.document = next.done ? undefined : next.value;
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }
}
