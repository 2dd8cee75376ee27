// What a GGUF's head is read with (ggml-org/ggml, docs/gguf.md): a window over the file that moves forward, and the values that it is made of.
import { type ByteSource, check, decodeUtf8, fail } from "../base/index.ts";
import { quote } from "./json.ts";

const where = "gguf";

/** The types of values in metadata, by their numbers there, with the fewest bytes that one takes. */
export const ggufTypes = [
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
export type GgufType = (typeof ggufTypes)[number][0];

/** A type whose values have one size. */
export type ScalarType = Exclude<GgufType, "text" | "array">;

/** No head comes near it: a vocabulary of 262,144 pieces with its merges takes 12 MB. */
const mostBytes = 2 ** 27;

/** A window over the file that moves forward. */
export class Cursor {
  readonly source: ByteSource;
  #start = 0;
  #window = new Uint8Array(0);
  #view = new DataView(this.#window.buffer);
  #at = 0;

  /** @param start the byte where it begins */
  constructor(source: ByteSource, start = 0) {
    this.source = source;
    this.#start = start;
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

  /** Makes sure that so many bytes can be taken. @throws CriaError where the file ends before, or the head is larger than any */
  async need(bytes: number): Promise<void> {
    if (this.has(bytes)) return;
    const { name, size } = this.source;
    const start = this.position;
    if (start + bytes > size)
      fail(where, `${name}: it ends at byte ${size} within its head, which goes to byte ${start + bytes} at least: fetch it again`);
    check(
      start + bytes <= mostBytes,
      where,
      () => `${name}: its head goes to byte ${start + bytes}, but no file's goes beyond ${mostBytes}: it is damaged`,
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

  /**
   * Takes as many texts as the window holds whole.
   * @param spans where each begins and ends is written from `size` on, as if the bytes that are returned stood behind `before` others
   * @returns the bytes of the texts with their lengths between them, and the new size of `spans`
   */
  texts(spans: Int32Array, size: number, before: number): readonly [bytes: Uint8Array, size: number] {
    const first = this.#at;
    const shift = before - first;
    let i = size;
    for (; i < spans.length && this.has(8); i += 2) {
      const start = this.#at + 8;
      const length = this.#view.getUint32(this.#at, true);
      if (this.#view.getUint32(this.#at + 4, true) !== 0 || start + length > this.#window.length) break;
      spans[i] = start + shift;
      spans[i + 1] = start + shift + length;
      this.#at = start + length;
    }
    return [this.#window.subarray(first, this.#at), i];
  }

  /** Makes sure that the text that begins here can be taken whole. @throws CriaError as `need` */
  async needText(what: string): Promise<void> {
    await this.need(8);
    const length = Number(this.#view.getBigUint64(this.#at, true));
    const { left } = this;
    check(
      length + 8 <= left,
      where,
      () => `${this.source.name}: it says ${length} bytes of ${what}, but has ${left - 8} bytes left: it is damaged or cut short`,
    );
    await this.need(8 + length);
  }

  /** The view and the place of the next `bytes` bytes, which are passed over. */
  scalar(bytes: number): readonly [view: DataView, at: number] {
    this.#at += bytes;
    return [this.#view, this.#at - bytes];
  }
}

/** The type of a value. @throws CriaError where there is none of that number */
export async function readType(cursor: Cursor, key: string): Promise<GgufType> {
  const number = Number(await readScalar(cursor, "u32", `the type of ${key}`));
  return (
    ggufTypes[number]?.[0] ?? fail(where, `${cursor.source.name}: ${quote(key)} has the type ${number}, which is none: the file is damaged`)
  );
}

/** A count. @param least the fewest bytes that one takes, so that no count is believed that the file cannot hold */
export async function readCount(cursor: Cursor, least: number, what: string): Promise<number> {
  const count = Number(await readScalar(cursor, "u64", `the count of ${what}`));
  check(
    count * least <= cursor.left,
    where,
    () => `${cursor.source.name}: it says ${count} ${what}, but has ${cursor.left} bytes left: it is damaged or cut short`,
  );
  return count;
}

/** A text. @throws CriaError where the file ends within it, or it is no UTF-8 */
export async function readText(cursor: Cursor, what: string): Promise<string> {
  const length = await readCount(cursor, 1, `bytes of ${what}`);
  if (!cursor.has(length)) await cursor.need(length);
  return decodeUtf8(cursor.take(length), `${cursor.source.name}: ${what}`, where);
}

/** A value of a type that has one size. @throws CriaError where the file ends within it */
export async function readScalar(cursor: Cursor, type: ScalarType, what: string): Promise<number | bigint | boolean> {
  await cursor.need(sizeOf(type));
  return scalarAt(cursor, type, what);
}

/** The value at the cursor, which its window holds. */
export function scalarAt(cursor: Cursor, type: ScalarType, what: string): number | bigint | boolean {
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

const sizes = new Map<GgufType, number>(ggufTypes);

/** The fewest bytes that a value of the type takes. */
export function sizeOf(type: GgufType): number {
  return sizes.get(type) ?? 0;
}
