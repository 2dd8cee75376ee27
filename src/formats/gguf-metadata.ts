// The head of a GGUF file (ggml-org/ggml, docs/gguf.md): its metadata, in and out. Everything is little-endian; a text is | length u64 | UTF-8 |.
//
//   | "GGUF" | version u32 | tensors u64 | pairs u64 | pairs: key text, type u32, value | descriptions of tensors | padding | tensors |
//
// An array's value is | type u32 | count u64 | elements |.
import { type ByteSource, check, Texts } from "../base/index.ts";
import {
  Cursor,
  type GgufType,
  ggufTypes,
  readCount,
  readScalar,
  readText,
  readType,
  type ScalarType,
  scalarAt,
  sizeOf,
} from "./gguf-cursor.ts";
import { quote } from "./json.ts";

const where = "gguf";

/** Whole numbers of 64 bits beyond what a double holds exactly are bigints, so that none is rounded. */
export type GgufScalar = number | bigint | boolean | string;

/** An array of GGUF's metadata and the type of its elements. */
export interface GgufArray {
  readonly type: GgufType;
  readonly values: GgufElements;
}

/** Numbers of less than 64 bits lie in typed arrays, so that they take no more memory than in the file, and texts in one string. */
export type GgufElements = readonly (GgufScalar | GgufArray)[] | Numbers | Texts;

type Numbers = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

const arrays = {
  ...{ u8: Uint8Array, i8: Int8Array, u16: Uint16Array, i16: Int16Array, u32: Uint32Array, i32: Int32Array },
  ...{ f32: Float32Array, f64: Float64Array },
} as const;

/** A value of GGUF's metadata and its type. */
export interface GgufValue {
  readonly type: GgufType;
  readonly value: GgufScalar | GgufArray;
}

/** The head of a GGUF file. */
export interface GgufMetadata {
  readonly version: number;
  readonly tensorCount: number;
  readonly pairs: ReadonlyMap<string, GgufValue>;
  /** The byte where the descriptions of the tensors begin. */
  readonly end: number;
}

/** llama.cpp reads no arrays of arrays; a few levels do no harm. */
const deepest = 4;

/** Reads no byte behind the metadata but a rest of the last window. @throws CriaError when the file is damaged or of a version that is not supported. */
export async function readGgufMetadata(source: ByteSource): Promise<GgufMetadata> {
  const cursor = new Cursor(source);
  await cursor.need(4);
  const magic = String.fromCharCode(...cursor.take(4));
  check(magic === "GGUF", where, () => `${source.name}: it begins with ${quote(magic)} and not with "GGUF": it is of another kind`);
  const version = Number(await readScalar(cursor, "u32", "the version"));
  check((version & 0xffff) !== 0, where, () => `${source.name}: it is big-endian, which is not supported: convert it again`);
  check(
    version === 2 || version === 3,
    where,
    () => `${source.name}: its version is ${version}: only 2 and 3 are supported, convert it again`,
  );
  const tensorCount = await readCount(cursor, 24, "tensors");
  const count = await readCount(cursor, 13, "pairs of metadata");
  const pairs = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = await readText(cursor, `key ${i}`);
    check(!pairs.has(key), where, () => `${source.name}: the key ${quote(key)} comes twice: the file is damaged`);
    const type = await readType(cursor, key);
    pairs.set(key, { type, value: await readValue(cursor, type, key, 0) });
  }
  return { version, tensorCount, pairs, end: cursor.position };
}

async function readValue(cursor: Cursor, type: GgufType, key: string, depth: number): Promise<GgufScalar | GgufArray> {
  if (type === "text") return readText(cursor, key);
  return type === "array" ? readArray(cursor, key, depth) : readScalar(cursor, type, key);
}

async function readArray(cursor: Cursor, key: string, depth: number): Promise<GgufArray> {
  check(depth < deepest, where, () => `${cursor.source.name}: ${quote(key)} nests arrays deeper than ${deepest}: the file is damaged`);
  const type = await readType(cursor, key);
  const size = sizeOf(type);
  const count = await readCount(cursor, size, `elements of ${quote(key)}`);
  if (isNumberType(type)) return { type, values: await readNumbers(cursor, type, count) };
  if (type === "text") return { type, values: await readTexts(cursor, count, key) };
  const values: (GgufScalar | GgufArray)[] = [];
  // Values are taken without waiting as long as the window holds them.
  for (let i = 0; i < count; i++) {
    if (type !== "array" && cursor.has(size)) values.push(scalarAt(cursor, type, key));
    else values.push(await readValue(cursor, type, key, depth + 1));
  }
  return { type, values };
}

/** A vocabulary has 100,000 texts, and as many merges: their bytes are kept, to be decoded all at once or not at all. */
async function readTexts(cursor: Cursor, count: number, key: string): Promise<Texts> {
  const spans = new Int32Array(2 * count);
  const parts: Uint8Array[] = [];
  let [size, done] = [0, 0];
  while (done < spans.length) {
    await cursor.needText(key);
    const [part, end] = cursor.texts(spans, done, size);
    parts.push(part);
    size += part.length;
    done = end;
  }
  return new Texts(joined(parts, size), spans, `${cursor.source.name}: ${key}`, where);
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function isNumberType(type: GgufType): type is keyof typeof arrays {
  return Object.hasOwn(arrays, type);
}

async function readNumbers(cursor: Cursor, type: keyof typeof arrays, count: number): Promise<Numbers> {
  const size = sizeOf(type);
  await cursor.need(count * size);
  // The processor's bytes lie as those of the file, little-endian; a copy begins where its numbers may.
  return new arrays[type](cursor.take(count * size).slice().buffer);
}

/** The bytes of a file of version 3 that holds the metadata and no tensors. */
export function ggufBytes(pairs: ReadonlyMap<string, GgufValue>): Uint8Array {
  const parts: Uint8Array[] = [
    new TextEncoder().encode("GGUF"),
    scalarBytes("u32", 3),
    scalarBytes("u64", 0),
    scalarBytes("u64", pairs.size),
  ];
  const add = (part: Uint8Array) => parts.push(part);
  for (const [key, { type, value }] of pairs) {
    writeText(key, add);
    add(typeBytes(type));
    writeValue(type, value, add);
  }
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

type Add = (part: Uint8Array) => void;

function writeValue(type: GgufType, value: GgufScalar | GgufArray, add: Add): void {
  if (typeof value === "string") return writeText(value, add);
  if (typeof value !== "object") return add(scalarBytes(type, value));
  add(typeBytes(value.type));
  add(scalarBytes("u64", value.values.length));
  const { type: element, values } = value;
  if (element === "text" || element === "array") for (const one of values) writeValue(element, one, add);
  else add(scalarsBytes(element, values as ArrayLike<number | bigint | boolean>));
}

function scalarsBytes(type: ScalarType, values: ArrayLike<number | bigint | boolean>): Uint8Array {
  const size = sizeOf(type);
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < values.length; i++) writers[type](view, i * size, plain(values[i]!));
  return bytes;
}

function writeText(text: string, add: Add): void {
  const bytes = new TextEncoder().encode(text);
  add(scalarBytes("u64", bytes.length));
  add(bytes);
}

function typeBytes(type: GgufType): Uint8Array {
  return scalarBytes(
    "u32",
    ggufTypes.findIndex(([name]) => name === type),
  );
}

const writers: Readonly<Record<ScalarType, (view: DataView, at: number, value: number | bigint) => void>> = {
  u8: (view, at, value) => view.setUint8(at, Number(value)),
  i8: (view, at, value) => view.setInt8(at, Number(value)),
  u16: (view, at, value) => view.setUint16(at, Number(value), true),
  i16: (view, at, value) => view.setInt16(at, Number(value), true),
  u32: (view, at, value) => view.setUint32(at, Number(value), true),
  i32: (view, at, value) => view.setInt32(at, Number(value), true),
  f32: (view, at, value) => view.setFloat32(at, Number(value), true),
  f64: (view, at, value) => view.setFloat64(at, Number(value), true),
  bool: (view, at, value) => view.setUint8(at, Number(value)),
  u64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  i64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
};

function scalarBytes(type: GgufType, value: number | bigint | boolean): Uint8Array {
  const bytes = new Uint8Array(sizeOf(type));
  if (type !== "text" && type !== "array") writers[type](new DataView(bytes.buffer), 0, plain(value));
  return bytes;
}

function plain(value: number | bigint | boolean): number | bigint {
  return typeof value === "boolean" ? Number(value) : value;
}
