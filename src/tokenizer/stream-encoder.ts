// Encoding texts of any size, while they are still coming, in bounded memory.
import type { EncodeOptions, Tokenizer } from "./tokenizer.ts";

/** The options of `encode`; places of a text that is not there as a whole cannot be asked for. */
export interface StreamEncodeOptions extends Omit<EncodeOptions, "parseSpecial"> {
  /** Special pieces spelled out in the text become their ids. @default false */
  readonly parseSpecial?: boolean;
  /** Bytes that are gathered before they are encoded. @default 65536 */
  readonly bufferBytes?: number;
}

/** Ids as text arrives. What `push` and `flush` return, joined, is what `encode` gives for the whole text, wherever the chunks end. */
export class StreamEncoder {
  readonly #tokenizer: Tokenizer;
  readonly #options: StreamEncodeOptions;
  readonly #utf8 = new TextEncoder();
  readonly #leastBytes: number;
  #bytes = new Uint8Array(0);
  #size = 0;
  /** How many bytes are waited for: twice as many as there are when these could not be cut, so that none is looked at too often. */
  #wanted: number;
  #isFirst = true;
  /** Half of a surrogate pair at the end of the last string. */
  #half = "";

  constructor(tokenizer: Tokenizer, options: StreamEncodeOptions = {}) {
    this.#tokenizer = tokenizer;
    this.#options = options;
    this.#leastBytes = options.bufferBytes ?? 1 << 16;
    this.#wanted = this.#leastBytes;
  }

  /** The ids that are certain by now, which are none as long as little text has come. */
  push(chunk: string | Uint8Array): Uint32Array {
    this.#append(typeof chunk === "string" ? this.#bytesOf(chunk) : this.#closed(chunk));
    return this.#size < this.#wanted ? new Uint32Array(0) : this.#encode(false);
  }

  /** The end of the text. */
  flush(): Uint32Array {
    this.#append(this.#closed(new Uint8Array(0)));
    return this.#encode(true);
  }

  #encode(isEnd: boolean): Uint32Array {
    const bytes = this.#bytes.subarray(0, this.#size);
    const { ids, taken } = this.#tokenizer.encodePart(bytes, { isFirst: this.#isFirst, isEnd }, this.#options);
    this.#bytes.copyWithin(0, taken, this.#size);
    this.#size -= taken;
    this.#wanted = Math.max(this.#leastBytes, 2 * this.#size);
    if (taken > 0) this.#isFirst = false;
    return ids;
  }

  #bytesOf(chunk: string): Uint8Array {
    const text = this.#half + chunk;
    const isHalf = /[\ud800-\udbff]$/.test(text);
    this.#half = isHalf ? text.slice(-1) : "";
    return this.#utf8.encode(isHalf ? text.slice(0, -1) : text);
  }

  /** Ends what came as text: the other half of a pair cannot come behind bytes, nor at the end. */
  #closed(chunk: Uint8Array): Uint8Array {
    if (this.#half === "") return chunk;
    this.#append(this.#utf8.encode(this.#half));
    this.#half = "";
    return chunk;
  }

  #append(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#size);
    this.#size = size;
  }
}

/**
 * The ids of a text of any size that comes in chunks, as they become certain; joined they are what `encode` gives for the whole text. Memory is
 * bounded by the longest run that nothing cuts, as long as the text is cut by a published pattern, or by LLaMA's pieces with bytes for what has none;
 * what other models say of a word may hang on the whole text, which is then held until its end.
 * @throws CriaError as `encode` does
 */
export async function* encodeStream(
  tokenizer: Tokenizer,
  chunks: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
  options: StreamEncodeOptions = {},
): AsyncGenerator<Uint32Array, void> {
  const encoder = new StreamEncoder(tokenizer, options);
  for await (const chunk of chunks) {
    const ids = encoder.push(chunk);
    if (ids.length > 0) yield ids;
  }
  const last = encoder.flush();
  if (last.length > 0) yield last;
}
