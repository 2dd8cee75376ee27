// Numbers as people write them here: 7B parameters, 1T tokens, 1e22 operations; and some back, with their units.
import { UsageError } from "../../base/index.ts";
import { short } from "../../plan/index.ts";
import type { Flags } from "../command.ts";
import { numberFlag, stringFlag } from "../flag-values.ts";

/** Beyond any plan, and far from where products overflow. */
const most = 1e40;
const suffixes: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, b: 1e9, t: 1e12, p: 1e15 };

/** A flag above 0 and up to 1e40 with an optional suffix k, M, G or B, T, P. @throws UsageError for anything else */
export function quantityFlag(flags: Flags, name: string): number | undefined {
  const text = stringFlag(flags, name);
  if (text === undefined) return undefined;
  const [, digits, suffix = ""] = /^(\d+(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)([kmgbtp]?)$/i.exec(text.replaceAll("_", "")) ?? [];
  const value = digits === undefined ? Number.NaN : Number(digits) * (suffixes[suffix.toLowerCase()] ?? 1);
  if (value > 0 && value <= most) return value;
  throw new UsageError("plan", `--${name} is "${text}" but must be above 0 and at most ${most}, such as 7B, 1.4T or 1e22`);
}

/** A plain number from a millionth to `most`. @throws UsageError */
export function positiveFlag(flags: Flags, name: string, most = 1e9): number | undefined {
  const value = numberFlag(flags, name);
  if (value === undefined || (value >= 1e-6 && value <= most)) return value;
  throw new UsageError("plan", `--${name} is ${value} but must be from 0.000001 to ${most}`);
}

export function bytes(value: number): string {
  if (value >= 1e9) return `${short(value / 1e9)} GB`;
  return value >= 1e6 ? `${short(value / 1e6)} MB` : `${short(value / 1e3)} kB`;
}

export function flopRate(value: number): string {
  return value >= 1e12 ? `${short(value / 1e12)} TFLOP/s` : `${short(value / 1e9)} GFLOP/s`;
}

export function percent(share: number): string {
  return `${short(100 * share)} %`;
}

/** 40 s, 12 min, 3.5 h, 20.8 days, 3 years: the largest unit of which there is one. */
export function duration(hours: number): string {
  if (hours < 1 / 60) return `${short(hours * 3600)} s`;
  if (hours < 1) return `${short(hours * 60)} min`;
  if (hours < 48) return `${short(hours)} h`;
  return hours < 24 * 730 ? `${short(hours / 24)} days` : `${short(hours / 24 / 365)} years`;
}

/** @param value in MWh */
export function energyText(value: number): string {
  if (value >= 1) return `${short(value)} MWh`;
  return value >= 1e-3 ? `${short(value * 1e3)} kWh` : `${short(value * 1e6)} Wh`;
}

/** Of CO2 equivalent. @param value in tonnes */
export function carbonText(value: number): string {
  if (value >= 1) return `${short(value)} t CO2eq`;
  return value >= 1e-3 ? `${short(value * 1e3)} kg CO2eq` : `${short(value * 1e6)} g CO2eq`;
}

/** In US dollars. */
export function moneyText(value: number): string {
  return value < 0.01 ? "under $0.01" : `$${short(value)}`;
}
