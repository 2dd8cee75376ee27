// Parsed flags by their type: the rows say what type a flag has, this says it to the compiler.
import { UsageError } from "../base/index.ts";
import type { Flags } from "./command.ts";

export function stringFlag(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  return typeof value === "string" ? value : undefined;
}

export function numberFlag(flags: Flags, name: string): number | undefined {
  const value = flags[name];
  return typeof value === "number" ? value : undefined;
}

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

/** @throws UsageError when the flag is missing. */
export function required<T>(value: T | undefined, where: string, name: string): T {
  if (value === undefined) throw new UsageError(where, `--${name} is missing: see --help`);
  return value;
}
