// The threads of an engine: worker threads (`worker-pool.ts`), or the thread that called (`calling-thread.ts`).
import type { Answer, End, LoadMessage, UnloadMessage } from "./protocol.ts";
import type { OnTimes } from "./watch.ts";

/** The threads of an engine, asked all together. */
export interface ThreadPool {
  readonly threads: number;
  /** Gives every thread the program, and resolves with every thread's answer. @throws CriaError when a thread has died or dies meanwhile. */
  ask(message: (thread: number) => LoadMessage): Promise<Answer[]>;
  /** Takes a program away, which has no answer. */
  tell(message: UnloadMessage): void;
  /**
   * Replays a program on these counts, each thread with its own scratch, and resolves once the work is done or a kernel has trapped.
   * One call at a time. Where somebody hears times, it also waits for threads that come late.
   * @throws CriaError as {@link ask} does.
   */
  run(program: number, counts: readonly number[], scratch: (thread: number) => number, onTimes?: OnTimes): Promise<End>;
  /** Keeps the process alive until the work is done. */
  holding<T>(work: () => Promise<T>): Promise<T>;
  /** @throws CriaError once a thread has died or the pool was terminated. */
  check(): void;
  /** Ends every thread, also in the middle of a run; open and later questions reject with `why`. */
  terminate(why: string): Promise<void>;
}
