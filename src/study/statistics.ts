// The few statistics that verdicts are made of.

/** The mean; NaN of no values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The std of a sample (n − 1 below); 0 for a single value. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

/** A point of a chart with its band: mean, lowest and highest value at x. */
export interface Band {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

/** Mean, lowest and highest of the values at x. */
export function band(x: number, values: readonly number[]): Band {
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

/** Two columns of a table of seeds, and how far their difference is from chance. */
export interface PairedDifference {
  /** The mean of a − b. */
  readonly mean: number;
  /** 95 % confidence: Student's t over the pairs; boundless for fewer than two. */
  readonly low: number;
  readonly high: number;
}

/** Values of the same seed are pairs: what a seed does to both is no difference between them. */
export function pairedDifference(a: readonly number[], b: readonly number[]): PairedDifference {
  if (a.length !== b.length) throw new Error(`${a.length} and ${b.length} values are no pairs`);
  const differences = a.map((value, i) => value - b[i]!);
  const n = differences.length;
  const half = n < 2 ? Number.POSITIVE_INFINITY : (studentT(n - 1) * deviation(differences)) / Math.sqrt(n);
  const middle = mean(differences);
  return { mean: middle, low: middle - half, high: middle + half };
}

/** The 97.5 % points of Student's t for 1 to 10 degrees of freedom. */
const studentTable = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/** The first terms of its expansion in 1/f stand in beyond the table (Abramowitz & Stegun 26.7.5), to 0.002. */
function studentT(freedom: number): number {
  return studentTable[freedom - 1] ?? 1.96 + 2.372 / freedom + 2.823 / freedom ** 2;
}

/** Values by a key, in the order of their first appearance. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
