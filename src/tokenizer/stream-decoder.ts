// Decoding while ids are still coming: never half a character.
import { ByteJoiner } from "./byte-joiner.ts";
import type { StreamDecodeOptions, Tokenizer } from "./tokenizer.ts";

/** Text as ids arrive. What `push` and `flush` return, joined, is what `decode` gives for all ids at once. */
export class StreamDecoder {
  readonly #joiner: ByteJoiner;
  readonly #text = new TextDecoder("utf-8", { ignoreBOM: true });

  /** `continued` when the ids go on from a prompt, so that the first space stays. */
  constructor(tokenizer: Tokenizer, options: StreamDecodeOptions = {}) {
    this.#joiner = new ByteJoiner(tokenizer, options, true);
  }

  /** The text this id completes; empty while a character's bytes are still missing, or a run of bytes goes on whose end decides what it shows. */
  push(id: number): string {
    return this.#text.decode(this.#joiner.next(id), { stream: true });
  }

  /** The end: U+FFFD when a character was left unfinished, and a space that waited for what follows it. */
  flush(): string {
    return this.#text.decode(this.#joiner.end());
  }
}
