// The quantities of a plan: flags of 7B parameters, 1T tokens or 1e22 operations; and some back, with their units.
import { ambiguousLength, parseQuantity, UsageError } from "../../base/index.ts";
import { short } from "../../plan/index.ts";
import type { Flags } from "../command.ts";
import { stringFlag } from "../flag-values.ts";

/** The largest number that is read: beyond any plan, and far from where products overflow. */
const most = 1e40;

/** What people give each flag, for messages. */
const examples: Readonly<Record<string, string>> = {
  ...{ flops: "1e22", "gpu-hours": "82,432", hours: "24", money: "$50,000" },
  ...{ parameters: "7B", tokens: "1.4T", loss: "2.1", "serve-tokens": "2T" },
  ...{ gpus: "2,048", "batch-tokens": "4,194,304", length: "2048", price: "$1.80", watts: "400", utilisation: "0.4" },
};

/** Their sign may stand before them. */
const inDollars: ReadonlySet<string> = new Set(["money", "price"]);

/** A flag above 0 and up to 1e40, written in any way that `parseQuantity` reads. @throws UsageError for anything else */
export function quantityFlag(flags: Flags, name: string): number | undefined {
  return checked(flags, name, (value) => value > 0 && value <= most, `above 0 and at most ${most}`);
}

/** A number from a millionth to `greatest`. @throws UsageError */
export function positiveFlag(flags: Flags, name: string, greatest = 1e9): number | undefined {
  return checked(flags, name, (value) => value >= 1e-6 && value <= greatest, `from 0.000001 to ${greatest}`);
}

/** A whole number from 1 on. @throws UsageError */
export function countFlag(flags: Flags, name: string): number | undefined {
  return checked(flags, name, (value) => Number.isSafeInteger(value) && value >= 1, "an integer, at least 1");
}

/** A count of tokens that belong together, for which "8k" may mean 8000 or 8192. @throws UsageError for such a suffix too */
export function lengthFlag(flags: Flags, name: string): number | undefined {
  const text = stringFlag(flags, name) ?? "";
  const doubt = ambiguousLength(text);
  if (doubt !== undefined) throw new UsageError("plan", `--${name} is "${text}", but ${doubt}`);
  return countFlag(flags, name);
}

function checked(flags: Flags, name: string, isRight: (value: number) => boolean, rule: string): number | undefined {
  const text = stringFlag(flags, name);
  if (text === undefined) return undefined;
  const value = parseQuantity(inDollars.has(name) ? text.replace(/^\$/, "") : text);
  if (isRight(value)) return value;
  throw new UsageError("plan", `--${name} is "${text}" but must be ${rule}, such as ${examples[name]}`);
}

/** A share in per cent, with its sign. */
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

/** A mass of CO2 equivalent for people. @param value in tonnes */
export function carbonText(value: number): string {
  if (value >= 1) return `${short(value)} t CO2eq`;
  return value >= 1e-3 ? `${short(value * 1e3)} kg CO2eq` : `${short(value * 1e6)} g CO2eq`;
}

/** An amount of US dollars for people. */
export function moneyText(value: number): string {
  return value < 0.01 ? "under $0.01" : `$${short(value)}`;
}
