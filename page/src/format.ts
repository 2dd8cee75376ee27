// Numbers as people read them.
import type { Words } from "./words.ts";

/** 1.23k, 4.56M, 7.89B: three digits. */
export function amount(value: number): string {
  if (!Number.isFinite(value)) return "–";
  for (const [size, suffix] of [
    [1e12, "T"],
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const)
    if (Math.abs(value) >= size * 0.9995 && Math.abs(value) < 1e15) return `${digits(value / size)}${suffix}`;
  return Math.abs(value) >= 1e15 ? value.toExponential(2).replace("e+", "e") : digits(value);
}

/** Three digits, without an exponent where it can be. @param step the distance of neighbours, from which it shall be told apart by more digits where needed */
export function digits(value: number, step = 0): string {
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  const needed = step > 0 ? Math.min(12, exponent - Math.floor(Math.log10(step)) + 1) : 0;
  if (exponent < -3) return value.toExponential(Math.max(1, needed - 1)).replace("e-", "e−");
  return String(Number(value.toPrecision(Math.max(3, needed))));
}

/** A whole number with separators. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Seconds in the largest unit that leaves a number above 1. */
export function duration(seconds: number, { units }: Words): string {
  if (!Number.isFinite(seconds)) return "–";
  const hours = seconds / 3600;
  if (seconds < 90) return `${Math.round(seconds)} ${units.seconds}`;
  if (hours < 1.5) return `${Math.round(seconds / 60)} ${units.minutes}`;
  if (hours < 48) return `${digits(hours)} ${units.hours}`;
  return hours < 24 * 700 ? `${amount(hours / 24)} ${units.days}` : `${amount(hours / 8766)} ${units.years}`;
}

/** Bytes in GB, MB or kB of powers of ten. */
export function bytes(value: number): string {
  if (value >= 1e12) return `${digits(value / 1e12)} TB`;
  if (value >= 1e9) return `${digits(value / 1e9)} GB`;
  return value >= 1e6 ? `${digits(value / 1e6)} MB` : `${digits(value / 1e3)} kB`;
}
