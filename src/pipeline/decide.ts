// How a step over all documents decides about those of one part, when the phases in front of the pass have found what there is to find.
import { readFile } from "node:fs/promises";
import { parseJson } from "../base/index.ts";
import { type CleanDocument, isClusterStep, isStatisticStep, KeyList, type KeyStep, type Outcome } from "../clean/index.ts";
import { explainIo } from "../files/index.ts";
import type { PipelineJob } from "./job.ts";
import { partitionOf, readMarks } from "./keys.ts";
import { MeasureReader, readMeasures } from "./measures.ts";
import { comparisonOf, fileOf, groupOf, measuresFileOf, type OpenedSource, partsOfGroup } from "./phases.ts";

const where = "data";

/** Decides about the documents of a part, which come in their order. */
export type Decider = (document: CleanDocument) => Outcome;

/** The part of a source in the pass behind a stage. */
interface DecidedPart {
  readonly job: PipelineJob;
  readonly opened: OpenedSource;
  /** The stage whose step decides. */
  readonly stage: number;
  readonly part: number;
}

/** The decider of the step behind a stage. @throws CriaError where what was found cannot be read */
export async function openDecider(part: DecidedPart): Promise<Decider> {
  const { job, opened, stage } = part;
  const { step } = opened.stages[stage]!.behind!;
  if (!isStatisticStep(step)) {
    const marks = await MarkReader.open(part, step);
    return (document) => step.decide(document, marks.next(document));
  }
  const decide = step.decider(await readSummary(fileOf(job, { kind: "summarise", stage }, opened.source, 0)));
  const measures = new MeasureReader(
    step,
    await readMeasures(measuresFileOf(fileOf(job, { kind: "pass", stage }, opened.source, part.part))),
  );
  return (document) => {
    const measured = measures.next(document);
    return measured === undefined ? document : decide(document, measured);
  };
}

/** What a summary's task found. @throws CriaError where it cannot be read */
export async function readSummary(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((error) => Promise.reject(explainIo(where, path, error)));
  return parseJson(where, path, text, "remove it, and run the command again");
}

/** The marks on the keys of one part, taken in the order in which its documents give the keys again, or on its documents. */
class MarkReader {
  readonly #step: KeyStep;
  readonly #bits: readonly Uint8Array[];
  readonly #isPerDocument: boolean;
  /** How many bits of each partition are taken. */
  readonly #taken: Float64Array;
  readonly #keys = new KeyList();

  private constructor(step: KeyStep, bits: readonly Uint8Array[], isPerDocument: boolean) {
    this.#step = step;
    this.#bits = bits;
    this.#isPerDocument = isPerDocument;
    this.#taken = new Float64Array(bits.length);
  }

  static async open({ job, opened: { source, partitions: usual }, stage, part }: DecidedPart, step: KeyStep): Promise<MarkReader> {
    if (isClusterStep(step)) return new MarkReader(step, [await readMarks(fileOf(job, { kind: "join", stage }, source, 0), part)], true);
    const { groups, partitions } = comparisonOf(step, source.parts.length, usual);
    const group = groupOf(part, groups, source.parts.length);
    const { first } = partsOfGroup(group, groups, source.parts.length);
    const bits: Uint8Array[] = [];
    for (let p = 0; p < partitions; p++)
      bits.push(await readMarks(fileOf(job, { kind: "compare", stage }, source, group * partitions + p), part - first));
    return new MarkReader(step, bits, false);
  }

  /** Whether each key of the next document, or the document itself, is marked. */
  next(document: CleanDocument): (mark: number) => boolean {
    if (this.#isPerDocument) {
      const isMarked = this.#take(0);
      return () => isMarked;
    }
    this.#keys.clear();
    this.#step.addKeys(document, this.#keys);
    const { halves, count } = this.#keys;
    const marked = Array.from({ length: count }, (_, i) => this.#take(partitionOf(halves[2 * i + 1]!, this.#bits.length)));
    return (key) => marked[key] === true;
  }

  #take(partition: number): boolean {
    const bit = this.#taken[partition]!++;
    return ((this.#bits[partition]![bit >>> 3]! >> (bit & 7)) & 1) === 1;
  }
}
