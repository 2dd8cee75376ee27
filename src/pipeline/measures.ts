// What documents of a task measured, on disk, for a step that decides by a statistic. A file has the measures in the order of the documents:
//
//   | measures u32 | bytes of names u32 | places f64 … | values f64 … | groups u32 … | names of the groups, as a JSON list | CRC-32 of all that u32 |
//
// so that whoever asks the step for a document's group and place again takes the next measure, and no document is measured twice. Everything is little-endian.
import { readFile } from "node:fs/promises";
import { fail, parseJson } from "../base/index.ts";
import { type CleanDocument, type Measure, type StatisticStep, samplePlace } from "../clean/index.ts";
import { atomicWrite, Checksum, explainIo } from "../files/index.ts";
import { checkWritten, damaged, wayOutOf } from "./numbers.ts";

const where = "data";
const headBytes = 8;
const tailBytes = 4;
/** Place, value and group. */
const measureBytes = 8 + 8 + 4;

/** Measures in columns, twenty bytes each, because a task may have millions. */
class MeasureList {
  #places = new Float64Array(1 << 8);
  #values = new Float64Array(1 << 8);
  #groups = new Uint32Array(1 << 8);
  readonly #names = new Map<string, number>();
  #count = 0;

  add({ place, value, group }: Measure): void {
    if (this.#count === this.#places.length) this.#grow();
    const known = this.#names.get(group) ?? this.#names.size;
    this.#names.set(group, known);
    [this.#places[this.#count], this.#values[this.#count], this.#groups[this.#count]] = [place, value, known];
    this.#count++;
  }

  /** The file's parts, one after another. */
  bytes(): Uint8Array[] {
    const names = Buffer.from(JSON.stringify([...this.#names.keys()]));
    const columns = [this.#places, this.#values, this.#groups].map((column) => column.subarray(0, this.#count));
    const parts = [Uint32Array.of(this.#count, names.length), ...columns, names];
    const checksum = new Checksum();
    for (const part of parts) checksum.add(part);
    return [...parts, Uint32Array.of(checksum.value)].map(
      ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
    );
  }

  #grow(): void {
    const length = 2 * this.#count;
    const [places, values, groups] = [new Float64Array(length), new Float64Array(length), new Uint32Array(length)];
    places.set(this.#places);
    values.set(this.#values);
    groups.set(this.#groups);
    [this.#places, this.#values, this.#groups] = [places, values, groups];
  }
}

/** Measures the documents of a task that are in a step's sample. */
export class SampleMeter {
  readonly #step: StatisticStep;
  readonly #measures = new MeasureList();

  constructor(step: StatisticStep) {
    this.#step = step;
  }

  add(document: CleanDocument): void {
    const group = this.#step.groupOf(document);
    const place = samplePlace(document.text);
    if (group !== undefined && place < this.#step.share) this.#measures.add({ place, value: this.#step.measure(document), group });
  }

  async write(path: string): Promise<void> {
    await atomicWrite(path, this.#measures.bytes(), where);
  }
}

/** The measures of a task's documents, taken in their order. */
export class MeasureReader {
  readonly #step: StatisticStep;
  readonly #measures: WrittenMeasures;
  #taken = 0;

  constructor(step: StatisticStep, measures: WrittenMeasures) {
    [this.#step, this.#measures] = [step, measures];
  }

  /** The measure of the next document, which is made now where the sample has none; undefined where the document is not measured. */
  next(document: CleanDocument): number | undefined {
    if (this.#step.groupOf(document) === undefined) return undefined;
    if (samplePlace(document.text) >= this.#step.share) return this.#step.measure(document);
    if (this.#taken === this.#measures.count) this.#isOfAnother("more");
    return this.#measures.at(this.#taken++).value;
  }

  /** Hears that there are no more documents. @throws CriaError where measures are left, which are not of these documents then */
  end(): void {
    if (this.#taken < this.#measures.count) this.#isOfAnother(String(this.#taken));
  }

  #isOfAnother(found: string): never {
    const { path, count } = this.#measures;
    return fail(
      where,
      `${path}: it has measures of ${count} documents of a task, which has ${found} in the sample: files of different runs are mixed, remove the folder of intermediate files to begin anew`,
    );
  }
}

/** The measures of a file, in the order of its documents. */
export interface WrittenMeasures {
  readonly path: string;
  readonly count: number;
  at(index: number): Measure;
}

/** The measures of a task. @throws CriaError where the file is cut short or changed */
export async function readMeasures(path: string): Promise<WrittenMeasures> {
  const bytes = await readFile(path).catch((error) => Promise.reject(explainIo(where, path, error)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < headBytes + tailBytes) return damaged(path);
  const end = bytes.length - tailBytes;
  checkWritten(path, "its measures", Checksum.of(bytes.subarray(0, end)), view.getUint32(end, true));
  const [count, nameBytes] = [view.getUint32(0, true), view.getUint32(4, true)];
  if (end !== headBytes + measureBytes * count + nameBytes) return damaged(path);
  const names = parseJson(where, path, bytes.subarray(headBytes + measureBytes * count, end).toString(), wayOutOf(path));
  if (!Array.isArray(names)) return damaged(path);
  return {
    path,
    count,
    at: (i) => ({
      place: view.getFloat64(headBytes + 8 * i, true),
      value: view.getFloat64(headBytes + 8 * (count + i), true),
      group: String(names[view.getUint32(headBytes + 16 * count + 4 * i, true)]),
    }),
  };
}
