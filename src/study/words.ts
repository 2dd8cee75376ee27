// Numbers and counts in words, for conclusions and remarks.
import type { DivergedRun } from "./outcomes.ts";
import { deviation, mean, type PairedDifference } from "./statistics.ts";

/** "3.214 ± 0.012": mean and standard deviation over seeds. */
export function spread(values: readonly number[], digits = 3): string {
  if (values.length === 0) return "–";
  const text = mean(values).toFixed(digits);
  return values.length < 2 ? text : `${text} ± ${deviation(values).toFixed(digits)}`;
}

/** "0.035 (95 %: 0.020 to 0.050)"; of one pair the difference alone. */
export function told({ mean, low, high }: PairedDifference, digits = 3): string {
  const text = mean.toFixed(digits);
  return Number.isFinite(low) ? `${text} (95 %: ${low.toFixed(digits)} to ${high.toFixed(digits)})` : text;
}

/** "1 seed", "3 seeds", "1,500 steps". */
export function counted(count: number, what: string): string {
  return `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
}

/** A remark where runs diverged (NaN), else none. @param how they are counted */
export function divergedRemark(runs: readonly DivergedRun[], how: string): string[] {
  const names = runs.map(({ name, seed }) => `${name}, seed ${seed}`);
  return names.length === 0 ? [] : [`The loss diverged (NaN) in ${names.join("; ")}: ${how}.`];
}

/** How a comparison of losses counts runs that diverged. */
export const asUnigramBaseline = "counted as a model at the unigram baseline";
