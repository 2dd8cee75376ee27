// Bytes that come in pieces, as stripes of one size, which hashes of xxHash's family take.

/** Gathers bytes to whole stripes. */
export class Stripes {
  readonly #size: number;
  readonly #rest: Uint8Array<ArrayBuffer>;
  #waiting = 0;

  /** @param size bytes of a stripe */
  constructor(size: number) {
    this.#size = size;
    this.#rest = new Uint8Array(size);
  }

  /** Bytes that wait for a whole stripe, at the beginning of a buffer of their own. */
  get rest(): Uint8Array<ArrayBuffer> {
    return this.#rest.subarray(0, this.#waiting);
  }

  /** Takes bytes. @param take hears where whole stripes lie: from a place of a buffer to another */
  add(bytes: Uint8Array, take: (bytes: Uint8Array, from: number, to: number) => void): void {
    const size = this.#size;
    let at = 0;
    if (this.#waiting > 0) {
      at = Math.min(size - this.#waiting, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#waiting);
      this.#waiting += at;
      if (this.#waiting < size) return;
      take(this.#rest, 0, size);
    }
    const whole = bytes.length - ((bytes.length - at) % size);
    take(bytes, at, whole);
    this.#rest.set(bytes.subarray(whole));
    this.#waiting = bytes.length - whole;
  }
}
