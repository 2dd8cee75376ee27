// Where a thread's time goes in a run, kernel by kernel. Most runs have no watch, and pay nothing.

/** A thread's milliseconds in each kernel of a program. What is missing of the run's time, it waited for others or looked for work. */
export type KernelTimes = readonly number[];

/** Hears the times of each thread before a run ends. */
export type OnTimes = (times: KernelTimes) => void;

/** What a thread turns to where it waits: no kernel's index. */
export const waiting = -1;

/** The clock of one thread. It is read where the thread turns to another kernel, not chunk by chunk. */
export class Watch {
  readonly #times: number[];
  #kernel = waiting;
  #since = 0;

  /** @param kernels how many the program has */
  constructor(kernels: number) {
    this.#times = Array(kernels).fill(0);
  }

  /** The times up to where the thread turned to something else. */
  get times(): KernelTimes {
    return this.#times;
  }

  /** Says what the thread does from now on: a kernel by its index, or `waiting`. */
  turnTo(kernel: number): void {
    if (kernel === this.#kernel) return;
    const now = performance.now();
    if (this.#kernel !== waiting) this.#times[this.#kernel]! += now - this.#since;
    this.#kernel = kernel;
    this.#since = now;
  }
}
