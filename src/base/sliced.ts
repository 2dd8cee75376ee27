// Long work in slices: a generator that yields where others may get on, which is run to its end at once, or some milliseconds at a time.
import { eventsHandled } from "./events-handled.ts";

/** Work that may be put aside wherever it yields. */
export type Sliced<Result> = Generator<void, Result, void>;

/** Milliseconds after which the event loop gets a turn. */
const sliceMs = 4;

/** Does all of it at once. */
export function wholly<Result>(work: Sliced<Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Does it in slices, between which the event loop handles what is there. @throws the signal's reason when it is aborted between two slices */
export async function inSlices<Result>(work: Sliced<Result>, signal?: AbortSignal): Promise<Result> {
  for (let began = performance.now(); ; ) {
    const { done, value } = work.next();
    if (done) return value;
    if (performance.now() - began < sliceMs) continue;
    await eventsHandled();
    signal?.throwIfAborted();
    began = performance.now();
  }
}
