// Our own compact form of a model, which is used where it lies, so that it is open as soon as it is read and threads may share its bytes. Little-endian,
// each part from a multiple of 64 bytes on:
//
//   | "cria n-grams 2\n" 0 | numbers f64: order · words · bytes of their texts · of the tokenizer · 1 for a model of KenLM's · n-grams of two words · of three · … |
//   | the words' texts, UTF-8, with a 0 behind each, by their numbers |
//   | the tokenizer whose pieces the words are, as a tokenizer.json, or nothing |
//   | per word: log10 of the probability f32 · log10 of the back-off weight f32 |
//   | per order from two on: lines of n-grams, see line-table.ts |
//
// Words have exact values, n-grams but the longest have values that are rounded to half floats: by up to one part in 2,048.
import { lineEntries, linesFor, lineWords } from "./line-table.ts";

/** How the form begins. */
export const packedMagic = "cria n-grams 2\n";

/** Where its numbers begin. */
export const packedNumbersAt = 16;

/** Bytes at whose multiples each part begins. */
export const packedAlignment = 64;

/** What stands at the beginning of a file. */
export interface PackedHeader {
  /** How many n-grams there are of each order, unigrams first. */
  readonly counts: readonly number[];
  readonly textBytes: number;
  readonly tokenizerBytes: number;
  /** Whether it was a binary file of KenLM's before. */
  readonly isOfKenLm: boolean;
}

/** Where the parts of a file lie, in bytes. */
export interface PackedParts {
  readonly texts: number;
  readonly tokenizer: number;
  readonly unigrams: number;
  /** Where each table begins, and the end of the file behind the last one. */
  readonly tables: readonly number[];
}

/** Bytes of the header. */
export function headerBytes(order: number): number {
  return aligned(packedNumbersAt + 8 * (4 + order));
}

/** Where everything lies that a header tells of. */
export function partsOf({ counts, textBytes, tokenizerBytes }: Omit<PackedHeader, "isOfKenLm">): PackedParts {
  const texts = headerBytes(counts.length);
  const tokenizer = texts + aligned(textBytes);
  const unigrams = tokenizer + aligned(tokenizerBytes);
  const tables = [unigrams + aligned(8 * counts[0]!)];
  for (const count of counts.slice(1)) tables.push(tables.at(-1)! + tableBytes(count));
  return { texts, tokenizer, unigrams, tables };
}

/** The next multiple of the alignment. */
export function aligned(bytes: number): number {
  return packedAlignment * Math.ceil(bytes / packedAlignment);
}

/** Bytes of the table of so many n-grams. */
function tableBytes(count: number): number {
  const { lines, spare } = linesFor(count);
  return 4 * lineWords * (lines + spare);
}

/** How many n-grams of one order a table in so many bytes may have at most. */
export function mostIn(bytes: number): number {
  return (bytes / (4 * lineWords)) * lineEntries;
}
