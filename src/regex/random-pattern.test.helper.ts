// Patterns and texts drawn at random, over few letters, so that they often match.
import { Rng } from "../base/index.ts";

const atoms = ["a", "b", "c", "a", "b", ".", "[ab]", "[^a]", "\\w", "\\s", "\\d", "\\n", "é", "🦙"];
const edges = ["\\b", "\\B", "^", "$", "\\A", "\\z", "\\Z"];
const repeats = ["*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,2}", "{,2}", "{2,}", "{1,3}?"];
const groups = ["(?:", "(?:", "(", "(?>", "(?>"];
const looks = ["(?=", "(?!", "(?<=", "(?<!"];

export function randomPattern(seed: number): string {
  const rng = new Rng(seed);
  const pick = (list: readonly string[]) => list[rng.below(list.length)] ?? "";
  const part = (depth: number): string => {
    const kind = rng.below(20);
    if (depth > 0 && kind < 2) return `${pick(looks)}${alternatives(depth - 1)})`;
    if (kind === 2) return pick(edges);
    const atom = depth > 0 && kind < 9 ? `${pick(groups)}${alternatives(depth - 1)})` : pick(atoms);
    return rng.below(2) === 0 ? atom : atom + pick(repeats);
  };
  const alternatives = (depth: number): string =>
    Array.from({ length: 1 + (rng.below(2) === 0 ? 0 : rng.below(3)) }, () =>
      Array.from({ length: rng.below(4) }, () => part(depth)).join(""),
    ).join("|");
  return alternatives(3);
}

export function randomText(seed: number): string {
  const rng = new Rng(~seed);
  return Array.from({ length: rng.below(14) }, () => ["a", "a", "b", "b", "c", "d", "\n", " ", "1", "é", "🦙"][rng.below(11)]).join("");
}
