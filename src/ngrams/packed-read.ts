// Reads our own compact form: see packed-form.ts.
import { check, decodeUtf8, fail } from "../base/index.ts";
import { LineTable } from "./line-table.ts";
import { mostOrder, NgramModel } from "./ngram-model.ts";
import { NgramWords, unknownId } from "./ngram-words.ts";
import { headerBytes, mostIn, type PackedHeader, packedAlignment, packedMagic, packedNumbersAt, partsOf } from "./packed-form.ts";

const where = "ngrams";

/** Whether a file begins as the compact form does, of whatever version. */
export function isPacked(bytes: Uint8Array): boolean {
  return startOf(bytes, packedMagic.length - 2) === packedMagic.slice(0, -2);
}

/** Whether a file in the compact form was a binary file of KenLM's before. */
export function isPackedKenLm(name: string, bytes: Uint8Array): boolean {
  return isPacked(bytes) && readHeader(name, bytes).isOfKenLm;
}

/** Reads a file in the compact form. The model goes on using the bytes. @throws CriaError where it is of another version, damaged or cut short */
export function readPacked(name: string, given: Uint8Array): NgramModel {
  check(
    startOf(given, packedMagic.length) === packedMagic,
    where,
    () => `${name}: it is of another version of the compact form than 2: make it again from its texts or its ARPA file`,
  );
  const bytes = given.byteOffset % 8 === 0 ? given : given.slice();
  const header = readHeader(name, bytes);
  const { texts, tokenizer, unigrams, tables } = partsOf(header);
  const end = tables.at(-1)!;
  check(
    end === bytes.length,
    where,
    () => `${name}: its n-grams end at byte ${end}, but it has ${bytes.length}: it is damaged or cut short`,
  );
  const { counts, textBytes, tokenizerBytes } = header;
  return new NgramModel({
    words: readWords(name, bytes.subarray(texts, texts + textBytes), counts[0]!),
    tokenizer: tokenizerBytes === 0 ? undefined : bytes.subarray(tokenizer, tokenizer + tokenizerBytes),
    unigrams: new Float32Array(bytes.buffer, bytes.byteOffset + unigrams, 2 * counts[0]!),
    tables: counts.slice(1).map((size, i) => {
      const bits = new Int32Array(bytes.buffer, bytes.byteOffset + tables[i]!, (tables[i + 1]! - tables[i]!) / 4);
      check(bits[bits.length - 2] === 0, where, () => `${name}: a table of ${size} n-grams has no free place at its end: it is damaged`);
      return new LineTable(bits, size, i === counts.length - 2);
    }),
  });
}

function startOf(bytes: Uint8Array, length: number): string {
  return String.fromCharCode(...bytes.subarray(0, length));
}

function readHeader(name: string, bytes: Uint8Array): PackedHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  check(bytes.length >= headerBytes(1), where, () => `${name}: it ends at byte ${bytes.length}, inside of its header: it is cut short`);
  const order = view.getFloat64(packedNumbersAt, true);
  check(
    order >= 1 && order <= mostOrder && Number.isInteger(order),
    where,
    () => `${name}: it has n-grams of ${order} words, but at most ${mostOrder} are supported: it is damaged`,
  );
  check(bytes.length >= headerBytes(order), where, () => `${name}: it ends at byte ${bytes.length}, inside of its header: it is cut short`);
  const numberAt = (i: number) => view.getFloat64(packedNumbersAt + 8 * i, true);
  const [words, textBytes, tokenizerBytes] = [numberAt(1), numberAt(2), numberAt(3)];
  const counts = [words, ...Array.from({ length: order - 1 }, (_, i) => numberAt(5 + i))];
  const most = mostIn(bytes.length + packedAlignment);
  for (const count of [...counts, textBytes / packedAlignment, tokenizerBytes / packedAlignment])
    check(
      count >= 0 && count <= most,
      where,
      () => `${name}: it says ${count} n-grams of one order in ${bytes.length} bytes: it is damaged or cut short`,
    );
  check(
    [...counts, textBytes, tokenizerBytes].every(Number.isInteger),
    where,
    () => `${name}: a number of its header is none of n-grams: it is damaged`,
  );
  return { counts, textBytes, tokenizerBytes, isOfKenLm: numberAt(4) === 1 };
}

function readWords(name: string, bytes: Uint8Array, size: number): NgramWords {
  const texts = decodeUtf8(bytes, name, where).split("\0");
  check(
    texts.length === size + 1 && texts[0] === "<unk>" && texts[size] === "",
    where,
    () => `${name}: it has the texts of ${texts.length - 1} words, but ${size} words, the first of them <unk>: it is damaged`,
  );
  const words = new NgramWords();
  for (let id = 1; id < size; id++)
    if (words.add(texts[id]!) !== id) fail(where, `${name}: the word "${texts[id]}" stands there twice: it is damaged`);
  for (const mark of ["<s>", "</s>"])
    check(words.idOf(mark) !== unknownId, where, () => `${name}: it has no ${mark}: train it with the ends of sentences`);
  return words;
}
