// One long row of tokens over several shards, read by range: the operating system's page cache keeps what is read often, memory here none.
import { type ByteSource, check, fail, Sha256 } from "../base/index.ts";
import { bytesPerToken, decodeHead, decodeTail, headBytes, type Totals, tailBytes } from "./shard-format.ts";
import type { Vocabulary } from "./text-tokenizer.ts";

/** A row of tokens of known length. */
export interface Tokens {
  readonly length: number;
  /** Tokens `first` to `first + count`, exactly as many. */
  read(first: number, count: number): Promise<Int32Array>;
  /** Which of the tokens `first` to `first + count` begin a document, in order; absent where documents are not known. */
  startsWithin?(first: number, count: number): Promise<readonly number[]>;
}

/** Tokens that are of one document. */
export interface DocumentSpan {
  /** The number of its shard in the store, from 0. */
  readonly shard: number;
  /** The document's number in the shard, from 0, and the documents that the shard has. */
  readonly document: number;
  readonly documents: number;
  /** Tokens of the shard in front of the document, and of it. */
  readonly start: number;
  readonly length: number;
  /** The first of the tokens that were asked for, counted from the document's beginning, and how many are its. */
  readonly from: number;
  readonly count: number;
  /** Where this token lies in the shard's file. */
  readonly byte: number;
}

/** A shard's bytes: a file that is closed with its store, or memory. */
export type ShardSource = ByteSource & { close?(): Promise<void> };

interface Shard extends Totals {
  readonly source: ShardSource;
  /** Index of its first token in the store. */
  readonly first: number;
}

const where = "data";
/** How much a fingerprint looks at, at each end of a shard: head and first tokens, last starts of documents and tail. */
const endBytes = 1 << 16;
/** Starts of documents that are read at a time: 4 KiB. */
const startsPerRead = 1024;

/** The tokens of several shards as one long row, read by range. */
export class TokenStore implements Tokens, AsyncDisposable {
  readonly vocabulary: Vocabulary;
  readonly totals: Totals;
  readonly #shards: readonly Shard[];

  /**
   * Checks head, tail and size of each shard; their tokens follow one another in this order.
   * @param sources the store closes them when it is closed, and when it cannot be opened
   * @throws CriaError when one is cut short, damaged or of another vocabulary than `vocabulary`
   */
  static async open(sources: readonly ShardSource[], vocabulary: Vocabulary): Promise<TokenStore> {
    const shards: Shard[] = [];
    try {
      for (const source of sources) {
        const before = shards.at(-1);
        shards.push(await readShard(source, vocabulary, before === undefined ? 0 : before.first + before.tokens));
      }
    } catch (error) {
      await closeAll(sources);
      throw error;
    }
    return new TokenStore(shards, vocabulary);
  }

  private constructor(shards: readonly Shard[], vocabulary: Vocabulary) {
    this.#shards = shards;
    this.vocabulary = vocabulary;
    const sum = (key: keyof Totals) => shards.reduce((total, shard) => total + shard[key], 0);
    this.totals = { tokens: sum("tokens"), documents: sum("documents"), bytes: sum("bytes") };
  }

  get length(): number {
    return this.totals.tokens;
  }

  async read(first: number, count: number): Promise<Int32Array> {
    const inside = first >= 0 && count >= 0 && first + count <= this.length;
    check(inside, where, () => `tokens ${first} to ${first + count} asked for, but there are ${this.length}`);
    const out = new Int32Array(count);
    const reads = this.#shards.map((shard) => {
      const from = Math.max(first, shard.first);
      const to = Math.min(first + count, shard.first + shard.tokens);
      return from < to ? this.#readShard(shard, from - shard.first, out.subarray(from - first, to - first)) : undefined;
    });
    await Promise.all(reads);
    return out;
  }

  /** Index of the first token of every document, in order, shard by shard. @throws CriaError for a shard whose starts are none */
  async *documentStarts(): AsyncGenerator<number> {
    for (const { source, first, tokens, documents } of this.#shards) {
      const bytes = await source.read(headBytes + tokens * bytesPerToken(this.vocabulary.size), 4 * documents);
      let before = 0;
      for (const [i, start] of typed(bytes, 4).entries()) {
        const isStart = i === 0 ? start === 0 : start >= before && start <= tokens;
        if (!isStart)
          fail(
            where,
            `${source.name}: document ${i} starts at token ${start} but ${i === 0 ? "the first one starts at 0" : `must start from ${before} to ${tokens}`}: it is damaged, prepare it again`,
          );
        before = start;
        yield first + start;
      }
    }
  }

  /** Found by bisection in the shards' own lists: a read for each halving down to a page of them. @throws CriaError for starts that do not rise */
  async startsWithin(first: number, count: number): Promise<readonly number[]> {
    const reads = this.#shards.map(async (shard) => {
      const from = Math.max(first, shard.first) - shard.first;
      const to = Math.min(first + count, shard.first + shard.tokens) - shard.first;
      return from < to ? (await this.#startsBetween(shard, from, to)).map((start) => shard.first + start) : [];
    });
    return (await Promise.all(reads)).flat();
  }

  /** Which documents the tokens `first` to `first + count` are of, in their order. */
  async documentsWithin(first: number, count: number): Promise<readonly DocumentSpan[]> {
    const spans: DocumentSpan[] = [];
    for (const [index, shard] of this.#shards.entries()) {
      const [low, high] = [Math.max(first - shard.first, 0), Math.min(first + count - shard.first, shard.tokens)];
      if (low >= high) continue;
      let document = await this.#documentAt(shard, low);
      for (let at = low; at < high; document++) {
        const isLast = document === shard.documents - 1;
        const [start = 0, end = shard.tokens] = await this.#readStarts(shard, document, isLast ? 1 : 2);
        check(
          document < shard.documents && start <= at,
          where,
          () =>
            `${shard.source.name}: document ${document} of ${shard.documents} starts at token ${start}, behind ${at}: it is damaged, prepare it again`,
        );
        const to = Math.min(end, high);
        if (to > at) {
          const byte = headBytes + at * bytesPerToken(this.vocabulary.size);
          const { documents } = shard;
          spans.push({ shard: index, document, documents, start, length: end - start, from: at - start, count: to - at, byte });
        }
        at = isLast ? high : Math.max(at, to);
      }
    }
    return spans;
  }

  /** The last document that begins at a token or in front of it, by bisection. */
  async #documentAt(shard: Shard, token: number): Promise<number> {
    let [low, high] = [0, shard.documents];
    while (high - low > 1) {
      const middle = low + ((high - low) >> 1);
      const [start = 0] = await this.#readStarts(shard, middle, 1);
      if (start <= token) low = middle;
      else high = middle;
    }
    return low;
  }

  async #startsBetween(shard: Shard, from: number, to: number): Promise<number[]> {
    let [low, high] = [0, shard.documents];
    while (high - low > startsPerRead) {
      const middle = low + ((high - low) >> 1);
      const [start = to] = await this.#readStarts(shard, middle, 1);
      if (start < from) low = middle + 1;
      else high = middle;
    }
    const found: number[] = [];
    for (let at = low; at < shard.documents && (found.at(-1) ?? from) < to; at += startsPerRead)
      for (const start of await this.#readStarts(shard, at, Math.min(startsPerRead, shard.documents - at))) {
        check(
          start >= (found.at(-1) ?? 0),
          where,
          () => `${shard.source.name}: a document starts at token ${start}, before the one in front of it: it is damaged, prepare it again`,
        );
        found.push(start);
      }
    return found.filter((start) => start >= from && start < to);
  }

  async #readStarts({ source, tokens }: Shard, first: number, count: number): Promise<Uint16Array | Uint32Array> {
    const at = headBytes + tokens * bytesPerToken(this.vocabulary.size) + 4 * first;
    return typed(await source.read(at, 4 * count), 4);
  }

  /**
   * 32 hexadecimal digits that tell these shards from others: half the SHA-256 of their sizes and of the bytes at both ends of each, read at once
   * however large they are. What was changed in the middle is found by `verifyPrepared` alone.
   */
  async fingerprint(): Promise<string> {
    const hash = new Sha256();
    for (const { source } of this.#shards) {
      const count = Math.min(endBytes, source.size);
      hash.update(`${source.size} `).update(await source.read(0, count));
      hash.update(await source.read(source.size - count, count));
    }
    return hash.hexDigest().slice(0, 32);
  }

  async close(): Promise<void> {
    await closeAll(this.#shards.map(({ source }) => source));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** A token outside the vocabulary would reach past the embedding table: it is refused here, where the file is known. */
  async #readShard({ source }: Shard, first: number, out: Int32Array): Promise<void> {
    const width = bytesPerToken(this.vocabulary.size);
    const tokens = typed(await source.read(headBytes + first * width, out.length * width), width);
    const wrong = tokens.findIndex((token: number) => token >= this.vocabulary.size);
    if (wrong >= 0)
      fail(
        where,
        `${source.name}: token ${first + wrong} is ${tokens[wrong]} but the vocabulary has ${this.vocabulary.size}: it is damaged, prepare it again`,
      );
    out.set(tokens);
  }
}

async function readShard(source: ShardSource, vocabulary: Vocabulary, first: number): Promise<Shard> {
  const { name, size } = source;
  check(
    size >= headBytes + tailBytes,
    where,
    () => `${name}: it has ${size} bytes but a token shard at least ${headBytes + tailBytes}: it is cut short, prepare it again`,
  );
  checkVocabulary(name, decodeHead(name, await source.read(0, headBytes)), vocabulary);
  return { source, first, ...decodeTail(name, await source.read(size - tailBytes, tailBytes), size, vocabulary.size) };
}

async function closeAll(sources: readonly ShardSource[]): Promise<void> {
  await Promise.all(sources.map((source) => source.close?.()));
}

function checkVocabulary(path: string, found: Vocabulary, wanted: Vocabulary): void {
  check(
    found.size === wanted.size,
    where,
    () =>
      `${path}: its tokens are of a vocabulary of ${found.size} pieces but the tokenizer has ${wanted.size}: prepare the data with this tokenizer`,
  );
  check(
    found.fingerprint === wanted.fingerprint,
    where,
    () =>
      `${path}: its tokens are of vocabulary ${found.fingerprint} but the tokenizer's is ${wanted.fingerprint}: prepare the data with this tokenizer`,
  );
}

function typed(bytes: Uint8Array, width: 2 | 4): Uint16Array | Uint32Array {
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  return width === 2
    ? new Uint16Array(aligned.buffer, aligned.byteOffset, bytes.length / 2)
    : new Uint32Array(aligned.buffer, aligned.byteOffset, bytes.length / 4);
}
