// How many threads an engine takes.
import { availableParallelism } from "node:os";
import { UsageError } from "../../../base/index.ts";

/** More threads than this share too little work a phase to gain from each other. */
export const maximumThreads = 64;

/**
 * The environment's CRIA_THREADS, else one thread for every core that this process may use, 64 at most.
 * @throws UsageError when CRIA_THREADS is no whole number from 1 to 64.
 */
export function defaultThreads(environment: NodeJS.ProcessEnv = process.env): number {
  const wish = environment.CRIA_THREADS;
  if (wish === undefined || wish === "") return Math.min(availableParallelism(), maximumThreads);
  return checkThreads(/^\d+$/.test(wish) ? Number(wish) : Number.NaN, `CRIA_THREADS is "${wish}"`);
}

/** @param said how the number was given, e.g. `threads is 0`. */
export function checkThreads(threads: number, said = `threads is ${threads}`): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= maximumThreads) return threads;
  throw new UsageError("cpu", `${said}, but an engine has from 1 to ${maximumThreads} threads: give a whole number in that range`);
}
