// How many threads an engine takes in Node.
import { availableParallelism } from "node:os";
import { checkThreads, maximumThreads } from "../threads/index.ts";

/**
 * The environment's CRIA_THREADS, else one thread for every core that this process may use, 64 at most.
 * @throws UsageError when CRIA_THREADS is no whole number from 1 to 64.
 */
export function defaultThreads(environment: { readonly CRIA_THREADS?: string | undefined } = process.env): number {
  const wish = environment.CRIA_THREADS;
  if (wish === undefined || wish === "") return Math.min(availableParallelism(), maximumThreads);
  return checkThreads(/^\d+$/.test(wish) ? Number(wish) : Number.NaN, `CRIA_THREADS is "${wish}"`);
}
