// A sequence as bytes: its tokens and what was computed of them, and what these fit to. Little-endian, as memory is; N tokens, P pages.
//
//    0  8 bytes   "criaseq" and a zero
//    8  u32       version
//   12  u32       H
//   16  H bytes   a header in JSON, UTF-8, spaces behind: model, target, cacheType, tokens, computed, pageBytes, note
//       4·N       token ids, u32
//       4·N       the lengths that RoPE's table was made for, u32: 0 but where they matter
//       P·bytes   pages: for each layer its keys, then its values, as they lie in memory; zeros behind the last token
//       8         checksum of all bytes before it: two u32
import { CriaError, check, decodeUtf8, eventsHandled, fail, finalised, isObject, parseJson } from "../base/index.ts";
import { pageKeys } from "../graph/index.ts";
import type { CachedText } from "./cached-text.ts";
import type { PageStore } from "./page-store.ts";

const where = "infer";
const magic = "criaseq\0";
const version = 1;
const headerStart = 16;
const checksumBytes = 8;

/** What saved pages fit to. */
export interface SavedFor {
  /** A hash of the model's config and weights. */
  readonly model: string;
  /** What computed, as backends name it: others give the same text, but not the same bits. */
  readonly target: string;
  readonly cacheType: string;
  /** Bytes of a page in all layers. */
  readonly pageBytes: number;
}

/** What a saved sequence is. */
export interface SavedSequence extends SavedFor {
  readonly ids: readonly number[];
  readonly ropeLengths: readonly number[];
  /** Tokens that have keys and values, counted from the first. */
  readonly computed: number;
  /** What the caller has put beside it: a value of JSON. */
  readonly note: unknown;
}

/** Room for a sequence and its pages, to be filled before the checksum is written. */
function layOutSaved(saved: SavedSequence): { readonly bytes: Uint8Array; readonly pages: readonly Uint8Array[] } {
  const { ids, ropeLengths, computed, pageBytes, ...rest } = saved;
  const json = JSON.stringify({ ...rest, tokens: ids.length, computed, pageBytes, note: saved.note ?? null });
  const text = new TextEncoder().encode(json);
  const headerBytes = Math.ceil(text.length / 4) * 4;
  const places = placesOf(headerBytes, { tokens: ids.length, computed, pageBytes });
  const bytes = new Uint8Array(places.end + checksumBytes);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(magic));
  view.setUint32(8, version, true);
  view.setUint32(12, headerBytes, true);
  bytes.fill(0x20, headerStart, headerStart + headerBytes).set(text, headerStart);
  new Uint32Array(bytes.buffer, places.ids, ids.length).set(ids);
  new Uint32Array(bytes.buffer, places.ropeLengths, ids.length).set(ropeLengths);
  return { bytes, pages: pagesIn(bytes, places.pages, computed, pageBytes) };
}

/** Writes the checksum, when everything else is there. */
async function sealSaved(bytes: Uint8Array): Promise<void> {
  const end = bytes.length - checksumBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (const [i, sum] of (await checksum(bytes.subarray(0, end))).entries()) view.setUint32(end + 4 * i, sum, true);
}

/**
 * Reads a saved sequence. Nothing is believed before the checksum holds.
 * @param name what the bytes are, for messages
 * @throws CriaError where they are no saved sequence, are of another version, or are damaged
 */
export async function readSaved(
  given: Uint8Array,
  name: string,
): Promise<{ readonly saved: SavedSequence; readonly pages: readonly Uint8Array[] }> {
  const bytes = given.byteOffset % 4 === 0 ? given : given.slice();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, magic.length));
  check(bytes.length >= headerStart + checksumBytes && start === magic, where, () => `${name} is no saved sequence: correct the path`);
  const found = view.getUint32(8, true);
  check(
    found === version,
    where,
    () => `${name} is a saved sequence of version ${found}, but this program reads version ${version}: save it again`,
  );
  const end = bytes.length - checksumBytes;
  const sums = await checksum(bytes.subarray(0, end));
  const isWhole = end % 4 === 0 && sums.every((sum, i) => sum === view.getUint32(end + 4 * i, true));
  check(isWhole, where, () => `${name} is damaged, as its checksum does not hold: save it again`);
  const headerBytes = view.getUint32(12, true);
  check(headerStart + headerBytes <= end, where, () => damaged(name, `its header has ${headerBytes} bytes`));
  const header = readHeader(bytes.subarray(headerStart, headerStart + headerBytes), name);
  const places = placesOf(headerBytes, header);
  check(places.end === end, where, () => damaged(name, `it has ${bytes.length} bytes in place of ${places.end + checksumBytes}`));
  const { tokens, ...rest } = header;
  const wordsAt = (at: number) => Array.from(new Uint32Array(bytes.buffer, bytes.byteOffset + at, tokens));
  return {
    saved: { ...rest, ids: wordsAt(places.ids), ropeLengths: wordsAt(places.ropeLengths) },
    pages: pagesIn(bytes, places.pages, header.computed, header.pageBytes),
  };
}

interface Sizes {
  readonly tokens: number;
  readonly computed: number;
  readonly pageBytes: number;
}

function placesOf(headerBytes: number, { tokens, computed, pageBytes }: Sizes) {
  const ids = headerStart + headerBytes;
  const ropeLengths = ids + 4 * tokens;
  const pages = ropeLengths + 4 * tokens;
  return { ids, ropeLengths, pages, end: pages + Math.ceil(computed / pageKeys) * pageBytes };
}

function pagesIn(bytes: Uint8Array, start: number, computed: number, pageBytes: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(computed / pageKeys) }, (_, page) =>
    bytes.subarray(start + page * pageBytes, start + (page + 1) * pageBytes),
  );
}

function readHeader(bytes: Uint8Array, name: string): Omit<SavedSequence, "ids" | "ropeLengths"> & Sizes {
  const header = parseJson(where, `the header of ${name}`, decodeUtf8(bytes, `the header of ${name}`, where));
  check(isObject(header), where, () => damaged(name, "its header is no object"));
  const text = (key: string) => {
    const value = header[key];
    return typeof value === "string" ? value : fail(where, damaged(name, `its ${key} is ${JSON.stringify(value)}`));
  };
  const count = (key: string) => {
    const value = header[key];
    const isCount = typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
    return isCount ? value : fail(where, damaged(name, `its ${key} is ${JSON.stringify(value)}`));
  };
  const sizes = { tokens: count("tokens"), computed: count("computed"), pageBytes: count("pageBytes") };
  check(sizes.computed <= sizes.tokens && sizes.pageBytes % 4 === 0, where, () => damaged(name, "its sizes do not fit together"));
  return { ...sizes, model: text("model"), target: text("target"), cacheType: text("cacheType"), note: header.note ?? undefined };
}

function damaged(name: string, what: string): string {
  return `${name} is no saved sequence of this program's, as ${what}: save it again`;
}

/** @throws CriaError naming what a saved sequence is of, and what the model is that shall go on with it */
export function checkSavedFor(saved: SavedFor, here: SavedFor, name: string): void {
  const short = (hash: string) => hash.slice(0, 16);
  check(
    saved.model === here.model,
    where,
    () =>
      `${name} was saved with the model ${short(saved.model)}, and this one is ${short(here.model)}: open the model that it was saved with`,
  );
  if (saved.cacheType !== here.cacheType)
    throw new CriaError(
      where,
      `${name} has keys and values of ${saved.cacheType}, but the model was opened with ${here.cacheType}: open it with cacheType "${saved.cacheType}"`,
      { ways: ["cacheType"] },
    );
  check(saved.pageBytes === here.pageBytes, where, () =>
    damaged(name, `its pages have ${saved.pageBytes} bytes and the model's ${here.pageBytes}`),
  );
}

/** A text and its pages as bytes. */
export async function saveText(text: CachedText, store: PageStore, note: unknown): Promise<Uint8Array> {
  const { computed } = text;
  const ids = text.ids();
  const ropeLengths = ids.map((_, row) => text.ropeLengthAt(row));
  const { bytes, pages } = layOutSaved({ ...(await store.savedFor()), ids, ropeLengths, computed, note });
  for (const [i, place] of pages.entries()) {
    await store.read(text.pages[i]!.number, Math.min(pageKeys, computed - i * pageKeys), place);
    await eventsHandled();
  }
  await sealSaved(bytes);
  return bytes;
}

/** Puts back as many of a text's pages as the pool has free ones for. */
export async function restoreText(text: CachedText, store: PageStore, computed: number, pages: readonly Uint8Array[]): Promise<void> {
  for (const [i, bytes] of pages.entries()) {
    const rows = Math.min(pageKeys, computed - i * pageKeys);
    const reserved = text.reserve(rows, []); // a text that begins on pages of its own has none to copy
    const page = text.pages[i];
    if (reserved < rows || page === undefined) return;
    await store.write(page.number, bytes);
    text.commit(rows);
    await eventsHandled();
  }
}

/** Words of a checksum between two turns of the event loop: about 2 ms. */
const wordsPerTurn = 1 << 18;

/**
 * Two sums over words of 32 bits, each of whose steps can be undone, so that one word that is another one always changes both; not against those who
 * damage on purpose.
 */
async function checksum(bytes: Uint8Array): Promise<readonly [number, number]> {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4));
  let [a, b] = [0x9e3779b9, words.length];
  for (let start = 0; start < words.length; start += wordsPerTurn) {
    if (start > 0) await eventsHandled();
    const end = Math.min(start + wordsPerTurn, words.length);
    for (let i = start; i < end; i++) {
      const word = words[i]!;
      a = Math.imul(((a ^ word) << 13) | ((a ^ word) >>> 19), 0x85ebca6b);
      b = (Math.imul(b, 0x01000193) + word) | 0;
    }
  }
  return [finalised(a) >>> 0, finalised(b) >>> 0];
}
