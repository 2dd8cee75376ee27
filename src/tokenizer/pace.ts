// Long loops that leave room: progress lines, signals and servers share the thread.

const slice = 50; // milliseconds of work between two rests

/** Lets the event loop live during a long loop, and stops it when a signal aborts. */
export class Pace {
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
    signal?.throwIfAborted();
  }

  get isDue(): boolean {
    return performance.now() - this.#since > slice;
  }

  /** Lets other work run. @throws the signal's reason once it is aborted. */
  async rest(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve));
    this.#signal?.throwIfAborted();
    this.#since = performance.now();
  }
}
