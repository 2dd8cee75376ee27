// Options by name: one that is misspelt would be an option that is silently not followed.
import { UsageError } from "./errors.ts";
import { didYouMean } from "./nearest.ts";

/** @throws UsageError naming the first key that is none of the known ones, and the nearest of these */
export function checkKeys(where: string, options: object, known: readonly string[]): void {
  const odd = Object.keys(options).find((key) => !known.includes(key));
  if (odd === undefined) return;
  throw new UsageError(where, `unknown option ${JSON.stringify(odd)}${didYouMean(odd, known) || `: there are ${known.join(", ")}`}`);
}
