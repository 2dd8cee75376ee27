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

/** Many short texts in one string, of which each is cut out when it is asked for. */
export class Texts implements Iterable<string> {
  /** All texts, one behind the other. */
  readonly joined: string;
  /** Where each text ends in `joined`; the next one begins there. */
  readonly #ends: Int32Array;

  constructor(joined: string, ends: Int32Array) {
    this.joined = joined;
    this.#ends = ends;
  }

  static of(texts: readonly string[]): Texts {
    let end = 0;
    const ends = Int32Array.from(texts, ({ length }) => (end += length));
    return new Texts(texts.join(""), ends);
  }

  /** All texts of some lists, in order. */
  static concat(parts: readonly Texts[]): Texts {
    const [first, ...more] = parts;
    if (first !== undefined && more.length === 0) return first;
    const ends = new Int32Array(parts.reduce((count, { length }) => count + length, 0));
    let at = 0;
    let start = 0;
    for (const part of parts) {
      for (const end of part.#ends) ends[at++] = start + end;
      start += part.joined.length;
    }
    return new Texts(parts.map(({ joined }) => joined).join(""), ends);
  }

  get length(): number {
    return this.#ends.length;
  }

  /** Where a text begins in `joined`. */
  start(index: number): number {
    return index === 0 ? 0 : this.#ends[index - 1]!;
  }

  /** Where a text ends in `joined`. */
  end(index: number): number {
    return this.#ends[index]!;
  }

  /** All of them, cut out. */
  list(): string[] {
    return Array.from(this.#ends, (end, index) => this.joined.slice(this.start(index), end));
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
export function decodeTexts(bytes: Uint8Array, spans: ArrayLike<number>): Texts | undefined {
  let size = 0;
  for (let i = 0; i < spans.length; i += 2) size += spans[i + 1]! - spans[i]!;
  const joined = new Uint8Array(size);
  const ends = new Int32Array(spans.length >> 1);
  let at = 0;
  let count = 0;
  for (let i = 0; i < spans.length; i += 2) {
    const end = spans[i + 1]!;
    if (spans[i]! < end && (bytes[spans[i]!]! & 0xc0) === 0x80) return undefined;
    for (let from = spans[i]!; from < end; from++) {
      const byte = bytes[from]!;
      joined[at++] = byte;
      count += (byte & 0xc0) === 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
    }
    ends[i >> 1] = count;
  }
  const text = decoded(joined);
  return text === undefined ? undefined : new Texts(text, ends);
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
