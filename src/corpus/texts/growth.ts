// A limit on how far packed data may unfold: decompression bombs unpack to thousands of times their size, texts to some tens.
import { check } from "../../base/index.ts";

/** Unpacked bytes may be so many times the packed ones; text of one repeated line reaches this by gzip, but no corpus does. */
const mostGrowth = 250;
/** So many unpacked bytes are given whatever they came from. */
const freeBytes = 2 ** 28;

/** Counts packed bytes on their way in and unpacked ones on their way out. */
export class Growth {
  readonly #name: string;
  readonly #where: string;
  readonly #free: number;
  #packed: number;
  #unpacked = 0;

  /** @param packed bytes that are known beforehand @param free see {@link freeBytes} */
  constructor(name: string, where: string, packed = 0, free = freeBytes) {
    [this.#name, this.#where, this.#packed, this.#free] = [name, where, packed, free];
  }

  /** Packed bytes as they are, counted. */
  async *in(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#packed += chunk.length;
      yield chunk;
    }
  }

  /** Unpacked bytes as they are. @throws CriaError when they are too many for the packed ones so far */
  async *out(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      this.#unpacked += chunk.length;
      checkGrowth({ name: this.#name, where: this.#where, packed: this.#packed, unpacked: this.#unpacked }, this.#free);
      yield chunk;
    }
  }
}

/** What came of packed data so far, or will come by what an archive says. */
export interface Unfolded {
  readonly name: string;
  readonly where: string;
  readonly packed: number;
  readonly unpacked: number;
}

/** @throws CriaError when unpacked bytes are too many for the packed ones @param free see {@link freeBytes} */
export function checkGrowth({ name, where, packed, unpacked }: Unfolded, free = freeBytes): void {
  check(
    unpacked <= free || unpacked <= mostGrowth * packed,
    where,
    () =>
      `${name}: ${packed} packed bytes unfold to ${unpacked} and more, over ${mostGrowth} times as many, as decompression bombs do: leave it out, or unpack it by hand where that is meant`,
  );
}
