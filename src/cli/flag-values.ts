// Parsed flags by their type: the rows say what type a flag has, this says it to the compiler.
import { didYouMean, UsageError } from "../base/index.ts";
import type { Flags } from "./command.ts";

/** The value of a flag of type string; undefined where it was not given. */
export function stringFlag(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  return typeof value === "string" ? value : undefined;
}

/** The value of a flag that has one of a few. @throws UsageError naming them for another one */
export function oneOfFlag<T extends string>(flags: Flags, where: string, name: string, allowed: readonly T[]): T | undefined {
  const value = stringFlag(flags, name);
  const known = allowed.find((one) => one === value);
  if (value === undefined || known !== undefined) return known;
  throw new UsageError(where, `--${name} is "${value}"${didYouMean(value, allowed) || ":"} one of ${allowed.join(", ")}`);
}

/** The value of a flag of type number; undefined where it was not given. */
export function numberFlag(flags: Flags, name: string): number | undefined {
  const value = flags[name];
  return typeof value === "number" ? value : undefined;
}

/** Whether a flag of type boolean is on. */
export function booleanFlag(flags: Flags, name: string): boolean {
  return flags[name] === true;
}

/** A whole number. @throws UsageError when it is another one, or below `least`. */
export function wholeFlag(flags: Flags, where: string, name: string, least = 1): number | undefined {
  const value = numberFlag(flags, name);
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= least))
    throw new UsageError(where, `--${name} is ${value} but must be an integer, at least ${least}`);
  return value;
}

const byteUnits: Readonly<Record<string, number>> = {
  ...{ b: 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 },
  ...{ ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30, ti: 2 ** 40 },
};

/** Bytes with their unit, such as 500M, 4GB or 2GiB. @throws UsageError for another text */
export function bytesFlag(flags: Flags, where: string, name: string): number | undefined {
  const text = stringFlag(flags, name);
  if (text === undefined) return undefined;
  const [, amount = "", unit = ""] = /^(\d+(?:\.\d+)?) ?(b|[kmgt]i?)b?$/i.exec(text.trim()) ?? [];
  const bytes = Number(amount) * (byteUnits[unit.toLowerCase()] ?? Number.NaN);
  if (amount === "" || !(bytes > 0))
    throw new UsageError(where, `--${name} is "${text}" but must be a size with its unit, such as 500M, 4GB or 2GiB`);
  return Math.round(bytes);
}

/** A week: what runs longer is meant otherwise. */
const mostMinutes = 7 * 24 * 60;

/** Wall-clock minutes by --minutes, or the usual ones. @param least above 0 when undefined. @throws UsageError for minutes outside of the range */
export function minutesFlag(flags: Flags, where: string, { usual, least }: { readonly usual: number; readonly least?: number }): number {
  const minutes = numberFlag(flags, "minutes") ?? usual;
  if (minutes > 0 && minutes >= (least ?? 0) && minutes <= mostMinutes) return minutes;
  const from = least === undefined ? "above 0" : `at least ${least}`;
  throw new UsageError(where, `--minutes is ${minutes} but must be ${from} and at most ${mostMinutes} (a week)`);
}

/** What a hint advises where more time may help: six times as many minutes, as a flag's value. */
export function longerMinutes(minutes: number): string {
  return String(Math.min(mostMinutes, Number((6 * minutes).toPrecision(3))));
}

/** @throws UsageError when the flag is missing. */
export function required<T>(value: T | undefined, where: string, name: string): T {
  if (value === undefined) throw new UsageError(where, `--${name} is missing: see --help`);
  return value;
}
