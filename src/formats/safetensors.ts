// safetensors, read: named tensors behind a JSON header (github.com/huggingface/safetensors, section "Format").
//
//   0        8                    8 + N                                size
//   | N: u64 | N bytes of JSON    | tensors, without holes or overlaps |
//
// Everything the header says is checked against the file before anything is allocated for it.
import { type ByteSource, check, decodeUtf8, fail, type Shape, showShape } from "../base/index.ts";
import { isObject, type JsonObject, kindOf, parseJsonObject, quote } from "./json.ts";
import { isStorageName, type StorageName, storageTypes } from "./storage.ts";
import { TensorFile, type TensorInfo } from "./tensor-file.ts";

/** The specification's limit, against headers that would exhaust memory. */
export const maxHeaderBytes = 100_000_000;
/** The key of a header that names no tensor. */
export const metadataKey = "__metadata__";

const where = "safetensors";

/** Opens a file: reads and checks its header, no tensor. @throws CriaError when it is cut short, damaged or not of this format. */
export async function readSafetensors(source: ByteSource): Promise<TensorFile> {
  const headerBytes = await readHeaderLength(source);
  const header = parseHeader(source.name, await source.read(8, headerBytes));
  const dataStart = 8 + headerBytes;
  const tensors = Object.entries(header)
    .filter(([name]) => name !== metadataKey)
    .map(([name, entry]) => readEntry(source, dataStart, name, entry))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  checkCoverage(source, dataStart, tensors);
  return new TensorFile(where, source.name, tensors, readMetadata(source.name, header[metadataKey]));
}

async function readHeaderLength(source: ByteSource): Promise<number> {
  const { name, size } = source;
  check(size >= 8, where, () => `${name}: it has ${size} bytes but a header's length alone takes 8: the file is cut short, fetch it again`);
  const bytes = await source.read(0, 8);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  check(
    length <= maxHeaderBytes,
    where,
    () =>
      `${name}: its header would take ${length} bytes but at most ${maxHeaderBytes} are allowed: it is damaged or not a safetensors file`,
  );
  check(
    8 + Number(length) <= size,
    where,
    () => `${name}: its header ends at byte ${8 + Number(length)} but the file has ${size}: the download is incomplete, fetch it again`,
  );
  return Number(length);
}

function parseHeader(name: string, bytes: Uint8Array): JsonObject {
  check(bytes[0] === 0x7b, where, () => `${name}: its header does not begin with "{": it is damaged or not a safetensors file`);
  const text = decodeUtf8(bytes, `${name}: header`, where);
  return parseJsonObject(where, `${name}: header`, text, { unique: true });
}

/** Empty where the key is absent or null, as some writers leave it. */
function readMetadata(file: string, value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  check(isObject(value), where, () => `${file}: ${metadataKey} is ${kindOf(value)} but must be an object of strings`);
  for (const [key, text] of Object.entries(value))
    check(typeof text === "string", where, () => `${file}: ${metadataKey} ${quote(key)} is ${kindOf(text)} but must be a string`);
  return value as Record<string, string>;
}

function readEntry(source: ByteSource, dataStart: number, name: string, entry: unknown): TensorInfo {
  const what = `${source.name}: tensor ${quote(name)}`;
  check(isObject(entry), where, () => `${what} is ${kindOf(entry)} but must be an object with dtype, shape and data_offsets`);
  const dtype = readDtype(what, entry.dtype);
  const shape = readShape(what, entry.shape);
  const [from, to] = readOffsets(what, entry.data_offsets);
  const [start, end] = [dataStart + from, dataStart + to];
  check(
    end <= source.size,
    where,
    () => `${what} ends at byte ${end} but the file has ${source.size}: the download is incomplete, fetch it again`,
  );
  const bytes = byteSize(shape, storageTypes[dtype].bytes);
  check(
    bytes === end - start,
    where,
    () => `${what} is ${dtype} ${showShape(shape)}, ${bytes} bytes, but its range has ${end - start}: the header is damaged`,
  );
  return { name, dtype, shape, source, start, end };
}

function readDtype(what: string, dtype: unknown): StorageName {
  if (isStorageName(dtype)) return dtype;
  const isNarrow = typeof dtype === "string" && /^F[468](?:_|$)/.test(dtype);
  const wayOut = isNarrow ? "its scales stand elsewhere, choose the same model in BF16 or as GGUF" : "convert it to one of these";
  return fail(where, `${what} has dtype ${kindOf(dtype)} but cria reads ${Object.keys(storageTypes).join(", ")}: ${wayOut}`);
}

function readShape(what: string, shape: unknown): Shape {
  const isShape = Array.isArray(shape) && shape.every(isCount);
  check(isShape, where, () => `${what} has shape ${clip(shape)} but a shape is a list of integers, each 0 or more: the header is damaged`);
  return shape;
}

function readOffsets(what: string, offsets: unknown): [number, number] {
  const isRange = Array.isArray(offsets) && offsets.length === 2 && offsets.every(isCount) && offsets[0]! <= offsets[1]!;
  check(
    isRange,
    where,
    () => `${what} has data_offsets ${clip(offsets)} but they are [start, end], integers with 0 ≤ start ≤ end: the header is damaged`,
  );
  return offsets as [number, number];
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Infinity where the true size is beyond exact integers: no file has it. */
function byteSize(shape: Shape, elementBytes: number): number {
  if (shape.includes(0)) return 0;
  const bytes = shape.reduce((product, size) => product * size, elementBytes);
  return Number.isSafeInteger(bytes) ? bytes : Number.POSITIVE_INFINITY;
}

/** Sorted tensors must follow one another from the header's end to the file's. */
function checkCoverage(source: ByteSource, dataStart: number, tensors: readonly TensorInfo[]): void {
  let at = dataStart;
  let before = "the header";
  for (const { name, start, end } of tensors) {
    check(
      start >= at,
      where,
      () =>
        `${source.name}: tensor ${quote(name)} starts at byte ${start} but ${before} ends at ${at}: they overlap, the header is damaged`,
    );
    check(
      start === at,
      where,
      () =>
        `${source.name}: tensor ${quote(name)} starts at byte ${start} but ${before} ends at ${at}: the format allows no holes, write the file anew`,
    );
    [at, before] = [end, `tensor ${quote(name)}`];
  }
  check(
    at === source.size,
    where,
    () =>
      `${source.name}: ${before} ends at byte ${at} but the file has ${source.size}: the bytes behind belong to no tensor, fetch it again`,
  );
}

function clip(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
