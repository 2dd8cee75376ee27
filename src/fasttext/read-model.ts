// A file of fastText's (facebookresearch/fastText 0.9, version 12 of the format), plain (.bin) or quantised (.ftz), little-endian:
//
//   | magic i32 | version i32 | dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn, lrUpdateRate i32 | t f64 |
//   | entries, words, labels i32 | tokens, pruned i64 | entries: bytes, 0, count i64, type i8 | pruned: from i32, to i32 |
//   | quantised u8 | input matrix | quantised output u8 | output matrix |
//
// A plain matrix is | rows, columns i64 | f32 … |; a quantised one | has norms u8 | rows, columns i64 | codes i32 | u8 … | quantiser | and, with norms,
// | u8 per row | quantiser |; a quantiser | dim, parts, part's dim, last part's dim i32 | f32[256 · dim] |. Input rows are those of words, then of n-grams.
import { check, fail } from "../base/index.ts";
import { sharedFloats } from "./shared-buffer.ts";
import { type WordList, wordList } from "./word-list.ts";

const where = "fasttext";
/** The number that files begin with, and the version of their form. */
export const [magic, version] = [793712314, 12];
/** Centroids of each part of a quantiser. */
const centroids = 256;

/** How a model was trained; a number per setting, as the file has them. */
export interface FastTextSettings {
  readonly dim: number;
  readonly wordNgrams: number;
  /** 1: hierarchical softmax, 2: negative sampling, 3: softmax, 4: one against all. */
  readonly loss: number;
  /** Buckets that n-grams are hashed to. */
  readonly bucket: number;
  /** Characters of the shortest and longest n-grams of a word; none where the longest is 0. */
  readonly minn: number;
  readonly maxn: number;
}

/** A matrix of rows, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** What a file holds. Quantised matrices are widened. */
export interface FastTextModel {
  readonly settings: FastTextSettings;
  /** Words in the order of the rows of `input`. */
  readonly words: WordList;
  /** Labels in the order of the rows of `output`, without their prefix `__label__`. */
  readonly labels: readonly string[];
  /** How often each label was seen in training. */
  readonly labelCounts: readonly number[];
  /** The rows that buckets have behind the words, of those that were kept; undefined where all were. */
  readonly pruned: ReadonlyMap<number, number> | undefined;
  /** [words + buckets, dim] */
  readonly input: Matrix;
  /** [labels, dim]; of hierarchical softmax the inner nodes of the tree, one fewer than there are labels. */
  readonly output: Matrix;
}

/** How a file is read. */
export interface ReadFastTextOptions {
  /** Whether plain matrices stay where they lie in the bytes, which are moved by up to three for it: then nothing else may use the bytes. @default false: matrices are copied */
  readonly takesBytes?: boolean | undefined;
}

/** Reads a classifier. @throws CriaError when the bytes are of another kind or version, cut short or damaged, or the model is no classifier */
export function readFastText(name: string, bytes: Uint8Array, { takesBytes = false }: ReadFastTextOptions = {}): FastTextModel {
  const reader = new Reader(name, bytes, takesBytes);
  check(reader.i32() === magic, where, () => `${name}: it does not begin as fastText's files do: name a .bin or .ftz`);
  const found = reader.i32();
  check(
    found === version,
    where,
    () => `${name}: its version is ${found}, but only ${version} is supported: convert it with a newer fastText`,
  );
  const settings = readSettings(reader);
  const dictionary = readDictionary(reader);
  const isQuantised = reader.flag();
  const input = isQuantised ? readQuantised(reader) : readPlain(reader);
  const hasQuantisedOutput = reader.flag();
  const output = isQuantised && hasQuantisedOutput ? readQuantised(reader) : readPlain(reader);
  const model = { settings, ...dictionary, input, output };
  checkShapes(name, model);
  return model;
}

function readSettings(reader: Reader): FastTextSettings {
  const [dim = 0, , , , , wordNgrams = 0, loss = 0, kind = 0, bucket = 0, minn = 0, maxn = 0] = Array.from({ length: 12 }, () =>
    reader.i32(),
  );
  reader.f64();
  check(
    kind === 3,
    where,
    () => `${reader.name}: it is a model of word vectors (${kind}), not a classifier (3): name one that knows labels`,
  );
  check(loss >= 1 && loss <= 4, where, () => `${reader.name}: its loss is ${loss}, but 1 to 4 are known: the file is damaged`);
  check(
    dim >= 1 && bucket >= (maxn > 0 || wordNgrams > 1 ? 1 : 0) && minn >= 0 && maxn >= 0 && wordNgrams >= 1,
    where,
    () =>
      `${reader.name}: its settings are dim ${dim}, bucket ${bucket}, n-grams ${minn} to ${maxn}, of words ${wordNgrams}: the file is damaged`,
  );
  return { dim, wordNgrams, loss, bucket, minn, maxn };
}

type Dictionary = Pick<FastTextModel, "words" | "labels" | "labelCounts" | "pruned">;

/** What labels begin with in files. */
export const labelPrefix = "__label__";

function readDictionary(reader: Reader): Dictionary {
  const [size, words, labels] = [reader.i32(), reader.i32(), reader.i32()];
  reader.i64();
  const pruned = reader.i64();
  check(
    words >= 0 && labels >= 1 && size === words + labels && size * 10 <= reader.left && pruned * 8 <= reader.left,
    where,
    () =>
      `${reader.name}: it says ${size} entries, ${words} words and ${labels} labels in ${reader.left} bytes: the file is damaged or cut short`,
  );
  const listed = reader.words(words);
  const entries = Array.from({ length: labels }, () => reader.entry(1));
  const kept = pruned < 0 ? undefined : new Map(Array.from({ length: pruned }, () => [reader.i32(), reader.i32()]));
  // A copy, because browsers decode nothing that lies in shared memory.
  const names = entries.map(({ text }) => new TextDecoder().decode(text.slice()));
  return {
    words: listed,
    labels: names.map((name) => (name.startsWith(labelPrefix) ? name.slice(labelPrefix.length) : name)),
    labelCounts: entries.map(({ count }) => count),
    pruned: kept,
  };
}

function readPlain(reader: Reader): Matrix {
  const [rows, columns] = [reader.i64(), reader.i64()];
  return { rows, columns, values: reader.matrix(rows * columns) };
}

function readQuantised(reader: Reader): Matrix {
  const hasNorms = reader.flag();
  const [rows, columns] = [reader.i64(), reader.i64()];
  const codes = reader.bytes(reader.i32());
  const quantiser = readQuantiser(reader, columns);
  const normCodes = hasNorms ? reader.bytes(rows) : undefined;
  const norms = hasNorms ? readQuantiser(reader, 1) : undefined;
  check(
    codes.length === rows * quantiser.parts,
    where,
    () => `${reader.name}: ${codes.length} codes are not those of ${rows} rows: the file is damaged`,
  );
  const values = sharedFloats(rows * columns);
  for (let row = 0; row < rows; row++) {
    const norm = normCodes === undefined ? 1 : norms!.values[normCodes[row]!]!;
    for (let part = 0, at = 0; part < quantiser.parts; part++) {
      const width = part === quantiser.parts - 1 ? quantiser.last : quantiser.width;
      // The last part is narrower, but lies behind 256 centroids of each part before it.
      const from = part * centroids * quantiser.width + codes[row * quantiser.parts + part]! * width;
      for (let k = 0; k < width; k++) values[row * columns + at++] = norm * quantiser.values[from + k]!;
    }
  }
  return { rows, columns, values };
}

interface Quantiser {
  readonly parts: number;
  readonly width: number;
  readonly last: number;
  readonly values: Float32Array;
}

function readQuantiser(reader: Reader, columns: number): Quantiser {
  const [dim, parts, width, last] = [reader.i32(), reader.i32(), reader.i32(), reader.i32()];
  check(
    dim === columns && parts >= 1 && width >= 1 && last >= 1 && last <= width && (parts - 1) * width + last === dim,
    where,
    () =>
      `${reader.name}: a quantiser of ${dim} numbers has ${parts} parts of ${width} and ${last}, for rows of ${columns}: the file is damaged`,
  );
  return { parts, width, last, values: reader.floats(dim * centroids) };
}

function checkShapes(name: string, { settings, words, labels, pruned, input, output }: FastTextModel): void {
  let buckets = pruned === undefined ? settings.bucket : 0;
  for (const row of pruned?.values() ?? []) {
    check(row >= 0, where, () => `${name}: an n-gram has row ${row}, but rows are counted from 0: the file is damaged`);
    buckets = Math.max(buckets, row + 1);
  }
  check(
    input.columns === settings.dim && output.columns === settings.dim && input.rows >= words.length + buckets,
    where,
    () =>
      `${name}: its matrices are ${input.rows} × ${input.columns} and ${output.rows} × ${output.columns}, but ${words.length} words and ${buckets} n-grams have rows of ${settings.dim}: the file is damaged`,
  );
  check(
    output.rows === labels.length,
    where,
    () => `${name}: its output has ${output.rows} rows for ${labels.length} labels: the file is damaged`,
  );
}

/** A word or a label, by its UTF-8, and how often it was seen. */
interface Entry {
  readonly text: Uint8Array;
  readonly count: number;
}

/** Takes one value after another, each held against the bytes that are left. */
class Reader {
  readonly name: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #takesBytes: boolean;
  #at = 0;

  constructor(name: string, bytes: Uint8Array, takesBytes: boolean) {
    [this.name, this.#bytes, this.#takesBytes] = [name, bytes, takesBytes];
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  bytes(count: number): Uint8Array {
    if (!(count >= 0 && count <= this.left))
      fail(
        where,
        `${this.name}: it ends at byte ${this.#bytes.length}, but ${count} bytes follow byte ${this.#at}: it is damaged or cut short`,
      );
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  #skip(count: number): number {
    this.bytes(count);
    return this.#at - count;
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  flag(): boolean {
    const value = this.u8();
    check(value < 2, where, () => `${this.name}: byte ${this.#at - 1} is ${value} but must be 0 or 1: the file is damaged`);
    return value === 1;
  }

  i32(): number {
    return this.#view.getInt32(this.#skip(4), true);
  }

  /** Counts beyond 2^53 are of no file. */
  i64(): number {
    const at = this.#skip(8);
    return this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#skip(8), true);
  }

  /** A copy, since numbers must begin at a multiple of four bytes. */
  floats(count: number): Float32Array {
    const bytes = this.bytes(4 * count);
    const values = sharedFloats(count);
    new Uint8Array(values.buffer).set(bytes);
    return values;
  }

  /** A matrix's numbers, where they lie or copied. */
  matrix(count: number): Float32Array {
    if (!this.#takesBytes) return this.floats(count);
    const { buffer, byteOffset } = this.bytes(4 * count);
    // The numbers go up to three bytes towards the beginning, over the matrix's counts of rows and columns, which were read.
    const start = byteOffset - (byteOffset % 4);
    if (start < byteOffset) new Uint8Array(buffer).copyWithin(start, byteOffset, byteOffset + 4 * count);
    return new Float32Array(buffer, start, count);
  }

  /** So many entries of words, which are gone through twice. */
  words(count: number): WordList {
    const first = this.#at;
    return wordList(count, () => {
      this.#at = first;
      return this.#eachWord(count);
    });
  }

  *#eachWord(count: number): Generator<Int8Array> {
    for (let i = 0; i < count; i++) {
      const { buffer, byteOffset, length } = this.entry(0).text;
      yield new Int8Array(buffer, byteOffset, length);
    }
  }

  /** An entry of the dictionary: the UTF-8 of its text. @param type 0 of words, 1 of labels */
  entry(type: number): Entry {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) fail(where, `${this.name}: a word at byte ${this.#at} has no end: the file is damaged or cut short`);
    const text = this.#bytes.subarray(this.#at, end);
    this.#at = end + 1;
    const count = this.i64();
    if (this.u8() !== type) fail(where, `${this.name}: words and labels stand among each other: the file is damaged`);
    return { text, count };
  }
}
