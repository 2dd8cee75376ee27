// What the documents of a pass give to the step behind it: keys, which are compared, or measures, which are summarised.
import { type CleanDocument, isStatisticStep, KeyList, type KeyStep } from "../clean/index.ts";
import { KeyWriter } from "./keys.ts";
import { SampleMeter } from "./measures.ts";
import { comparisonOf, type OpenedSource } from "./phases.ts";

/** Takes what documents give, one after another, and writes it where the next phase finds it. Disposed of before it is finished, it leaves nothing. */
export interface Gatherer extends AsyncDisposable {
  /** A promise where something had to be written. */
  add(document: CleanDocument): Promise<void> | undefined;
  finish(): Promise<void>;
}

/** The gatherer of a pass, for a file; undefined where no step stands behind it. */
export async function openGatherer(opened: OpenedSource, stage: number, path: string): Promise<Gatherer | undefined> {
  const step = opened.stages[stage]?.behind?.step;
  if (step === undefined) return undefined;
  if (!isStatisticStep(step)) return KeyGatherer.open(step, opened, path);
  return SampleMeter.open(step, path);
}

/** Bytes of a key in a list. */
const keyBytes = 8;

/** Gathers keys, and writes them when they are as many as memory has room for. */
class KeyGatherer implements Gatherer {
  readonly #step: KeyStep;
  readonly #writer: KeyWriter;
  readonly #keys = new KeyList();
  readonly #most: number;
  #documents = 0;

  private constructor(step: KeyStep, writer: KeyWriter, most: number) {
    [this.#step, this.#writer, this.#most] = [step, writer, most];
  }

  static async open(step: KeyStep, { source, partitions, taskBytes }: OpenedSource, path: string): Promise<KeyGatherer> {
    const writer = await KeyWriter.open(path, comparisonOf(step, source.parts.length, partitions));
    // The list, which doubles when it grows, and its copy by partitions.
    return new KeyGatherer(step, writer, Math.floor(taskBytes / (4 * keyBytes)));
  }

  add(document: CleanDocument): Promise<void> | undefined {
    this.#step.addKeys(document, this.#keys);
    this.#documents++;
    return this.#keys.count < this.#most ? undefined : this.#writeRun();
  }

  async finish(): Promise<void> {
    await this.#writeRun();
    await this.#writer.finish(this.#documents);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#writer[Symbol.asyncDispose]();
  }

  async #writeRun(): Promise<void> {
    await this.#writer.writeRun(this.#keys);
    this.#keys.clear();
  }
}
