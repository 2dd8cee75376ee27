// What a thread is at, in memory that outlives it: a thread that ends can't say which document it ended at.

const mostBytes = 1 << 10;
const encoder = new TextEncoder();

/** A short text that one thread writes and another one reads. */
export class CurrentPlace {
  readonly memory: SharedArrayBuffer;
  readonly #length: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory = new SharedArrayBuffer(4 + mostBytes)) {
    this.memory = memory;
    [this.#length, this.#bytes] = [new Int32Array(memory, 0, 1), new Uint8Array(memory, 4)];
  }

  /** What does not fit is cut off. */
  write(place: string): void {
    Atomics.store(this.#length, 0, encoder.encodeInto(place, this.#bytes).written);
  }

  read(): string {
    return new TextDecoder().decode(this.#bytes.slice(0, Atomics.load(this.#length, 0)));
  }
}
