// How many threads an engine may have.
import { UsageError } from "../base/index.ts";

/** More threads than this share too little work per phase to gain from each other. */
export const maximumThreads = 64;

/** @param said how the number was given, e.g. `threads is 0`. @throws UsageError unless it is a whole number from 1 to 64. */
export function checkThreads(threads: number, said = `threads is ${threads}`): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= maximumThreads) return threads;
  throw new UsageError("cpu", `${said}, but an engine has from 1 to ${maximumThreads} threads: give a whole number in that range`);
}
