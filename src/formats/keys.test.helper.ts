// What transformers' config classes hold, for the tests of the tables of keys.
import { readFileSync } from "node:fs";

/** Key → the first and the last release that has it (test/goldens/transformers_keys.py). */
export type KeyReleases = Readonly<Record<string, readonly [first: string, last: string]>>;

export function transformersKeys(): { readonly config: KeyReleases; readonly generation: KeyReleases } {
  return JSON.parse(readFileSync(new URL("../../test/goldens/transformers-keys.golden.json", import.meta.url), "utf8"));
}
