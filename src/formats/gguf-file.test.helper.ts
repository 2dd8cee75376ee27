// GGUF files for tests, well-formed or not: every number of a tensor's description may be another than its data's.
import type { GgufType } from "./gguf-cursor.ts";
import { type GgufScalar, type GgufValue, ggufBytes } from "./gguf-metadata.ts";

export interface TestTensor {
  readonly name: string;
  /** Elements along each dimension, the innermost first, as the file has them. */
  readonly sizes: readonly (number | bigint)[];
  /** ggml's number. */
  readonly type: number;
  readonly data: Uint8Array;
  /** Bytes from the end of the head; behind the tensor before by default. */
  readonly offset?: number | bigint;
}

export interface TestGguf {
  readonly pairs: Iterable<readonly [string, GgufValue]>;
  readonly tensors?: readonly TestTensor[];
  readonly alignment?: number;
}

/** Offsets from here on are written, and nothing is put there. */
const largest = 1e6;

/** The metadata of ggufBytes, whose count of tensors is put right, with descriptions and tensors behind it. */
export function testGguf({ pairs, tensors = [], alignment = 32 }: TestGguf): Uint8Array {
  const head = Buffer.from(ggufBytes(new Map(pairs)));
  head.writeBigUInt64LE(BigInt(tensors.length), 8);
  let end = 0;
  const placed = tensors.map((tensor) => {
    const offset = tensor.offset ?? end;
    if (offset < largest) end = Number(offset) + padded(tensor.data.length, alignment);
    return { ...tensor, offset };
  });
  const all = Buffer.concat([head, ...placed.map(describe)]);
  const start = padded(all.length, alignment);
  const file = Buffer.alloc(
    start + Math.max(0, ...placed.map(({ offset, data }) => (offset < largest ? Number(offset) : 0) + data.length)),
  );
  file.set(all);
  for (const { offset, data } of placed) if (offset < largest) file.set(data, start + Number(offset));
  return new Uint8Array(file);
}

function describe({ name, sizes, type, offset = 0 }: TestTensor): Buffer {
  const text = Buffer.from(name);
  const description = Buffer.alloc(8 + text.length + 4 + 8 * sizes.length + 4 + 8);
  let at = description.writeBigUInt64LE(BigInt(text.length));
  at += text.copy(description, at);
  at = description.writeUInt32LE(sizes.length, at);
  for (const size of sizes) at = description.writeBigUInt64LE(BigInt(size), at);
  at = description.writeUInt32LE(type, at);
  description.writeBigUInt64LE(BigInt(offset), at);
  return description;
}

function padded(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

export function pair(key: string, type: GgufType, value: GgufScalar): [string, GgufValue] {
  return [key, { type, value }];
}
