// What the documents of a pass give to the step behind it: keys, which are compared, or measures, which are summarised.
import { type CleanDocument, isStatisticStep, KeyList, type KeyStep } from "../clean/index.ts";
import { writeKeys } from "./keys.ts";
import { SampleMeter } from "./measures.ts";
import { comparisonOf, type OpenedSource } from "./phases.ts";

/** Takes what documents give, one after another, and writes it where the next phase finds it. */
export interface Gatherer {
  add(document: CleanDocument): void;
  write(path: string): Promise<void>;
}

/** The gatherer of a pass; undefined where no step stands behind it. */
export function gathererOf(opened: OpenedSource, stage: number): Gatherer | undefined {
  const step = opened.stages[stage]?.behind?.step;
  if (step === undefined) return undefined;
  return isStatisticStep(step) ? new SampleMeter(step) : new KeyGatherer(step, opened);
}

/** Gathers keys. */
class KeyGatherer implements Gatherer {
  readonly #step: KeyStep;
  readonly #opened: OpenedSource;
  readonly #keys = new KeyList();
  #documents = 0;

  constructor(step: KeyStep, opened: OpenedSource) {
    [this.#step, this.#opened] = [step, opened];
  }

  add(document: CleanDocument): void {
    this.#step.addKeys(document, this.#keys);
    this.#documents++;
  }

  async write(path: string): Promise<void> {
    const { source, partitions: usual } = this.#opened;
    const { partitions, bands, partitionBits } = comparisonOf(this.#step, source.parts.length, usual);
    await writeKeys(path, { halves: this.#keys.halves, documents: this.#documents, partitions, bands, partitionBits });
  }
}
