// Numbers as people read them in a plan: 6.74B, 1T, 2.83e22, 20.1. Messages and tables share them.

const names = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** 6.74B, 1T, 950, and 2.83e22 from a quadrillion on. */
export function amount(value: number): string {
  if (value >= 1e15) return exponent(value);
  for (const [size, suffix] of names) if (value >= size * 0.9995) return `${short(value / size)}${suffix}`;
  return short(value);
}

/** A number with three digits and an exponent, such as 2.83e22. */
export function exponent(value: number): string {
  return value.toExponential(2).replace("e+", "e");
}

/** Three digits without the zeros that say nothing; whole numbers whole, and what is next to nothing as 0. */
export function short(value: number): string {
  if (Math.abs(value) < 1e-9) return "0";
  return value >= 1000 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)));
}

/** A number in six digits, without the zeros that say nothing, for a loss beside one that it is close to. */
export function digits(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** A number of bytes in GB, MB or kB of powers of ten. */
export function bytes(value: number): string {
  if (value >= 1e9) return `${short(value / 1e9)} GB`;
  return value >= 1e6 ? `${short(value / 1e6)} MB` : `${short(value / 1e3)} kB`;
}

/** A rate in TFLOP/s or GFLOP/s. */
export function flopRate(value: number): string {
  return value >= 1e12 ? `${short(value / 1e12)} TFLOP/s` : `${short(value / 1e9)} GFLOP/s`;
}
