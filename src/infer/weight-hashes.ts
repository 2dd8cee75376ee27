// What tells the weights of two models apart: hashes of samples, so that a large model is not read from end to end.
import type { DeviceBuffer } from "../backend/index.ts";
import { bytesOf, Sha256 } from "../base/index.ts";

/** The hash of each parameter, in the order of their names. */
export type WeightHashes = ReadonlyMap<string, () => Promise<string>>;

/** Samples of a parameter, and bytes of each: a parameter of fewer bytes is hashed whole. */
const [samples, sampleBytes] = [16, 256];

/** Where the samples of so many bytes are, in pairs of first byte and number of bytes: evenly spread, the first and the last bytes among them. */
function samplesOf(bytes: number): readonly (readonly [number, number])[] {
  if (bytes <= samples * sampleBytes) return [[0, bytes]];
  // Places of elements of four bytes, which buffers of float32 are read by.
  return Array.from({ length: samples }, (_, i) => [Math.floor(((bytes - sampleBytes) / 4) * (i / (samples - 1))) * 4, sampleBytes]);
}

/** The hash of a parameter that is read piece by piece. */
export class PiecesHash {
  readonly #hash = new Sha256();
  readonly #samples: readonly (readonly [number, number])[];
  #at = 0;

  constructor(bytes: number) {
    this.#samples = samplesOf(bytes);
  }

  add(piece: Float32Array | Uint8Array): void {
    const bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
    const start = this.#at;
    this.#at += bytes.length;
    for (const [first, length] of this.#samples) {
      const [from, to] = [Math.max(first, start), Math.min(first + length, this.#at)];
      if (from < to) this.#hash.update(bytes.subarray(from - start, to - start));
    }
  }

  /** The hash of all pieces, which were all. */
  hexDigest(): string {
    return this.#hash.hexDigest();
  }
}

/** The hash of a parameter that lies in a buffer. */
export async function bufferHash(buffer: DeviceBuffer): Promise<string> {
  const { dtype, shape } = buffer.type;
  const perPlace = dtype === "f32" ? 4 : 1;
  const hash = new Sha256();
  for (const [first, length] of samplesOf(bytesOf(dtype, shape))) {
    const values = await buffer.read(first / perPlace, length / perPlace);
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.hexDigest();
}
