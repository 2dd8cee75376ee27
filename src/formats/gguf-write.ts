// A GGUF file, written (ggml-org/ggml, docs/gguf.md): the head with its metadata, where each tensor lies, the tensors.
//
//   | head | per tensor: name text, dimensions u32, sizes u64 from the innermost on, type u32, offset u64 | padding | tensors, each padded |
import { bytesOf, check, type Shape, showShape } from "../base/index.ts";
import { type GgufValue, ggufBytes } from "./gguf-metadata.ts";
import { ggufTensorTypes } from "./gguf-tensor-types.ts";
import { quote } from "./json.ts";
import type { WritableDType } from "./quantise/index.ts";

/** A tensor for a GGUF file. */
export interface GgufTensor {
  readonly name: string;
  readonly dtype: WritableDType;
  readonly shape: Shape;
  /** Its bytes, asked for when their turn comes, so that a model need not be in memory. */
  data(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

const where = "gguf";
/** Where tensors begin unless metadata says otherwise, which none written here does. */
const alignment = 32;
/** ggml keeps names in so many bytes, with a zero behind them. */
const mostNameBytes = 63;

/**
 * The chunks of a file with this metadata and these tensors, in their order.
 * @throws CriaError at once for names that repeat or are too long; while iterating, when data does not have the size that its shape says.
 */
export function ggufFile(pairs: ReadonlyMap<string, GgufValue>, tensors: readonly GgufTensor[]): AsyncIterable<Uint8Array> {
  const parts = [ggufBytes(pairs)];
  const names = new Set<string>();
  let offset = 0;
  for (const tensor of tensors) {
    check(!names.has(tensor.name), where, () => `two tensors are named ${quote(tensor.name)}: every name may stand once`);
    names.add(tensor.name);
    parts.push(description(tensor, offset));
    offset += padded(bytesOf(tensor.dtype, tensor.shape));
  }
  const head = new Uint8Array(padded(parts.reduce((size, part) => size + part.length, 0)));
  let at = 0;
  for (const part of parts) {
    head.set(part, at);
    at += part.length;
  }
  new DataView(head.buffer).setBigUint64(8, BigInt(tensors.length), true); // It follows magic and version.
  return chunks(head, tensors);
}

async function* chunks(head: Uint8Array, tensors: readonly GgufTensor[]): AsyncGenerator<Uint8Array> {
  yield head;
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor;
    const size = bytesOf(dtype, shape);
    let written = 0;
    for await (const chunk of tensor.data()) {
      written += chunk.length;
      yield chunk;
    }
    check(
      written === size,
      where,
      () => `tensor ${quote(name)} is ${dtype} ${showShape(shape)}, ${size} bytes, but its data has ${written}`,
    );
    yield new Uint8Array(padded(size) - size);
  }
}

function padded(bytes: number): number {
  return alignment * Math.ceil(bytes / alignment);
}

function description({ name, dtype, shape }: GgufTensor, offset: number): Uint8Array {
  const text = new TextEncoder().encode(name);
  check(text.length <= mostNameBytes, where, () => `the name ${quote(name)} has ${text.length} bytes, but ggml takes ${mostNameBytes}`);
  const bytes = new Uint8Array(8 + text.length + 4 + 8 * shape.length + 4 + 8);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let at = 8 + text.length;
  view.setUint32(at, shape.length, true);
  at += 4;
  for (const size of shape.toReversed()) {
    view.setBigUint64(at, BigInt(size), true);
    at += 8;
  }
  view.setUint32(at, ggufTensorTypes[storedAs(dtype)], true);
  view.setBigUint64(at + 4, BigInt(offset), true);
  return bytes;
}

/** Floats go by safetensors' names in tables of files. */
function storedAs(dtype: WritableDType): keyof typeof ggufTensorTypes {
  if (dtype === "f32") return "F32";
  if (dtype === "f16") return "F16";
  return dtype === "bf16" ? "BF16" : dtype;
}
