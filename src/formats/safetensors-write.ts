// safetensors, written: the same tensors give the same bytes, whatever order they come in.
import { check, type Shape, showShape, sizeOf } from "../base/index.ts";
import { quote } from "./json.ts";
import { maxHeaderBytes, metadataKey } from "./safetensors.ts";
import { type StorageName, storageTypes } from "./storage.ts";

type Bytes = ArrayBufferView | Promise<ArrayBufferView> | AsyncIterable<ArrayBufferView>;

/** A tensor for a safetensors file. */
export interface TensorToWrite {
  readonly name: string;
  readonly dtype: StorageName;
  readonly shape: Shape;
  /** The elements, or a function that gives them when their turn comes, whole or in pieces, so that a model need not be in memory twice. */
  readonly data: ArrayBufferView | (() => Bytes);
}

const where = "safetensors";

/**
 * The chunks of a file with these tensors: widest elements first, then by name, so that every tensor is aligned to its element.
 * @throws CriaError at once for names that repeat and negative sizes; while iterating, when data does not have the size that its shape says.
 */
export function writeSafetensors(
  tensors: Iterable<TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
): AsyncIterable<Uint8Array> {
  const sorted = [...tensors].sort((a, b) => storageTypes[b.dtype].bytes - storageTypes[a.dtype].bytes || (a.name < b.name ? -1 : 1));
  const header = encodeHeader(sorted, metadata);
  return chunks(header, sorted);
}

async function* chunks(header: Uint8Array, tensors: readonly TensorToWrite[]): AsyncGenerator<Uint8Array> {
  yield header;
  for (const tensor of tensors) {
    let bytes = 0;
    for await (const view of piecesOf(tensor)) {
      bytes += view.byteLength;
      yield new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    }
    check(
      bytes === byteSize(tensor),
      where,
      () =>
        `tensor ${quote(tensor.name)} is ${tensor.dtype} ${showShape(tensor.shape)}, ${byteSize(tensor)} bytes, but its data has ${bytes}`,
    );
  }
}

async function* piecesOf({ data }: TensorToWrite): AsyncGenerator<ArrayBufferView> {
  const given = typeof data === "function" ? data() : data;
  if (Symbol.asyncIterator in given) yield* given;
  else yield await given;
}

/** Length and JSON, padded with spaces to a multiple of 8. */
function encodeHeader(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const json = new TextEncoder().encode(headerJson(tensors, metadata));
  const length = 8 * Math.ceil(json.length / 8);
  check(
    length <= maxHeaderBytes,
    where,
    () => `the header takes ${length} bytes but at most ${maxHeaderBytes} are allowed: shorten the metadata`,
  );
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

function headerJson(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>>): string {
  const entries = new Map<string, unknown>();
  const keys = Object.keys(metadata).sort();
  if (keys.length > 0) entries.set(metadataKey, Object.fromEntries(keys.map((key) => [key, metadata[key]])));
  let at = 0;
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor;
    check(name !== metadataKey && !entries.has(name), where, () => `two tensors are named ${quote(name)}: every name may stand once`);
    const bytes = byteSize(tensor);
    check(
      Number.isSafeInteger(bytes) && shape.every((size) => size >= 0),
      where,
      () => `tensor ${quote(name)} has the impossible shape ${showShape(shape)}`,
    );
    entries.set(name, { dtype, shape, data_offsets: [at, at + bytes] });
    at += bytes;
  }
  return `{${Array.from(entries, ([name, entry]) => `${JSON.stringify(name)}:${JSON.stringify(entry)}`).join(",")}}`;
}

/** Bytes that a tensor takes in a file. */
export function byteSize({ shape, dtype }: Pick<TensorToWrite, "shape" | "dtype">): number {
  return sizeOf(shape) * storageTypes[dtype].bytes;
}
