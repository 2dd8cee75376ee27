// Wall-clock time that was asked for, and what it is spent on: set-up, training, and what comes behind training.
import { UsageError } from "../base/index.ts";

/** A number of seconds that run from a moment on. */
export class TimeBudget {
  readonly seconds: number;
  readonly #began: number;
  readonly #now: () => number;

  /**
   * @param began when the seconds began, in milliseconds of `now`: the start of the process, so that loading the program counts
   * @param now milliseconds on any clock; tests give their own
   */
  constructor(seconds: number, began: number, now: () => number = () => performance.now()) {
    this.seconds = seconds;
    this.#began = began;
    this.#now = now;
  }

  /** Seconds spent. */
  get spent(): number {
    return (this.#now() - this.#began) / 1000;
  }

  /** Seconds left; below 0 when it is over. */
  get left(): number {
    return this.seconds - this.spent;
  }
}

/** Seconds that samples and the report take behind training, about. */
export const writingSeconds = 5;
/** Bytes per second of text that is read, cut into tokens and written, about, over all passes; and seconds that do not depend on the text. */
const preparation = { bytesPerSecond: 2.5e6, seconds: 6 };
/** The least share of the time that must be left for training, and the least seconds, or nothing is learned. */
const leastTraining = { share: 0.1, seconds: 3 };

/**
 * Says before any work that the time is too short for a text.
 * @param bytes of the text
 * @throws UsageError with the time that would do
 */
export function checkTime({ seconds, left }: TimeBudget, bytes: number, where: string): void {
  const needed = preparation.seconds + bytes / preparation.bytesPerSecond + writingSeconds;
  const training = left - needed;
  if (training >= leastFor(seconds)) return;
  const about = `reading ${size(bytes)} of text, a tokenizer, evaluation and samples take about ${Math.ceil(needed)} s`;
  throw new UsageError(
    where,
    `minutes is ${minutes(seconds)}, but ${about} beside training: give at least ${enough(seconds - left + needed)}`,
  );
}

/**
 * Seconds for training once everything before it is done.
 * @throws UsageError when too few are left, with the time that would do
 */
export function trainingSeconds(budget: TimeBudget, where: string): number {
  const { seconds, spent, left } = budget;
  const training = left - writingSeconds;
  if (training >= leastFor(seconds)) return training;
  throw new UsageError(
    where,
    `minutes is ${minutes(seconds)}, but ${spent.toFixed(0)} s went into text and tokenizer and about ${writingSeconds} s are for samples: give at least ${enough(spent + writingSeconds)}`,
  );
}

function leastFor(seconds: number): number {
  return Math.max(leastTraining.seconds, leastTraining.share * seconds);
}

/** Minutes, in tenths rounded up, in which so many seconds leave a third for training. */
function enough(seconds: number): string {
  return String(Math.ceil((seconds * 1.5) / 6) / 10);
}

function minutes(seconds: number): string {
  return String(Number((seconds / 60).toPrecision(3)));
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toPrecision(3)} MB`;
}
