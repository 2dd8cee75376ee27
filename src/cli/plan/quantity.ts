// Numbers as people write them here: 7B parameters, 1T tokens, 1e22 operations; and some back, with their units.
import { UsageError } from "../../base/index.ts";
import { short } from "../../plan/index.ts";
import type { Flags } from "../command.ts";
import { stringFlag } from "../flag-values.ts";

/** Beyond any plan, and far from where products overflow. */
const most = 1e40;
const suffixes: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, b: 1e9, t: 1e12, p: 1e15 };

/** As the paper counts the tokens of a step: its 4M are 2,048 sequences of 2,048. */
const binarySuffixes: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20 };

/** What people give each flag, for messages. */
const examples: Readonly<Record<string, string>> = {
  ...{ flops: "1e22", "gpu-hours": "82,432", hours: "24", money: "$50,000" },
  ...{ parameters: "7B", tokens: "1.4T", loss: "2.1", "serve-tokens": "2T" },
  ...{ gpus: "2,048", "batch-tokens": "4M", length: "2048", price: "$1.80", watts: "400", utilisation: "0.4" },
};

/** Their sign may stand before them. */
const inDollars: ReadonlySet<string> = new Set(["money", "price"]);

/** A flag above 0 and up to 1e40, in any way of {@link parseQuantity}. @throws UsageError for anything else */
export function quantityFlag(flags: Flags, name: string): number | undefined {
  return checked(flags, name, (value) => value > 0 && value <= most, `above 0 and at most ${most}`);
}

/** A number from a millionth to `greatest`. @throws UsageError */
export function positiveFlag(flags: Flags, name: string, greatest = 1e9): number | undefined {
  return checked(flags, name, (value) => value >= 1e-6 && value <= greatest, `from 0.000001 to ${greatest}`);
}

/** A whole number from 1 on; with `isBinary`, k and M are 1024 and 1024². @throws UsageError */
export function countFlag(flags: Flags, name: string, isBinary = false): number | undefined {
  return checked(flags, name, (value) => Number.isSafeInteger(value) && value >= 1, "an integer, at least 1", isBinary);
}

function checked(flags: Flags, name: string, isRight: (value: number) => boolean, rule: string, isBinary = false): number | undefined {
  const text = stringFlag(flags, name);
  if (text === undefined) return undefined;
  const value = parseQuantity(inDollars.has(name) ? text.replace(/^\$/, "") : text, isBinary ? binarySuffixes : suffixes);
  if (isRight(value)) return value;
  throw new UsageError("plan", `--${name} is "${text}" but must be ${rule}, such as ${examples[name]}`);
}

/** 7B, 1.4T, 1e22, 50,000, 1_000_000: a suffix k, M, G or B, T, P, and thousands apart by "," in groups of three or by "_". NaN for what is no number. */
function parseQuantity(text: string, sizes: Readonly<Record<string, number>>): number {
  const number = /^(\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:_\d+)*(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)([a-z]?)$/i;
  const [, digits, suffix = ""] = number.exec(text) ?? [];
  const size = suffix === "" ? 1 : sizes[suffix.toLowerCase()];
  return digits === undefined || size === undefined ? Number.NaN : Number(digits.replaceAll(/[,_]/g, "")) * size;
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
