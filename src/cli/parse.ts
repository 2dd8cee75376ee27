// Words of the command line → flags and arguments, by a command's rows. node:util cuts the words up; the rules and messages are ours.
import { parseArgs } from "node:util";
import { ambiguousLength, didYouMean, parseQuantity, UsageError } from "../base/index.ts";
import type { FlagRow, Flags, FlagValue } from "./command.ts";

/** Every command's flags. */
export const commonFlags: readonly FlagRow[] = [
  { name: "json", type: "boolean", help: "print one JSON document on stdout and nothing else" },
  { name: "help", type: "boolean", help: "print this help (also -h)" },
];

/** The words behind a command's name, parsed by its rows. */
export interface Parsed {
  readonly args: readonly string[];
  readonly flags: Flags;
}

/**
 * Flags take `--name value` or `--name=value`; a boolean `--name` or `--no-name`; everything behind `--` is an argument.
 * `where` is the command's name, for messages. @throws UsageError for what the rows do not allow; says nothing of missing flags.
 */
export function parseFlags(where: string, rows: readonly FlagRow[], words: readonly string[]): Parsed {
  const options = Object.fromEntries(rows.map((row) => [row.name, { type: row.type === "boolean" ? "boolean" : "string" } as const]));
  const { tokens } = parseArgs({
    args: [...words],
    options: { ...options, help: { type: "boolean", short: "h" } },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const args: string[] = [];
  const given = new Map<string, (string | number | boolean)[]>();
  for (const token of tokens) {
    if (token.kind === "positional") args.push(token.value);
    if (token.kind !== "option") continue;
    const [row, value] = readFlag(where, rows, token, words[token.index]!);
    given.set(row.name, [...(given.get(row.name) ?? []), value]);
  }
  return { args, flags: Object.fromEntries(rows.map((row) => [row.name, settle(where, row, given.get(row.name) ?? [])])) };
}

/** @throws UsageError when a flag that must be given is not. Apart from {@link parseFlags}, because `--help` needs no flags. */
export function requireFlags(where: string, rows: readonly FlagRow[], flags: Flags): void {
  const missing = rows.filter((row) => row.required && (flags[row.name] === undefined || isEmpty(flags[row.name])));
  if (missing.length === 0) return;
  throw new UsageError(where, missing.map((row) => `--${row.name} must be given: ${row.help}`).join(`\n[${where}] `));
}

interface OptionToken {
  /** The index of its word among all words. */
  readonly index: number;
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function readFlag(where: string, rows: readonly FlagRow[], token: OptionToken, word: string): [FlagRow, string | number | boolean] {
  const row = rows.find((one) => one.name === token.name);
  if (row === undefined) return readNegated(where, rows, token, word);
  if (row.type === "boolean") {
    if (token.value === undefined) return [row, true];
    throw new UsageError(where, `--${row.name} takes no value, but has "${token.value}": write --${row.name} or --no-${row.name}`);
  }
  return [row, row.type === "number" ? readNumber(where, row, readValue(where, row, token)) : readValue(where, row, token)];
}

function readNegated(where: string, rows: readonly FlagRow[], token: OptionToken, word: string): [FlagRow, boolean] {
  const row = rows.find((one) => one.type === "boolean" && `no-${one.name}` === token.name);
  if (row !== undefined && token.value === undefined) return [row, false];
  // A number below zero, or a text with spaces, is no name of a flag.
  if (/^-+[\d.]|\s/.test(word))
    throw new UsageError(where, `"${word}" begins with "-" and is read as a flag: put arguments behind --, as in -- "${word}"`);
  const names = rows.map((one) => `--${one.name}`);
  const near = didYouMean(token.rawName, names);
  throw new UsageError(where, `unknown flag ${token.rawName}${near === "" ? `: there are ${names.join(", ")}` : near}`);
}

function readValue(where: string, row: FlagRow, token: OptionToken): string {
  const { value } = token;
  if (value === undefined || value === "")
    throw new UsageError(where, `--${row.name} needs a ${row.type === "number" ? "number" : "value"}: ${row.help}`);
  if (!token.inlineValue && value.startsWith("--"))
    throw new UsageError(where, `--${row.name} needs a value, but "${value}" follows: write --${row.name}=${value} if that is the value`);
  return value;
}

function readNumber(where: string, row: FlagRow, value: string): number {
  const doubt = row.isLength && ambiguousLength(value);
  if (doubt) throw new UsageError(where, `--${row.name} is "${value}", but ${doubt}`);
  const number = parseQuantity(value);
  if (Number.isFinite(number)) return number;
  throw new UsageError(where, `--${row.name} needs a number, but has "${value}": ${row.help}`);
}

function settle(where: string, row: FlagRow, values: readonly (string | number | boolean)[]): FlagValue {
  if (row.repeat) return values as readonly string[] | readonly number[];
  if (values.length > 1 && new Set(values).size > 1)
    throw new UsageError(where, `--${row.name} is given as "${values.join('" and as "')}": give it once`);
  return values[0] ?? row.default ?? (row.type === "boolean" ? false : undefined);
}

function isEmpty(value: FlagValue): boolean {
  return Array.isArray(value) && value.length === 0;
}
