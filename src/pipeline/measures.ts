// What documents of a task measured, on disk, for a step that decides by a statistic. A file has the measures in the order of the documents:
//
//   | measures u32 | bytes of names u32 | places f64 … | values f64 … | groups u32 … | names of the groups, as a JSON list |
//
// so that whoever asks the step for a document's group and place again takes the next measure, and no document is measured twice. Everything is little-endian.
import { readFile } from "node:fs/promises";
import { fail, parseJson } from "../base/index.ts";
import { type CleanDocument, type Measure, type StatisticStep, samplePlace } from "../clean/index.ts";
import { atomicWrite, explainIo } from "../files/index.ts";

const where = "data";
const headBytes = 8;
/** Place, value and group. */
const measureBytes = 8 + 8 + 4;

/** Measures the documents of a task that are in a step's sample. */
export class SampleMeter {
  readonly #step: StatisticStep;
  readonly #measures: Measure[] = [];

  constructor(step: StatisticStep) {
    this.#step = step;
  }

  add(document: CleanDocument): void {
    const group = this.#step.groupOf(document);
    const place = samplePlace(document.text);
    if (group !== undefined && place < this.#step.share) this.#measures.push({ place, value: this.#step.measure(document), group });
  }

  async write(path: string): Promise<void> {
    await writeMeasures(path, this.#measures);
  }
}

/** The measures of a task's documents, taken in their order. */
export class MeasureReader {
  readonly #step: StatisticStep;
  readonly #measures: readonly Measure[];
  #taken = 0;

  constructor(step: StatisticStep, measures: readonly Measure[]) {
    [this.#step, this.#measures] = [step, measures];
  }

  /** The measure of the next document, which is made now where the sample has none; undefined where the document is not measured. */
  next(document: CleanDocument): number | undefined {
    if (this.#step.groupOf(document) === undefined) return undefined;
    if (samplePlace(document.text) >= this.#step.share) return this.#step.measure(document);
    const known = this.#measures[this.#taken++];
    return known?.value ?? fail(where, `a document is in the sample of a step, but its task measured only ${this.#measures.length}`);
  }
}

/** Writes measures as they stand. */
export async function writeMeasures(path: string, measures: readonly Measure[]): Promise<void> {
  const groups = [...new Set(measures.map(({ group }) => group))];
  const names = Buffer.from(JSON.stringify(groups));
  const parts = [
    Uint32Array.of(measures.length, names.length),
    Float64Array.from(measures, ({ place }) => place),
    Float64Array.from(measures, ({ value }) => value),
    Uint32Array.from(measures, ({ group }) => groups.indexOf(group)),
  ];
  await atomicWrite(path, [...parts.map(({ buffer }) => new Uint8Array(buffer)), names], where);
}

/** The measures of a task. @throws CriaError where the file is cut short */
export async function readMeasures(path: string): Promise<readonly Measure[]> {
  const bytes = await readFile(path).catch((error) => Promise.reject(explainIo(where, path, error)));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const damaged = `${path}: it does not hold what its task writes: remove it, and run the command again`;
  if (bytes.length < headBytes) return fail(where, damaged);
  const [count, nameBytes] = [view.getUint32(0, true), view.getUint32(4, true)];
  if (bytes.length !== headBytes + measureBytes * count + nameBytes) return fail(where, damaged);
  const names = parseJson(where, path, bytes.subarray(headBytes + measureBytes * count).toString(), "remove it, and run the command again");
  if (!Array.isArray(names)) return fail(where, damaged);
  return Array.from({ length: count }, (_, i) => ({
    place: view.getFloat64(headBytes + 8 * i, true),
    value: view.getFloat64(headBytes + 8 * (count + i), true),
    group: String(names[view.getUint32(headBytes + 16 * count + 4 * i, true)]),
  }));
}
