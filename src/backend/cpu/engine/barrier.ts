// Where threads meet between two phases: the last to arrive counts the generation up, the others spin on it briefly, then sleep on it.
// The words are monotonic or reset by the last to arrive, before it lets the others go, so that a replay needs no one to clean up.
// After the sense-reversing barrier of Mellor-Crummey and Scott (1991), with a futex instead of endless spinning.

/** Words of the control block; those that different threads write stand on different cache lines (16 words). */
const arrived = 0;
const generation = 16;
const sleepers = 32;
const aborted = 48;
const controlWords = 64;

/** Spinning longer than it takes to put a thread to sleep and wake it costs a neighbour more than it can save. */
const spinMilliseconds = 0.02;
/** Between two looks at the clock: some hundred nanoseconds. */
const spinLoads = 128;

export const createControl = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(4 * controlWords));

/**
 * Counts this thread as arrived.
 * @returns the generation to `wait` for; undefined when this was the last thread: it may now change what all share, and must then `open`.
 */
export function arrive(control: Int32Array, threads: number): number | undefined {
  const current = Atomics.load(control, generation);
  return Atomics.add(control, arrived, 1) === threads - 1 ? undefined : current;
}

/** Lets the others go: the last to arrive calls it. */
export function open(control: Int32Array): void {
  Atomics.store(control, arrived, 0);
  release(control);
}

/** Waits until the last thread has opened the barrier at which this one arrived, or a thread aborts. */
export function wait(control: Int32Array, current: number): void {
  if (!spin(control, current)) sleep(control, current);
}

/** Lets everyone out of every barrier of this run. The words are then in no order: `resetControl` once all threads have left. */
export function abort(control: Int32Array): void {
  Atomics.store(control, aborted, 1);
  release(control);
}

export const isAborted = (control: Int32Array): boolean => Atomics.load(control, aborted) !== 0;

export function resetControl(control: Int32Array): void {
  Atomics.store(control, arrived, 0);
  Atomics.store(control, aborted, 0);
}

// A sleeper counts itself before it looks at the generation again, and the generation moves before anyone looks at the count:
// whichever comes first, no wake-up is lost, and without sleepers there is no system call.
function release(control: Int32Array): void {
  Atomics.add(control, generation, 1);
  if (Atomics.load(control, sleepers) > 0) Atomics.notify(control, generation);
}

function spin(control: Int32Array, current: number): boolean {
  const start = performance.now();
  do {
    for (let i = 0; i < spinLoads; i++) if (Atomics.load(control, generation) !== current) return true;
  } while (performance.now() - start < spinMilliseconds);
  return false;
}

// A thread that arrives after an abort has read the generation that the abort left, which nobody moves any more: hence the flag.
function sleep(control: Int32Array, current: number): void {
  Atomics.add(control, sleepers, 1);
  while (Atomics.load(control, generation) === current && !isAborted(control)) Atomics.wait(control, generation, current);
  Atomics.sub(control, sleepers, 1);
}
