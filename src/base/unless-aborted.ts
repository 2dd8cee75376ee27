// Work that a signal may end: what it throws then is no error to whoever sent the signal.

/** What `act` makes; undefined where it ends with the reason of a signal that has aborted. */
export async function unlessAborted<T>(signal: AbortSignal | undefined, act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return undefined;
    throw error;
  }
}
