// What documents of a task measured, on disk, for a step that decides by a statistic. A file has the measures in the order of the documents, in blocks, of
// which memory holds one:
//
//   | of each block: measures u32 | CRC-32 of what follows u32 | places f64 … | values f64 … | groups u32 … |
//   | names of the groups, as a JSON list | measures u32 | bytes of the names u32 | CRC-32 of the names and these two numbers u32 |
//
// so that whoever asks the step for a document's group and place again takes the next measure, and no document is measured twice. Everything is little-endian.
import { closeSync, openSync, readSync } from "node:fs";
import { fail, parseJson } from "../base/index.ts";
import { type CleanDocument, type Measure, type StatisticStep, samplePlace } from "../clean/index.ts";
import { AtomicFile, Checksum, explainIo } from "../files/index.ts";
import { checkWritten, damaged, readBytes, wayOutOf, withFile } from "./numbers.ts";

const where = "data";
/** Bytes in front of the columns of a block, and behind the names. */
const [headBytes, tailBytes] = [8, 12];
/** Place, value and group. */
const measureBytes = 8 + 8 + 4;
/** Measures of a block. */
export const blockMeasures = 1 << 12;

/** Measures the documents of a task that are in a step's sample, of which memory holds those of one block. */
export class SampleMeter implements AsyncDisposable {
  readonly #step: StatisticStep;
  readonly #file: AtomicFile;
  readonly #places = new Float64Array(blockMeasures);
  readonly #values = new Float64Array(blockMeasures);
  readonly #groups = new Uint32Array(blockMeasures);
  readonly #names = new Map<string, number>();
  #inBlock = 0;
  #count = 0;

  private constructor(step: StatisticStep, file: AtomicFile) {
    [this.#step, this.#file] = [step, file];
  }

  static async open(step: StatisticStep, path: string): Promise<SampleMeter> {
    return new SampleMeter(step, await AtomicFile.open(path, where));
  }

  /** Measures a document. @returns a promise where a block is written, which the next document waits for */
  add(document: CleanDocument): Promise<void> | undefined {
    const group = this.#step.groupOf(document);
    const place = samplePlace(document.text);
    if (group === undefined || place >= this.#step.share) return undefined;
    const known = this.#names.get(group) ?? this.#names.size;
    this.#names.set(group, known);
    const at = this.#inBlock++;
    [this.#places[at], this.#values[at], this.#groups[at]] = [place, this.#step.measure(document), known];
    return this.#inBlock < blockMeasures ? undefined : this.#writeBlock();
  }

  /** Makes what was written the file. */
  async finish(): Promise<void> {
    await this.#writeBlock();
    const names = Buffer.from(JSON.stringify([...this.#names.keys()]));
    const numbers = bytesOf(Uint32Array.of(this.#count, names.length));
    await this.#file.write(Buffer.concat([names, numbers, bytesOf(Uint32Array.of(checksumOf([names, numbers])))]));
    await this.#file.commit();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file[Symbol.asyncDispose]();
  }

  async #writeBlock(): Promise<void> {
    const count = this.#inBlock;
    if (count === 0) return;
    const columns = [this.#places, this.#values, this.#groups].map((column) => bytesOf(column.subarray(0, count)));
    await this.#file.write(Buffer.concat([bytesOf(Uint32Array.of(count, checksumOf(columns))), ...columns]));
    this.#count += count;
    this.#inBlock = 0;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Float64Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function checksumOf(parts: readonly Uint8Array[]): number {
  const checksum = new Checksum();
  for (const part of parts) checksum.add(part);
  return checksum.value;
}

/** The measures of a task's documents, taken in their order. */
export class MeasureReader {
  readonly #step: StatisticStep;
  readonly #measures: WrittenMeasures;

  constructor(step: StatisticStep, measures: WrittenMeasures) {
    [this.#step, this.#measures] = [step, measures];
  }

  /** The measure of the next document, which is made now where the sample has none; undefined where the document is not measured. */
  next(document: CleanDocument): number | undefined {
    if (this.#step.groupOf(document) === undefined) return undefined;
    if (samplePlace(document.text) >= this.#step.share) return this.#step.measure(document);
    if (this.#measures.left === 0) this.#isOfAnother("more");
    return this.#measures.take().value;
  }

  /** Hears that there are no more documents. @throws CriaError where measures are left, which are not of these documents then */
  end(): void {
    const { count, left } = this.#measures;
    if (left > 0) this.#isOfAnother(String(count - left));
  }

  #isOfAnother(found: string): never {
    const { path, count } = this.#measures;
    return fail(
      where,
      `${path}: it has measures of ${count} documents of a task, which has ${found} in the sample: files of different runs are mixed, remove the folder of intermediate files to begin anew`,
    );
  }
}

/** The measures of a file, one after another in the order of its documents, of which memory holds those of one block. */
export class WrittenMeasures {
  readonly path: string;
  readonly count: number;
  readonly #names: readonly unknown[];
  /** Where the blocks end in the file. */
  readonly #end: number;
  #start = 0;
  #taken = 0;
  #block: DataView = new DataView(new ArrayBuffer(0));
  #inBlock = 0;
  #at = 0;

  private constructor(path: string, { count, names, end }: { count: number; names: readonly unknown[]; end: number }) {
    [this.path, this.count, this.#names, this.#end] = [path, count, names, end];
  }

  /** @throws CriaError where the file is cut short or its end was changed */
  static async open(path: string): Promise<WrittenMeasures> {
    return withFile(path, async (file) => {
      const { size } = await file.stat();
      const tail = await readBytes(file, path, size - tailBytes, tailBytes);
      const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
      const [count, nameBytes] = [view.getUint32(0, true), view.getUint32(4, true)];
      const end = size - tailBytes - nameBytes;
      const text = await readBytes(file, path, end, nameBytes);
      checkWritten(path, "its number of measures", checksumOf([text, tail.subarray(0, 8)]), view.getUint32(8, true));
      const names = parseJson(where, path, Buffer.from(text).toString(), wayOutOf(path));
      return Array.isArray(names) ? new WrittenMeasures(path, { count, names, end }) : damaged(path);
    });
  }

  /** Measures that were not taken yet. */
  get left(): number {
    return this.count - this.#taken;
  }

  /** The next measure. @throws CriaError where there is none, or its block is cut short or was changed */
  take(): Measure {
    if (this.#at === this.#inBlock) this.#readBlock();
    const [view, count, at] = [this.#block, this.#inBlock, this.#at++];
    this.#taken++;
    return {
      place: view.getFloat64(8 * at, true),
      value: view.getFloat64(8 * (count + at), true),
      group: String(this.#names[view.getUint32(16 * count + 4 * at, true)]),
    };
  }

  /** Measures are asked for between two documents, which do not wait for each other: the file is read at once. */
  #readBlock(): void {
    const head = this.#read(headBytes);
    const [count, written] = [head.getUint32(0, true), head.getUint32(4, true)];
    if (count === 0 || count > Math.min(blockMeasures, this.left)) damaged(this.path);
    this.#block = this.#read(measureBytes * count);
    checkWritten(this.path, "its measures", checksumOf([new Uint8Array(this.#block.buffer)]), written);
    [this.#inBlock, this.#at] = [count, 0];
  }

  #read(size: number): DataView {
    if (this.#start + size > this.#end) damaged(this.path);
    const bytes = new Uint8Array(size);
    try {
      const file = openSync(this.path, "r");
      try {
        for (let done = 0, read = 1; read > 0 && done < size; done += read)
          read = readSync(file, bytes, done, size - done, this.#start + done);
      } finally {
        closeSync(file);
      }
    } catch (error) {
      throw explainIo(where, this.path, error);
    }
    this.#start += size;
    return new DataView(bytes.buffer);
  }
}
