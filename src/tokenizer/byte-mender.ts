// Runs of byte pieces whose bytes are no UTF-8, as the library that a file belongs to shows them.
import { isUtf8Beginning, validUpTo } from "../base/index.ts";
import { replacement } from "./codec.ts";
import type { Decoding } from "./model.ts";

/** Takes the bytes of a run of byte pieces, and gives what the library shows for them. */
export interface ByteMender {
  /** Whether something is still open. */
  readonly isOpen: boolean;
  /** Takes the byte of one more piece. @returns what is certain by now */
  add(byte: Uint8Array): Uint8Array;
  /** The run ends here. @returns what was still open */
  end(): Uint8Array;
}

/** Undefined where bytes go as they are, so that every maximal subpart shows once. */
export function byteMender({ bytes, invalid }: Decoding): ByteMender | undefined {
  if (bytes !== "fallback" || invalid === undefined || invalid === "subpart") return undefined;
  return invalid === "byte" ? new BytewiseMender() : new RunMender();
}

/** SentencePiece: a byte that begins no character is a U+FFFD. */
class BytewiseMender implements ByteMender {
  #open: number[] = [];

  get isOpen(): boolean {
    return this.#open.length > 0;
  }

  add(byte: Uint8Array): Uint8Array {
    if (!this.isOpen && byte[0]! < 0x80) return byte; // most bytes of texts that have them are line ends
    this.#open.push(...byte);
    return this.#taken(false);
  }

  end(): Uint8Array {
    return this.#taken(true);
  }

  #taken(isEnd: boolean): Uint8Array {
    const bytes = Uint8Array.from(this.#open);
    const mended: number[] = [];
    let at = 0;
    while (at < bytes.length) {
      const valid = validUpTo(bytes, at);
      mended.push(...bytes.subarray(at, valid));
      at = valid;
      if (at === bytes.length || (!isEnd && isUtf8Beginning(bytes, at))) break;
      mended.push(...replacement);
      at++;
    }
    this.#open = [...bytes.subarray(at)];
    return Uint8Array.from(mended);
  }
}

/** huggingface/tokenizers, decoders/byte_fallback.rs: a run that is UTF-8 is text, of any other every byte is a U+FFFD. */
class RunMender implements ByteMender {
  #run: number[] = [];

  get isOpen(): boolean {
    return this.#run.length > 0;
  }

  add(byte: Uint8Array): Uint8Array {
    this.#run.push(...byte);
    return new Uint8Array(0);
  }

  end(): Uint8Array {
    const bytes = Uint8Array.from(this.#run);
    this.#run = [];
    return validUpTo(bytes) === bytes.length ? bytes : Uint8Array.from({ length: 3 * bytes.length }, (_, i) => replacement[i % 3]!);
  }
}
