// Waiting that a signal ends.
import { setTimeout as sleep } from "node:timers/promises";

/** @throws the signal's reason when it aborts */
export async function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(milliseconds, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}
