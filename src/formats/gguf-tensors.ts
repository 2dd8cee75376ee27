// The tensors of a GGUF file, behind its metadata (ggml-org/ggml, docs/gguf.md):
//
//   | … metadata | name text, dimensions u32, sizes u64 from the innermost, type u32, offset u64 | … | padding | tensors, each at a multiple of the alignment |
//
// Everything the descriptions say is checked against the file before anything is allocated for it, or mapped.
import { type ByteSource, check, fail, showShape } from "../base/index.ts";
import { Cursor, readScalar, readText } from "./gguf-cursor.ts";
import { type GgufMetadata, readGgufMetadata } from "./gguf-metadata.ts";
import { ggmlName, ggufTensorType, ggufTensorTypes } from "./gguf-tensor-types.ts";
import { quote } from "./json.ts";
import { fileLayout } from "./storage.ts";
import type { TensorInfo } from "./tensor-file.ts";

const where = "gguf";
/** Where a file does not say its alignment. */
const usualAlignment = 32;
/** ggml has four dimensions (GGML_MAX_DIMS), and names of at most 63 bytes (GGML_MAX_NAME). */
const [mostDimensions, mostNameBytes] = [4, 63];

/** The head of a GGUF file: its metadata, and where its tensors lie. */
export interface GgufHead {
  readonly metadata: GgufMetadata;
  /** The tensors in the order of their descriptions. */
  readonly tensors: readonly TensorInfo[];
}

/** Reads and checks the head, no tensor. @throws CriaError when the file is cut short, damaged, or has a tensor of a type that is not read. */
export async function readGguf(source: ByteSource): Promise<GgufHead> {
  const metadata = await readGgufMetadata(source);
  const cursor = new Cursor(source, metadata.end);
  const described: Described[] = [];
  for (let i = 0; i < metadata.tensorCount; i++) described.push(await readDescription(cursor, i));
  const alignment = alignmentOf(source.name, metadata);
  const dataStart = Math.ceil(cursor.position / alignment) * alignment;
  const tensors = described.map((one) => placed(source, one, dataStart, alignment));
  checkNames(source.name, tensors);
  checkOverlaps(source.name, tensors);
  return { metadata, tensors };
}

interface Described extends Pick<TensorInfo, "name" | "dtype" | "shape"> {
  /** Bytes from the first behind the head that a tensor may have. */
  readonly offset: number;
}

async function readDescription(cursor: Cursor, i: number): Promise<Described> {
  const file = cursor.source.name;
  const name = await readText(cursor, `the name of tensor ${i}`);
  const nameBytes = new TextEncoder().encode(name).length;
  check(
    nameBytes >= 1 && nameBytes <= mostNameBytes,
    where,
    () => `${file}: tensor ${i} has a name of ${nameBytes} bytes, but names have 1 to ${mostNameBytes}: it is damaged`,
  );
  const what = `tensor ${quote(name)}`;
  const dimensions = Number(await readScalar(cursor, "u32", `the dimensions of ${what}`));
  check(
    dimensions >= 1 && dimensions <= mostDimensions,
    where,
    () => `${file}: ${what} has ${dimensions} dimensions, but a tensor has 1 to ${mostDimensions}: it is damaged`,
  );
  const shape: number[] = [];
  for (let d = 0; d < dimensions; d++) shape.unshift(await readSize(cursor, what));
  const type = Number(await readScalar(cursor, "u32", `the type of ${what}`));
  const dtype = ggufTensorType(type) ?? refuseType(file, what, type);
  return { name, dtype, shape, offset: Number(await readScalar(cursor, "u64", `the offset of ${what}`)) };
}

async function readSize(cursor: Cursor, what: string): Promise<number> {
  const size = await readScalar(cursor, "u64", `a size of ${what}`);
  check(
    typeof size === "number",
    where,
    () => `${cursor.source.name}: ${what} has a dimension of ${size} elements, more than any file holds: it is damaged`,
  );
  return size;
}

function refuseType(file: string, what: string, type: number): never {
  const known = Object.values(ggufTensorTypes).map(ggmlName).join(", ");
  return fail(where, `${file}: ${what} is of the type ${ggmlName(type)}, but cria reads ${known}: choose a file of one of these types`);
}

/** @throws CriaError where it is no power of two */
function alignmentOf(file: string, { pairs }: GgufMetadata): number {
  const { value } = pairs.get("general.alignment") ?? { value: usualAlignment };
  const isPower = typeof value === "number" && Number.isInteger(Math.log2(value)) && value >= 1 && value <= 2 ** 20;
  return isPower
    ? value
    : fail(where, `${file}: general.alignment is ${String(value)}, but must be a power of two up to ${2 ** 20}: it is damaged`);
}

function placed(source: ByteSource, { offset, ...tensor }: Described, dataStart: number, alignment: number): TensorInfo {
  const what = `${source.name}: tensor ${quote(tensor.name)}`;
  check(
    offset % alignment === 0,
    where,
    () => `${what} lies at ${offset} behind the head, but the alignment is ${alignment}: it is damaged`,
  );
  const start = dataStart + offset;
  const end = start + bytesIn(what, tensor);
  check(
    Number.isSafeInteger(end) && end <= source.size,
    where,
    () => `${what} ends at byte ${end} but the file has ${source.size}: the download is incomplete, fetch it again`,
  );
  return { ...tensor, source, start, end };
}

/** Infinity where the true size is beyond exact integers: no file has it. */
function bytesIn(what: string, { dtype, shape }: Pick<TensorInfo, "dtype" | "shape">): number {
  const { block, bytes } = fileLayout(dtype);
  const row = shape.at(-1) ?? 1;
  check(
    row % block === 0,
    where,
    () => `${what} is ${dtype} ${showShape(shape)}: rows of ${row} elements are not whole blocks of ${block}: it is damaged`,
  );
  if (shape.includes(0)) return 0;
  const size = shape.reduce((product: number, length) => product * length, bytes) / block;
  return Number.isSafeInteger(size) ? size : Number.POSITIVE_INFINITY;
}

function checkNames(file: string, tensors: readonly TensorInfo[]): void {
  const names = new Set<string>();
  for (const { name } of tensors) {
    check(!names.has(name), where, () => `${file}: the tensor ${quote(name)} comes twice: it is damaged`);
    names.add(name);
  }
}

function checkOverlaps(file: string, tensors: readonly TensorInfo[]): void {
  const sorted = tensors.filter(({ start, end }) => end > start).sort((a, b) => a.start - b.start);
  sorted.forEach(({ name, start }, i) => {
    const before = sorted[i - 1];
    check(
      before === undefined || before.end <= start,
      where,
      () =>
        `${file}: tensor ${quote(name)} starts at byte ${start} but ${quote(before!.name)} ends at ${before!.end}: they overlap, it is damaged`,
    );
  });
}
