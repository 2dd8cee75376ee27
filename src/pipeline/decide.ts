// How a step over all documents decides about those of one part, when the phases in front of the pass have found what there is to find.

import { type CleanDocument, isClusterStep, isStatisticStep, KeyList, type KeyStep, type Outcome } from "../clean/index.ts";
import { inOrder } from "../files/index.ts";
import type { PipelineJob } from "./job.ts";
import { partitionOf } from "./keys.ts";
import { MarkStream } from "./marks.ts";
import { MeasureReader, WrittenMeasures } from "./measures.ts";
import { readTaskJson } from "./numbers.ts";
import { comparisonOf, fileOf, groupOf, measuresFileOf, type OpenedSource, partsOfGroup } from "./phases.ts";

/** Decides about the documents of a part, which come in their order. */
export interface Decider {
  decide(document: CleanDocument): Outcome;
  /** Hears that there are no more documents. @throws CriaError where what was found is not of these documents */
  end(): void;
}

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
    return { decide: (document) => step.decide(document, marks.next(document)), end: () => marks.end() };
  }
  const decide = step.decider(await readTaskJson(fileOf(job, { kind: "summarise", stage }, opened.source, 0)));
  const written = await WrittenMeasures.open(measuresFileOf(fileOf(job, { kind: "pass", stage }, opened.source, part.part)));
  const measures = new MeasureReader(step, written);
  return {
    decide(document) {
      const measured = measures.next(document);
      return measured === undefined ? document : decide(document, measured);
    },
    end: () => measures.end(),
  };
}

/** Bytes of marks of one partition that are read at once, at most. */
const mostWindow = 1 << 16;

/** The marks on the keys of one part, taken in the order in which its documents give the keys again, or on its documents. */
class MarkReader {
  readonly #step: KeyStep;
  readonly #marks: readonly MarkStream[];
  readonly #keys = new KeyList();

  private constructor(step: KeyStep, marks: readonly MarkStream[]) {
    [this.#step, this.#marks] = [step, marks];
  }

  static async open({ job, opened, stage, part }: DecidedPart, step: KeyStep): Promise<MarkReader> {
    const { source, partitions: usual, taskBytes } = opened;
    if (isClusterStep(step)) {
      const path = fileOf(job, { kind: "join", stage }, source, 0);
      return new MarkReader(step, [await MarkStream.open(path, part, mostWindow)]);
    }
    const { groups, partitions } = comparisonOf(step, source.parts.length, usual);
    const group = groupOf(part, groups, source.parts.length);
    const { first } = partsOfGroup(group, groups, source.parts.length);
    const window = Math.max(512, Math.min(mostWindow, Math.floor(taskBytes / (4 * partitions))));
    const marks: MarkStream[] = [];
    const open = (partition: number) => {
      const path = fileOf(job, { kind: "compare", stage }, source, group * partitions + partition);
      return MarkStream.open(path, part - first, window);
    };
    for await (const stream of inOrder(partitions, open)) marks.push(stream);
    return new MarkReader(step, marks);
  }

  /** Whether each key of the next document, or the document itself, is marked. */
  next(document: CleanDocument): (mark: number) => boolean {
    if (isClusterStep(this.#step)) {
      const isMarked = this.#marks[0]!.take();
      return () => isMarked;
    }
    this.#keys.clear();
    this.#step.addKeys(document, this.#keys);
    const { halves, count } = this.#keys;
    const marked = Array.from({ length: count }, (_, i) => this.#marks[partitionOf(halves[2 * i + 1]!, this.#marks.length)]!.take());
    return (key) => marked[key] === true;
  }

  /** @throws CriaError where marks are left */
  end(): void {
    for (const marks of this.#marks) marks.end();
  }
}
