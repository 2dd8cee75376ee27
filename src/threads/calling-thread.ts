// The engine without threads: the thread that called computes alone, in slices, between which its event loop lives.
import { CriaError, eventsHandled } from "../base/index.ts";
import type { Linker } from "./code-loader.ts";
import type { Answer, End, LoadMessage, UnloadMessage } from "./protocol.ts";
import { replayAlone } from "./replay.ts";
import type { ThreadPool } from "./thread-pool.ts";
import { type OnTimes, Watch } from "./watch.ts";
import { LinkedPrograms } from "./worker.ts";

/** Half a frame at 60 Hz: a page that draws in the other half stays smooth. A kernel's chunk that takes longer is not cut. */
const sliceMilliseconds = 8;

/** The pool without threads of its own: the calling thread computes in slices. */
export class CallingThread implements ThreadPool {
  readonly threads = 1;
  readonly #programs: LinkedPrograms;
  /** When the event loop has its turn, by `performance.now`: slices go on over several runs, which may be shorter than one. */
  #sliceEnds = 0;
  /** Why nothing more can be asked. */
  #ended: string | undefined;

  constructor(link: Linker) {
    this.#programs = new LinkedPrograms(link);
  }

  async ask(message: (thread: number) => LoadMessage): Promise<Answer[]> {
    this.check();
    return [this.#programs.load(message(0))];
  }

  tell(message: UnloadMessage): void {
    this.#programs.unload(message);
  }

  async run(program: number, counts: readonly number[], scratch: (thread: number) => number, onTimes?: OnTimes): Promise<End> {
    const bound = this.#programs.get(program);
    const watch = onTimes && new Watch(bound.kernels);
    let reached: number | End = 0;
    while (typeof reached === "number") {
      if (performance.now() >= this.#sliceEnds) await this.#nextSlice();
      this.check();
      reached = replayAlone(bound, counts, reached, { scratch: scratch(0), until: this.#sliceEnds, watch });
    }
    if (watch) onTimes?.(watch.times);
    return reached;
  }

  holding<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }

  check(): void {
    if (this.#ended !== undefined) throw new CriaError("cpu", this.#ended);
  }

  async terminate(why: string): Promise<void> {
    this.#ended ??= why;
  }

  async #nextSlice(): Promise<void> {
    await eventsHandled();
    this.#sliceEnds = performance.now() + sliceMilliseconds;
  }
}
