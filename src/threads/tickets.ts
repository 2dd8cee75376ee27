// How threads share a run without meeting: every chunk of its work has a ticket, numbered through all phases. Threads claim tickets in order,
// and one of a phase only once as many chunks are finished as stand before it. A phase ends with its work, not with the arrival of threads:
// one that the system has put aside between two chunks stops nobody, and finds its place again by the next ticket.
// Both counts only grow within a run, so a late thread cannot take one phase for another; a run's words are cleared before they serve again,
// once every thread has said that it has left.

/** Words of one run's tickets; each stands on cache lines of its own, two together, as processors fetch lines in pairs. */
const claimed = 0;
const finished = 32;
const sleepers = 64;
const ticketWords = 96;

/** More tickets than any run has: both counts of one that ended early. What is still added to them does not reach a sign. */
export const endOfTickets = 2 ** 30;

/** Spinning longer than it takes to put a thread to sleep and wake it costs a neighbour more than it can save. */
const spinMilliseconds = 0.02;
/** Loads between two looks at the clock; so many take some hundred nanoseconds. */
const spinLoads = 128;

/** The words for as many runs as may be under way at a time: the last one and those that a late thread has yet to leave. */
export function createTickets(runs: number): Int32Array<SharedArrayBuffer>[] {
  const buffer = new SharedArrayBuffer(4 * ticketWords * runs);
  return Array.from({ length: runs }, (_, i) => new Int32Array(buffer, 4 * ticketWords * i, ticketWords));
}

/** Makes the words ready for another run. Called when no thread is in the last one any more. */
export const clearTickets = (words: Int32Array): void => void words.fill(0);

/** The next ticket that nobody has claimed. */
export const nextTicket = (words: Int32Array): number => Atomics.load(words, claimed);

/** Takes a ticket, if it is still the next one. @returns the next one as it was found: equal to `ticket` where it is now this thread's. */
export const claim = (words: Int32Array, ticket: number): number => Atomics.compareExchange(words, claimed, ticket, ticket + 1);

/**
 * Tells the others of chunks that this thread has finished.
 * @param boundary how many are finished when the phase ends: those who sleep wait for that.
 * @returns how many are finished now.
 */
export function finish(words: Int32Array, chunks: number, boundary: number): number {
  const now = Atomics.add(words, finished, chunks) + chunks;
  if (now === boundary) wake(words);
  return now;
}

/** Waits until `chunks` are finished or the run ends early: spins briefly, then sleeps. */
export function waitFor(words: Int32Array, chunks: number): void {
  if (Atomics.load(words, finished) < chunks && !spin(words, chunks)) sleep(words, chunks);
}

/** Ends a run early: from here on nobody finds work in it, nor waits. */
export function abort(words: Int32Array): void {
  Atomics.store(words, claimed, endOfTickets);
  Atomics.store(words, finished, endOfTickets);
  wake(words);
}

// A sleeper counts itself before it looks at what it waits for, and that changes before anyone looks at the count:
// whichever comes first, no wake-up is lost, and without sleepers there is no system call.
function wake(words: Int32Array): void {
  if (Atomics.load(words, sleepers) > 0) Atomics.notify(words, finished);
}

function spin(words: Int32Array, chunks: number): boolean {
  const start = performance.now();
  do {
    for (let i = 0; i < spinLoads; i++) if (Atomics.load(words, finished) >= chunks) return true;
  } while (performance.now() - start < spinMilliseconds);
  return false;
}

function sleep(words: Int32Array, chunks: number): void {
  Atomics.add(words, sleepers, 1);
  for (;;) {
    const now = Atomics.load(words, finished);
    if (now >= chunks) break;
    Atomics.wait(words, finished, now);
  }
  Atomics.sub(words, sleepers, 1);
}
