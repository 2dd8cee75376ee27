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

/** Three digits, without an exponent where it can be. */
export function digits(value: number): string {
  if (value === 0) return "0";
  return Math.abs(value) < 1e-3 ? value.toExponential(1).replace("e-", "e−") : String(Number(value.toPrecision(3)));
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
