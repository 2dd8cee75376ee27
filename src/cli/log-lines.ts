// How far long work is, where nobody watches a terminal: a line per minute, for the logs of machines.
import type { ProgressEvent } from "../base/index.ts";
import { formatProgress, type LineStream, Pace, type Timed } from "./live-line.ts";

const everyMs = 60_000;

/** Writes a line for the first event that comes a minute or more after the line before, or after the first event of all. Short work writes none. */
export class LogLines {
  readonly #stream: LineStream;
  readonly #now: () => number;
  readonly #pace = new Pace();
  #writtenAt: number | undefined;

  constructor(stream: LineStream, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  update(event: ProgressEvent): void {
    const now: Timed = { event, at: this.#now() };
    const left = this.#pace.left(now);
    this.#writtenAt ??= now.at;
    if (now.at - this.#writtenAt < everyMs) return;
    this.#writtenAt = now.at;
    this.#stream.write(`${formatProgress(event, left, Number.POSITIVE_INFINITY)}\n`);
  }
}
