// The few statistics that conclusions are made of.

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample (n − 1 below); 0 for a single value. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** "3.214 ± 0.012": mean and standard deviation, both to the deviation's second digit at least. */
export function spread(values: readonly number[], digits = 3): string {
  if (values.length === 0) return "–";
  const text = mean(values).toFixed(digits);
  return values.length < 2 ? text : `${text} ± ${deviation(values).toFixed(digits)}`;
}

/** Mean, lowest and highest: a point of a chart with its band. */
export function band(x: number, values: readonly number[]): { x: number; y: number; low: number; high: number } {
  return { x, y: mean(values), low: Math.min(...values), high: Math.max(...values) };
}

/** The exponent p and factor c of y = c · x^p by least squares on logarithms; all above 0, at least two x. */
export function powerLaw(points: readonly { readonly x: number; readonly y: number }[]): { exponent: number; factor: number } {
  const logs = points.map(({ x, y }) => [Math.log(x), Math.log(y)] as const);
  const [mx, my] = [mean(logs.map(([x]) => x)), mean(logs.map(([, y]) => y))];
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  const exponent = covariance / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  return { exponent, factor: Math.exp(my - exponent * mx) };
}

/** The mean difference a − b of pairs in units of its standard error: beyond 2 or so it is more than chance; NaN for fewer than two pairs. */
export function pairedT(a: readonly number[], b: readonly number[]): number {
  const differences = a.map((value, i) => value - b[i]!);
  return differences.length < 2 ? Number.NaN : mean(differences) / (deviation(differences) / Math.sqrt(differences.length));
}

/** Values by a key, in the order of their first appearance. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** "1 seed", "3 seeds". */
export function seedCount(count: number): string {
  return `${count} seed${count === 1 ? "" : "s"}`;
}
