// How long each step of a pass takes, measured of every sixteenth document, so that measuring costs less than a hundredth: reading the clock takes some 50 ns,
// and a document of a few kilobytes some 100 µs. What several steps ask of a document, such as its words, is counted with the first of them. Times differ from
// run to run, so they have a file of their own.
import { z } from "zod";

const timed = z.strictObject({
  /** A step, or "reading" and "writing", which are what a pass does beside its steps. */
  name: z.string(),
  /** Seconds that the measured documents took. */
  seconds: z.number(),
  /** Bytes of the measured documents' texts in front of the step. */
  bytes: z.number(),
  /** The pass, from 0. */
  pass: z.int(),
});

/** Times of the steps of a task or a source, in their order. */
export const stepTimes = z.array(timed);

/** Times of the steps of a task or a source, in their order. */
export type StepTimes = readonly z.output<typeof timed>[];

/** Documents of which one is measured. */
const period = 16;

/** Measures the steps of a pass. */
export class StepClock {
  readonly #times: z.output<typeof timed>[];
  #documents = 0;
  #isOn = true;
  #last = performance.now();

  constructor(names: readonly string[], pass: number) {
    this.#times = names.map((name) => ({ name, seconds: 0, bytes: 0, pass }));
  }

  /** Begins to wait for the next document. */
  begin(): void {
    this.#isOn = this.#documents++ % period === 0;
    this.start();
  }

  /** Begins a step. */
  start(): void {
    if (this.#isOn) this.#last = performance.now();
  }

  /** Counts what went by since the last beginning as time of a step. @param bytes of the text in front of it */
  end(index: number, bytes: number): void {
    if (!this.#isOn) return;
    const time = this.#times[index]!;
    time.seconds += (performance.now() - this.#last) / 1000;
    time.bytes += bytes;
  }

  get times(): StepTimes {
    return this.#times;
  }
}

/** What two tasks of one pass come to together; nothing stands for no task. */
export function sumTimes(a: StepTimes, b: StepTimes): StepTimes {
  if (a.length === 0) return b;
  return a.map((time, i) => ({ ...time, seconds: time.seconds + (b[i]?.seconds ?? 0), bytes: time.bytes + (b[i]?.bytes ?? 0) }));
}

/** A rate of fewer bytes tells how long something was waited for, and nothing of the speed. */
const leastBytes = 100_000;

/** The rate of what was measured, as {@link speedOf} says it; a dash where there were too few bytes to tell. */
export function measuredSpeed(bytes: number, seconds: number): string {
  return bytes < leastBytes ? "–" : speedOf(bytes, seconds);
}

/** Megabytes per second for people: three digits, or whole. */
export function speedOf(bytes: number, seconds: number): string {
  const rate = bytes / 1e6 / seconds;
  return rate >= 100 ? Math.round(rate).toLocaleString("en-US") : rate.toPrecision(3);
}
