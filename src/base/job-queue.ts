// Jobs one at a time, in the order of the calls: a backend keeps writes, runs and reads apart by it, an engine the runs of its programs.

/** Runs jobs one at a time, in the order in which they were asked for. */
export class JobQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** A failed job does not hold up the next; whoever drops the promise need not handle its error. */
  run<T>(job: () => T | Promise<T>): Promise<T> {
    const done = this.#last.then(job);
    this.#last = done.then(ignore, ignore);
    return done;
  }

  /** When everything asked for so far has been done. */
  async settle(): Promise<void> {
    await this.#last;
  }
}

function ignore(): void {}
