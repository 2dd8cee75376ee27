// Bytes that claim to be UTF-8: where they are and where they are not (RFC 3629; the Unicode standard's table 3-7).
import { fail } from "./errors.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of bytes that must be UTF-8; a byte order mark stays. @throws CriaError with the offset of the first byte that is not. */
export function decodeUtf8(bytes: Uint8Array, name: string, where: string, wayOut = "it is damaged or of another format"): string {
  try {
    return strict.decode(bytes);
  } catch (cause) {
    return fail(where, `${name}: its text is not UTF-8 from byte ${validUpTo(bytes)} on: ${wayOut}`, { cause });
  }
}

/** Many short texts as they lie in a file, decoded when they are asked for. */
export class Texts implements Iterable<string> {
  readonly bytes: Uint8Array;
  /** Where each text begins and ends in `bytes`, in turn. */
  readonly spans: Int32Array;
  readonly #name: string;
  readonly #where: string;

  /** @param name what the texts are, and `where` they were read, for messages about one that is no UTF-8 */
  constructor(bytes: Uint8Array, spans: Int32Array, name: string, where: string) {
    this.bytes = bytes;
    this.spans = spans;
    this.#name = name;
    this.#where = where;
  }

  /** Texts that lie in no file. */
  static of(texts: readonly string[]): Texts {
    const parts = texts.map((text) => new TextEncoder().encode(text));
    const bytes = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
    const spans = new Int32Array(2 * parts.length);
    let at = 0;
    parts.forEach((part, i) => {
      bytes.set(part, at);
      spans[2 * i] = at;
      at += part.length;
      spans[2 * i + 1] = at;
    });
    return new Texts(bytes, spans, "texts", "base");
  }

  get length(): number {
    return this.spans.length >> 1;
  }

  /** All of them. @throws CriaError naming the first that is no UTF-8 */
  list(): string[] {
    const { bytes, spans } = this;
    const one = (i: number) => decodeUtf8(bytes.subarray(spans[2 * i], spans[2 * i + 1]), `${this.#name}: text ${i}`, this.#where);
    return decodeTexts(bytes, spans) ?? Array.from({ length: this.length }, (_, i) => one(i));
  }

  [Symbol.iterator](): Iterator<string> {
    return this.list()[Symbol.iterator]();
  }
}

/**
 * The texts of many short stretches of `bytes`, decoded at once, which takes a tenth of the time.
 * @param spans where each begins and ends, in turn
 * @returns undefined where a stretch is no UTF-8
 */
export function decodeTexts(bytes: Uint8Array, spans: ArrayLike<number>): string[] | undefined {
  let size = 0;
  for (let i = 0; i < spans.length; i += 2) size += spans[i + 1]! - spans[i]!;
  const joined = new Uint8Array(size);
  const ends = new Int32Array(spans.length >> 1);
  let at = 0;
  let units = 0;
  for (let i = 0; i < spans.length; i += 2) {
    const end = spans[i + 1]!;
    if (spans[i]! < end && (bytes[spans[i]!]! & 0xc0) === 0x80) return undefined;
    for (let from = spans[i]!; from < end; from++) {
      const byte = bytes[from]!;
      joined[at++] = byte;
      if (byte < 0x80) units++;
      else if (byte >= 0xc0) units += byte >= 0xf0 ? 2 : 1;
    }
    ends[i >> 1] = units;
  }
  const text = decoded(joined);
  if (text === undefined) return undefined;
  const texts: string[] = [];
  let start = 0;
  for (let i = 0; i < ends.length; i++) {
    texts.push(text.slice(start, ends[i]));
    start = ends[i]!;
  }
  return texts;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Calls back for each stretch in order: valid UTF-8 by its beginning and its end, the rest as bytes. */
export function eachUtf8Run(bytes: Uint8Array, text: (from: number, to: number) => void, invalid: (run: Uint8Array) => void): void {
  for (let at = 0; at < bytes.length; ) {
    const good = validUpTo(bytes, at);
    if (good > at) text(at, good);
    let bad = good;
    while (bad < bytes.length && characterLength(bytes, bad) === 0) bad++;
    if (bad > good) invalid(bytes.subarray(good, bad));
    at = bad;
  }
}

/** The first offset at or after `start` where no whole UTF-8 character begins; `bytes.length` when there is none. */
export function validUpTo(bytes: Uint8Array, start = 0): number {
  const end = bytes.length;
  let at = start;
  for (;;) {
    while (at + 4 <= end && (bytes[at]! | bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]!) < 0x80) at += 4;
    if (at >= end) return at;
    const first = bytes[at]!;
    if (first < 0x80) at++;
    else if (first < 0xe0 && first >= 0xc2 && at + 1 < end && isContinuation(bytes[at + 1]!)) at += 2;
    else if (first < 0xed && first > 0xe0 && at + 2 < end && isContinuation(bytes[at + 1]!) && isContinuation(bytes[at + 2]!)) at += 3;
    else {
      const length = characterLength(bytes, at);
      if (length === 0) return at;
      at += length;
    }
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Whether the bytes from `at` on are the beginning of a UTF-8 character whose other bytes are still missing. */
export function isUtf8Beginning(bytes: Uint8Array, at: number): boolean {
  const given = bytes.length - at;
  if (given === 0 || given >= expectedLength(bytes[at]!)) return false;
  if (given > 1 && !isSecondByte(bytes[at]!, bytes[at + 1]!)) return false;
  return given < 3 || isContinuation(bytes[at + 2]!);
}

/** Bytes of the character that begins at `at`, or 0 when none does. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = expectedLength(first);
  if (length < 2) return length;
  if (at + length > bytes.length || !isSecondByte(first, bytes[at + 1]!)) return 0;
  for (let i = 2; i < length; i++) if (!isContinuation(bytes[at + i]!)) return 0;
  return length;
}

/** Bytes of a character by its first byte; 0 for a byte that begins none. */
function expectedLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** No overlong forms (E0, F0), no surrogates (ED), nothing above U+10FFFF (F4). */
function isSecondByte(first: number, second: number): boolean {
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}
