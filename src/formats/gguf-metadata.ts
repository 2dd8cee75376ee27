// The head of a GGUF file (ggml-org/ggml, docs/gguf.md): its metadata, in and out. Everything is little-endian; a text is | length u64 | UTF-8 |.
//
//   | "GGUF" | version u32 | tensors u64 | pairs u64 | pairs: key text, type u32, value | descriptions of tensors | padding | tensors |
//
// An array's value is | type u32 | count u64 | elements |.
import { type ByteSource, check, decodeTexts, decodeUtf8, fail, Texts } from "../base/index.ts";
import { quote } from "./json.ts";

const where = "gguf";

/** The types of value, by their numbers there, with the fewest bytes that one takes. */
const types = [
  ...([
    ["u8", 1],
    ["i8", 1],
    ["u16", 2],
    ["i16", 2],
    ["u32", 4],
    ["i32", 4],
    ["f32", 4],
    ["bool", 1],
    ["text", 8],
    ["array", 12],
  ] as const),
  ...([
    ["u64", 8],
    ["i64", 8],
    ["f64", 8],
  ] as const),
] as const;

/** The name of a type of GGUF's metadata. */
export type GgufType = (typeof types)[number][0];

type ScalarType = Exclude<GgufType, "text" | "array">;

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

/** No metadata comes near it: a vocabulary of 262,144 pieces with its merges takes 12 MB. */
const mostBytes = 2 ** 27;
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

/** A window over the file that moves forward. */
class Cursor {
  readonly source: ByteSource;
  #start = 0;
  #window = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  #at = 0;

  constructor(source: ByteSource) {
    this.source = source;
  }

  get position(): number {
    return this.#start + this.#at;
  }

  get left(): number {
    return this.source.size - this.position;
  }

  has(bytes: number): boolean {
    return this.#at + bytes <= this.#window.length;
  }

  /** Makes sure that so many bytes can be taken. @throws CriaError where the file ends before, or the metadata is larger than any */
  async need(bytes: number): Promise<void> {
    if (this.has(bytes)) return;
    const { name, size } = this.source;
    const start = this.position;
    if (start + bytes > size)
      fail(where, `${name}: it ends at byte ${size} within its metadata, which goes to byte ${start + bytes} at least: fetch it again`);
    check(
      start + bytes <= mostBytes,
      where,
      () => `${name}: its metadata goes to byte ${start + bytes}, but no file's goes beyond ${mostBytes}: it is damaged`,
    );
    this.#window = Uint8Array.from(await this.source.read(start, Math.min(size - start, Math.max(bytes, 1 << 20))));
    this.#view = new DataView(this.#window.buffer);
    this.#start = start;
    this.#at = 0;
  }

  take(bytes: number): Uint8Array {
    this.#at += bytes;
    return this.#window.subarray(this.#at - bytes, this.#at);
  }

  /** Takes as many texts as the window holds whole, at most `most`. @returns their bytes, and where each begins and ends */
  texts(most: number): readonly [bytes: Uint8Array, spans: Int32Array] {
    const spans = new Int32Array(2 * Math.min(most, (this.#window.length - this.#at) >> 3));
    let size = 0;
    while (size < spans.length && this.has(8)) {
      const start = this.#at + 8;
      const length = this.#view.getUint32(this.#at, true);
      if (this.#view.getUint32(this.#at + 4, true) !== 0 || start + length > this.#window.length) break;
      spans[size++] = start;
      spans[size++] = start + length;
      this.#at = start + length;
    }
    return [this.#window, spans.subarray(0, size)];
  }

  /** The view and the place of the next `bytes` bytes, which are passed over. */
  scalar(bytes: number): readonly [view: DataView, at: number] {
    this.#at += bytes;
    return [this.#view, this.#at - bytes];
  }
}

async function readType(cursor: Cursor, key: string): Promise<GgufType> {
  const number = Number(await readScalar(cursor, "u32", `the type of ${key}`));
  return (
    types[number]?.[0] ?? fail(where, `${cursor.source.name}: ${quote(key)} has the type ${number}, which is none: the file is damaged`)
  );
}

/** @param least the fewest bytes that one takes, so that no count is believed that the file cannot hold */
async function readCount(cursor: Cursor, least: number, what: string): Promise<number> {
  const count = Number(await readScalar(cursor, "u64", `the count of ${what}`));
  check(
    count * least <= cursor.left,
    where,
    () => `${cursor.source.name}: it says ${count} ${what}, but has ${cursor.left} bytes left: it is damaged or cut short`,
  );
  return count;
}

async function readText(cursor: Cursor, what: string): Promise<string> {
  const length = await readCount(cursor, 1, `bytes of ${what}`);
  if (!cursor.has(length)) await cursor.need(length);
  return decodeUtf8(cursor.take(length), `${cursor.source.name}: ${what}`, where);
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

/** A vocabulary has 100,000 texts, and as many merges: all that the window holds are decoded at once. */
async function readTexts(cursor: Cursor, count: number, key: string): Promise<Texts> {
  const parts: Texts[] = [];
  for (let left = count; left > 0; ) {
    const [bytes, spans] = cursor.texts(left);
    const texts =
      spans.length === 0 ? Texts.of([await readText(cursor, key)]) : (decodeTexts(bytes, spans) ?? refuseTexts(cursor, bytes, spans, key));
    parts.push(texts);
    left -= texts.length;
  }
  return Texts.concat(parts);
}

/** @throws CriaError naming the first text that is no UTF-8 */
function refuseTexts({ source }: Cursor, bytes: Uint8Array, spans: Int32Array, key: string): never {
  for (let i = 0; i < spans.length; i += 2) decodeUtf8(bytes.subarray(spans[i], spans[i + 1]), `${source.name}: ${key}`, where);
  return fail(where, `${source.name}: ${quote(key)} holds a text that is no UTF-8: the file is damaged`);
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

async function readScalar(cursor: Cursor, type: ScalarType, what: string): Promise<number | bigint | boolean> {
  await cursor.need(sizeOf(type));
  return scalarAt(cursor, type, what);
}

function scalarAt(cursor: Cursor, type: ScalarType, what: string): number | bigint | boolean {
  const [view, at] = cursor.scalar(sizeOf(type));
  switch (type) {
    case "u8":
      return view.getUint8(at);
    case "i8":
      return view.getInt8(at);
    case "u16":
      return view.getUint16(at, true);
    case "i16":
      return view.getInt16(at, true);
    case "u32":
      return view.getUint32(at, true);
    case "i32":
      return view.getInt32(at, true);
    case "f32":
      return view.getFloat32(at, true);
    case "f64":
      return view.getFloat64(at, true);
    case "bool":
      return flag(view.getUint8(at), cursor, what);
    case "u64":
      return short(view.getBigUint64(at, true));
    case "i64":
      return short(view.getBigInt64(at, true));
    default:
      return type satisfies never;
  }
}

function flag(byte: number, { source }: Cursor, what: string): boolean {
  check(byte < 2, where, () => `${source.name}: ${what} is ${byte}, but a bool is 0 or 1: the file is damaged`);
  return byte === 1;
}

function short(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

const sizes = new Map<GgufType, number>(types);

function sizeOf(type: GgufType): number {
  return sizes.get(type) ?? 0;
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
    types.findIndex(([name]) => name === type),
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
