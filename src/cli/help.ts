// Help follows from the rows: nothing here knows a command.
import type { Command, CommandGroup, FlagRow } from "./command.ts";
import { commonFlags } from "./parse.ts";

/** What a list of commands shows of each. */
export interface Listed {
  readonly name: string;
  readonly summary: string;
}

const exitCodes = "exit codes: 0 ok, 1 failed, 2 wrong usage, 130 interrupted, 141 the reader of the output left early (| head)";

/** `cria --help`. */
export function mainHelp(commands: readonly Listed[], width: number): string {
  return page([
    "cria: trains LLaMA models end to end in TypeScript",
    "usage: cria COMMAND [flags] [arguments]",
    list("commands:", commands, width),
    `every command takes --help and --json; cria version prints the version\n${exitCodes}`,
  ]);
}

/** `cria tokenizer --help`. */
export function groupHelp(group: CommandGroup, width: number): string {
  return page([
    `cria ${group.name}: ${group.summary}`,
    `usage: cria ${group.name} COMMAND [flags] [arguments]`,
    list("commands:", group.commands, width),
  ]);
}

/** `cria doctor --help`; `path` is the command as typed, without `cria`. */
export function commandHelp(path: string, command: Command, width: number): string {
  const rows = [...command.flags, ...commonFlags].map((row) => ({ name: flagName(row), summary: flagHelp(row) }));
  return page([
    `cria ${path}: ${command.summary}`,
    `usage: ${`cria ${path} ${command.usage}`.trim()}`,
    list("flags:", rows, width),
    ...(command.example === undefined ? [] : [showExample(command.example)]),
  ]);
}

/** The example stands as it is and is not wrapped, so that it can be copied. */
function showExample({ title, text }: NonNullable<Command["example"]>): string {
  return [`${title}:`, ...text.trimEnd().split("\n")].join("\n  ");
}

function flagName(row: FlagRow): string {
  const value = row.type === "boolean" ? "" : ` ${row.value ?? { string: "TEXT", number: "N" }[row.type]}`;
  return `--${row.name}${value}${row.repeat ? " …" : ""}`;
}

function flagHelp(row: FlagRow): string {
  if (row.required) return `${row.help} (required)`;
  return row.default === undefined || row.default === false ? row.help : `${row.help} (default ${row.default})`;
}

/** Two columns; the right one wraps. */
function list(title: string, rows: readonly Listed[], width: number): string {
  const left = Math.max(...rows.map((row) => row.name.length)) + 4;
  const lines = rows.map((row) => `  ${row.name}`.padEnd(left) + wrap(row.summary, width - left).join(`\n${" ".repeat(left)}`));
  return [title, ...lines].join("\n");
}

/** Lines of at most `width` characters; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function page(parts: readonly string[]): string {
  return `${parts.join("\n\n")}\n`;
}
