// Round numbers for axes: where to mark an axis, and how the marks are written.

/** The digits that marks of a logarithmic axis begin with, the fewest first. */
const leading = [[1], [1, 3], [1, 2, 5], [1, 2, 3, 5, 7], [1, 2, 3, 4, 5, 6, 7, 8, 9]];
/** A logarithmic axis has at least so many marks where its range allows it. */
const fewest = 3;

/** The multiples of a round step (1, 2 or 5 times a power of ten) from `low` to `high`, about `count` of them; `low` alone where both are equal. */
export function linearTicks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const step = roundStep((high - low) / count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** The smallest of 1, 2, 5, 10, … times a power of ten that is not below `least`, which is above 0. */
export function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((digit) => digit * power >= least * (1 - 1e-9))!;
}

/** Marks from `low` to `high`, both above 0, for a logarithmic axis: powers of ten, with more digits between them the shorter the range is. */
export function logTicks(low: number, high: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const powers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const marks = leading.map((digits) =>
    powers
      .flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)))
      .filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)),
  );
  const most = marks.at(-1)!;
  // A logarithm is nearly a straight line between two neighbouring digits.
  return marks.find((ticks) => ticks.length >= fewest) ?? (most.length > 1 ? most : linearTicks(low, high, fewest));
}

const suffixes = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** 0.08, 5, 300, 20k, 1.5M, 2B; a power of two from 1024 to 524288 in units of 1024: 1k, 2k, … 512k. */
export function shortNumber(value: number): string {
  if (value >= 1024 && value < 2 ** 20 && Number.isInteger(Math.log2(value))) return `${value / 1024}k`;
  const [size, suffix] = suffixes.find(([least]) => Math.abs(value) >= least) ?? [1, ""];
  return `${Number((value / size).toPrecision(3))}${suffix}`.replace("-", "−");
}
