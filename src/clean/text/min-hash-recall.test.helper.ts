// How often MinHash finds planted near-copies, beside the theory's curve for their similarity: 1 − (1 − s^rows)^bands (Leskovec et al., Mining of Massive
// Datasets, section 3.4).
import { expect } from "vitest";
import { Rng } from "../../base/index.ts";
import { KeyList } from "./key-list.ts";

/** The sizes that all of these texts are compared by. */
export const sizes = { words: 5, bands: 14, rows: 8 };
/** n-grams of each text. */
const grams = 100;

interface Keyed {
  addKeys(text: string, keys: KeyList): void;
}

/** Two texts whose n-grams have so many in common: they begin with the same words, and no word stands anywhere twice. */
function pairWith(common: number, rng: Rng): readonly [string, string] {
  const words = (count: number) => Array.from({ length: count }, () => `${rng.uint32().toString(36)}${rng.uint32().toString(36)}`);
  const beginning = words(common + sizes.words - 1);
  const whole = () => [...beginning, ...words(grams - common)].join(" ");
  return [whole(), whole()];
}

function shareKey(hash: Keyed, [a, b]: readonly [string, string]): boolean {
  const keys = new KeyList();
  hash.addKeys(a, keys);
  hash.addKeys(b, keys);
  const { halves } = keys;
  for (let at = 0, other = 2 * sizes.bands; at < 2 * sizes.bands; at += 2, other += 2)
    if (halves[at] === halves[other] && halves[at + 1] === halves[other + 1]) return true;
  return false;
}

/** Holds the share of planted pairs that are found against the theory, for similarities of 0.3 to 0.95. */
export function expectRecall(hash: Keyed, pairs: number): void {
  const rng = new Rng(22);
  for (let aim = 0.3; aim < 0.96; aim += 0.05) {
    const common = Math.round((2 * grams * aim) / (1 + aim));
    const similarity = common / (2 * grams - common);
    const chance = 1 - (1 - similarity ** sizes.rows) ** sizes.bands;
    let found = 0;
    for (let i = 0; i < pairs; i++) if (shareKey(hash, pairWith(common, rng))) found++;
    // Bernstein's inequality for an error of e^-8: of 14 similarities one is outside on either side by chance in a hundred seeds at most.
    const most = Math.sqrt(16 * pairs * chance * (1 - chance)) + 8 / 3;
    expect(Math.abs(found - pairs * chance), `${found} of ${pairs} at similarity ${similarity}`).toBeLessThanOrEqual(most);
  }
}
